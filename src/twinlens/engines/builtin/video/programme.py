"""Answers to questions about a video or a stretch of it: one function an intent, from facts over time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ....domain.engine_media import Video
from .. import answers, detect, patterns, pictures, sentences
from ..asked import Asked
from ..evidence import Answer, joined_answers
from ..facts import Facts
from ..intents import Intent
from ..patterns import IntentName
from ..sound import sounds
from ..wording import FILLER, stems, tokens
from . import narration, timeline
from .captions import Glance
from .reel import Reel
from .timeline import Heard, Sighting

_MOST_SCENES = 12
_MOST_ANSWERS = 5
_COUNT = re.compile(patterns.COUNT)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A video, what is asked of it, and what was seen and heard of it."""

    video: Video
    asked: Asked
    reel: Reel
    heard: Heard
    whole: bool

    @property
    def intent(self) -> Intent:
        """What the question is after."""
        return self.asked.intent


def tell(video: Video, asked: Asked, reel: Reel, heard: Heard | None, *, whole: bool) -> Answer:
    """Answer a question from what was seen and heard; `whole` says that this is all of the video."""
    if asked.intent.name in _UNSEEN:
        return unseen(video, asked.intent)
    return _TELLERS.get(asked.intent.name, _ask)(_Seen(video, asked, reel, heard or Heard(), whole))


def unseen(video: Video, intent: Intent) -> Answer:
    """Answer what takes no look."""
    return _UNSEEN[intent.name](video, intent)


def is_count(asked: Asked) -> bool:
    """Tell whether only a number or the times of scenes are asked for."""
    return bool(_COUNT.search(asked.question.lower()) or re.search(patterns.WHEN, asked.question.lower()))


def _size(video: Video, _intent: Intent) -> Answer:
    width, height = video.source_width, video.source_height
    said = sentences.size(Facts(width, height, video.width, video.height)).replace("The picture", "The video")
    return Answer(said, strings=(str(width), str(height)))


def _length(video: Video, _intent: Intent) -> Answer:
    return Answer(narration.length(video), number=round(video.duration, 3))


def _difference(_video: Video, _intent: Intent) -> Answer:
    return Answer("The built-in engine compares two pictures; it does not compare videos.", known=False)


def _segment(_video: Video, intent: Intent) -> Answer:
    return Answer(pictures.NO_MASKS, known=False) if detect.is_known(intent) else answers.refuse(intent)


def _caption(seen: _Seen) -> Answer:
    said = narration.summary(seen.video, seen.reel, seen.heard, seen.asked.question, whole=seen.whole)
    unwritten = sounds.is_unwritten(seen.heard)
    if seen.intent.topic == "sounds" and unwritten:
        return Answer(f"{said} {sounds.UNWRITTEN}")
    if seen.intent.topic and not (seen.intent.topic == "sounds" and seen.heard.words):
        return Answer(f"{said} {answers.limit(seen.intent.topic)}")
    remark = f"The built-in engine does not name objects, scenes or actions. {sentences.WAY_OUT}"
    return Answer(said, remark=f"{remark} {sounds.UNWRITTEN}" if unwritten else remark)


def _timeline(seen: _Seen) -> Answer:
    events = timeline.events(seen.video, seen.reel, seen.heard)
    said = narration.listed(events)
    if seen.intent.topic == "sounds":
        said = _without_words(seen) + said
    elif seen.intent.topic:
        said = f"{answers.limit(seen.intent.topic)}\n\n{said}"
    strings = tuple(f"{event.when} {event.said}" for event in events)
    return Answer(said, strings=strings, remark=_by_a_model(seen))


def _scenes(seen: _Seen) -> Answer:
    cuts = [timeline.moment(seen.video, index) for index in seen.reel.cuts]
    said = narration.cuts(seen.video, seen.reel)
    if not is_count(seen.asked):
        said += f"\n{narration.listed([replace(e, text='') for e in timeline.scenes(seen.video, seen.reel)])}"
    number = len(cuts) + (
        0 if re.search(r"\b(?:cuts?|changes?|transitions?)\b", seen.asked.question.lower()) else 1
    )
    return Answer(said, truth=bool(cuts), number=number, strings=tuple(cuts))


def _read(seen: _Seen) -> Answer:
    texts = timeline.texts(seen.video, seen.reel)
    spoken = _spoken(seen) if seen.asked.about_sound else ""
    if not texts:
        return Answer(f"{spoken}No readable text was found on screen.", truth=bool(spoken), strings=())
    said = spoken + narration.listed(texts)
    strings = tuple(event.text for event in texts)
    return Answer(said, truth=True, strings=strings, remark=_by_a_model(seen) if spoken else "")


def _spoken(seen: _Seen) -> str:
    """Say what is to be heard before what is to be read: `Transcribe this video` may mean either."""
    if seen.heard.words:
        return f"{narration.listed(timeline.speech(seen.heard))}\n\n"
    return _without_words(seen)


def _by_a_model(seen: _Seen) -> str:
    return sounds.BY_A_MODEL if seen.heard.words else ""


def _without_words(seen: _Seen) -> str:
    """Say why nothing is written down of what is said."""
    if seen.video.sound is None:
        return "The video has no sound.\n\n"
    if not seen.heard.speech and not seen.heard.words:
        return "No speech was heard.\n\n"
    if seen.heard.words is not None:
        return ""
    return f"{narration.said(seen.heard)} {sounds.UNWRITTEN}\n\n"


def _presence(seen: _Seen) -> Answer:
    if not detect.is_known(seen.intent):
        return answers.refuse(seen.intent)
    found = _found(seen)
    if not found:
        return Answer(f"No: {answers.missing(seen.intent)} found.", truth=False, number=0)
    return Answer(f"Yes: {narration.seen(seen.video, found)}.", truth=True, number=len(found))


