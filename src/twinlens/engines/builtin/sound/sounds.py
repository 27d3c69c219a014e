"""What a recording tells of a question: how long it is, where somebody speaks, where it is quiet, how loud.

What is said is told where there is a speech model; what else is to be heard is never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ....domain.clip import Span, label
from ....domain.engine_media import Sound
from ....domain.media import Json
from .. import answers, moments, sentences
from ..asked import Asked
from ..evidence import Answer, Evidence, Moment, Named, at
from ..facts import Hearing, SpeechSpan, Words
from ..remote import Hears
from ..video import timeline
from ..video.timeline import Heard
from ..wording import FILLER, listing, shortened, stems, tokens
from .listening import SoundKind, kind_of

UNWRITTEN = (
    "The built-in engine tells where somebody speaks, but it does not transcribe speech. To have what is "
    "said written down, install twinlens[speech] and set --speech-model."
)
BY_A_MODEL = "The words were written down by a speech model and may be wrong in places."


def is_unwritten(heard: Heard) -> bool:
    """Tell whether somebody speaks, and nobody could write it down."""
    return bool(heard.speech) and heard.words is None


_ELSE = "what else is to be heard, or whose voice it is"

_MOST_SPANS = 12
_MOST_LINES = 500
_MOST_FOUND = 5
_LONGEST_SAID = 400
_NEAR_S = 1.0
"""A single moment of a question stands for this much before it and after."""


@dataclass(frozen=True, slots=True)
class _Listened:
    """What is asked of a recording, and what was heard of it: all, or at the times that are asked about.

    `words` is None where there is nobody to write them down.
    """

    asked: Asked
    span: Span
    hearing: Hearing
    words: tuple[Words, ...] | None

    @property
    def said(self) -> str:
        """All words as one text."""
        return " ".join(words.text for words in self.words or ())

    @property
    def speech_s(self) -> float:
        """How long somebody speaks."""
        return sum(span.end - span.start for span in self.hearing.speech)


async def hear(sound: Sound, asked: Asked, ears: Hears) -> Evidence:
    """Say what a recording tells of a question."""
    kind = kind_of(asked)
    span = Span(sound.start, sound.start + sound.duration)
    wants_all = asked.output.mime_type != "text/plain"
    if kind == "length" and not wants_all:
        return Evidence(asked.intent, (), _length(span), thoughts=f"- length: {span.seconds:g} s")
    hearing = await ears.hearing(sound)
    words = await ears.words(sound) if wants_all or kind in _WORDED else None
    listened = _Listened(asked, span, hearing, words)
    answer = _beyond(listened) or _TELLERS[kind](_narrowed(listened))
    named = _named(listened) if wants_all else ()
    return Evidence(asked.intent, (), answer, None, named, _weighed(listened))


_WORDED: frozenset[SoundKind] = frozenset(("transcript", "describe", "ask"))
"""What takes the words, where they can be had: writing them down is long work."""


def _beyond(listened: _Listened) -> Answer | None:
    """Say so where a question names times, and all are beyond the recording, or no times at all."""
    whole = listened.span
    spans = moments.named(listened.asked.question, whole)
    if not spans and (misread := moments.misread(listened.asked.question)):
        return Answer(misread, known=False)
    if not spans or any(span.start < whole.end and span.end >= whole.start for span in spans):
        return None
    there = f"from {label(whole.start)} to {label(whole.end)}"
    return Answer(f"The recording goes {there}: there is nothing at {label(spans[0].start)}.", known=False)


def _narrowed(listened: _Listened) -> _Listened:
    """Keep what is heard at the times that a question names; all of it where it names none."""
    spans = [
        span if span.seconds else Span(span.start - _NEAR_S, span.end + _NEAR_S)
        for span in moments.named(listened.asked.question, listened.span)
    ]
    if not spans:
        return listened
    hearing = listened.hearing
    return replace(
        listened,
        hearing=replace(
            hearing,
            speech=tuple(x for x in hearing.speech if _meets(x, spans)),
            quiet=tuple(x for x in hearing.quiet if _meets(x, spans)),
        ),
        words=None if listened.words is None else tuple(x for x in listened.words if _meets(x, spans)),
    )


def _meets(stretch: SpeechSpan | Words | Span, spans: Iterable[Span]) -> bool:
    return any(stretch.start < span.end and span.start < stretch.end for span in spans)


def _length(span: Span) -> Answer:
    seconds = round(span.seconds, 3)
    return Answer(f"The recording lasts {_lasting(seconds)}.", number=seconds, strings=(label(seconds),))


def _transcript(listened: _Listened) -> Answer:
    if not listened.hearing.speech and not listened.words:
        return Answer("No speech was heard, so there is nothing to transcribe.", strings=())
    if listened.words is None:
        return Answer(f"{_speech_said(listened)} {UNWRITTEN}", known=False)
    lines = [f"{label(words.start)} {words.text}" for words in listened.words]
    if not lines:
        return Answer(f"{_speech_said(listened)} No words were understood in it.", strings=())
    more = [f"… and {len(lines) - _MOST_LINES} more lines"] if len(lines) > _MOST_LINES else []
    texts = tuple(words.text for words in listened.words)
    return Answer("\n".join([*lines[:_MOST_LINES], *more]), strings=texts, remark=BY_A_MODEL)


def _speech(listened: _Listened) -> Answer:
    spans = listened.hearing.speech
    if not spans:
        return Answer("No speech was heard.", truth=False, number=0, strings=())
    yes = (
        "Yes. " if re.match(r"\W*(?:is|are|was|were|does|do|did|can|has|have)\b", _question(listened)) else ""
    )
    seconds = round(listened.speech_s, 1)
    return Answer(f"{yes}{_speech_said(listened)}", truth=True, number=seconds, strings=_written(spans))


def _quiet(listened: _Listened) -> Answer:
    spans = listened.hearing.quiet
    if not spans:
        return Answer("It is nowhere silent for a second or longer.", truth=False, number=0, strings=())
    return Answer(_quiet_said(listened), truth=True, number=len(spans), strings=_written(spans))


def _level(listened: _Listened) -> Answer:
    return Answer(_level_said(listened), number=listened.hearing.level_db)


def _describe(listened: _Listened) -> Answer:
    said = _described(listened)
    if listened.asked.intent.topic not in ("", "sounds"):
        return Answer(f"{said} {answers.limit(listened.asked.intent.topic)}")
    if listened.words is None and listened.hearing.speech:
        return Answer(said, remark=UNWRITTEN)
    return Answer(said, remark=BY_A_MODEL if listened.words else "")


def _ask(listened: _Listened) -> Answer:
    """Look in what is said for the words of a question."""
    if listened.words is None and listened.hearing.speech and not listened.asked.intent.topic:
        return Answer(f"{_opening(listened)} {UNWRITTEN}", known=False)
    wanted = stems(word for word in tokens(moments.removed(_question(listened))) if word not in FILLER)
    scored = [(len(wanted & stems(tokens(words.text))), words) for words in listened.words or ()]
    best = max((score for score, _ in scored), default=0)
    if not best:
        return _refuse(listened)
    found = [words for score, words in scored if score == best][:_MOST_FOUND]
    lines = [f"{label(words.start)} {words.text}" for words in found]
    return Answer("\n".join(lines), strings=tuple(words.text for words in found), remark=BY_A_MODEL)


def _refuse(listened: _Listened) -> Answer:
    """Say that it cannot be told, and what can."""
    topic = listened.asked.intent.topic
    limit = sentences.refusal(_ELSE) if topic in ("", "sounds") else answers.limit(topic)
    return Answer(f"{_opening(listened)} {limit}", known=False)


_TELLERS: Mapping[SoundKind, Callable[[_Listened], Answer]] = {
    "ask": _ask,
    "describe": _describe,
    "length": lambda listened: _length(listened.span),
    "level": _level,
    "quiet": _quiet,
    "refuse": _refuse,
    "speech": _speech,
    "transcript": _transcript,
}


def _question(listened: _Listened) -> str:
    return listened.asked.question.lower()


def _opening(listened: _Listened) -> str:
    return f"A recording of {_lasting(listened.span.seconds)}. {_speech_said(listened)}"


def _described(listened: _Listened) -> str:
    said = [_opening(listened)]
    if listened.said:
        said.append(f"What is said: “{shortened(listened.said, _LONGEST_SAID)}”")
    if listened.hearing.quiet:
        said.append(_quiet_said(listened))
    return " ".join(said)


def _lasting(seconds: float) -> str:
    return label(round(seconds)) if seconds >= 1 else f"{seconds:.2g} s"


def _speech_said(listened: _Listened) -> str:
    spans = listened.hearing.speech
    if not spans:
        return "No speech was heard."
    return f"Speech {_stretches(spans)} ({max(round(listened.speech_s), 1)} s in all)."


def _quiet_said(listened: _Listened) -> str:
    return f"It is silent {_stretches(listened.hearing.quiet)}."


def _level_said(listened: _Listened) -> str:
    level = listened.hearing.level_db
    return f"The mean level is {level:g} dB, where 0 is the loudest that can be recorded."


def _stretches(spans: Sequence[SpeechSpan] | Sequence[Span]) -> str:
    said = [f"from {label(span.start)} to {label(span.end)}" for span in spans[:_MOST_SPANS]]
    if len(spans) > _MOST_SPANS:
        said.append(f"{len(spans) - _MOST_SPANS} more times")
    return listing(said)


def _written(spans: Sequence[SpeechSpan] | Sequence[Span]) -> tuple[str, ...]:
    return tuple(timeline.span(Moment(span.start), Moment(span.end)) for span in spans)


def _named(listened: _Listened) -> tuple[Named, ...]:
    """Give all of it by the names that schemas may ask for it by."""
    hearing = listened.hearing
    spoken = [event.as_record() for event in timeline.speech(Heard(hearing.speech, listened.words))]
    values: Iterable[tuple[str, Json]] = (
        ("speech utterance transcript transcription dialogue sentence spoken segment", spoken),
        ("event timeline moment timestamp span stretch interval", spoken),
        ("silence pause quiet gap", [_silence(span) for span in hearing.quiet]),
        ("duration length second runtime", round(listened.span.seconds, 3)),
        ("speechduration speechseconds speakingtime speechtime", round(listened.speech_s, 3)),
        ("level loudness volume decibel db", hearing.level_db),
        ("has is there speech voice speaking spoken", bool(hearing.speech or listened.words)),
        ("summary caption overview description", _described(listened)),
        ("transcript transcription speech spoken text content", listened.said or None),
    )
    return tuple(Named(frozenset(names.split()), value) for names, value in values)


def _silence(span: Span) -> Mapping[str, Json]:
    record: dict[str, Json] = dict.fromkeys(("description", "label", "type", "kind"), "silence")
    return {**record, **at(Moment(span.start), Moment(span.end))}


def _weighed(listened: _Listened) -> str:
    """List what was weighed."""
    hearing = listened.hearing
    lines = [f"- length: {listened.span.seconds:g} s", f"- level: {hearing.level_db:g} dB"]
    lines += [
        f"- speech: {label(x.start)}–{label(x.end)} ({x.score:.2f})" for x in hearing.speech[:_MOST_SPANS]
    ]
    lines += [f"- silence: {label(x.start)}–{label(x.end)}" for x in hearing.quiet[:_MOST_SPANS]]
    lines += [f"- said: {label(x.start)} “{x.text}”" for x in (listened.words or ())[:_MOST_SPANS]]
    return "\n".join(lines)
