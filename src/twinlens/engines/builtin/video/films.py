"""What a video tells of a question: at the times it names, else over its whole length.

Only what the question needs is decoded and looked at; of a video that is asked about again, nothing.
"""

from __future__ import annotations

import asyncio
import json
import re
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from ....concurrency.lru import AsyncLRU
from ....domain.clip import Span
from ....domain.engine_media import Video
from .. import answers, detect, moments, patterns, pictures
from ..asked import Asked, LookAtImage
from ..evidence import Answer, Evidence, Item, Moment, Named, joined
from ..facts import FactName, Facts
from ..patterns import IntentName
from ..pictures import CompareImages
from ..remote import Hears
from ..sound import sounds
from ..wording import listing
from . import narration, programme, timeline
from .reel import Reel, Wanted, wind
from .timeline import Heard

Reels = AsyncLRU[tuple[str, Span, float, Wanted], Reel]
"""What was seen of videos, by digest, by the part that is looked at, and by the frames a second."""

_MOST_REMEMBERED = 200_000
_MOST_ITEMS = 200
_CAPTION: frozenset[FactName] = frozenset(("text", "codes", "faces", "colours", "kind"))
_OVERVIEW = Wanted(frozenset(("text", "codes")), _CAPTION)
# What a scene looks like is told by its first frame.
_BY_SCENE: frozenset[IntentName] = frozenset(("colours", "kind", "quality"))
_UNSEEN: frozenset[IntentName] = frozenset(("refuse", "segment", "difference", "size", "length"))
_HEARD: frozenset[IntentName] = frozenset(("refuse", "ask", "locate", "presence", "count", "length"))
_COMPARED: frozenset[IntentName] = frozenset(("ask", "difference"))
_TOLD: frozenset[IntentName] = frozenset(("caption", "timeline", "scenes", "length", "ask", "difference"))


@dataclass(frozen=True, slots=True)
class Means:
    """The means to look at frames and to listen, and what was seen of videos before."""

    look: LookAtImage
    compare: CompareImages
    ears: Hears
    reels: Reels


@dataclass(frozen=True, slots=True)
class _Showing:
    """A video, what is asked of it, and the means to find out."""

    video: Video
    asked: Asked
    means: Means

    @property
    def wants_all(self) -> bool:
        """Whether the form of the answer may ask for anything."""
        return self.asked.output.mime_type != "text/plain"

    @property
    def has_schema(self) -> bool:
        """Whether there are fields to fill beside the answer."""
        return self.asked.output.mime_type == "application/json" and self.asked.output.schema is not None

    @property
    def is_heard(self) -> bool:
        """Whether the answer is to be heard, and not seen."""
        return self.asked.about_sound and self.asked.intent.name in _HEARD

    @property
    def whole(self) -> Span:
        """The time that the video covers."""
        return Span(self.video.start, self.video.start + self.video.duration)


def reels() -> Reels:
    """Make room for what is seen of videos."""
    return AsyncLRU(_MOST_REMEMBERED, lambda reel: reel.weight)


async def watch(video: Video, asked: Asked, means: Means) -> Evidence:
    """Say what a video tells of a question."""
    showing = _Showing(video, asked, means)
    if not showing.is_heard:
        return await _seen(showing)
    heard = await _heard_only(showing)
    return replace(await _seen(showing), answer=heard.answer) if showing.has_schema else heard


async def _seen(showing: _Showing) -> Evidence:
    asked, video = showing.asked, showing.video
    spans = moments.named(asked.question, showing.whole, video.times)
    if asked.intent.name in _COMPARED and (two := _two_frames(showing, spans)):
        return await _compared(showing, two)
    if asked.intent.name in _UNSEEN and not showing.wants_all:
        return _evidence(showing, programme.unseen(video, asked.intent))
    misread = moments.misread(asked.question, video.times)
    if misread and not spans:
        remark = misread if showing.wants_all else ""
        return _evidence(showing, Answer(misread, known=False, remark=remark), ())
    if spans and asked.intent.name != "scenes":
        return await _at_times(showing, spans, misread)
    if asked.intent.name == "detect" and not detect.is_known(asked.intent) and not showing.wants_all:
        return _evidence(showing, answers.refuse(asked.intent), ())
    return await _whole(showing)


def _evidence(showing: _Showing, answer: Answer, items: tuple[Item, ...] | None = None) -> Evidence:
    """Answer from what is known without a look."""
    video = showing.video
    size = Facts(video.source_width, video.source_height, video.width, video.height)
    return Evidence(showing.asked.intent, (size,), answer, items, thoughts=f"{narration.length(video)}")


async def _heard_only(showing: _Showing) -> Evidence:
    sound = showing.video.sound
    if sound is None:
        return _evidence(showing, Answer("The video has no sound.", truth=False))
    return await sounds.hear(sound, showing.asked, showing.means.ears)


