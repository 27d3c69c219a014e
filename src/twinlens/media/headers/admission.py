"""Which images are accepted: recognised, measured and checked against the limits, with nothing decoded.

Runs in the server process on untrusted bytes, so it reads headers only, through views that copy
nothing, in a bounded number of steps.
"""

from __future__ import annotations

from ...domain.errors import BadMedia
from ...domain.media import Blob, ImageInfo
from ...domain.media_types import IMAGE_FORMS, NO_LABELS, MediaType, essence, is_file, kind_of, unsupported
from . import header, sniff, upright

UNABLE = "Unable to process input image."
"""How the contract's message starts for bytes that are no readable image."""


_NOT_READ = ("a Mini-HEIF image",)
"""Formats whose names resemble supported ones, so that listing those would be no advice."""


def probe(blob: Blob, max_pixels: int) -> ImageInfo:
    """Return an image's format and upright size from its header. Raises `BadMedia`."""
    label = essence(blob.mime_type)
    if label not in NO_LABELS and kind_of(label) != "image":
        raise BadMedia(unsupported(label), field=blob.field)
    data = memoryview(blob.data).cast("B")
    row = sniff.image_type_of(data)
    if row is None:
        raise BadMedia(_refusal(label, data), field=blob.field)
    found = _measure(row, data, blob.field)
    _check_size(found, max_pixels, blob.field)
    width, height = found.upright
    return ImageInfo(row.decoder, row.name, width, height, found.orientation)


def _refusal(label: str, data: memoryview) -> str:
    found = sniff.describe(data)
    if found in _NOT_READ:
        return f"{UNABLE} This is {found}, which is not read. Convert it to PNG or JPEG and send it again."
    if label not in NO_LABELS and not is_file(label):
        return unsupported(label)
    claim = f"is labelled {label} but " if label not in NO_LABELS else ""
    return f"{UNABLE} The data {claim}looks like {found}. Send {IMAGE_FORMS}."


def _measure(row: MediaType, data: memoryview, field: str) -> header.Header:
    name = row.decoder.upper()
    try:
        found = header.read(row, data)
    except upright.OUT_OF_DATA as error:
        raise BadMedia(f"{UNABLE} The {name} data ends within its header.", field=field) from error
    except upright.Foreign as error:
        raise BadMedia(
            f"{UNABLE} The {name} file holds {error}, which is not read from {name}. "
            "Convert it to PNG or JPEG and send it again.",
            field=field,
        ) from error
    except header.Malformed as error:
        raise BadMedia(f"{UNABLE} The {name} header {error}.", field=field) from error
    if found.width < 1 or found.height < 1:
        raise BadMedia(f"{UNABLE} The {name} header gives it no pixels.", field=field)
    return found


def _check_size(found: header.Header, max_pixels: int, field: str) -> None:
    width, height = found.upright
    if width * height > max_pixels:
        raise BadMedia(
            f"The image has {width} x {height} pixels, {width * height} in all; the limit is {max_pixels}. "
            "Scale it down and send it again.",
            field=field,
        )
