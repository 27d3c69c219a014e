"""A video in plain English: what it is, what was seen in it and heard, and when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from ....domain.engine_media import Video
from ..evidence import Moment
from ..wording import listing, plural, shortened
from . import timeline
from .reel import Reel
from .timeline import Event, Heard, Sighting

MOST_LINES = 200

_MOST_CUTS = 12
_MOST_TEXTS = 8
_MOST_SPANS = 8
_LONGEST_TEXT = 80
_LONGEST_SAID = 400
_NUMBERS = {"one": 1, "a": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8}
_SENTENCES = re.compile(rf"\b(\d{{1,2}}|{'|'.join(_NUMBERS)})[ -](?:\w+ )?sentences?\b")


def summary(video: Video, reel: Reel, heard: Heard, question: str = "", *, whole: bool = True) -> str:
    """Tell all that is known; in so many sentences as the question asks for, the weightiest first."""
    told = [
        sentence
        for sentence in (
            f"{_opening(video)}{_scenes(video, reel)}." if whole else cuts(video, reel),
            _texts(timeline.texts(video, reel)),
            said(heard) if heard.speech is not None or heard.words else "",
            *(f"{e.when}: {e.said}." for e in timeline.codes(video, reel)[:_MOST_TEXTS]),
            _faces(video, reel),
        )
        if sentence
    ]
    asked = _SENTENCES.search(question.lower())
    most = len(told) if asked is None else max(_NUMBERS.get(asked[1], 0) or int(asked[1]), 1)
    return " ".join(told[:most])


def length(video: Video) -> str:
    """Say how long a video is, and how it was looked at."""
    looked = plural(len(video.times), "frame")
    return f"{_opening(video)}. It is seen in {looked}, at {video.fps:g} a second."


def said(heard: Heard) -> str:
    """Say what was said, or where somebody speaks."""
    if heard.words:
        spoken = " ".join(words.text.strip() for words in heard.words)
        return f"What is said: “{shortened(spoken, _LONGEST_SAID)}”"
    if not heard.speech:
        return "No speech was heard."
    spans = [_during(Moment(x.start), Moment(x.end)) for x in heard.speech]
    return f"Speech is heard {_some(spans, _MOST_SPANS)}."


def cuts(video: Video, reel: Reel) -> str:
    """Say how many scenes there are, and where the cuts lie."""
    found = [timeline.moment(video, index) for index in reel.cuts]
    if not found:
        return "No cut was found: it is one scene. Slow transitions may be missed."
    scenes = plural(len(found) + 1, "scene")
    return f"There are {scenes}, with {_cuts(found)}. Slow transitions may be missed or counted twice."


def listed(events: Sequence[Event]) -> str:
    """Give events a line each; text that comes and goes together stands on one."""
    lines = []
    for (when, kind), group in groupby(events, key=lambda event: (event.when, event.kind)):
        if kind == "text":
            lines.append(f"{when} {listing(f'“{event.text}”' for event in group)}")
        else:
            lines += [f"{when} {_started(event.said)}" for event in group]
    more = [f"… and {len(lines) - MOST_LINES} more"] if len(lines) > MOST_LINES else []
    return "\n".join([*lines[:MOST_LINES], *more])


def seen(video: Video, found: Sequence[Sighting]) -> str:
    """Say what was seen and when: `“Exit” at 00:05, and a face from 00:07 to 00:09`."""
    said = []
    labelled: dict[str, list[Sighting]] = {}
    for sighting in found:
        labelled.setdefault(sighting.item.label, []).append(sighting)
    for label, sightings in labelled.items():
        item = sightings[0].item
        called = f"“{shortened(label, 40)}”" if item.kind == "text" else f"a {label}"
        spans = [_during(timeline.moment(video, s.first), timeline.moment(video, s.last)) for s in sightings]
        said.append(f"{called} {_some(spans, _MOST_SPANS)}")
    return _some(said, _MOST_TEXTS)


def weighed(video: Video, reel: Reel, heard: Heard | None) -> str:
    """List what was found, for those who asked to see the thoughts."""
    frames = plural(reel.last - reel.first + 1, "frame")
    lines = [f"The video, {frames} of {video.width} × {video.height} pixels, {len(reel.glances)} looked at:"]
    found = [f"“{shortened(c.text, 60)}” ({c.score:.2f})" for c in reel.captions]
    lines.append(f"- text: {'; '.join(found[:_MOST_TEXTS]) or 'nothing found'}{_more(found, _MOST_TEXTS)}")
    lines.append(f"- cuts: {listing(timeline.moment(video, i) for i in reel.cuts[:_MOST_CUTS]) or 'none'}")
    if heard is not None:
        spans = [f"{Moment(x.start)}–{Moment(x.end)} ({x.score:.2f})" for x in heard.speech or ()]
        lines.append(f"- speech: {'; '.join(spans[:_MOST_SPANS]) or 'none'}{_more(spans, _MOST_SPANS)}")
    return "\n".join(lines)


def _opening(video: Video) -> str:
    size = f"{video.source_width} × {video.source_height} pixels"
    sound = "with sound" if video.sound is not None else "without sound"
    lasts = _lasting(video.duration)
    if video.start > 0:
        first, last = Moment(video.start), Moment(video.start + video.duration)
        return f"The part of the video from {first} to {last} is {lasts} long, {size}, {sound}"
    return f"The video is {lasts} long, {size}, {sound}"


def _lasting(seconds: float) -> str:
    if seconds < 60:
        said = f"{round(seconds, 1):g}"
        return f"{said} second{'' if said == '1' else 's'}"
    return str(Moment(seconds))


def _scenes(video: Video, reel: Reel) -> str:
    found = [timeline.moment(video, index) for index in reel.cuts]
    return f", and has {plural(len(found) + 1, 'scene')}, with {_cuts(found)}" if found else ", without a cut"


def _cuts(found: Sequence[Moment]) -> str:
    return f"{'a cut' if len(found) == 1 else 'cuts'} at {_some(found, _MOST_CUTS)}"


def _texts(events: Sequence[Event]) -> str:
    """Mention the text that matters most, by its size and by how long it stands, in the order it comes."""
    if not events:
        return "No readable text on screen."
    weightiest = sorted(events, key=_weight, reverse=True)[:_MOST_TEXTS]
    shown = [
        f"{when} {listing(f'“{shortened(event.text, _LONGEST_TEXT)}”' for event in group)}"
        for when, group in groupby((e for e in events if e in weightiest), key=lambda event: event.when)
    ]
    left_out = len(events) - len(weightiest)
    return f"Text on screen: {'; '.join(shown)}{f'; and {left_out} more' if left_out else ''}."


def _weight(event: Event) -> float:
    height = event.item.box.ymax - event.item.box.ymin if event.item else 0
    return float(height * (1 + event.end.seconds - event.start.seconds) ** 0.5)


def _faces(video: Video, reel: Reel) -> str:
    most = max(
        (g for g in reel.glances if g.facts.faces), key=lambda g: len(g.facts.faces or ()), default=None
    )
    if most is None:
        return ""
    count = len(most.facts.faces or ())
    visible = f"{plural(count, 'face')} {'is' if count == 1 else 'are'} visible"
    return f"At least {visible} at {timeline.moment(video, most.index)}."


def _during(start: Moment, end: Moment) -> str:
    return f"at {start}" if start == end else f"from {start} to {end}"


def _started(text: str) -> str:
    return text[:1].upper() + text[1:]


def _some(said: Iterable[str], most: int) -> str:
    """Say the first of a list, and how many there are beyond."""
    everything = list(said)
    if len(everything) <= most:
        return listing(everything)
    return f"{', '.join(everything[:most])} and {len(everything) - most} more"


def _more(found: Sequence[str], most: int) -> str:
    return f"; and {len(found) - most} more" if len(found) > most else ""
