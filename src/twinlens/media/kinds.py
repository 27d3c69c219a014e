"""What kind of medium bytes are meant to be, by their label, and by themselves where it says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Literal

from ..domain.errors import BadMedia
from ..domain.media import Blob
from . import sniff

Kind = Literal["image", "recording", "pdf", "text"]

_KINDS: Mapping[str, Kind] = {
    "image/?*": "image",
    "video/?*": "recording",
    "audio/?*": "recording",
    "application/pdf": "pdf",
    "application/x-pdf": "pdf",
    "text/?*": "text",
    "application/json": "text",
    "application/?*+json": "text",
    "application/x-ndjson": "text",
    "application/jsonl": "text",
    "application/xml": "text",
    "application/?*+xml": "text",
    "application/rtf": "text",
    "application/csv": "text",
    "application/javascript": "text",
    "application/x-javascript": "text",
    "application/ecmascript": "text",
    "application/typescript": "text",
    "application/x-typescript": "text",
    "application/x-python": "text",
    "application/x-python-code": "text",
    "application/x-sh": "text",
    "application/sql": "text",
    "application/toml": "text",
    "application/yaml": "text",
    "application/x-yaml": "text",
}
"""Labels, as patterns, and what they stand for."""

_ALIASES: Mapping[str, str] = {
    "application/ogg": "audio/ogg",
    "application/mp4": "video/mp4",
    # Some clients call every such file a sound, going by its name.
    "audio/3gpp": "video/3gpp",
    "audio/3gpp2": "video/3gpp2",
}

MAX_LABEL = 200
"""Characters: a longer label names no type, and errors, which repeat labels, show so much of it."""

NO_LABELS = frozenset({"", "application/octet-stream", "binary/octet-stream"})
"""Labels that claim nothing: the bytes decide."""


def essence(mime_type: str | None) -> str:
    """Give a media type without its parameters, in lower case."""
    return (mime_type or "").partition(";")[0].strip().lower()


def meant(mime_type: str | None) -> str:
    """Give the media type that a label means."""
    label = essence(mime_type)
    return _ALIASES.get(label, label)


def kind_of_type(mime_type: str | None) -> Kind | None:
    """Tell what a label stands for; None where it claims nothing, or nothing that is known."""
    label = meant(mime_type)
    return next((kind for types, kind in _KINDS.items() if fnmatchcase(label, types)), None)


def labelled(blob: Blob) -> tuple[Kind, str]:
    """Tell a blob's kind and its type; refuse what cannot be asked about with `BadMedia`."""
    label = essence(blob.mime_type)
    if label in NO_LABELS:
        found = sniff.file_type_of(blob.data)
        if found is None:
            return _unnamed(blob), label
        label = found
    kind = kind_of_type(label)
    if kind is None or len(label) > MAX_LABEL:
        shown = label if len(label) <= MAX_LABEL else f"{label[:MAX_LABEL]}..."
        raise BadMedia(f"Unsupported MIME type: {shown}", field=blob.field)
    return kind, meant(label)


def is_inspected(mime_type: str) -> bool:
    """Tell whether a file of this type takes a look into it before it may be used."""
    return kind_of_type(mime_type) in ("recording", "pdf")


def _unnamed(blob: Blob) -> Kind:
    """Tell the kind of bytes that neither a label nor they themselves give a type."""
    head = memoryview(blob.data).cast("B")[: sniff.FIRST_BYTES]
    if sniff.is_like_image(bytes(head)):
        # What is said of images names those that are read.
        return "image"
    raise BadMedia(
        f"The data looks like {sniff.describe(head)}. "
        "Send an image, a video, sound, a PDF or text, with its mime_type.",
        field=blob.field,
    )
