"""A request on its way to the process that answers it: pixels and functions stay behind, and are asked for.

`portable` and `Host` are the server's side, `Remote` and what follows it the worker's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ...domain.engine import EngineRequest, EngineTurn, InputPart, Medium
from ...domain.engine_media import Document, Sound, StillImage, TextFile, Video
from ...domain.media import Image
from ...processes.forking import server
from ...processes.peer import Handler
from .asked import Picture
from .facts import Difference, FactName, Facts, Hearing, SpeechSpan, Words

_READS: Mapping[str, type[Medium]] = {
    "read": Video,
    "sound": Sound,
    "read_texts": Document,
    "read_images": Document,
}
"""What a worker may read of a medium, by the name it uses."""


@dataclass(frozen=True, slots=True)
class Remote:
    """Stands in a worker for a function of the server that gives pieces of the medium at `index`."""

    index: int
    name: str

    def __call__(self, *arguments: object) -> Any:
        """Read pieces."""
        return server().stream("read", self.index, self.name, *arguments)


def portable(request: EngineRequest) -> EngineRequest:
    """Give a request of texts and media that can travel to another process, its media numbered in order."""
    numbers = iter(range(len(request.media)))
    return replace(
        request,
        turns=tuple(
            EngineTurn(turn.role, tuple(_portable(part, numbers) for part in turn.parts))
            for turn in request.turns
        ),
    )


def _portable(part: InputPart, numbers: Any) -> InputPart:
    if not isinstance(part, Medium):
        return part
    index = next(numbers)
    match part:
        case StillImage():
            return replace(part, read=Remote(index, "image"))
        case Video():
            sound = part.sound and replace(part.sound, read=Remote(index, "sound"))
            return replace(part, read=Remote(index, "read"), sound=sound)
        case Sound():
            return replace(part, read=Remote(index, "sound"))
        case Document():
            return replace(
                part, read_texts=Remote(index, "read_texts"), read_images=Remote(index, "read_images")
            )
        case TextFile():
            return part


class Sight(Protocol):
    """Who looks at images: each at once, or one of very many in its turn."""

    def look(self, image: Picture, wanted: frozenset[FactName]) -> Awaitable[Facts]: ...
    def look_in_turn(self, image: Picture, wanted: frozenset[FactName]) -> Awaitable[Facts]: ...
    def compare(self, first: Picture, second: Picture) -> Awaitable[Difference]: ...


class Hears(Protocol):
    """Who listens to sound."""

    async def speech(self, sound: Sound) -> tuple[SpeechSpan, ...]:
        """Find where somebody speaks."""
        ...

    async def hearing(self, sound: Sound) -> Hearing:
        """Find where somebody speaks, where it is quiet, and how loud it is."""
        ...

    async def words(self, sound: Sound) -> tuple[Words, ...] | None:
        """Transcribe what is said; None where there is no speech model."""
        ...


class Host:
    """What the process that answers a request may have done by the server: read media, look, listen.

    Of one request, only `at_once` images are looked at side by side, so that no request fills the queue.
    """

    def __init__(self, request: EngineRequest, sight: Sight, ears: Hears, at_once: int) -> None:
        self._media = request.media
        self._sight = sight
        self._ears = ears
        self._places = asyncio.Semaphore(at_once)

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What may be called, by name."""
        return {
            "read": self._read,
            "look": self._look,
            "compare": self._compare,
            "hearing": self._hearing,
            "words": self._words,
        }

    def _read(self, index: int, name: str, *arguments: Any) -> AsyncGenerator[Any, None]:
        medium: Any = self._sound(index) if name == "sound" else self._media[index]
        if not isinstance(medium, _READS[name]):
            raise LookupError(f"medium {index} has no {name}")
        found: AsyncGenerator[Any, None] = getattr(medium, "read" if name == "sound" else name)(*arguments)
        return found

    async def _look(self, image: Image | int, wanted: frozenset[FactName], in_turn: bool) -> Facts:
        async with self._places:
            look = self._sight.look_in_turn if in_turn else self._sight.look
            return await look(self._image(image), wanted)

    async def _compare(self, first: Image | int, second: Image | int) -> Difference:
        async with self._places:
            return await self._sight.compare(self._image(first), self._image(second))

    async def _hearing(self, index: int) -> Hearing:
        return await self._ears.hearing(self._sound(index))

    async def _words(self, index: int) -> tuple[Words, ...] | None:
        return await self._ears.words(self._sound(index))

    def _image(self, image: Image | int) -> Picture:
        found = self._media[image] if isinstance(image, int) else image
        if not isinstance(found, Picture):
            raise LookupError(f"medium {image} is no image")
        return found

    def _sound(self, index: int) -> Sound:
        medium = self._media[index]
        found = medium.sound if isinstance(medium, Video) else medium
        if not isinstance(found, Sound):
            raise LookupError(f"medium {index} has no sound")
        return found


# What follows runs in the process that answers.


async def look(image: Picture, wanted: frozenset[FactName]) -> Facts:
    """Have an image looked at. Where nothing is wanted, the sizes are known without."""
    return await _looked(image, wanted, in_turn=False)


async def look_in_turn(image: Picture, wanted: frozenset[FactName]) -> Facts:
    """Have one of very many images looked at: a frame, a page."""
    return await _looked(image, wanted, in_turn=True)


async def compare(first: Picture, second: Picture) -> Difference:
    """Have two images compared."""
    found: Difference = await server().call("compare", _reference(first), _reference(second))
    return found


class RemoteEars:
    """Has the server listen."""

    async def speech(self, sound: Sound) -> tuple[SpeechSpan, ...]:
        """Find where somebody speaks."""
        return (await self.hearing(sound)).speech

    async def hearing(self, sound: Sound) -> Hearing:
        """Find where somebody speaks, where it is quiet, and how loud it is."""
        found: Hearing = await server().call("hearing", _index(sound.read))
        return found

    async def words(self, sound: Sound) -> tuple[Words, ...] | None:
        """Transcribe what is said; None where there is no speech model."""
        found: tuple[Words, ...] | None = await server().call("words", _index(sound.read))
        return found


async def _looked(image: Picture, wanted: frozenset[FactName], *, in_turn: bool) -> Facts:
    if not wanted:
        return Facts(image.source_width, image.source_height, image.width, image.height)
    found: Facts = await server().call("look", _reference(image), wanted, in_turn)
    return found


def _reference(image: Picture) -> Image | int:
    return _index(image.read) if isinstance(image, StillImage) else image


def _index(read: Callable[..., object]) -> int:
    assert isinstance(read, Remote)
    return read.index
