"""Facts in plain English: one function a kind of fact, each giving whole sentences or a block of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from math import gcd
from typing import Protocol, TypeVar

from ...domain.regions import Box
from ..registry import ENGINES, names
from .facts import Chart, Code, Colour, Difference, Face, Facts, Kind, Line, Quality, Table
from .wording import listing, plural, shortened

_INSTALLED = ", ".join(name for name in names() if name not in ENGINES)
_WHICH = f"installed: {_INSTALLED}" if _INSTALLED else "none is installed here, see docs/engines.md"
WAY_OUT = f"To have that answered, run twinlens with a vision-language model (--engine; {_WHICH})."
ABILITIES = (
    "text, codes, tables, bar charts, faces, colours and picture quality, finds changes between pictures, "
    "cuts in videos and speech in recordings"
)

_ROWS = ("upper", "", "lower")
_COLUMNS = ("left", "centre", "right")
_NOUNS = {
    "photograph": "photograph",
    "document": "document",
    "screenshot": "screenshot",
    "chart": "chart",
    "drawing": "drawing",
}
# The statistics that tell kinds apart take charts for screenshots and the other way round.
_ALIKE = ("chart", "screenshot")
_SURE = 0.7
_QUOTED_WORDS = 14
_LEAST_SHARE = 0.05
_MOST_WEIGHED = 6


def refusal(what: str) -> str:
    """Say in one sentence that something cannot be told, and what can tell it."""
    return f"The built-in engine reads {ABILITIES}, but it cannot tell {what}. {WAY_OUT}"


def nothing_about(words: str) -> str:
    """Say in one sentence that nothing that could be read is about what was asked."""
    return f"The built-in engine reads {ABILITIES}, and found nothing there about “{words}”. {WAY_OUT}"


def caption(facts: Facts) -> str:
    """Describe a picture by all that is known of it."""
    sentences = [
        _opening(facts),
        *(_chart_mention(chart) for chart in facts.charts or ()),
        *(code_mention(code) for code in facts.codes or ()),
        text_mention(facts.lines),
        quality(facts.quality) if facts.quality else "",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def kind(found: Kind | None) -> str:
    """Name the sort of picture with its article; less is said where the pixels say less."""
    if found is None:
        return "a picture"
    if found.name in _ALIKE and found.score < _SURE:
        return "a chart, diagram or screenshot"
    if found.name == "photograph" and found.grey:
        return "a black-and-white photograph"
    return f"a {_NOUNS[found.name]}"


def where(box: Box) -> str:
    """Say where the middle of a box is: `upper left`, `centre`, `right`."""
    row = _ROWS[min((box.ymin + box.ymax) // 2 * 3 // 1000, 2)]
    column = _COLUMNS[min((box.xmin + box.xmax) // 2 * 3 // 1000, 2)]
    return f"{row} {column}".strip()


def place(box: Box) -> str:
    """Say where a box is, with its coordinates."""
    return f"in the {where(box)} (box_2d {box.as_list()})"


def text_block(lines: Sequence[Line]) -> str:
    """Give all text in reading order: paragraphs apart, and what stands on one row in one line."""
    blocks = groupby(lines, key=lambda line: line.block)
    return "\n\n".join("\n".join(_rows(list(block))) for _, block in blocks)


def text_mention(lines: Sequence[Line] | None) -> str:
    """Say what text there is, in full where it is short."""
    if lines is None:
        return ""
    words = sum(len(line.text.split()) for line in lines)
    if not words:
        return "No readable text."
    if words <= _QUOTED_WORDS:
        return f"Readable text: {listing(f'“{line.text}”' for line in lines)}."
    begun = shortened(" ".join(line.text for line in lines), 80)
    return f"It holds {plural(len(lines), 'line')} of text ({plural(words, 'word')}), beginning “{begun}”."


def faces(found: Sequence[Face]) -> str:
    """Count the faces and say where they are. Small or turned faces may be missed, hence `at least`."""
    if not found:
        return "No face was found."
    said = f"At least {plural(len(found), 'face')} {'is' if len(found) == 1 else 'are'} visible: "
    return said + listing(place(face.box) for face in found) + "."


def code_mention(code: Code) -> str:
    """Say what a code holds, and where it is."""
    article = "An" if code.symbology[:1] in "AEIO" else "A"
    return f"{article} {code.symbology} {place(code.box)} holds “{code.text}”."


def colours(found: Sequence[Colour]) -> str:
    """List the colours with their shares."""
    if not found:
        return "No colour stands out."
    return f"The main colours are {listing(f'{c.name} ({c.share:.0%})' for c in found)}."


def quality(found: Quality) -> str:
    """Say how sharp the picture is, and its exposure where it is not the usual."""
    exposure = {"dark": " and dark", "bright": " and very bright", "normal": ""}[found.exposure]
    return f"It looks {found.sharpness}{exposure}."


def size(facts: Facts) -> str:
    """Say how large the picture is, and how much of it was seen."""
    width, height = facts.width, facts.height
    shape = "square" if width == height else "landscape" if width > height else "portrait"
    common = gcd(width, height) or 1
    ratio = f"aspect ratio {width // common}:{height // common}"
    said = f"The picture is {width} × {height} pixels ({shape}, {ratio})."
    if (facts.seen_width, facts.seen_height) != (width, height):
        said += f" It was looked at in {facts.seen_width} × {facts.seen_height} pixels."
    return said


def table(found: Table) -> str:
    """Write a table in Markdown, its first row as the header."""
    header, *rows = found.rows or ((),)
    rule = ["---"] * len(header)
    return "\n".join(_row(cells) for cells in (header, rule, *rows))


def chart(found: Chart) -> str:
    """List the values of a bar chart."""
    title = f"“{found.title}”, " if found.title else ""
    bars = [f"- {bar.label or f'bar {n}'}: {bar.value:g}" for n, bar in enumerate(found.bars, 1)]
    return "\n".join([f"A bar chart, {title}{plural(len(bars), 'bar')}:", *bars])


def difference(found: Difference) -> str:
    """Say what changed from the first picture to the second."""
    if not found.same_scene:
        return "The two pictures show different scenes; there is no common ground on which to compare them."
    moved = "The second picture is shifted, turned or scaled against the first" if found.moved else ""
    if not found.boxes:
        return f"{moved}; apart from that no difference was found." if moved else "No difference was found."
    count = len(found.boxes)
    regions = f"{'One region differs' if count == 1 else f'{count} regions differ'}: "
    said = regions + listing(place(box) for box in found.boxes) + ", as seen in the second picture."
    return f"{moved}. {said}" if moved else said


def weighed(facts: Facts, number: int | None = None) -> str:
    """List the facts that were found, each with its score, for those who asked to see the thoughts."""
    lines = list(_scored(facts))
    head = f"Image {number}" if number else "The image"
    return "\n".join([f"{head}, {facts.seen_width} × {facts.seen_height} pixels seen:", *lines])


def _rows(lines: Sequence[Line]) -> list[str]:
    rows: list[list[Line]] = []
    for line in lines:
        last = rows[-1][-1].box if rows else line.box
        middle = (line.box.ymin + line.box.ymax) / 2
        if rows and last.ymin < middle < last.ymax and line.box.xmin >= last.xmax:
            rows[-1].append(line)
        else:
            rows.append([line])
    return ["  ".join(line.text for line in row) for row in rows]


def _opening(facts: Facts) -> str:
    grey = facts.kind is not None and facts.kind.grey
    main = [] if grey else [c.name for c in facts.colours or () if c.share >= _LEAST_SHARE][:3]
    said = f"{kind(facts.kind).capitalize()}, {facts.width} × {facts.height} pixels"
    said += f", mostly {listing(main)}" if main else ""
    if facts.faces:
        count = len(facts.faces)
        spots = listing(dict.fromkeys(f"the {where(face.box)}" for face in facts.faces))
        said += f", with {plural(count, 'face')} in {spots}"
    return said + "."


def _chart_mention(found: Chart) -> str:
    title = f" titled “{found.title}”" if found.title else ""
    tops = sorted(found.bars, key=lambda bar: bar.value)
    named = [bar for bar in (tops[-1:] + tops[:1] if len(tops) > 1 else tops) if bar.label]
    extremes = listing(f"{bar.label} at {bar.value:g}" for bar in named)
    said = f"It has a bar chart{title} with {plural(len(found.bars), 'bar')}"
    if len(named) < 2:
        return said + "."
    return f"{said}; the highest and the lowest are {extremes}."


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", r"\|").split()) for cell in cells) + " |"


def _scored(facts: Facts) -> Iterable[str]:
    groups = {
        "text": _each(facts.lines, lambda line: f"“{shortened(line.text, 60)}”"),
        "codes": _each(facts.codes, lambda code: f"{code.symbology} “{shortened(code.text, 60)}”"),
        "faces": _each(facts.faces, lambda face: f"a face {place(face.box)}"),
        "colours": _each(facts.colours, lambda colour: f"{colour.name}, {colour.share:.0%}"),
        "tables": _each(facts.tables, lambda table: plural(len(table.rows), "row")),
        "charts": _each(facts.charts, lambda chart: plural(len(chart.bars), "bar")),
    }
    for name, found in groups.items():
        if found is not None:
            more = f"; and {len(found) - _MOST_WEIGHED} more" if len(found) > _MOST_WEIGHED else ""
            yield f"- {name}: {'; '.join(found[:_MOST_WEIGHED]) or 'nothing found'}{more}"
    if facts.kind:
        yield f"- kind: {kind(facts.kind)} ({facts.kind.score:.2f})"
    if facts.quality:
        q = facts.quality
        yield f"- quality: {q.sharpness} ({q.sharpness_score:.2f}), {q.exposure} ({q.exposure_score:.2f})"


class _Scored(Protocol):
    @property
    def score(self) -> float: ...


_Fact = TypeVar("_Fact", bound=_Scored)


def _each(found: Sequence[_Fact] | None, say: Callable[[_Fact], str]) -> list[str] | None:
    return None if found is None else [f"{say(fact)} ({fact.score:.2f})" for fact in found]
