"""What a schema's names mean: the facts that go by a name, as text, number, yes or no, list or records."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain

from ...domain.media import Json
from . import sentences
from .evidence import Evidence, Moment, placed
from .facts import Facts
from .labels import Labels
from .values import SHAPES, numbers
from .wording import tokens

Record = Mapping[str, Json]
Names = Sequence[str]

_ANSWERS = frozenset(("answer", "response", "result", "reply", "output"))
_AROUND = """
a the of in on document pdf file video clip audio recording sound full whole entire complete key main total
number list all short brief executive text relevant found overall second sec s first name value array item
entry source referenced reference
"""
_AROUND_NAMES = frozenset(_AROUND.split())
"""Words that a field's name may have beside the one that matters."""
_TIMES = frozenset(("time", "timestamp", "start", "end", "timecode", "begin"))
_BOXES = frozenset(
    ("box2d", "bbox", "bbox2d", "box", "boundingbox", "boundingbox2d", "coordinates", "region")
)


def words_of(names: Names) -> frozenset[str]:
    """Give the words of a field's names in the singular; `caption` of `imageCaption` is one of them."""
    found = chain.from_iterable(tokens(name) for name in names)
    return frozenset(
        word[:-1] if len(word) > 3 and word.endswith("s") and word[-2] != "s" else word for word in found
    )


def is_answer(names: Names) -> bool:
    """Tell whether a field is the answer itself: it is called so, or there is no field at all."""
    return not names or bool(words_of(names) & _ANSWERS)


def is_box(name: str) -> bool:
    """Tell whether a field is the place of something."""
    return "".join(tokens(name.replace("_", " "))) in _BOXES


def is_records(value: Json) -> bool:
    """Tell whether a value is a list of records."""
    return isinstance(value, list | tuple) and all(isinstance(x, Mapping) for x in value)


def named(names: Names, evidence: Evidence, fits: Callable[[Json], bool]) -> Json:
    """Find what the evidence gives by name beside facts of pictures, where it fits what is asked for."""
    if not evidence.named:
        return None
    for name in names:
        words, joined = words_of([name]), "".join(tokens(name))
        for one in evidence.named:
            by_words = words & one.names and words <= one.names | _AROUND_NAMES
            if (by_words or joined in one.names) and one.value is not None and fits(one.value):
                return one.value
    return None


def timed(fields: Names, names: Names, evidence: Evidence) -> Sequence[Record] | None:
    """Find the events of a recording for an array whose objects have a time, whatever the array is called."""
    if not words_of(fields) & _TIMES:
        return None
    lists = [x for x in evidence.named if is_records(x.value) and x.value and "timestamp" in x.value[0]]
    closest = max(lists, key=lambda one: len(words_of(names) & one.names), default=None)
    return None if closest is None else closest.value


def text(names: Names, evidence: Evidence) -> str | None:
    """Find the text that goes by a name, apart from what stands beside labels."""
    words = words_of(names)
    if is_answer(names):
        return evidence.answer.text if evidence.answer.known else None
    if any(words & one.names for one in evidence.named if one.value is None):
        return None
    for keys, form in _SHAPED:
        if words & keys:
            return _only(found[0] for found in SHAPES[form].finditer(evidence.text))
    found = (find(facts) for keys, find in _TEXTS if words & keys for facts in evidence.facts)
    return next((value for value in found if value), None)


def number(names: Names, evidence: Evidence) -> float | None:
    """Find the number that goes by a name: sizes and counts."""
    words = words_of(names)
    if is_answer(names) or words <= {"count", "number", "total", "quantity"}:
        return evidence.answer.number
    if any(words & one.names for one in evidence.named if one.value is None):
        return None
    for keys, find in _NUMBERS:
        if words & keys:
            found = [value for facts in evidence.facts if (value := find(facts)) is not None]
            return sum(found) if found and keys & _COUNTED else next(iter(found), None)
    return None


def truth(names: Names, evidence: Evidence) -> bool | None:
    """Find the yes or no that goes by a name: `has_text`, `is_blurry`."""
    words = words_of(names)
    if is_answer(names):
        return evidence.answer.truth
    for keys, find in _TRUTHS:
        if words & keys:
            found = [value for facts in evidence.facts if (value := find(facts)) is not None]
            return any(found) if found else None
    return None


def texts(names: Names, evidence: Evidence) -> tuple[str, ...] | None:
    """Find the list of texts that goes by a name."""
    words = words_of(names)
    if is_answer(names):
        return evidence.answer.strings
    if (said := named(names, evidence, _is_texts)) is not None:
        return tuple(said)
    if (told := named(names, evidence, is_records)) is not None:
        return tuple(str(text) for record in told if (text := record.get("text") or record.get("label")))
    for keys, form in _SHAPED:
        if words & keys:
            return tuple(dict.fromkeys(found[0] for found in SHAPES[form].finditer(evidence.text)))
    for keys, find in _LISTS:
        if words & keys:
            found = [value for facts in evidence.facts if (value := find(facts)) is not None]
            return tuple(chain.from_iterable(found)) if found else None
    return None


