"""What happens in a video, one event after another: cuts, text on screen, codes, faces, speech."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ....domain.engine_media import Video
from ....domain.media import Json
from ....domain.regions import Box
from .. import detect, sentences
from ..evidence import Item, Moment, Named, at, placed
from ..facts import Facts, SpeechSpan, Words
from ..intents import Intent
from ..wording import listing, plural, shortened
from .captions import BRIDGED, overlap
from .reel import Reel

_LONGEST_TEXT = 300

EventKind = Literal["scene", "text", "code", "speech", "words"]


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of a video; None where it has no sound, or where nobody wrote down what is said."""

    speech: tuple[SpeechSpan, ...] | None = None
    words: tuple[Words, ...] | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that begins at one moment and ends at another. `text` is what is read or said."""

    kind: EventKind
    start: Moment
    end: Moment
    said: str
    text: str = ""
    item: Item | None = None

    @property
    def when(self) -> str:
        """Write its time down: `00:05`, `00:05–00:09`."""
        return span(self.start, self.end)

    def as_record(self) -> Mapping[str, Json]:
        """Give its values under the names that schemas commonly ask for."""
        label = self.text or self.said
        if self.kind == "scene" and self.text:
            label = f"{self.said}, with the text “{self.text}”"
        names = ("description", "event", "label", "title", "name", "caption")
        record: dict[str, Json] = dict.fromkeys(names, label)
        record |= dict.fromkeys(("type", "kind", "category"), self.kind)
        record |= dict.fromkeys(("summary", "visual_description"), self.said)
        if self.text:
            record |= dict.fromkeys(("text", "content", "subtitle", "transcript"), self.text)
        return {
            **record,
            **at(self.start, self.end),
            **(placed(self.item.box, self.item.score) if self.item else {}),
        }


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something that was to be seen from one frame to another, where it was first."""

    item: Item
    first: int
    last: int


def span(start: Moment, end: Moment) -> str:
    """Write a stretch of time down."""
    return str(start) if start == end else f"{start}–{end}"


def moment(video: Video, index: int) -> Moment:
    """Give the moment of a frame."""
    return Moment(video.times[index], video.fps)


def sightings(intent: Intent, reel: Reel) -> tuple[Sighting, ...]:
    """Find what a question asks for in the frames, joined over time by what it is called."""
    found: list[Sighting] = []
    going: dict[str, int] = {}
    for glance in reel.glances:
        for item in detect.find(intent, glance.facts):
            at_ = going.get(item.label)
            if at_ is None or found[at_].last < glance.index - BRIDGED:
                going[item.label] = len(found)
                found.append(Sighting(item, glance.index, glance.last))
            else:
                found[at_] = replace(found[at_], last=glance.last)
    return tuple(found)


def places(intent: Intent, reel: Reel) -> tuple[Sighting, ...]:
    """Find the places that a question asks for, each once for as long as it stays.

    Text goes by the captions, where slips in reading are joined.
    """
    by_caption = "text" in intent.targets and not intent.quoted
    found = list(captions(reel)) if by_caption else []
    rest = replace(intent, targets=intent.targets - {"text"}) if by_caption else intent
    if not by_caption or rest.targets or rest.colours:
        found += _tracked(rest, reel)
    return tuple(sorted(found, key=lambda sighting: sighting.first))


def captions(reel: Reel) -> tuple[Sighting, ...]:
    """Give the text on screen as sightings."""
    return tuple(
        Sighting(Item(c.box, c.text, c.score, "text", c.text), c.first, c.last) for c in reel.captions
    )


def _tracked(intent: Intent, reel: Reel) -> list[Sighting]:
    """Follow what is found from frame to frame: what is called alike and overlaps is the same."""
    found: list[Sighting] = []
    going: list[tuple[int, Box]] = []
    for glance in reel.glances:
        going = [(n, box) for n, box in going if found[n].last >= glance.index - BRIDGED]
        here: list[tuple[int, Box]] = []
        for item in detect.find(intent, glance.facts):
            met = next((x for x in going if _goes_on(item, found[x[0]].item, x[1])), None)
            if met is None:
                here.append((len(found), item.box))
                found.append(Sighting(item, glance.index, glance.last))
            else:
                going.remove(met)
                here.append((met[0], item.box))
                found[met[0]] = replace(found[met[0]], last=glance.last)
        going += here
    return found


def _goes_on(item: Item, before: Item, last: Box) -> bool:
    return item.label == before.label and item.kind == before.kind and overlap(item.box, last)


