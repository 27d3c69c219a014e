"""Answers to questions about one picture: one function an intent, made of facts only."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from . import detect, sentences
from .evidence import Answer, Item
from .facts import FactName, Facts, Line
from .intents import Intent
from .labels import Labels
from .patterns import IntentName
from .wording import FILLER, listing, plural, shortened, stems, tokens

_MOST_SHOWN = 5
_COUNTED: Mapping[FactName, tuple[str, str]] = {
    "faces": ("face", "It counts faces and not people; small or turned ones may be missed."),
    "codes": ("code", ""),
    "tables": ("table", ""),
    "colours": ("main colour", ""),
}
_TOPICS: Mapping[str, str] = {
    "emotions": "emotions or moods",
    "who somebody is": "who somebody is",
    "materials": "what something is made of",
    "animals and plants": "animals and plants",
    "objects": "what things are",
    "reasons and consequences": "reasons, consequences or opinions",
    "sounds": "what is to be heard",
    "stories, quizzes and other new texts": "stories, quizzes or other new texts, which it cannot write",
    "translations": "what a text means in another language",
    "age, sex and origin": "age, sex or origin of people",
    "weather and time of day": "weather or time of day",
    "places": "where a picture was taken or what place it shows",
    "actions": "what people do, wear or hold",
}


def answer(intent: Intent, facts: Facts) -> Answer:
    """Answer a question about one picture."""
    return _ANSWERS.get(intent.name, _ask)(intent, facts)


def refuse(intent: Intent) -> Answer:
    """Say that a question cannot be answered, naming what it asks for where that is simple."""
    if intent.topic:
        return Answer(limit(intent.topic), known=False)
    strangers = intent.strangers or tuple(word for word in tokens(intent.question) if word not in FILLER)
    if 0 < len(strangers) <= 3:
        return Answer(sentences.nothing_about(" ".join(strangers)), known=False)
    return Answer(sentences.refusal("what was asked here"), known=False)


def limit(topic: str) -> str:
    """Say in a sentence that one part of a question cannot be answered."""
    return sentences.refusal(_TOPICS.get(topic, topic))


def missing(intent: Intent) -> str:
    """Say what was looked for and not found, up to the last word: `no faces were`."""
    if intent.quoted:
        return f"“{intent.quoted}” was not"
    if intent.colours:
        return f"nothing {listing(sorted(intent.colours))} was"
    if intent.targets == {"text"}:
        return "no readable text was"
    return f"no {listing(sorted(intent.targets))} were"


def _refuse(intent: Intent, _facts: Facts) -> Answer:
    return refuse(intent)


def _caption(intent: Intent, facts: Facts) -> Answer:
    said = sentences.caption(facts)
    if intent.topic:
        return Answer(f"{said} {limit(intent.topic)}")
    remark = f"The built-in engine does not name objects, scenes or actions. {sentences.WAY_OUT}"
    return Answer(said, remark=remark)


def _read(_intent: Intent, facts: Facts) -> Answer:
    lines = facts.lines or ()
    if not lines:
        return Answer("No readable text was found.", truth=False, strings=())
    return Answer(sentences.text_block(lines), truth=True, strings=tuple(line.text for line in lines))


def _codes(_intent: Intent, facts: Facts) -> Answer:
    codes = facts.codes or ()
    if not codes:
        return Answer("No QR code or bar code could be read.", truth=False, strings=())
    said = "\n".join(sentences.code_mention(code) for code in codes)
    return Answer(said, truth=True, strings=tuple(code.text for code in codes))


def _colours(_intent: Intent, facts: Facts) -> Answer:
    colours = facts.colours or ()
    return Answer(sentences.colours(colours), strings=tuple(colour.name for colour in colours))


def _quality(intent: Intent, facts: Facts) -> Answer:
    if facts.quality is None:
        return refuse(intent)
    asked = set(tokens(intent.question))
    truth = None
    if asked & {"blurry", "blurred", "blury"}:
        truth = facts.quality.sharpness == "blurred"
    elif asked & {"sharp", "focus"}:
        truth = (facts.quality.sharpness == "sharp") != bool(asked & {"out", "not"})
    elif asked & {"dark", "bright"}:
        truth = facts.quality.exposure in asked
    return Answer(sentences.quality(facts.quality), truth=truth, strings=(facts.quality.sharpness,))


def _size(_intent: Intent, facts: Facts) -> Answer:
    return Answer(sentences.size(facts), strings=(str(facts.width), str(facts.height)))


def _kind(intent: Intent, facts: Facts) -> Answer:
    if facts.kind is None:
        return refuse(intent)
    said = f"It looks like {sentences.kind(facts.kind)}, judging by statistics of its pixels."
    return Answer(said, strings=(facts.kind.name,))


def _table(_intent: Intent, facts: Facts) -> Answer:
    if not facts.tables:
        return Answer(f"No table was found. {sentences.text_mention(facts.lines)}".strip())
    return Answer("\n\n".join(sentences.table(table) for table in facts.tables))


def _chart(_intent: Intent, facts: Facts) -> Answer:
    if not facts.charts:
        said = "No bar chart with a readable axis was found; other kinds of chart are not measured."
        return Answer(f"{said} {sentences.text_mention(facts.lines)}".strip())
    bars = [bar for chart in facts.charts for bar in chart.bars]
    said = "\n\n".join(sentences.chart(chart) for chart in facts.charts)
    return Answer(said, strings=tuple(bar.label for bar in bars))


def _count(intent: Intent, facts: Facts) -> Answer:
    asked = set(tokens(intent.question))
    if "text" in intent.targets and not intent.strangers:
        return _count_text(asked, facts.lines or ())
    if "charts" in intent.targets and facts.charts:
        count = sum(len(chart.bars) for chart in facts.charts)
        return Answer(f"{plural(count, 'bar').capitalize()} could be read.", number=count)
    for name, found in _groups(facts).items():
        if name in intent.targets and name in _COUNTED and found is not None:
            noun, limit = _COUNTED[name]
            least = "At least " if found and name == "faces" else ""
            said = f"{least}{plural(len(found), noun)} {'was' if len(found) == 1 else 'were'} found."
            return Answer(f"{said[0].upper()}{said[1:]} {limit}".strip(), number=len(found))
    return refuse(intent)


def _count_text(asked: set[str], lines: Sequence[Line]) -> Answer:
    words = sum(len(line.text.split()) for line in lines)
    letters = sum(len(line.text.replace(" ", "")) for line in lines)
    counts = {"line": len(lines), "character": letters, "letter": letters}
    noun = next((noun for noun in counts if asked & {noun, f"{noun}s"}), "word")
    count = counts.get(noun, words)
    return Answer(f"The readable text has {plural(count, noun)}.", number=count)


def _presence(intent: Intent, facts: Facts) -> Answer:
    items = detect.find(intent, facts)
    if not detect.is_known(intent):
        return refuse(intent)
    if not items:
        return Answer(f"No: {missing(intent)} found.", truth=False, number=0)
    shown = listing(f"{_label(item)} {sentences.place(item.box)}" for item in items[:_MOST_SHOWN])
    more = f", and {len(items) - _MOST_SHOWN} more" if len(items) > _MOST_SHOWN else ""
    return Answer(f"Yes: {shown}{more}.", truth=True, number=len(items))


def _label(item: Item) -> str:
    return f"“{shortened(item.label, 40)}”" if item.kind == "text" else f"a {item.label}"


def _locate(intent: Intent, facts: Facts) -> Answer:
    if not (intent.targets or intent.colours or intent.quoted):
        named = _said([word for word in tokens(intent.question) if word not in FILLER], facts)
        return named if named is not None else refuse(intent)
    found = _presence(intent, facts)
    text = found.text.removeprefix("Yes: ").removeprefix("No: ")
    return Answer(text[0].upper() + text[1:], found.known, found.truth, found.number)


def _said(words: Sequence[str], facts: Facts) -> Answer | None:
    """Find the place of a line that says one of these words."""
    for line in facts.lines or ():
        if stems(words) & stems(tokens(line.text)):
            return Answer(f"The words “{line.text}” are {sentences.place(line.box)}.", truth=True)
    return None


def _ask(intent: Intent, facts: Facts) -> Answer:
    """Answer from the text: what stands beside a label of that name, else the line closest in words."""
    question = stems(tokens(intent.question))
    if not question or not facts.lines:
        return refuse(intent)
    asked = " ".join(word for word in tokens(intent.question) if word not in FILLER)
    value = Labels(facts).find([asked], lambda said: said)
    if value is not None:
        return Answer(value, strings=(value,))
    line = _closest(question, facts.lines)
    if line is None:
        return refuse(intent)
    said = _row(line, facts.lines)
    return Answer(f"The text says: “{said}”", strings=(said,))


def _closest(question: set[str], lines: Sequence[Line]) -> Line | None:
    """Rank lines by the words they share with the question, rare words first; half of it must be there."""
    said = [stems(tokens(line.text)) for line in lines]
    spread = Counter(stem for words in said for stem in words)
    weight = {stem: math.log(1 + len(lines) / spread[stem]) for stem in question if stem in spread}
    best = max(range(len(lines)), key=lambda i: sum(weight.get(stem, 0.0) for stem in said[i]))
    shared = said[best] & question
    return lines[best] if shared and 2 * len(shared) >= len(question) else None


def _row(line: Line, lines: Sequence[Line]) -> str:
    """Join what stands on the same height: a label read alone is no answer."""
    beside = [x for x in lines if line.box.ymin < (x.box.ymin + x.box.ymax) / 2 < line.box.ymax]
    return " ".join(x.text for x in sorted(beside, key=lambda x: x.box.xmin)) or line.text


def _groups(facts: Facts) -> Mapping[FactName, Sequence[object] | None]:
    return {"faces": facts.faces, "codes": facts.codes, "tables": facts.tables, "colours": facts.colours}


_ANSWERS: Mapping[IntentName, Callable[[Intent, Facts], Answer]] = {
    "ask": _ask,
    "caption": _caption,
    "chart": _chart,
    "codes": _codes,
    "colours": _colours,
    "count": _count,
    "kind": _kind,
    "locate": _locate,
    "presence": _presence,
    "quality": _quality,
    "read": _read,
    "refuse": _refuse,
    "size": _size,
    "table": _table,
}