def _locate(seen: _Seen) -> Answer:
    """Say when something is to be seen. A word that the question does not cite is looked for in the text."""
    intent = seen.intent
    if (intent.targets <= {"text"} and not intent.colours and not intent.quoted) and (found := _saying(seen)):
        said = narration.seen(seen.video, found)
        return Answer(f"The text {said}.", truth=True, number=len(found), strings=_times(seen, found))
    if not (intent.targets or intent.colours or intent.quoted):
        return answers.refuse(intent)
    answer = _presence(seen)
    text = answer.text.removeprefix("Yes: ").removeprefix("No: ")
    return replace(answer, text=text[:1].upper() + text[1:], strings=_times(seen, _found(seen)))


def _saying(seen: _Seen) -> list[Sighting]:
    """Find the captions that say a word of the question."""
    asked = re.sub(patterns.TARGETS["text"], " ", seen.intent.question.lower())
    words = stems(word for word in tokens(asked) if word not in FILLER)
    return [
        sighting for sighting in timeline.captions(seen.reel) if words & stems(tokens(sighting.item.label))
    ]


def _found(seen: _Seen) -> list[Sighting]:
    """Find what is asked for over time. Text goes by the captions: slips in reading are joined there."""
    intent = seen.intent
    if intent.quoted or "text" not in intent.targets:
        return list(timeline.sightings(intent, seen.reel))
    rest = replace(intent, targets=intent.targets - {"text"})
    more = timeline.sightings(rest, seen.reel) if rest.targets or rest.colours else ()
    return [*timeline.captions(seen.reel), *more]


def _times(seen: _Seen, found: Sequence[Sighting]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(timeline.moment(seen.video, sighting.first) for sighting in found))


def _count(seen: _Seen) -> Answer:
    answer = answers.answer(seen.intent, _together(seen.reel))
    if "faces" not in seen.intent.targets or not answer.number:
        return answer
    most = _with_most_faces(seen.reel)
    said = f"Most are to be seen at {timeline.moment(seen.video, most.index)}."
    return replace(answer, text=f"{answer.text} {said}")


def _with_most_faces(reel: Reel) -> Glance:
    return max(reel.glances, key=lambda glance: len(glance.facts.faces or ()))


def _together(reel: Reel) -> Facts:
    """Put a video's facts together as if all stood in one picture; of faces those that were seen at once."""
    first = reel.glances[0].facts
    codes = {code.text: code for facts in reel.facts for code in facts.codes or ()}
    return Facts(
        first.width,
        first.height,
        first.seen_width,
        first.seen_height,
        lines=tuple(line for facts in reel.facts for line in facts.lines or ()),
        codes=tuple(codes.values()) if first.codes is not None else None,
        faces=_with_most_faces(reel).facts.faces,
        tables=tuple(table for facts in reel.facts for table in facts.tables or ()),
        charts=tuple(chart for facts in reel.facts for chart in facts.charts or ()),
    )


def _codes(seen: _Seen) -> Answer:
    found = timeline.codes(seen.video, seen.reel)
    if not found:
        return Answer("No QR code or bar code could be read.", truth=False, strings=())
    return Answer(
        narration.listed(found), truth=True, strings=tuple(dict.fromkeys(event.text for event in found))
    )


def _by_scene(seen: _Seen) -> Answer:
    """Answer for the first picture of each scene."""
    each = [
        (
            timeline.span(timeline.moment(seen.video, opening.index), timeline.moment(seen.video, last)),
            answers.answer(seen.intent, opening.facts),
        )
        for opening, last in seen.reel.scenes[:_MOST_SCENES]
    ]
    return joined_answers(each, seen.intent)


def _drawn(seen: _Seen) -> Answer:
    """Give the tables or charts of the frames, each once."""
    found: dict[str, tuple[str, Answer]] = {}
    for glance in seen.reel.glances:
        if glance.facts.tables if seen.intent.name == "table" else glance.facts.charts:
            answer = answers.answer(seen.intent, glance.facts)
            found.setdefault(answer.text, (timeline.moment(seen.video, glance.index), answer))
    each = list(found.values())[:_MOST_ANSWERS]
    return joined_answers(each, seen.intent) if each else answers.answer(seen.intent, _together(seen.reel))


def _ask(seen: _Seen) -> Answer:
    """Answer from the text of the frames, with the time at which it stands there first."""
    found: dict[str, tuple[str, Answer]] = {}
    for glance in seen.reel.glances:
        answer = answers.answer(seen.intent, glance.facts)
        if answer.known:
            found.setdefault(answer.text, (timeline.moment(seen.video, glance.index), answer))
    if not found:
        return answers.refuse(seen.intent) if seen.whole else _caption(seen)
    each = list(found.values())[:_MOST_ANSWERS]
    when, answer = each[0]
    return (
        replace(answer, text=f"{answer.text} ({when})")
        if len(each) == 1
        else joined_answers(each, seen.intent)
    )


_UNSEEN: Mapping[IntentName, Callable[[Video, Intent], Answer]] = {
    "difference": _difference,
    "length": _length,
    "refuse": lambda _video, intent: answers.refuse(intent),
    "segment": _segment,
    "size": _size,
}
_TELLERS: Mapping[IntentName, Callable[[_Seen], Answer]] = {
    "ask": _ask,
    "caption": _caption,
    "chart": _drawn,
    "codes": _codes,
    "colours": _by_scene,
    "count": _count,
    "detect": _presence,
    "kind": _by_scene,
    "locate": _locate,
    "presence": _presence,
    "quality": _by_scene,
    "read": _read,
    "scenes": _scenes,
    "table": _drawn,
    "timeline": _timeline,
}
