"""Pages of a PDF, written one after the other to the result buffer. Runs in a worker process.

A page is closed before the next is opened. PDFium keeps what it has once read of a document, so that is
opened anew now and then: the memory a job takes does not grow with the pages it is asked for.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from typing import IO, Any

from ...descriptors import write_all
from ...domain.engine import ImageForm
from ...domain.regions import Box
from ..worker.time_slice import TimeSlice
from .encode import encode
from .page_image import draw
from .page_text import Line, read
from .pdf import DamagedPage, Pdf

log = logging.getLogger(__name__)

_REOPEN_BYTES = 48 << 20
_ENOUGH_BYTES = 4 << 20
"""The most text in one reply. Chosen, not measured."""


def write_texts(file: IO[bytes], numbers: Sequence[int], buffer: int, part: TimeSlice) -> dict[str, object]:
    """Write a line of JSON for each page; return how many pages are done: all, or this slice."""
    said = (_text(page) for _, page in _loaded(file, numbers))
    return {"pages": _written(said, buffer, part, _ENOUGH_BYTES)}


def write_images(
    file: IO[bytes],
    numbers: Sequence[int],
    sizes: Sequence[tuple[int, int]],
    form: ImageForm,
    buffer: int,
    part: TimeSlice,
) -> dict[str, object]:
    """Write each page as pixels or encoded; return how many pages are done: all, or this slice."""
    loaded = zip(_loaded(file, numbers, forms=True), sizes, strict=False)
    drawn = (draw(*page, *size) for page, size in loaded)
    if form == "pixels":
        return {"pages": _written((pixels.data.cast("B") for pixels in drawn), buffer, part)}
    lengths: list[int] = []
    files = (_noted(encode(pixels, form), lengths) for pixels in drawn)
    count = _written(files, buffer, part)
    return {"pages": count, "lengths": lengths[:count]}


def _loaded(file: IO[bytes], numbers: Sequence[int], *, forms: bool = False) -> Iterator[tuple[Pdf, Any]]:
    """Yield page after page, each open only until the next is requested."""
    rest = iter(numbers)
    number = next(rest, None)
    while number is not None:
        with Pdf.opened(file) as pdf:
            if forms:
                pdf.show_forms()
            until = pdf.reader.read_bytes + _REOPEN_BYTES
            while number is not None and pdf.reader.read_bytes <= until:
                with pdf.page(number - 1) as page:
                    yield pdf, page
                number = next(rest, None)


def _written(
    pages: Iterator[bytes | memoryview], buffer: int, part: TimeSlice, enough_bytes: int = sys.maxsize
) -> int:
    """Write what pages give until the part is over, and count them. None at all: the first cannot be read."""
    done, end = 0, 0
    try:
        for page in pages:
            end = write_all(buffer, page, end)
            done += 1
            part.reached()
            if part.is_over or end >= enough_bytes:
                break
    except DamagedPage as error:
        log.info("page passed over: %s", error)
    return done


def _noted(data: bytes, lengths: list[int]) -> bytes:
    lengths.append(len(data))
    return data


def _text(page: Any) -> bytes:
    lines, is_scan = read(page)
    said = {"scan": is_scan, "lines": [[line.text, *_box(line)] for line in lines]}
    return json.dumps(said, ensure_ascii=False).encode() + b"\n"


def _box(line: Line) -> list[int]:
    return Box.of_pixels(line.place.left, line.place.top, line.place.right, line.place.bottom, 1, 1).as_list()
