"""Looking at pictures: every fact that was asked for, by whoever finds it. Lives in a worker process.

What takes long is done in steps, between which the process does what others wait for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2

from ...domain.media import Image, Pixels
from ...processes.peer import Handler
from . import charts, codes, colours, difference, faces, kind, quality, tables
from .facts import Difference, FactName, Facts
from .steps import Steps
from .text import Reader

_NEED_TEXT: frozenset[FactName] = frozenset(("text", "tables", "charts"))


def handlers() -> Mapping[str, Handler]:
    """Give what a process that looks at pictures offers."""
    observer = Observer()
    return {"warm_up": observer.warm_up, "look": observer.look, "compare": observer.compare}


class Observer:
    """Looks at pictures on one thread; holds what has to be loaded once."""

    def __init__(self) -> None:
        # Workers are processes: threads inside them would only fight over the same cores.
        cv2.setNumThreads(1)
        self._reader = Reader()

    def warm_up(self) -> None:
        """Load the networks and run them once, so that the first picture does not wait for them."""
        self._reader.load()

    def look(self, image: Image, wanted: frozenset[FactName]) -> Steps[Facts]:
        """Find the facts that are wanted; tables and charts bring the text along."""
        pixels = image.pixels
        lines = (yield from self._reader.reading(pixels)) if wanted & _NEED_TEXT else None
        found: dict[str, object] = {}
        for name, find in _OF_PIXELS.items():
            if name in wanted:
                found[name] = find(pixels)
                yield
        if "kind" in wanted:
            found["kind"] = kind.tell(pixels, lines)
            yield
        if lines is not None and "tables" in wanted:
            found["tables"] = tables.find(lines, image.width, image.height)
            yield
        if lines is not None and "charts" in wanted:
            found["charts"] = charts.find(pixels, lines)
        return Facts(
            image.source_width,
            image.source_height,
            image.width,
            image.height,
            lines=lines,
            **found,  # type: ignore[arg-type]
        )

    def compare(self, first: Image, second: Image) -> Difference:
        """Find what changed from the first picture to the second."""
        return difference.compare(first.pixels, second.pixels)


_OF_PIXELS: Mapping[FactName, Callable[[Pixels], object]] = {
    "codes": codes.find,
    "faces": faces.find,
    "colours": colours.find,
    "quality": quality.tell,
}
"""What is found in the pixels alone."""
