"""From a request to what is asked of which media, and from evidence to the reply.

The reply has the form that is asked for: words, JSON, a filled schema, or one of several values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...domain.clip import Span
from ...domain.engine import EngineRequest, Medium
from ...domain.engine_media import Document, Sound, StillImage, TextFile, Video
from ...domain.media import Json
from . import choices, detect, intents, moments, sentences
from .asked import Asked
from .evidence import Answer, Evidence
from .facts import ALL_FACTS, FactName
from .fill import fill
from .intents import Intent
from .schema import members, neutral_member
from .wording import shortened, tokens

_GREETINGS = frozenset(("hi", "hello", "hey", "greetings", "morning", "afternoon", "evening"))
_THANKS = frozenset(("thanks", "thank", "thx", "cheers"))
_MOST_GAPS = 20
_NOUNS: Mapping[str, tuple[type[Medium], ...]] = {
    intents.PICTURES: (StillImage,),
    intents.VIDEOS: (Video,),
    intents.SOUNDS: (Sound,),
    intents.DOCUMENTS: (Document, TextFile),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked, and the media that it is asked of."""

    asked: Asked
    media: tuple[Medium, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer, the finish message, and the facts that were weighed."""

    text: str
    message: str | None = None
    thoughts: str = ""


def plan(request: EngineRequest) -> Plan:
    """Decide what a request is after and which media it is about."""
    question = _question(request)
    images = request.images
    media = _picked(request) or _of_kinds(request) or _latest(request)
    intent = intents.read(question, len(images), recordings=_recordings(media))
    asked = Asked(intent, question, request.output, _for_form(request, intent))
    if intent.name == "difference" and images and not (media and _is_about_times(asked, media)):
        return Plan(asked, images[-2:])
    return Plan(asked, media)


def reply(request: EngineRequest, evidence: Evidence) -> Reply:
    """Make the reply in the form the request asks for."""
    said = _said(request, evidence)
    weighed = (
        evidence.thoughts or "There is nothing to look at or to listen to, so there are no facts to weigh."
    )
    thoughts = f"The question is taken as “{evidence.intent.name}”.\n{weighed}\n"
    return replace(said, thoughts=thoughts if evidence.thoughts else f"{weighed}\n")


def without_media(request: EngineRequest, asked: Asked) -> Evidence:
    """Answer a text alone: politely, and saying what is missing."""
    return Evidence(asked.intent, (), _alone(set(tokens(request.question))))


def _question(request: EngineRequest) -> str:
    """The question, or the one before it where this one only points to another medium."""
    question = request.question.strip()
    if not intents.is_follow_up(question):
        return question or request.system
    asked = [turn.text for turn in request.turns if turn.role == "user"]
    earlier = (q.strip() for q in reversed(asked[:-1]) if q.strip() and not intents.is_follow_up(q))
    return next(earlier, "")


def _recordings(media: Sequence[Medium]) -> int:
    return sum(isinstance(medium, Video | Sound) for medium in media)


def _picked(request: EngineRequest) -> tuple[Medium, ...]:
    """The one medium that the question names by its number: `the second video`."""
    for nouns, kinds in _NOUNS.items():
        media = [medium for medium in request.media if isinstance(medium, kinds)]
        # Of media of one kind, `the second one` is clear.
        words = f"{nouns}|one" if len(media) == len(request.media) else nouns
        if (index := intents.picked(request.question, len(media), words)) is not None:
            return (media[index],)
    return ()


def _of_kinds(request: EngineRequest) -> tuple[Medium, ...]:
    """The media of the kinds that the question names, `the video`: of each those of its last turn."""
    kinds = [_NOUNS[nouns] for nouns in intents.kinds(request.question)]
    turns = [turn.media for turn in reversed(request.turns)]
    found: list[Medium] = []
    for kind in kinds:
        of_kind = ([medium for medium in turn if isinstance(medium, kind)] for turn in turns)
        found += next(filter(None, of_kind), [])
    return tuple(medium for medium in request.media if any(medium is one for one in found))


def _is_about_times(asked: Asked, media: Sequence[Medium]) -> bool:
    """Tell whether two moments of one recording are to be compared, and not two pictures."""
    return _recordings(media) == len(media) == 1 and bool(moments.named(asked.question, Span(0, 1)))


def _latest(request: EngineRequest) -> tuple[Medium, ...]:
    """The media of the last turn that has any."""
    for turn in reversed(request.turns):
        if turn.media:
            return turn.media
    return ()


def _for_form(request: EngineRequest, intent: Intent) -> frozenset[FactName]:
    """A schema may ask for anything, so everything is looked for; a plain answer needs what it is about."""
    places = intent.name in ("detect", "segment") and request.output.schema is None
    if request.output.mime_type == "text/plain" or places:
        return intent.wanted
    return ALL_FACTS


def _alone(words: set[str]) -> Answer:
    if words & _THANKS and len(words) <= 6:
        return Answer("You are welcome.", known=False)
    reads = f"This is twinlens with its built-in engine. It reads {sentences.ABILITIES}"
    media = "an image, a video, a sound recording, a PDF or a text file"
    if words & _GREETINGS and len(words) <= 3:
        return Answer(f"Hello. {reads}: send {media} and ask.", known=False)
    return Answer(
        f"{reads}, but it has no language model and cannot answer from text alone: send {media} with the "
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
        return Reply(_dumped(_as_object(evidence)), _once(answer.remark) or None)
    return Reply(answer.text, _once(answer.remark) or None)


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
    return Reply(_dumped(filled.value), _once(" ".join(filter(None, parts))) or None)


def _once(message: str) -> str:
    """Leave the way out at the end of a message only, however many limits are told."""
    before = message.count(sentences.WAY_OUT) - 1
    return " ".join(message.replace(sentences.WAY_OUT, "", max(before, 0)).split())


def _gap_message(gaps: Sequence[str]) -> str:
    named = ", ".join(shortened(gap, 100) for gap in gaps[:_MOST_GAPS])
    more = f" and {len(gaps) - _MOST_GAPS} more" if len(gaps) > _MOST_GAPS else ""
    return f"No fact was found for: {named}{more}; a neutral value stands there. {sentences.WAY_OUT}"


def _as_object(evidence: Evidence) -> Json:
    """Give an answer without a schema as an object: the words, and the facts they are made of."""
    answer = evidence.answer
    said: dict[str, Json] = {"answer": answer.text}
    if answer.truth is not None and evidence.intent.name != "read":
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
