"""Media as values: what was sent, what is known before decoding, and what an engine gets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["image"]

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


@dataclass(frozen=True, slots=True)
class Blob:
    """Encoded bytes that were sent, with the label the caller gave them and the field they came in.

    `digest` names the content where that is known already: equal digests, equal bytes.
    """

    data: Data
    mime_type: str | None
    field: str
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What the header says, nothing decoded. Sizes are in pixels, after orientation is applied.

    `orientation` is EXIF's 1…8: what decoding has to do to make the stored pixels upright.
    """

    kind: Kind
    format: str
    mime_type: str
    width: int
    height: int
    orientation: int = 1


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a look into a stored file found before anybody asks about it.

    `duration` is a video's, `pages` a document's.
    """

    duration: timedelta | None = None
    pages: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """One picture as an engine gets it: upright, RGB, scaled to its budget.

    `source_width` and `source_height` are the upright size of what was sent; boxes are relative to it.
    `digest` names the content and the plan it was decoded for: equal digests, equal pixels.
    """

    pixels: Pixels
    source_width: int
    source_height: int
    mime_type: str
    tokens: int
    digest: str

    @property
    def width(self) -> int:
        """The width in pixels that the engine sees."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """The height in pixels that the engine sees."""
        return int(self.pixels.shape[0])


Json = Any
"""A JSON value whose keys belong to the caller: never renamed."""
