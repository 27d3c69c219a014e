"""Which bytes are let in: recognised, measured and held against the limits, with nothing decoded.

Runs in the server process on whatever a stranger sent, so it looks at headers only, through views
that copy nothing, and takes a bounded number of steps.
"""

from __future__ import annotations

from ...domain.errors import BadMedia
from ...domain.media import IMAGE_FORMS, Blob, Data, ImageInfo, unsupported
from ...domain.media_types import NO_LABELS, essence, is_file
from . import header, sniff, upright

UNABLE = "Unable to process input image."
"""How the contract's message starts for bytes that are no readable image."""


_NOT_READ = ("an AVIF image", "a Mini-HEIF image")
"""What goes under the names of images that are read: to send one of those is no advice."""


def probe(blob: Blob, max_pixels: int) -> ImageInfo:
    """Read what an image is and its upright size from its header, or refuse it with `BadMedia`."""
    label = essence(blob.mime_type)
    if label not in NO_LABELS and not label.startswith("image/"):
        raise BadMedia(f"Unsupported MIME type: {label}", field=blob.field)
    data = memoryview(blob.data).cast("B")
    format_ = sniff.sniff(data)
    if format_ is None:
        raise BadMedia(_refusal(label, data), field=blob.field)
    found = _measure(format_, data, blob.field)
    _check_size(found, max_pixels, blob.field)
    mime_type = sniff.mime_type_of(data) or sniff.MIME_TYPES[format_]
    width, height = found.upright
    return ImageInfo(format_, mime_type, width, height, found.orientation)


def stored_type_of(head: Data) -> str | None:
    """Name the type of a file that is to be stored, by its first bytes; AVIF is refused as in a request."""
    start = bytes(memoryview(head).cast("B")[: sniff.FIRST_BYTES])
    if sniff.is_avif(start):
        raise BadMedia(unsupported("image/avif"), field="file.mime_type")
    return sniff.file_type_of(start)


def _refusal(label: str, data: memoryview) -> str:
    if sniff.is_avif(bytes(data[: sniff.FIRST_BYTES])):
        return unsupported("image/avif")
    found = sniff.describe(data)
    if found in _NOT_READ:
        return f"{UNABLE} This is {found}, which is not read. Convert it to PNG or JPEG and send it again."
    if label not in NO_LABELS and not is_file(label):
        return unsupported(label)
    claim = f"is labelled {label} but " if label not in NO_LABELS else ""
    return f"{UNABLE} The data {claim}looks like {found}. Send {IMAGE_FORMS}."


def _measure(format_: sniff.Format, data: memoryview, field: str) -> header.Header:
    name = format_.upper()
    try:
        found = header.read(format_, data)
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
