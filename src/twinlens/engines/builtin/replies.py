"""From a request and what was seen to the reply: in words, as JSON, filled into a schema, or one of many."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...domain.engine import EngineRequest
from ...domain.media import Image, Json
from . import answers, choices, detect, intents, sentences
from .evidence import Answer, Evidence, Item
from .facts import ALL_FACTS, Difference, FactName, Facts
from .fill import fill
from .intents import Intent
from .schema import members, neutral_member
from .wording import shortened, tokens

_GREETINGS = frozenset(("hi", "hello", "hey", "greetings", "morning", "afternoon", "evening"))
_THANKS = frozenset(("thanks", "thank", "thx", "cheers"))
_MOST_GAPS = 20
NO_MASKS = "Masks need a segmentation model; the built-in engine has none, so no item is given."


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked, the pictures it is about (with their numbers), and which facts are to be looked for."""

    intent: Intent
    images: tuple[Image, ...]
    wanted: frozenset[FactName]

    @property
    def compares(self) -> bool:
        """Whether two pictures are to be compared."""
        return self.intent.name == "difference" and len(self.images) == 2


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found: facts for each picture of the plan, and what changed between two."""

    facts: tuple[Facts, ...] = ()
    difference: Difference | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer, the finish message, and the facts that were weighed."""

    text: str
    message: str | None = None
    thoughts: str = ""


def plan(request: EngineRequest) -> Plan:
    """Decide what a request is after and which pictures to look at."""
    images = request.images
    question = _question(request)
    intent = intents.read(question, len(images))
    if not images:
        return Plan(intent, (), frozenset())
    if intent.name == "difference":
        return Plan(intent, images[-2:], _for_form(request, intent))
    chosen = intents.picked(request.question, len(images))
    looked_at = (images[chosen],) if chosen is not None else _latest(request)
    return Plan(intent, looked_at, _for_form(request, intent))


def reply(request: EngineRequest, made: Plan, seen: Seen) -> Reply:
    """Make the reply in the form the request asks for."""
    evidence = _evidence(request, made, seen)
    said = _said(request, evidence)
    return replace(said, thoughts=_thoughts(evidence, seen.difference))


def _question(request: EngineRequest) -> str:
    """The question, or the one before it where this one only points to another picture."""
    question = request.question.strip()
    if not intents.is_follow_up(question):
        return question or request.system
    asked = [
        "\n".join(s for s in t.segments if isinstance(s, str)) for t in request.turns if t.role == "user"
    ]
    earlier = (q.strip() for q in reversed(asked[:-1]) if q.strip() and not intents.is_follow_up(q))
    return next(earlier, "")


def _latest(request: EngineRequest) -> tuple[Image, ...]:
    """The pictures of the last turn that has any."""
    for turn in reversed(request.turns):
        if found := tuple(s for s in turn.segments if isinstance(s, Image)):
            return found
    return ()


def _for_form(request: EngineRequest, intent: Intent) -> frozenset[FactName]:
    """A schema may ask for anything, so everything is looked for; a plain answer needs what it is about."""
    places = intent.name in ("detect", "segment") and request.output.schema is None
    if request.output.mime_type == "text/plain" or places:
        return intent.wanted
    return ALL_FACTS


def _evidence(request: EngineRequest, made: Plan, seen: Seen) -> Evidence:
    intent = made.intent
    if not made.images:
        return Evidence(intent, (), _without_pictures(request))
    if intent.name in ("detect", "segment"):
        items, answer = _items(intent, seen.facts)
        return Evidence(intent, seen.facts, answer, items)
    places = _places_for(intent)
    items = tuple(item for facts in seen.facts for item in detect.find(places, facts))
    return Evidence(intent, seen.facts, _answer(intent, seen), items if request.output.schema else None)


def _places_for(intent: Intent) -> Intent:
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
    remark = ""
    if intent.strangers and items:
        remark = f"“{' '.join(intent.strangers[:4])}” was not judged: the items are all that fit the rest."
    return items, Answer(f"Found {detect.summary(items)}.", number=len(items), remark=remark)


def _answer(intent: Intent, seen: Seen) -> Answer:
    if seen.difference is not None:
        changed = bool(seen.difference.boxes) or not seen.difference.same_scene
        return Answer(sentences.difference(seen.difference), truth=changed, number=len(seen.difference.boxes))
    if intent.name == "difference":
        return Answer("To tell what is different, it takes two pictures; there is one here.", known=False)
    each = [answers.answer(intent, facts) for facts in seen.facts]
    if len(each) == 1:
        return each[0]
    known = [answer for answer in each if answer.known]
    if not known:
        return each[0]
    if intent.name == "ask" and len(known) == 1:
        return replace(known[0], text=f"Image {each.index(known[0]) + 1}: {known[0].text}")
    return _joined(each)