def scenes(video: Video, reel: Reel) -> tuple[Event, ...]:
    """Give the scenes, each with what its first picture shows."""
    return tuple(
        Event(
            "scene",
            moment(video, opening.index),
            moment(video, last),
            _shown(opening.facts) or "a scene",
            shortened(
                " / ".join(c.text for c in reel.captions if opening.index <= c.first <= last), _LONGEST_TEXT
            ),
        )
        for opening, last in reel.scenes
    )


def texts(video: Video, reel: Reel) -> tuple[Event, ...]:
    """Give the text on screen."""
    return tuple(
        Event(
            "text",
            moment(video, caption.first),
            moment(video, caption.last),
            f"text “{caption.text}”",
            caption.text,
            Item(caption.box, caption.text, caption.score, "text", caption.text),
        )
        for caption in reel.captions
    )


def codes(video: Video, reel: Reel) -> tuple[Event, ...]:
    """Give the codes."""
    wanted = Intent("presence", frozenset({"codes"}), frozenset({"codes"}))
    return tuple(
        Event("code", moment(video, x.first), moment(video, x.last), _code(x.item), x.item.text, x.item)
        for x in sightings(wanted, reel)
    )


def speech(heard: Heard) -> tuple[Event, ...]:
    """Give what is said, else where somebody speaks."""
    if heard.words is not None:
        return tuple(
            Event("words", Moment(x.start), Moment(x.end), f"“{x.text}”", x.text) for x in heard.words
        )
    return tuple(Event("speech", Moment(x.start), Moment(x.end), "speech") for x in heard.speech or ())


def events(video: Video, reel: Reel, heard: Heard) -> tuple[Event, ...]:
    """Give everything in the order in which it begins; of what begins together, the longer first."""
    # A scene tells what its first picture shows; its text has events of its own.
    shown = [replace(event, text="") for event in scenes(video, reel)]
    everything = [*shown, *texts(video, reel), *codes(video, reel), *speech(heard)]
    return tuple(sorted(everything, key=lambda e: (e.start.seconds, e.kind != "scene", -e.end.seconds)))


def named(
    video: Video, reel: Reel, heard: Heard, told: str, *, texts_first: bool = False
) -> tuple[Named, ...]:
    """Give all of it by the names that schemas may ask for it by; `told` is the video in words.

    A list that no name calls for is the first, mostly that of all events.
    """
    shots = scenes(video, reel)
    lists: list[tuple[str, Sequence[Event]]] = [
        ("event timeline moment highlight timestamp segment time", events(video, reel, heard)),
        ("caption subtitle text ocr line overlay title word onscreen", texts(video, reel)),
        ("scene shot chapter section", shots),
        ("cut transition change", [replace(event, end=event.start) for event in shots[1:]]),
        ("speech utterance transcript transcription dialogue sentence spoken", speech(heard)),
        ("code qr barcode", codes(video, reel)),
    ]
    if texts_first:
        lists[:2] = lists[1::-1]
    values: Iterable[tuple[str, Json]] = (
        ("scene shot scenecount numscenes numberofscenes scenescount", len(shots)),
        ("cut transition cutcount numcuts numberofcuts cutscount", len(shots) - 1),
        ("duration length second runtime", round(video.duration, 3)),
        ("fps framerate rate", video.fps),
        ("frame", len(video.times)),
        ("has is there with sound audio track", video.sound is not None),
        ("summary caption overview description visual", told),
        ("text ocr onscreen content", "\n".join(dict.fromkeys(c.text for c in reel.captions)) or None),
        ("transcript transcription speech spoken", _transcript(heard)),
        ("has is there speech voice speaking spoken", bool(heard.speech or heard.words)),
    )
    said = [Named(frozenset(n.split()), [event.as_record() for event in found]) for n, found in lists]
    return (*said, *(Named(frozenset(n.split()), value) for n, value in values))


def _transcript(heard: Heard) -> str | None:
    return None if heard.words is None else " ".join(words.text for words in heard.words)


def _code(item: Item) -> str:
    symbology = item.label.partition(":")[0]
    article = "an" if symbology[:1] in "AEIO" else "a"
    return f"{article} {symbology} that holds “{item.text}”"


def _shown(facts: Facts) -> str:
    """Describe a picture in a few words, its text left out."""
    return ", ".join(_few(facts))


def _few(facts: Facts) -> Iterator[str]:
    if facts.kind is not None:
        yield sentences.kind(facts.kind)
    if facts.colours and not (facts.kind and facts.kind.grey):
        yield f"mostly {listing(colour.name for colour in facts.colours[:2])}"
    if facts.faces:
        yield f"with at least {plural(len(facts.faces), 'face')}"
