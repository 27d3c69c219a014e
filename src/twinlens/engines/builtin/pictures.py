"""What the pictures of a question tell of it, one by one or two against each other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from ...domain.media import Image
from . import answers, detect, intents, sentences
from .asked import Asked, Look, Picture
from .evidence import Answer, Evidence, Item, joined_answers
from .facts import Difference, Facts
from .intents import Intent

NO_MASKS = "Masks need a segmentation model; the built-in engine has none, so no item is given."

Compare = Callable[[Picture, Picture], Awaitable[Difference]]
"""Finds what changed from one picture to the next."""

CompareImages = Callable[[Image, Image], Awaitable[Difference]]
"""The same of frames, which are decoded already."""


async def view(images: Sequence[Picture], asked: Asked, look: Look, compare: Compare) -> Evidence:
    """Look at pictures, and say what they tell of a question."""
    compares = asked.intent.name == "difference" and len(images) == 2
    changed = await compare(*images) if compares else None
    facts = await asyncio.gather(*(look(image, asked.wanted) for image in images))
    return evidence(asked, facts, changed)


def evidence(asked: Asked, facts: Sequence[Facts], changed: Difference | None = None) -> Evidence:
    """Say what the facts of pictures tell of a question."""
    intent = asked.intent
    weighed = _weighed(facts, changed)
    if intent.name in ("detect", "segment"):
        items, answer = _items(intent, facts)
        return Evidence(intent, tuple(facts), answer, items, thoughts=weighed)
    places = places_for(intent)
    items = tuple(item for one in facts for item in detect.find(places, one))
    said = _answer(intent, facts, changed)
    return Evidence(intent, tuple(facts), said, items if asked.output.schema else None, thoughts=weighed)


def unjudged(intent: Intent) -> str:
    """Say what of a question was passed over where the rest of it was found."""
    if not intent.strangers:
        return ""
    return f"“{' '.join(intent.strangers[:4])}” was not judged: the items are all that fit the rest."


def places_for(intent: Intent) -> Intent:
    """Decide what a schema with boxes is to hold where the question itself does not ask for places."""
    if intent.name == "read":
        return replace(intent, targets=frozenset({"text"}))
    return intent if intent.targets or intent.colours or intent.quoted else intents.read("detect everything")


def _items(intent: Intent, facts: Sequence[Facts]) -> tuple[tuple[Item, ...], Answer]:
    """Find places; for masks none are given, since a box is no mask."""
    if not detect.is_known(intent):
        return (), answers.refuse(intent)
    if intent.name == "segment":
        return (), Answer(NO_MASKS, known=False)
    items = tuple(item for one in facts for item in detect.find(intent, one))
    remark = unjudged(intent) if items else ""
    return items, Answer(f"Found {detect.summary(items)}.", number=len(items), remark=remark)


def _answer(intent: Intent, facts: Sequence[Facts], changed: Difference | None) -> Answer:
    if changed is not None:
        differs = bool(changed.boxes) or not changed.same_scene
        return Answer(sentences.difference(changed), truth=differs, number=len(changed.boxes))
    if intent.name == "difference":
        return Answer("To tell what is different, it takes two pictures; there is one here.", known=False)
    each = [(f"Image {n}", answers.answer(intent, one)) for n, one in enumerate(facts, 1)]
    return joined_answers(each, intent)


def _weighed(facts: Sequence[Facts], changed: Difference | None) -> str:
    several = len(facts) > 1
    weighed = [sentences.weighed(one, n if several else None) for n, one in enumerate(facts, 1)]
    if changed is not None:
        weighed.append(f"- changes: {sentences.difference(changed)} ({changed.score:.2f})")
    return "\n".join(weighed)
