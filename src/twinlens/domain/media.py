"""Media as values: what was sent, what is known before decoding, and what an engine gets."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""Upright sRGB pixels, shape (height, width, 3)."""


class Modality(StrEnum):
    """The kinds of token the contract counts apart."""

    TEXT = "TEXT"
    IMAGE = "IMAGE"
    VIDEO = "VIDEO"
    AUDIO = "AUDIO"
    DOCUMENT = "DOCUMENT"


Data = bytes | bytearray | memoryview


class Descriptor:
    """An open file that nobody has to close: it is closed when nobody holds it any more."""

    def __init__(self, number: int) -> None:
        self._number = number

    def fileno(self) -> int:
        """Return the number of the file descriptor."""
        return self._number

    def __del__(self) -> None:
        os.close(self._number)


@dataclass(frozen=True, slots=True)
class Blob:
    """Encoded bytes that were sent, with the label the caller gave them and the field they came in.

    `digest` names the content where that is known already: equal digests, equal bytes. `file` holds the
    same bytes where they lie in a file.
    """

    data: Data
    mime_type: str | None
    field: str
    digest: str | None = None
    file: Descriptor | None = None


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What an image's header says, nothing decoded. Sizes are in pixels, after orientation is applied.

    `orientation` is EXIF's 1…8: what decoding has to do to make the stored pixels upright.
    """

    format: str
    mime_type: str
    width: int
    height: int
    orientation: int = 1


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a look into a video found. The size in pixels is the displayed one: turned, and of square pixels.

    Time zero is the first picture's; `duration` is from there to the end of the last.
    """

    mime_type: str
    width: int
    height: int
    duration: timedelta
    has_sound: bool


@dataclass(frozen=True, slots=True)
class SoundInfo:
    """What a look into a recording without pictures found."""

    mime_type: str
    duration: timedelta


@dataclass(frozen=True, slots=True)
class PdfInfo:
    """What a look into a PDF found: the width and height of each page in points, as it is shown."""

    mime_type: str
    pages: tuple[tuple[float, float], ...]


Recording = VideoInfo | SoundInfo
Inspected = VideoInfo | SoundInfo | PdfInfo
"""What takes a look into the file, in a worker process, before it can be planned."""

MediaInfo = ImageInfo | Inspected
"""What is known of a medium before it is decoded."""


@dataclass(frozen=True, slots=True, eq=False)
class EncodedImage:
    """An image file of `width` x `height`, upright, as an engine asked for it."""

    mime_type: str
    width: int
    height: int
    data: bytes


ImageData = Pixels | EncodedImage
"""An image in one of the forms that an engine may ask for (`engine.MediaForms`)."""


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """One image as an engine gets it: upright, RGB, scaled to its budget; as pixels, or encoded.

    `source_width` and `source_height` are the upright size of what was sent; boxes are relative to it.
    `mime_type` is that of the source. `digest` names the content and the plan it was decoded for: equal
    digests, equal pixels.
    """

    data: ImageData
    source_width: int
    source_height: int
    mime_type: str
    tokens: int
    digest: str

    @property
    def pixels(self) -> Pixels:
        """The pixels, shape (height, width, 3). Raises `TypeError` where files were asked for."""
        if isinstance(self.data, EncodedImage):
            raise TypeError("this engine's Capabilities.media ask for encoded images")
        return self.data

    @property
    def encoded(self) -> EncodedImage:
        """The image file. Raises `TypeError` where pixels were asked for."""
        if not isinstance(self.data, EncodedImage):
            raise TypeError("this engine's Capabilities.media ask for pixels")
        return self.data

    @property
    def width(self) -> int:
        """The width in pixels that the engine sees."""
        return self.data.width if isinstance(self.data, EncodedImage) else int(self.data.shape[1])

    @property
    def height(self) -> int:
        """The height in pixels that the engine sees."""
        return self.data.height if isinstance(self.data, EncodedImage) else int(self.data.shape[0])


Json = Any
"""A JSON value whose keys belong to the caller: never renamed."""