async def _whole(showing: _Showing) -> Evidence:
    """Look through all of the video, and listen to it where that matters."""
    listening = asyncio.create_task(_heard(showing))
    try:
        wanted = _wanted(showing)
        key = (showing.video.digest, showing.whole, showing.video.fps, wanted)
        reel = await showing.means.reels.get_or_compute(
            key, lambda: _wind(showing, range(len(showing.video.times)), wanted)
        )
        heard = await listening
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    return await asyncio.to_thread(_told, showing, reel, heard, whole=True)


async def _wind(showing: _Showing, which: Sequence[int], wanted: Wanted) -> Reel:
    return await wind(showing.video, which, wanted, showing.means.look)


async def _heard(showing: _Showing) -> Heard | None:
    """Listen to the whole sound; None where the question does not need it."""
    asked, sound = showing.asked, showing.video.sound
    if not (showing.wants_all or asked.about_sound or asked.intent.name in ("caption", "timeline")):
        return None
    if sound is None:
        return Heard()
    words = await showing.means.ears.words(sound)
    return Heard(await showing.means.ears.speech(sound), words)


def _told(showing: _Showing, reel: Reel, heard: Heard | None, *, whole: bool) -> Evidence:
    """Make the evidence of what was seen and heard."""
    video, asked = showing.video, showing.asked
    told = programme.tell(video, asked, reel, heard, whole=whole)
    named: tuple[Named, ...] = ()
    items: tuple[Item, ...] | None = None
    if asked.intent.name == "detect":
        items, told = _detected(showing, reel)
    elif showing.wants_all:
        items = _items_of(showing, reel)[:_MOST_ITEMS]
    if showing.wants_all:
        heard = heard or Heard()
        said = narration.summary(video, reel, heard)
        named = timeline.named(video, reel, heard, said, texts_first=asked.intent.name == "read")
        told = _with_limit(showing, told, heard)
    return Evidence(asked.intent, reel.facts, told, items, named, narration.weighed(video, reel, heard))


def _with_limit(showing: _Showing, told: Answer, heard: Heard) -> Answer:
    """Say what it takes to write speech down, where a schema asks for the words."""
    wants_words = re.search(patterns.HEARD, json.dumps(showing.asked.output.schema).lower().replace("_", " "))
    if not (wants_words and sounds.is_unwritten(heard)) or sounds.UNWRITTEN in told.text + told.remark:
        return told
    return replace(told, remark=f"{told.remark} {sounds.UNWRITTEN}".strip())


def _wanted(showing: _Showing) -> Wanted:
    """Decide what to look for in the frames of the whole video."""
    intent = showing.asked.intent
    if showing.wants_all:
        return Wanted(_OVERVIEW.anywhere | intent.wanted - {"kind", "quality"}, _CAPTION | intent.wanted)
    if intent.name == "scenes":
        counts = programme.is_count(showing.asked)
        return Wanted(frozenset(), frozenset() if counts else _CAPTION - {"text", "codes"})
    if intent.name in _BY_SCENE:
        return Wanted(frozenset(), intent.wanted)
    if intent.name in ("caption", "timeline"):
        return _OVERVIEW
    return Wanted(intent.wanted, intent.wanted)


def _two_frames(showing: _Showing, spans: Sequence[Span]) -> tuple[int, int] | None:
    """Find the two frames that a question compares; None where it compares none."""
    if not spans or not re.search(patterns.DIFFERENCE, showing.asked.question.lower()):
        return None
    points, whole = moments.ends(spans), showing.whole
    if len(points) != 2 or any(p.seconds or not whole.start <= p.start <= whole.end for p in points):
        return None
    first, second = sorted(_nearest(showing.video, point.start) for point in points)
    return (first, second) if first != second else None


async def _compared(showing: _Showing, two: tuple[int, int]) -> Evidence:
    """Say what is different from one frame to another."""
    async with aclosing(showing.video.frames(two)) as frames:
        first, second = [frame.image async for frame in frames]
    changed = await showing.means.compare(first, second)
    asked = replace(showing.asked, intent=replace(showing.asked.intent, name="difference"))
    size = await showing.means.look(first, asked.wanted if showing.wants_all else frozenset())
    found = pictures.evidence(asked, (size,), changed)
    when = " and ".join(showing.video.label(index) for index in two)
    return replace(found, answer=replace(found.answer, text=f"{when}: {found.answer.text}"))


async def _at_times(showing: _Showing, spans: Sequence[Span], misread: str) -> Evidence:
    """Answer for each of the times that a question names; only the frames nearest to them are decoded."""
    whole = showing.whole
    inside = [span for span in spans if span.start <= whole.end and span.end >= whole.start]
    outside = [span for span in spans if span not in inside]
    nearest = {span: _nearest(showing.video, span.start) for span in inside if not span.seconds}
    points = sorted(set(nearest.values()))
    there = dict(zip(points, await _looks(showing, points), strict=True))
    each: list[tuple[str, Evidence]] = []
    for span in inside:
        if span.seconds:
            each.append((_when(span), await _between(showing, span)))
        else:
            # The very end is no frame's time: the last frame is called by its own.
            when = _when(span) if span.start < whole.end else showing.video.label(nearest[span])
            each.append((when, there[nearest[span]]))
    rest = " ".join(filter(None, (_beyond(showing, outside) if outside else "", misread)))
    if not each:
        return _evidence(showing, Answer(rest, known=False), ())
    found = joined(each)
    text = _under(each[0]) if len(each) == 1 else found.answer.text
    remark = f"{found.answer.remark} {rest}".strip() if showing.wants_all else found.answer.remark
    text += f"\n{rest}" if rest else ""
    return replace(found, answer=replace(found.answer, text=text, remark=remark))


