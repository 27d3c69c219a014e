"""What an answer is made from: the facts, what the question found in them, and the places it asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

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


@dataclass(frozen=True, slots=True)
class Item:
    """Something found at a place. `kind` is the sort of fact it comes from, `text` what it says."""

    box: Box
    label: str
    score: float
    kind: str
    text: str = ""

    def as_record(self) -> Mapping[str, Json]:
        """Give its values under the names that schemas commonly ask for."""
        said = {"label": self.label, "name": self.label, "class": self.kind, "type": self.kind}
        said |= {"category": self.kind, "title": self.label, "item": self.label, "object": self.label}
        said |= {"description": self.label, "text": self.text, "content": self.text}
        return {**said, **placed(self.box, self.score)}


def placed(box: Box, score: float) -> Mapping[str, Json]:
    """Give a box, its edges and its score under the names that schemas commonly ask for."""
    edges: dict[str, Json] = {"ymin": box.ymin, "xmin": box.xmin, "ymax": box.ymax, "xmax": box.xmax}
    edges |= {f"{key[0]}_{key[1:]}": value for key, value in edges.items()}
    edges |= {"top": box.ymin, "left": box.xmin, "bottom": box.ymax, "right": box.xmax, "x": box.xmin}
    edges |= {"y": box.ymin, "width": box.xmax - box.xmin, "height": box.ymax - box.ymin}
    return {"box_2d": box.as_list(), **edges, "score": round(score, 3), "confidence": round(score, 3)}


@dataclass(frozen=True)
class Evidence:
    """All that an answer may draw on. `items` is None where places were not asked for or cannot be told."""

    intent: Intent
    facts: tuple[Facts, ...]
    answer: Answer
    items: tuple[Item, ...] | None = None

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
