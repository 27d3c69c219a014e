"""Places of what was asked for, as the contract's list of `box_2d` and `label`.

Only facts become items: text, faces, codes, tables, charts and regions of one colour. What a question
asks for beyond that is not looked for, and gives no item.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from ...domain.regions import Box
from .evidence import Item
from .facts import FactName, Facts, Line
from .intents import Intent
from .wording import listing, plural, shortened

_LONGEST_LABEL = 80
# A region that fills most of the picture is its ground, not an item in it.
_LARGEST_AREA = 600_000
_MOST_REGIONS = 12
_MOST_PROMINENT_REGIONS = 6


def is_known(intent: Intent) -> bool:
    """Tell whether the question asks for something that facts can be, or for whatever there is."""
    if intent.targets - {"colours"} or intent.quoted:
        return True
    return not intent.strangers


def find(intent: Intent, facts: Facts) -> tuple[Item, ...]:
    """Find the places a question asks for, in reading order within each kind."""
    if not is_known(intent):
        return ()
    if intent.quoted:
        return tuple(_cited(intent.quoted, facts))
    targets = intent.targets
    if intent.colours or "colours" in targets:
        regions = _regions(facts, intent.colours or None)
        return tuple(regions) + _of(targets - {"colours"}, facts)
    return _of(targets, facts) if targets else tuple(_prominent(facts))


def as_json(items: Iterable[Item]) -> str:
    """Write items as a JSON list, one a line."""
    rows = [json.dumps(_written(item), ensure_ascii=False) for item in items]
    return "[\n  " + ",\n  ".join(rows) + "\n]" if rows else "[]"


def summary(items: Sequence[Item]) -> str:
    """Say how many items of each kind there are."""
    kinds = sorted(item.kind for item in items)
    return listing(plural(len(list(group)), kind) for kind, group in groupby(kinds)) or "nothing"


def _written(item: Item) -> Mapping[str, object]:
    said: dict[str, object] = {"box_2d": item.box.as_list(), "label": item.label}
    more = {"time": item.time, "end_time": item.until, "page": item.page}
    return said | {name: value for name, value in more.items() if value is not None}


def _of(targets: Collection[FactName], facts: Facts) -> tuple[Item, ...]:
    return tuple(item for name in _FINDERS if name in targets for item in _FINDERS[name](facts))


def _prominent(facts: Facts) -> Iterator[Item]:
    """Everything that stands out: faces, codes, tables and charts, blocks of text, regions of one colour."""
    yield from _of(("faces", "codes", "tables", "charts"), facts)
    blocks = groupby(facts.lines or (), key=lambda line: line.block)
    yield from (_block(list(lines)) for _, lines in blocks)
    if facts.kind is None or facts.kind.name not in ("document", "screenshot"):
        small = [item for item in _regions(facts, None) if _area(item.box) <= _LARGEST_AREA]
        yield from small[:_MOST_PROMINENT_REGIONS]


def _regions(facts: Facts, names: frozenset[str] | None) -> Iterator[Item]:
    chosen = [c for c in facts.colours or () if names is None or c.name in names]
    regions = [
        Item(box, f"{colour.name} region", colour.score, "region")
        for colour in chosen
        for box in colour.regions
    ]
    regions.sort(key=lambda item: -_area(item.box))
    yield from regions[:_MOST_REGIONS]


def _cited(quoted: str, facts: Facts) -> Iterator[Item]:
    """The words that are cited, word by word where the line is longer, else the line that holds them."""
    wanted = quoted.casefold().split()
    for line in facts.lines or ():
        said = [word.text.casefold().strip(".,:;!?\"'()") for word in line.words]
        starts = [i for i in range(len(said) - len(wanted) + 1) if said[i : i + len(wanted)] == wanted]
        for start in starts:
            boxes = [word.box for word in line.words[start : start + len(wanted)]]
            yield Item(_around(boxes), quoted, line.score, "text", line.text)
        if not starts and " ".join(wanted) in line.text.casefold():
            yield Item(line.box, quoted, line.score, "text", line.text)


def _block(lines: Sequence[Line]) -> Item:
    said = " ".join(line.text for line in lines)
    score = sum(line.score for line in lines) / len(lines)
    return Item(
        _around([x.box for x in lines]), shortened(said, _LONGEST_LABEL), round(score, 3), "text", said
    )


def _around(boxes: Sequence[Box]) -> Box:
    return Box(
        min(box.ymin for box in boxes),
        min(box.xmin for box in boxes),
        max(box.ymax for box in boxes),
        max(box.xmax for box in boxes),
    )


def _area(box: Box) -> int:
    return (box.ymax - box.ymin) * (box.xmax - box.xmin)


_FINDERS: Mapping[FactName, Callable[[Facts], Iterable[Item]]] = {
    "faces": lambda facts: (Item(x.box, "face", x.score, "face") for x in facts.faces or ()),
    "codes": lambda facts: (
        Item(x.box, f"{x.symbology}: {shortened(x.text, _LONGEST_LABEL)}", x.score, "code", x.text)
        for x in facts.codes or ()
    ),
    "tables": lambda facts: (Item(x.box, "table", x.score, "table") for x in facts.tables or ()),
    "charts": lambda facts: (
        Item(x.box, f"bar chart {x.title}".strip(), x.score, "chart") for x in facts.charts or ()
    ),
    "text": lambda facts: (Item(x.box, x.text, x.score, "text", x.text) for x in facts.lines or ()),
}
