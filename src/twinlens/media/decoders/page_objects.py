"""What is drawn on a page: its images and where they are. Runs in a worker process.

Coordinates are the page's own, as its content is written: not cropped, not turned, y upwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from pypdfium2 import raw

_MAX_DEPTH = 4
_MAX_OBJECTS = 4000


class Rect(NamedTuple):
    """A rectangle on the page."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def area(self) -> float:
        """The area."""
        return max(self.right - self.left, 0) * max(self.top - self.bottom, 0)

    def within(self, other: Rect) -> Rect:
        """Return the intersection."""
        return Rect(
            max(self.left, other.left),
            max(self.bottom, other.bottom),
            min(self.right, other.right),
            min(self.top, other.top),
        )


@dataclass(frozen=True, slots=True)
class View:
    """What of a page is shown, and the quarters of a turn, clockwise, by which it is turned then."""

    rect: Rect
    quarters: int

    @classmethod
    def of(cls, page: Any) -> View:
        """Read a page's crop box and rotation."""
        found = raw.FS_RECTF()
        raw.FPDF_GetPageBoundingBox(page, found)
        rect = Rect(found.left, found.bottom, found.right, found.top)
        return cls(rect, raw.FPDFPage_GetRotation(page) % 4)

    def shown(self, rect: Rect) -> Rect:
        """Return a rectangle as fractions of the shown page, from its upper left corner: `top` < `bottom`."""
        width = self.rect.right - self.rect.left
        height = self.rect.top - self.rect.bottom
        left, right = (rect.left - self.rect.left) / width, (rect.right - self.rect.left) / width
        top, bottom = (self.rect.top - rect.top) / height, (self.rect.top - rect.bottom) / height
        for _ in range(self.quarters):
            left, top, right, bottom = 1 - bottom, left, 1 - top, right
        return Rect(left, bottom, right, top)


def pictures(page: Any) -> Iterator[Rect]:
    """Yield the rectangles of a page's images, also within the form XObjects that it is composed of."""
    budget = iter(range(_MAX_OBJECTS))
    yield from _pictures(page, _PAGE, raw.FS_MATRIX(1, 0, 0, 1, 0, 0), _MAX_DEPTH, budget)


def objects(page: Any) -> Iterator[Any]:
    """Yield the objects of a page, in drawing order."""
    for index in range(raw.FPDFPage_CountObjects(page)):
        yield raw.FPDFPage_GetObject(page, index)


def matrix(drawn: Any) -> Any:
    """Return the matrix that an object is drawn by."""
    found = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(drawn, found)
    return found


def unit_square(by: Any) -> Rect:
    """Return the bounds of the unit square, which images fill, under a matrix."""
    across, up = (0.0, by.a, by.c, by.a + by.c), (0.0, by.b, by.d, by.b + by.d)
    return Rect(by.e + min(across), by.f + min(up), by.e + max(across), by.f + max(up))


_PAGE = raw.FPDFPage_CountObjects, raw.FPDFPage_GetObject
_FORM = raw.FPDFFormObj_CountObjects, raw.FPDFFormObj_GetObject


def _pictures(holder: Any, calls: Any, outer: Any, depth: int, budget: Iterator[int]) -> Iterator[Rect]:
    count, get = calls
    for index, _ in zip(range(count(holder)), budget, strict=False):
        drawn = get(holder, index)
        kind = raw.FPDFPageObj_GetType(drawn)
        if kind == raw.FPDF_PAGEOBJ_IMAGE:
            yield unit_square(_times(matrix(drawn), outer))
        elif kind == raw.FPDF_PAGEOBJ_FORM and depth:
            yield from _pictures(drawn, _FORM, _times(matrix(drawn), outer), depth - 1, budget)


def _times(inner: Any, outer: Any) -> Any:
    """Return the matrix that applies `inner` first and then `outer`."""
    return raw.FS_MATRIX(
        inner.a * outer.a + inner.b * outer.c,
        inner.a * outer.b + inner.b * outer.d,
        inner.c * outer.a + inner.d * outer.c,
        inner.c * outer.b + inner.d * outer.d,
        inner.e * outer.a + inner.f * outer.c + outer.e,
        inner.e * outer.b + inner.f * outer.d + outer.f,
    )
