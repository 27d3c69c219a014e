"""What a caller said that a medium is, held against what it is. Not every dialect has callers say so."""

from __future__ import annotations

from collections.abc import Mapping

from ..domain.errors import BadMedia
from ..domain.media import Blob
from ..domain.media_types import NO_LABELS, Kind, content_of, essence
from ..domain.request import Media, MediaKind

_MAY_BE: Mapping[Kind, tuple[MediaKind, ...]] = {
    "image": ("image",),
    "recording": ("video", "audio"),
    "pdf": ("document",),
    "text": ("document",),
}
_NOUNS: Mapping[Kind | MediaKind, str] = {
    "image": "an image",
    "video": "a video",
    "audio": "audio",
    "document": "a document",
    "pdf": "a PDF",
    "text": "text",
}


def check_kind(part: Media, blob: Blob, kind: Kind, mime_type: str) -> None:
    """Refuse what was said to be of another kind than its label tells or, without a label, its bytes."""
    if part.kind is None or part.kind in _MAY_BE[kind]:
        return
    right = "audio" if content_of(mime_type) == "audio" else _MAY_BE[kind][0]
    this = "This" if essence(part.mime_type) in NO_LABELS else "By its mime_type this"
    raise _mistaken(f"{this} is {_NOUNS.get(kind) or _NOUNS[right]}", part.kind, right, blob)


def check_pictures(part: Media, blob: Blob) -> None:
    """Refuse a recording with pictures that was said to be audio. A video may well have none."""
    if part.kind == "audio":
        raise _mistaken("This is a video", part.kind, "video", blob)


def _mistaken(this: str, said: MediaKind, right: MediaKind, blob: Blob) -> BadMedia:
    return BadMedia(f"{this}, not {_NOUNS[said]}: send it as type {right}.", field=blob.field)
