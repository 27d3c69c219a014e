"""The token rules: the only place that knows what a medium costs.

Rules are tables, one row a line (`lines.py`); `plan` looks a medium up in them. `countTokens` and
`usageMetadata` both come from the plan, so they are equal by construction. A budget is two numbers:
what is **billed** (the contract's figure, with its delimiters) and what is **payload**, the tokens
that stand for pixels. The payload is what an engine's geometry (`geometry.py`) turns into a size.

Sources: media resolution, token counts (documents 000 and 002); image token calculation (000, 003).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .errors import InvalidArgument
from .lines import LineName
from .media import MediaInfo, Modality
from .request import Level, Resolution

DELIMITERS = 2
"""Tokens around each payload before Gemini 3: 256 + 2 = 258, 64 + 2 = 66."""

MAX_TILES = 64
MAX_PART_TOKENS = MAX_TILES * (256 + DELIMITERS)
"""The most that any one part can be made to cost: what the table's largest image costs."""

SMALL_SIDE = 384
"""Up to this size, both sides, an image before Gemini 3 is one tile."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What one medium may cost: `billed` tokens of `modality`, of which `payload` stand for pixels."""

    billed: int
    payload: int
    modality: Modality


Rule = Callable[[int, int], Budget]
"""From an upright size in pixels to a budget."""


def flat(payload: int, delimiters: int = 0) -> Rule:
    """Give every image the same budget, whatever its size."""
    return lambda _width, _height: Budget(payload + delimiters, payload, Modality.IMAGE)


def tiled(min_unit: int, max_unit: int) -> Rule:
    """Give 256 tokens and their delimiters for each tile of the documents' crop-unit formula."""

    def rule(width: int, height: int) -> Budget:
        tiles = tile_count(width, height, min_unit, max_unit)
        return Budget(tiles * (256 + DELIMITERS), tiles * 256, Modality.IMAGE)

    return rule


def tile_count(width: int, height: int, min_unit: int = 1, max_unit: int = 1 << 30) -> int:
    """Count the tiles of an image: the crop unit is floor(min side / 1.5), divisions round up."""
    if max(width, height) <= SMALL_SIDE:
        return 1
    unit = min(max(min(width, height) * 2 // 3, min_unit, 1), max_unit)
    return min(-(-width // unit) * -(-height // unit), MAX_TILES)


_GEMINI_3: Mapping[Level, Rule] = {
    "UNSPECIFIED": flat(1120),
    "LOW": flat(280),
    "MEDIUM": flat(560),
    "HIGH": flat(1120),
    "ULTRA_HIGH": flat(2240),
}


def _before_gemini_3(pan_and_scan: Rule) -> Mapping[Level, Rule]:
    return {
        "UNSPECIFIED": pan_and_scan,
        "LOW": flat(64, DELIMITERS),
        "MEDIUM": flat(256, DELIMITERS),
        "HIGH": pan_and_scan,
        "ULTRA_HIGH": pan_and_scan,
    }


IMAGE: Mapping[LineName, Mapping[Level, Rule]] = {
    "gemini-1.5": _before_gemini_3(tiled(256, 768)),
    "gemini-2.0": _before_gemini_3(tiled(1, 1 << 30)),
    "gemini-2.5": _before_gemini_3(tiled(1, 1 << 30)),
    "gemini-3": _GEMINI_3,
}


def plan(info: MediaInfo, line: LineName, overall: Level, part: Resolution | None, field: str) -> Budget:
    """Decide what one medium may cost; the part's own resolution wins over the request's.

    `num_tokens` of the part is an exact cap: it is billed as it stands, and all of it is payload
    except the delimiters of the older lines.
    """
    level = overall if part is None or part.level == "UNSPECIFIED" else part.level
    budget = IMAGE[line][level](info.width, info.height)
    if part is None or part.num_tokens is None:
        return budget
    return _capped(budget, part.num_tokens, line, field)


def _capped(budget: Budget, num_tokens: int, line: LineName, field: str) -> Budget:
    delimiters = 0 if line == "gemini-3" else DELIMITERS
    if not delimiters < num_tokens <= MAX_PART_TOKENS:
        raise InvalidArgument(
            f"num_tokens must be from {delimiters + 1} to {MAX_PART_TOKENS}, not {num_tokens}.",
            field=f"{field}.media_resolution.num_tokens",
        )
    return Budget(num_tokens, num_tokens - delimiters, budget.modality)