def _joined(each: Sequence[Answer]) -> Answer:
    """Answer for each picture by its number; yes if yes for one, a number is the sum."""
    gap = "\n\n" if any("\n" in answer.text for answer in each) else "\n"
    numbered = [f"Image {n}:{chr(10) if chr(10) in a.text else ' '}{a.text}" for n, a in enumerate(each, 1)]
    truths = [a.truth for a in each if a.truth is not None]
    numbers = [a.number for a in each if a.number is not None]
    strings = [s for a in each for s in a.strings or ()]
    return Answer(
        gap.join(numbered),
        truth=any(truths) if truths else None,
        number=sum(numbers) if numbers else None,
        strings=tuple(strings) if any(a.strings is not None for a in each) else None,
        remark=next((a.remark for a in each if a.remark), ""),
    )


def _without_pictures(request: EngineRequest) -> Answer:
    """Answer a text alone: politely, and saying what is missing."""
    words = set(tokens(request.question))
    if words & _THANKS and len(words) <= 6:
        return Answer("You are welcome.", known=False)
    reads = f"This is twinlens with its built-in engine. It reads {sentences.ABILITIES}"
    if words & _GREETINGS and len(words) <= 3:
        return Answer(f"Hello. {reads}: send a picture and ask.", known=False)
    return Answer(
        f"{reads}, but it has no language model and cannot answer from text alone: send a picture with the "
        f"question. {sentences.WAY_OUT}",
        known=False,
    )


def _said(request: EngineRequest, evidence: Evidence) -> Reply:
    output, answer = request.output, evidence.answer
    if output.mime_type == "text/x.enum" and (allowed := members(output.schema or {})):
        return _one_of(allowed, evidence)
    if output.mime_type == "application/json" and output.schema is not None:
        return _filled(output.schema, evidence)
    if evidence.intent.name in ("detect", "segment") and evidence.facts:
        # Bare JSON with no fence and no prose: callers give the answer to a JSON parser as it is.
        text = detect.as_json(evidence.items or ())
        return Reply(text, answer.remark or (answer.text if not evidence.items else None))
    if output.mime_type == "application/json":
        return Reply(_dumped(_as_object(evidence)), answer.remark or None)
    return Reply(answer.text, answer.remark or None)


def _one_of(allowed: Sequence[Json], evidence: Evidence) -> Reply:
    chosen = choices.choose(allowed, (), evidence) if evidence.answer.known else None
    if chosen is not None:
        return Reply(str(chosen))
    return Reply(str(neutral_member(allowed)), _gap_message(("the whole answer",)))


def _filled(schema: Json, evidence: Evidence) -> Reply:
    filled = fill(schema, evidence)
    parts = [*(f"{remark}." for remark in filled.remarks), evidence.answer.remark]
    if evidence.intent.name in ("detect", "segment") and not evidence.answer.known:
        parts.append(evidence.answer.text)
    if filled.gaps:
        parts.append(_gap_message(filled.gaps))
    return Reply(_dumped(filled.value), " ".join(filter(None, parts)) or None)


def _gap_message(gaps: Sequence[str]) -> str:
    named = ", ".join(shortened(gap, 100) for gap in gaps[:_MOST_GAPS])
    more = f" and {len(gaps) - _MOST_GAPS} more" if len(gaps) > _MOST_GAPS else ""
    return f"No fact was found for: {named}{more}; a neutral value stands there. {sentences.WAY_OUT}"


def _as_object(evidence: Evidence) -> Json:
    """Give an answer without a schema as an object: the words, and the facts they are made of."""
    answer = evidence.answer
    said: dict[str, Json] = {"answer": answer.text}
    if answer.truth is not None:
        said["value"] = answer.truth
    elif answer.number is not None:
        said["value"] = answer.number
    elif answer.strings is not None:
        said["values"] = list(answer.strings)
    if evidence.intent.name in ("caption", "ask") and evidence.facts:
        pairs = {k: v for labels in evidence.labels for k, v in labels.pairs().items()}
        said |= {"fields": pairs} if pairs else {}
        said["text"] = [line.text for line in evidence.lines]
    return said


def _dumped(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)


def _thoughts(evidence: Evidence, difference: Difference | None) -> str:
    """List what was weighed."""
    if not evidence.facts:
        return "There is no picture, so there are no facts to weigh.\n"
    several = len(evidence.facts) > 1
    weighed = [sentences.weighed(facts, n if several else None) for n, facts in enumerate(evidence.facts, 1)]
    if difference is not None:
        weighed.append(f"- changes: {sentences.difference(difference)} ({difference.score:.2f})")
    return "\n".join([f"The question is taken as “{evidence.intent.name}”.", *weighed]) + "\n"