async def _looks(showing: _Showing, which: Sequence[int]) -> list[Evidence]:
    """Look at single frames, and have each answer as a picture does."""
    asked = _as_picture(showing.asked)
    found = []
    if which:
        async with aclosing(showing.video.frames(which)) as frames:
            async for frame in frames:
                facts = await showing.means.look(frame.image, asked.wanted)
                evidence = _or_described(asked, facts)
                found.append(_timed(evidence, timeline.moment(showing.video, frame.index)))
    return found


def _as_picture(asked: Asked) -> Asked:
    """Ask of one frame what is asked of the video: the times are no words to look for."""
    intent = replace(asked.intent, question=moments.removed(asked.intent.question))
    if intent.name in _TOLD:
        wanted = asked.wanted | _CAPTION
        return replace(
            asked, intent=replace(intent, name="ask" if intent.name == "ask" else "caption"), wanted=wanted
        )
    return replace(asked, intent=intent)


def _or_described(asked: Asked, facts: Facts) -> Evidence:
    """Answer the question; where that cannot be done from the text, say what is to be seen instead."""
    evidence = pictures.evidence(asked, (facts,))
    if asked.intent.name != "ask" or evidence.answer.known:
        return evidence
    caption = answers.answer(replace(asked.intent, name="caption"), facts)
    return replace(evidence, answer=caption)


def _timed(evidence: Evidence, moment: Moment) -> Evidence:
    items = evidence.items and tuple(replace(item, time=moment) for item in evidence.items)
    thoughts = evidence.thoughts.replace("The image,", f"The frame at {moment},", 1)
    return replace(evidence, items=items, thoughts=thoughts)


async def _between(showing: _Showing, span: Span) -> Evidence:
    """Answer for a stretch of the video."""
    video = showing.video
    first, end = bisect_left(video.times, span.start), bisect_left(video.times, span.end + 1e-6)
    which = range(first, end) if end > first else [_nearest(video, span.start)]
    reel = await _wind(showing, which, _wanted(showing))
    intent = showing.asked.intent
    intent = replace(intent, question=moments.removed(intent.question))
    about = replace(showing, asked=replace(showing.asked, intent=intent))
    return await asyncio.to_thread(_told, about, reel, None, whole=False)


def _detected(showing: _Showing, reel: Reel) -> tuple[tuple[Item, ...], Answer]:
    """Find the places that are asked for, and say how many they are."""
    if not detect.is_known(showing.asked.intent):
        return (), answers.refuse(showing.asked.intent)
    found = _items_of(showing, reel)
    items = found[:_MOST_ITEMS]
    remark = pictures.unjudged(showing.asked.intent) if items else ""
    if len(found) > len(items):
        remark = f"{remark} The first {len(items)} of {len(found)} items are given.".strip()
    return items, Answer(f"Found {detect.summary(found)}.", number=len(found), remark=remark)


def _items_of(showing: _Showing, reel: Reel) -> tuple[Item, ...]:
    """Give the places that are asked for, or that a schema may ask for, each with its time."""
    video, intent = showing.video, showing.asked.intent
    if intent.name == "segment":
        return ()
    found = timeline.places(pictures.places_for(intent), reel)
    return tuple(
        replace(
            sighting.item,
            time=timeline.moment(video, sighting.first),
            until=timeline.moment(video, sighting.last) if sighting.last > sighting.first else None,
        )
        for sighting in found
    )


def _nearest(video: Video, seconds: float) -> int:
    after = bisect_left(video.times, seconds)
    near = range(max(after - 1, 0), min(after + 1, len(video.times)))
    return min(near, key=lambda index: abs(video.times[index] - seconds))


def _when(span: Span) -> str:
    # What lies just before or after a time is called by it.
    start, end = round(span.start, 2), round(span.end, 2)
    fps = 1 if start == int(start) and end == int(end) else 10
    return timeline.span(Moment(start, fps), Moment(end, fps))


def _under(named: tuple[str, Evidence]) -> str:
    """Set the time before an answer; a refusal holds for any time."""
    when, evidence = named
    if not evidence.answer.known:
        return evidence.answer.text
    gap = "\n" if "\n" in evidence.answer.text else " "
    return f"{when}:{gap}{evidence.answer.text}"


def _beyond(showing: _Showing, outside: Sequence[Span]) -> str:
    whole = showing.whole
    named = listing(_when(span) for span in outside)
    return f"There is nothing at {named}: the video runs from {Moment(whole.start)} to {Moment(whole.end)}."