def series(names: Names, evidence: Evidence) -> tuple[float, ...] | None:
    """Find the list of numbers that goes by a name: the values of bars, or all numbers of the text."""
    words = words_of(names)
    if (said := named(names, evidence, _is_numbers)) is not None:
        return tuple(x.seconds if isinstance(x, Moment) else x for x in said)
    bars = [bar.value for facts in evidence.facts for chart in facts.charts or () for bar in chart.bars]
    if bars and words & {"value", "data", "bar", "height", "series", "y"}:
        return tuple(bars)
    if words & {"number", "amount", "price", "value", "figure"}:
        return tuple(numbers(evidence.text))
    return None


def records(names: Names, evidence: Evidence) -> tuple[Record, ...] | None:
    """Find the facts that an array of objects of this name is about, each with its values by name."""
    words = words_of(names)
    for keys, find in _RECORDS:
        if words & keys:
            found = [value for facts in evidence.facts if (value := find(facts)) is not None]
            return tuple(chain.from_iterable(found)) if found else None
    return None


def _is_texts(value: Json) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(x, str) for x in value)


def _is_numbers(value: Json) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(x, int | float | Moment) for x in value)


def _only(found: Iterable[str]) -> str | None:
    """Believe a text known by its look only where there is no second one."""
    different = set(found)
    return different.pop() if len(different) == 1 else None


