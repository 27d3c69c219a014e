"""Who tells what of which kind of medium: pictures together, everything else one after another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...domain.engine import Medium
from ...domain.engine_media import Document, Sound, StillImage, TextFile, Video
from . import pictures
from .asked import Asked, Look, LookAtImage
from .documents import documents
from .documents.reading import Shelf
from .evidence import Evidence, joined
from .pictures import Compare
from .remote import Hears
from .sound import sounds
from .video import films
from .video.films import Reels


@dataclass(frozen=True, slots=True)
class Senses:
    """The means to look and to listen, and what was seen of videos and read of documents before.

    Who has very many pictures to look at, frames or pages, does so `in_turn`.
    """

    look: Look
    in_turn: LookAtImage
    compare: Compare
    ears: Hears
    reels: Reels
    shelf: Shelf


async def weigh(media: Sequence[Medium], asked: Asked, senses: Senses) -> Evidence:
    """Find out what media tell of a question."""
    images = [medium for medium in media if isinstance(medium, StillImage)]
    if len(images) == len(media):
        return await pictures.view(images, asked, senses.look, senses.compare)
    # One after another: what is open at a time does not grow with the number of media.
    each = [await _TELLERS[type(medium)](medium, asked, senses) for medium in media]
    return each[0] if len(each) == 1 else joined(list(zip(_names(media), each, strict=True)))


def _names(media: Sequence[Medium]) -> list[str]:
    """Name media as an answer does: by kind, counted from one."""
    counts: Counter[str] = Counter()
    names = []
    for medium in media:
        kind = _KINDS[type(medium)]
        counts[kind] += 1
        names.append(f"{kind} {counts[kind]}")
    return names


_KINDS: Mapping[type[Medium], str] = {
    StillImage: "Image",
    Video: "Video",
    Sound: "Recording",
    Document: "Document",
    TextFile: "Document",
}
_TELLERS: Mapping[type[Medium], Callable[[Any, Asked, Senses], Awaitable[Evidence]]] = {
    StillImage: lambda image, asked, senses: pictures.view([image], asked, senses.look, senses.compare),
    Video: lambda video, asked, senses: films.watch(
        video, asked, films.Means(senses.in_turn, senses.compare, senses.ears, senses.reels)
    ),
    Sound: lambda sound, asked, senses: sounds.hear(sound, asked, senses.ears),
    Document: lambda document, asked, senses: documents.study(document, asked, senses.in_turn, senses.shelf),
    TextFile: lambda document, asked, senses: documents.study(document, asked, senses.in_turn, senses.shelf),
}
