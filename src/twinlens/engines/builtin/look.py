"""Looking at pictures: every fact that was asked for, by whoever finds it. Lives in a worker process."""

from __future__ import annotations

import cv2
import numpy as np

from ...domain.media import Image
from . import charts, codes, colours, difference, faces, kind, quality, tables
from .facts import Difference, FactName, Facts
from .text import Reader

_NEED_TEXT: frozenset[FactName] = frozenset(("text", "tables", "charts"))
_TINY = (32, 32, 3)


class Observer:
    """Looks at one picture at a time, on one thread; holds what has to be loaded once."""

    def __init__(self) -> None:
        # Workers are processes: threads inside them would only fight over the same cores.
        cv2.setNumThreads(1)
        self._reader = Reader()

    def warm_up(self) -> None:
        """Load the networks and run them once, so that the first picture does not wait for them."""
        self._reader.load()
        self._reader.read(np.full(_TINY, 255, np.uint8))

    def look(self, image: Image, wanted: frozenset[FactName]) -> Facts:
        """Find the facts that are wanted; tables and charts bring the text along."""
        pixels = image.pixels
        lines = self._reader.read(pixels) if wanted & _NEED_TEXT else None
        return Facts(
            image.source_width,
            image.source_height,
            image.width,
            image.height,
            lines=lines,
            codes=codes.find(pixels) if "codes" in wanted else None,
            faces=faces.find(pixels) if "faces" in wanted else None,
            colours=colours.find(pixels) if "colours" in wanted else None,
            kind=kind.tell(pixels, lines) if "kind" in wanted else None,
            quality=quality.tell(pixels) if "quality" in wanted else None,
            tables=tables.find(lines, image.width, image.height)
            if lines is not None and "tables" in wanted
            else None,
            charts=charts.find(pixels, lines) if lines is not None and "charts" in wanted else None,
        )

    def compare(self, first: Image, second: Image) -> Difference:
        """Find what changed from the first picture to the second."""
        return difference.compare(first.pixels, second.pixels)
