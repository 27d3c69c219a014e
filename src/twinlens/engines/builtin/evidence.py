"""What an answer is made from: the facts, what the question found in them, and the places it asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Self

from ...domain import clip
from ...domain.media import Json
from ...domain.regions import Box
from .facts import Facts, Line
from .intents import Intent
from .labels import Labels


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in words and, where it has such a form, as yes or no, as a number, as a list.

    `known` is False where the words only say that it cannot be told; `remark` is for the finish message.
    """

    text: str
    known: bool = True
    truth: bool | None = None
    number: float | None = None
    strings: tuple[str, ...] | None = None
    remark: str = ""


class Moment(str):
    """A moment of a recording: `MM:SS` as a text, `seconds` as a number."""

    seconds: float

    def __new__(cls, seconds: float, fps: float = clip.DEFAULT_FPS) -> Self:
        """Write it down; fractions of a second are shown where frames come faster than one a second."""
        made = super().__new__(cls, clip.label(seconds, fps))
        made.seconds = int(seconds) if seconds == int(seconds) else round(seconds, 3)
        return made


@dataclass(frozen=True, slots=True)
class Item:
    """Something found at a place. `kind` is the sort of fact it comes from, `text` what it says.

    `time` is the moment of a video at which it is there, and `until` the last one where it stays; `page`
    is the page of a document.
    """

    box: Box
    label: str
    score: float
    kind: str
    text: str = ""
    time: Moment | None = None
    page: int | None = None
    until: Moment | None = None

    def as_record(self) -> Mapping[str, Json]:
        """Give its values under the names that schemas commonly ask for."""
        said = {"label": self.label, "name": self.label, "class": self.kind, "type": self.kind}
        said |= {"category": self.kind, "title": self.label, "item": self.label, "object": self.label}
        said |= {"description": self.label, "text": self.text, "content": self.text}
        where = {} if self.page is None else {"page": self.page, "page_number": self.page}
        when = {} if self.time is None else at(self.time, self.until)
        return {**said, **placed(self.box, self.score), **where, **when}


def placed(box: Box, score: float) -> Mapping[str, Json]:
    """Give a box, its edges and its score under the names that schemas commonly ask for."""
    edges: dict[str, Json] = {"ymin": box.ymin, "xmin": box.xmin, "ymax": box.ymax, "xmax": box.xmax}
    edges |= {f"{key[0]}_{key[1:]}": value for key, value in edges.items()}
    edges |= {"top": box.ymin, "left": box.xmin, "bottom": box.ymax, "right": box.xmax, "x": box.xmin}
    edges |= {"y": box.ymin, "width": box.xmax - box.xmin, "height": box.ymax - box.ymin}
    return {"box_2d": box.as_list(), **edges, "score": round(score, 3), "confidence": round(score, 3)}


def at(start: Moment, end: Moment | None = None) -> Mapping[str, Json]:
    """Give a moment, or the first and the last of a span, under the names that schemas commonly ask for."""
    last = start if end is None else end
    said: dict[str, Json] = dict.fromkeys(
        ("timestamp", "time", "start", "start_time", "begin", "from"), start
    )
    said |= dict.fromkeys(("end", "end_time", "to", "until"), last)
    for name, moment in (("timestamp", start), ("time", start), ("start", start), ("end", last)):
        said[f"{name}_ms"] = round(1000 * moment.seconds)
    return {**said, "duration": round(last.seconds - start.seconds, 3)}


@dataclass(frozen=True, slots=True)
class Named:
    """What goes by one of these names in a schema: a value, or the records of an array of objects.

    Names are single words in lower case and in the singular. A record gives its values under the names
    that schemas commonly ask for; a moment of a recording is a `Moment`.
    """

    names: frozenset[str]
    value: Json


@dataclass(frozen=True)
class Evidence:
    """All that an answer may draw on. `items` is None where places were not asked for or cannot be told.

    `named` is what is known beside the facts of pictures; `thoughts` lists what was weighed.
    """

    intent: Intent
    facts: tuple[Facts, ...]
    answer: Answer
    items: tuple[Item, ...] | None = None
    named: tuple[Named, ...] = ()
    thoughts: str = ""

    @property
    def lines(self) -> tuple[Line, ...]:
        """The text of all pictures."""
        return tuple(line for facts in self.facts for line in facts.lines or ())

    @cached_property
    def text(self) -> str:
        """The text of all pictures as one, a line each."""
        return "\n".join(line.text for line in self.lines)

    @cached_property
    def labels(self) -> tuple[Labels, ...]:
        """What may be a label, picture by picture."""
        return tuple(Labels(facts) for facts in self.facts)


def joined(each: Sequence[tuple[str, Evidence]]) -> Evidence:
    """Put together what was found in several media, each by its name: `Video 1`."""
    found = [evidence for _, evidence in each]
    places = [evidence.items for evidence in found if evidence.items is not None]
    return Evidence(
        found[0].intent,
        tuple(chain.from_iterable(evidence.facts for evidence in found)),
        joined_answers([(name, evidence.answer) for name, evidence in each], found[0].intent),
        tuple(chain.from_iterable(places)) if places else None,
        tuple(chain.from_iterable(evidence.named for evidence in found)),
        "\n".join(evidence.thoughts for evidence in found if evidence.thoughts),
    )


def joined_answers(each: Sequence[tuple[str, Answer]], intent: Intent) -> Answer:
    """Answer by name; where only one knows what was asked for, that one; where none does, once for all."""
    if len(each) == 1:
        return each[0][1]
    known = [(name, answer) for name, answer in each if answer.known]
    if not known:
        return each[0][1]
    if intent.name == "ask" and len(known) == 1:
        name, answer = known[0]
        return replace(answer, text=f"{name}: {answer.text}")
    return _listed(each)


def _listed(each: Sequence[tuple[str, Answer]]) -> Answer:
    """Give every answer under its name; yes if yes for one, a number is the sum."""
    answers = [answer for _, answer in each]
    gap = "\n\n" if any("\n" in answer.text for answer in answers) else "\n"
    truths = [answer.truth for answer in answers if answer.truth is not None]
    numbers = [answer.number for answer in answers if answer.number is not None]
    strings = [string for answer in answers for string in answer.strings or ()]
    return Answer(
        gap.join(f"{name}:{chr(10) if chr(10) in a.text else ' '}{a.text}" for name, a in each),
        truth=any(truths) if truths else None,
        number=sum(numbers) if numbers else None,
        strings=tuple(strings) if any(answer.strings is not None for answer in answers) else None,
        remark=next((answer.remark for answer in answers if answer.remark), ""),
    )
