"""The stored size of an image and the turn that makes it upright."""

from __future__ import annotations

import struct
from dataclasses import dataclass

OUT_OF_DATA = (struct.error, IndexError, OverflowError)
"""What reading a number at an offset raises where the data has no such offset."""

MAX_PARTS = 16_384
"""The most segments, chunks or entries of one header that are read, so that its cost is bounded."""


class Malformed(Exception):
    """A header that contradicts itself. The words complete the sentence `The PNG header …`."""


class Foreign(Exception):
    """A sort of image that is whole and not read. The words complete the sentence `The HEIF file holds …`."""


@dataclass(frozen=True, slots=True)
class Header:
    """A size in stored pixels and EXIF's orientation, 1…8, of which 5…8 swap the sides."""

    width: int
    height: int
    orientation: int = 1

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height after the turn."""
        return (self.height, self.width) if swaps_sides(self.orientation) else (self.width, self.height)


def swaps_sides(orientation: int) -> bool:
    """Whether making an image upright exchanges its width and height."""
    return orientation >= 5
