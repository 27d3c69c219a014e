"""What kind of medium bytes are meant to be, by their label, and by themselves where it says nothing."""

from __future__ import annotations

from ...domain.errors import BadMedia
from ...domain.media import Blob
from ...domain.media_types import (
    MAX_LABEL,
    NO_LABELS,
    Kind,
    essential,
    flaw_of,
    kind_of,
    meant,
    unsupported,
)
from . import sniff


def labelled(blob: Blob) -> tuple[Kind, str]:
    """Return a blob's kind and its type. Raises `BadMedia` for what is not supported."""
    label = essential(blob.mime_type)
    if label in NO_LABELS:
        found = sniff.file_type_of(blob.data)
        if found is None:
            return _unnamed(blob), label
        label = found
    kind = kind_of(label)
    if kind is None or len(label) > MAX_LABEL:
        shown = label if len(label) <= MAX_LABEL else f"{label[:MAX_LABEL]}..."
        raise BadMedia(unsupported(shown), field=blob.field)
    if flaw := flaw_of(label):
        raise BadMedia(flaw, field=blob.field)
    return kind, meant(label)


def is_inspected(mime_type: str) -> bool:
    """Whether a file of this type must be inspected before it may be used."""
    return kind_of(mime_type) in ("recording", "pdf")


def _unnamed(blob: Blob) -> Kind:
    """Return the kind of bytes that have a type neither by their label nor by themselves."""
    head = memoryview(blob.data).cast("B")[: sniff.FIRST_BYTES]
    if sniff.is_like_image(bytes(head)):
        # What is said of images names those that are read.
        return "image"
    raise BadMedia(
        f"The data looks like {sniff.describe(head)}. "
        "Send an image, a video, audio, a PDF or text, with its mime_type.",
        field=blob.field,
    )
