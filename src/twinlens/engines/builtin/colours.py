"""The colours of a picture by their English names, and where they stand.

A name is the nearest of a few hand-set anchors in Lab. It says what a person would call the pixel's
colour alone; it knows nothing of what the thing is, nor of the light that fell on it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ...domain.media import Pixels
from ...domain.regions import Box
from .facts import Colour

Mask = NDArray[np.bool_]

_ANCHORS: dict[str, tuple[str, ...]] = {
    "black": ("000000", "181818", "201a16"),
    "grey": ("404040", "606060", "808080", "a0a0a0", "c4c4c4", "7a746c", "68707a", "a89c94", "b4bcc4"),
    "white": ("ffffff", "f0f0f0", "f8f4ec", "ecf2fa", "e8e8e8"),
    "red": ("ff0000", "c81010", "e03030", "8c0808", "600808", "c04848", "b02030"),
    "orange": ("ff8000", "ffa500", "e87020", "ff6020", "f0904a"),
    "brown": (
        "8b4513",
        "5c3a1e",
        "a0622d",
        "3b2314",
        "806040",
        "a06a40",
        "6a4a3a",
        "5a4a20",
        "8a2f14",
        "a06c10",
    ),
    "beige": ("f5deb3", "d2b48c", "e8d5b7", "d8c8a8", "f5f5d6", "c8b090"),
    "yellow": ("ffff00", "ffd700", "e0c820", "ffff99", "ffe860", "c8b020", "fffde0"),
    "green": (
        *("00ff00", "008000", "2e8b57", "90ee90", "556b2f", "a0d030", "003c00", "006a40", "00c878"),
        *("b4d070", "a0b870", "c8f4b8", "789868", "6e7e48", "808020", "405030", "bcfc40", "3a4a1c"),
    ),
    "turquoise": ("00ffff", "40e0d0", "009090", "20b2aa", "80e8d8", "006064", "a0f0f0", "70b0b0"),
    "blue": (
        *("0000ff", "0000c0", "000080", "000048", "4169e1", "1e90ff", "87ceeb", "4682b4", "b0d8ec"),
        *("d0e8ff", "20486a", "6c8cb0", "a8bcd8", "2040a0", "0060c0", "182850", "d4fcff"),
        *("0040e0", "0050ff", "020040", "2030b8", "4060f0"),
    ),
    "purple": (
        *("800080", "8a2be2", "9370db", "4b0082", "c040e0", "c8a0dc", "805c8c", "300a3c", "5a3060"),
        *("a888b0", "dcc8f0", "6020c0"),
    ),
    "pink": (
        "ffc0cb",
        "ff69b4",
        "ff1493",
        "ff00ff",
        "e75480",
        "d87090",
        "f0a0b8",
        "fce4e8",
        "d8a0a8",
        "c02080",
    ),
}
NAMES: tuple[str, ...] = tuple(_ANCHORS)

_LONGEST = 800
# Of the picture: colours and regions smaller than this are not told.
_LEAST_SHARE = 0.005
_MOST_REGIONS = 8


def find(pixels: Pixels) -> tuple[Colour, ...]:
    """Find the dominant colours, the most widespread first, each with its largest connected regions."""
    small = _scaled(pixels)
    keys = (small >> 3).astype(np.int32)
    flat = (keys[..., 0] << 10) | (keys[..., 1] << 5) | keys[..., 2]
    named, margin = _NAMED[flat], _MARGIN[flat]
    present = np.flatnonzero(np.bincount(named.ravel(), minlength=len(NAMES)) >= _LEAST_SHARE * named.size)
    masks = {NAMES[index]: _without_fringes(named == index) for index in present}
    total = max(sum(int(mask.sum()) for mask in masks.values()), 1)
    found = [
        Colour(
            name, round(float(mask.sum() / total), 4), round(float(margin[mask].mean()), 3), _regions(mask)
        )
        for name, mask in masks.items()
        if mask.sum() >= _LEAST_SHARE * total
    ]
    return tuple(sorted(found, key=lambda colour: -colour.share))


def _scaled(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    scale = _LONGEST / max(height, width)
    if scale < 1:
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.medianBlur(np.ascontiguousarray(pixels), 3), np.uint8)


def _without_fringes(mask: Mask) -> Mask:
    """Drop what is less than three pixels wide: the blends along every edge, which nobody would name."""
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.asarray(opened, np.bool_)


def _regions(mask: Mask) -> tuple[Box, ...]:
    height, width = mask.shape
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    big = [row for row in stats[1:] if row[cv2.CC_STAT_AREA] >= _LEAST_SHARE * mask.size]
    big.sort(key=lambda row: -row[cv2.CC_STAT_AREA])
    return tuple(
        Box.of_pixels(left, top, left + wide, top + high, width, height)
        for left, top, wide, high, _ in (map(int, row) for row in big[:_MOST_REGIONS])
    )


def _tables() -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Name each of the 32 768 colours of 5 bits a channel once, so that naming a pixel is a look-up."""
    steps = (np.arange(32, dtype=np.float32) * 8 + 4) / 255
    cube = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(1, -1, 3)
    lab = cv2.cvtColor(cube, cv2.COLOR_RGB2LAB)[0]
    nearest = np.stack([_nearest(lab, anchors) for anchors in _ANCHORS.values()])
    ranked = np.sort(nearest, axis=0)
    margin = 1 - ranked[0] / np.maximum(ranked[1], 1e-6)
    return nearest.argmin(axis=0).astype(np.uint8), (0.5 + margin / 2).astype(np.float32)


def _nearest(lab: NDArray[np.float32], anchors: tuple[str, ...]) -> NDArray[np.float32]:
    rgb = np.array([[list(bytes.fromhex(anchor)) for anchor in anchors]], np.float32) / 255
    points = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[0]
    distance = np.linalg.norm(lab[:, None] - points[None], axis=2).min(axis=1)
    return np.asarray(distance, np.float32)


_NAMED, _MARGIN = _tables()