def _title(facts: Facts) -> str | None:
    """The title of a chart, or the line that is set clearly larger than the rest."""
    for chart in facts.charts or ():
        if chart.title:
            return chart.title
    heights = sorted((line.box.ymax - line.box.ymin, line.text) for line in facts.lines or ())
    if len(heights) < 2 or heights[-1][0] < 1.4 * heights[len(heights) // 2][0]:
        return None
    return heights[-1][1] if heights[-1][0] > heights[-2][0] else None


def _currency(facts: Facts) -> str | None:
    """The currency as it is written; of the signs only those that stand for one currency become its code."""
    text = " ".join(line.text for line in facts.lines or ())
    codes = set(re.findall(r"\b(USD|EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD|SEK|NOK|DKK|PLN|CZK)\b", text))
    if not codes:
        codes = {{"€": "EUR", "£": "GBP"}.get(sign, sign) for sign in re.findall(r"[$€£¥]", text)}
    return codes.pop() if len(codes) == 1 else None


def _lines(facts: Facts) -> tuple[str, ...] | None:
    return None if facts.lines is None else tuple(line.text for line in facts.lines)


def _colours(facts: Facts) -> tuple[str, ...] | None:
    return None if facts.colours is None else tuple(colour.name for colour in facts.colours)


def _codes(facts: Facts) -> tuple[str, ...] | None:
    return None if facts.codes is None else tuple(code.text for code in facts.codes)


def _bars(facts: Facts) -> tuple[str, ...] | None:
    return tuple(bar.label for chart in facts.charts for bar in chart.bars) if facts.charts else None


def _count(found: Sequence[object] | None) -> float | None:
    return None if found is None else float(len(found))


def _line_records(facts: Facts) -> list[Record] | None:
    if facts.lines is None:
        return None
    return [
        {**_called(x.text, "text", "content", "value", "label", "line"), **placed(x.box, x.score)}
        for x in facts.lines
    ]


def _code_records(facts: Facts) -> list[Record] | None:
    if facts.codes is None:
        return None
    return [
        {
            **_called(x.symbology, "type", "symbology", "format", "kind", "label"),
            **_called(x.text, "text", "content", "value", "data", "url", "code"),
            **placed(x.box, x.score),
        }
        for x in facts.codes
    ]


def _face_records(facts: Facts) -> list[Record] | None:
    if facts.faces is None:
        return None
    return [
        {
            **_called("face", "label", "type", "class"),
            "position": sentences.where(x.box),
            **placed(x.box, x.score),
        }
        for x in facts.faces
    ]


def _colour_records(facts: Facts) -> list[Record] | None:
    if facts.colours is None:
        return None
    return [
        {
            **_called(x.name, "name", "colour", "color", "label"),
            **_called(round(x.share, 3), "share", "proportion", "ratio", "fraction"),
            **_called(round(x.share * 100, 1), "percentage", "percent"),
            **_called(round(x.score, 3), "score", "confidence"),
        }
        for x in facts.colours
    ]


def _bar_records(facts: Facts) -> list[Record] | None:
    if not facts.charts:
        return None
    return [
        {
            **_called(bar.label, "label", "name", "category", "x", "key"),
            **_called(bar.value, "value", "y", "amount", "height", "count"),
        }
        for chart in facts.charts
        for bar in chart.bars
    ]


def _pair_records(facts: Facts) -> list[Record] | None:
    pairs = Labels(facts).pairs()
    return [
        {**_called(k, "key", "name", "label", "field"), **_called(v, "value", "text")}
        for k, v in pairs.items()
    ]


def _called(value: Json, *names: str) -> Record:
    return dict.fromkeys(names, value)


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SHAPED: tuple[tuple[frozenset[str], str], ...] = (
    (_set("email mail"), "email"),
    (_set("url link website web homepage"), "uri"),
    (_set("phone telephone tel mobile fax"), "phone"),
    (_set("iban"), "iban"),
    (_set("percentage percent"), "percentage"),
)
_TEXTS: tuple[tuple[frozenset[str], Callable[[Facts], str | None]], ...] = (
    (_set("caption summary overview alt scene"), sentences.caption),
    (
        _set("ocr transcript transcription text fulltext content"),
        lambda f: sentences.text_block(f.lines or ()),
    ),
    (_set("title heading headline"), _title),
    (_set("currency"), _currency),
    (_set("colour color"), lambda f: next(iter(_colours(f) or ()), None)),
    (_set("sharpness quality focus"), lambda f: f.quality.sharpness if f.quality else None),
    (_set("exposure brightness"), lambda f: f.quality.exposure if f.quality else None),
    (_set("symbology"), lambda f: _only(code.symbology for code in f.codes or ())),
    (_set("qr barcode qrcode code"), lambda f: _only(_codes(f) or ())),
    (_set("kind type category format"), lambda f: f.kind.name if f.kind else None),
    (_set("description"), sentences.caption),
)
_COUNTED = _set("face person people code barcode qr bar line word table chart")
_NUMBERS: tuple[tuple[frozenset[str], Callable[[Facts], float | None]], ...] = (
    (_set("width"), lambda f: float(f.width)),
    (_set("height"), lambda f: float(f.height)),
    (_set("face person people"), lambda f: _count(f.faces)),
    (_set("code barcode qr"), lambda f: _count(f.codes)),
    (_set("bar"), lambda f: _count(_bars(f))),
    (_set("line"), lambda f: _count(f.lines)),
    (_set("word"), lambda f: None if f.lines is None else float(sum(len(x.text.split()) for x in f.lines))),
    (_set("table"), lambda f: _count(f.tables)),
    (_set("chart"), lambda f: _count(f.charts)),
)
_TRUTHS: tuple[tuple[frozenset[str], Callable[[Facts], bool | None]], ...] = (
    (_set("face person people human"), lambda f: None if f.faces is None else bool(f.faces)),
    (_set("qr barcode code"), lambda f: None if f.codes is None else bool(f.codes)),
    (_set("blurry blurred blur"), lambda f: f.quality.sharpness == "blurred" if f.quality else None),
    (_set("sharp"), lambda f: f.quality.sharpness == "sharp" if f.quality else None),
    (_set("dark underexposed"), lambda f: f.quality.exposure == "dark" if f.quality else None),
    (_set("bright overexposed"), lambda f: f.quality.exposure == "bright" if f.quality else None),
    (_set("grey gray greyscale grayscale monochrome"), lambda f: f.kind.grey if f.kind else None),
    (_set("photo photograph"), lambda f: f.kind.name == "photograph" if f.kind else None),
    (_set("document scan"), lambda f: f.kind.name == "document" if f.kind else None),
    (_set("screenshot"), lambda f: f.kind.name == "screenshot" if f.kind else None),
    (_set("drawing illustration"), lambda f: f.kind.name == "drawing" if f.kind else None),
    (_set("table"), lambda f: None if f.tables is None else bool(f.tables)),
    (_set("chart graph"), lambda f: None if f.charts is None else bool(f.charts)),
    (_set("text word readable"), lambda f: None if f.lines is None else bool(f.lines)),
)
_LISTS: tuple[tuple[frozenset[str], Callable[[Facts], tuple[str, ...] | None]], ...] = (
    (_set("text line word sentence paragraph ocr transcript"), _lines),
    (_set("colour color palette"), _colours),
    (_set("code qr barcode qrcode"), _codes),
    (_set("label category bar"), _bars),
)
_RECORDS: tuple[tuple[frozenset[str], Callable[[Facts], list[Record] | None]], ...] = (
    (_set("code qr barcode qrcode"), _code_records),
    (_set("face person people"), _face_records),
    (_set("colour color palette"), _colour_records),
    (_set("bar value data point series"), _bar_records),
    (_set("field pair entry entrie keyvalue"), _pair_records),
    (_set("text line word block ocr"), _line_records),
)
