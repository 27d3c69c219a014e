"""From a budget to a size: a pure function for each engine's way of turning pixels into tokens.

An engine names its function in its `Capabilities`. Decoded pixels are cached and shared by their size, not
by the function that asked for it: engines whose functions agree on a size share them, others never do.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Fit:
    """The size in pixels at which an engine sees an image, and the tokens it spends on it."""

    width: int
    height: int
    tokens: int


class Geometry(Protocol):
    """Map the upright size of an image and the payload of its budget, in tokens, to a fit.

    Called in the server's process, on any thread and for every frame size and page: pure and quick. The fit
    has at least a pixel each way, and spends at most the payload unless the engine can show nothing smaller.
    """

    def __call__(self, width: int, height: int, payload: int, /) -> Fit: ...


PIXELS_PER_TOKEN = 32 * 32


def area32(width: int, height: int, payload: int) -> Fit:
    """Keep the aspect ratio, never enlarge, and spend a token for every 32 x 32 pixels of area."""
    limit = payload * PIXELS_PER_TOKEN
    if width * height > limit:
        scale = sqrt(limit / (width * height))
        width, height = _within(width * scale, height * scale, limit)
    return Fit(width, height, ceil(width * height / PIXELS_PER_TOKEN))


def _within(width: float, height: float, limit: int) -> tuple[int, int]:
    """Round down to whole pixels; a side that would vanish becomes 1 and the other gives way."""
    w, h = max(int(width), 1), max(int(height), 1)
    return (min(w, limit // h), h) if w >= h else (w, min(h, limit // w))
