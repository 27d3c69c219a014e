"""The token rules: the only place that knows what a medium costs.

Rules are tables, one row a family (`generations.py`); `plan` looks a medium up in them. `countTokens` and
`usageMetadata` both come from the plan, so they are equal by construction. A budget is two numbers:
what is **billed** (the contract's figure, with its delimiters) and what is **payload**, the tokens
that stand for pixels. The payload is what an engine's geometry (`geometry.py`) turns into a size.

Sources: media resolution, token counts (documents 000 and 002); image token calculation (000, 003);
technical details about videos (003).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil

from .errors import InvalidArgument
from .generations import LineName
from .media import ImageInfo, Modality
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
    """Return the rule that gives every image the same budget, whatever its size."""
    return lambda _width, _height: Budget(payload + delimiters, payload, Modality.IMAGE)


def tiled(min_unit: int, max_unit: int) -> Rule:
    """Return the rule of 256 tokens and delimiters for each tile of the documents' crop-unit formula."""

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


def _frames(unspecified: int, low: int, medium: int, high: int, extra: int = 0) -> Mapping[Level, Budget]:
    payloads: Mapping[Level, int] = {
        "UNSPECIFIED": unspecified,
        "LOW": low,
        "MEDIUM": medium,
        "HIGH": high,
    }
    return {level: Budget(payload + extra, payload, Modality.VIDEO) for level, payload in payloads.items()}


_FRAMES_BEFORE_GEMINI_3 = _frames(256, 64, 256, 256, DELIMITERS)

FRAME: Mapping[LineName, Mapping[Level, Budget]] = {
    "gemini-1.5": _FRAMES_BEFORE_GEMINI_3,
    "gemini-2.0": _FRAMES_BEFORE_GEMINI_3,
    "gemini-2.5": _FRAMES_BEFORE_GEMINI_3,
    "gemini-3": _frames(70, 70, 70, 280),
}
"""What one frame of a video costs. Timestamps are not billed."""


def _pages(budgets: Mapping[Level, Budget], modality: Modality) -> Mapping[Level, Budget]:
    return {level: replace(budget, modality=modality) for level, budget in budgets.items()}


_PAGES_BEFORE_GEMINI_3 = _pages(_FRAMES_BEFORE_GEMINI_3, Modality.DOCUMENT)

PAGE: Mapping[LineName, Mapping[Level, Budget]] = {
    "gemini-1.5": _PAGES_BEFORE_GEMINI_3,
    "gemini-2.0": _PAGES_BEFORE_GEMINI_3,
    "gemini-2.5": _PAGES_BEFORE_GEMINI_3,
    "gemini-3": _pages(_frames(560, 280, 560, 1120), Modality.IMAGE),
}
"""What one page of a PDF costs. Its own text is given to the model too, and not billed."""

SOUND_PER_SECOND: Mapping[LineName, int] = {
    "gemini-1.5": 32,
    "gemini-2.0": 32,
    "gemini-2.5": 32,
    "gemini-3": 25,
}


def plan(info: ImageInfo, line: LineName, overall: Level, part: Resolution | None, field: str) -> Budget:
    """Decide what one image may cost; the part's own resolution wins over the request's.

    `num_tokens` of the part is an exact cap: it is billed as it stands, and all of it is payload
    except the delimiters of the older families.
    """
    budget = IMAGE[line][_level(overall, part)](info.width, info.height)
    return _capped(budget, part, line, field)


FramedPlan = Callable[[LineName, Level, Resolution | None, str], Budget]
"""From a line, the request's level, the part's resolution and the part's field to a budget."""


def plan_frame(line: LineName, overall: Level, part: Resolution | None, field: str) -> Budget:
    """Decide what each frame of a video may cost; `num_tokens` caps the frame as it caps an image."""
    return _framed(FRAME, line, overall, part, field)


def plan_page(line: LineName, overall: Level, part: Resolution | None, field: str) -> Budget:
    """Decide what each page of a PDF may cost; `num_tokens` caps the page as it caps an image."""
    return _framed(PAGE, line, overall, part, field)


def check_sound(part: Resolution | None, field: str) -> None:
    """Refuse a part's resolution that audio cannot have. A level that all media have changes nothing."""
    if part is not None and part.level == "ULTRA_HIGH":
        raise _only_for_images(field)
    if part is not None and part.num_tokens is not None:
        raise InvalidArgument(
            "num_tokens is for images, videos and PDFs; sound is billed by the second.",
            field=f"{field}.media_resolution.num_tokens",
        )


def sound_tokens(seconds: float, line: LineName) -> int:
    """Count the tokens of so much audio, to the tenth of a second: a codec's padding is not billed."""
    return max(ceil(round(seconds, 1) * SOUND_PER_SECOND[line] - 1e-6), 1)


def _framed(
    table: Mapping[LineName, Mapping[Level, Budget]],
    line: LineName,
    overall: Level,
    part: Resolution | None,
    field: str,
) -> Budget:
    level = _level(overall, part)
    if level not in table[line]:
        raise _only_for_images(field)
    return _capped(table[line][level], part, line, field)


def _only_for_images(field: str) -> InvalidArgument:
    return InvalidArgument(
        "Media resolution MEDIA_RESOLUTION_ULTRA_HIGH is only supported for image parts.",
        field=f"{field}.media_resolution.level",
    )


def _level(overall: Level, part: Resolution | None) -> Level:
    return overall if part is None or part.level == "UNSPECIFIED" else part.level


def _capped(budget: Budget, part: Resolution | None, line: LineName, field: str) -> Budget:
    if part is None or part.num_tokens is None:
        return budget
    num_tokens = part.num_tokens
    delimiters = 0 if line == "gemini-3" else DELIMITERS
    if not delimiters < num_tokens <= MAX_PART_TOKENS:
        raise InvalidArgument(
            f"num_tokens must be from {delimiters + 1} to {MAX_PART_TOKENS}, not {num_tokens}.",
            field=f"{field}.media_resolution.num_tokens",
        )
    return Budget(num_tokens, num_tokens - delimiters, budget.modality)
