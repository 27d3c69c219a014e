"""The jobs that read documents, seen from the server: the pages of a PDF, and files of text.

Fewer pages than were asked for come back where a worker's time slice or buffer ends before; the rest is
asked for again. What a worker wrote is checked value by value before it is used.
"""

from __future__ import annotations

import json
import os
import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from typing import ClassVar

from ..domain.engine import ImageForm
from ..domain.engine_media import PageText, TextLine
from ..domain.errors import BadMedia
from ..domain.media import Blob, ImageData
from ..domain.media_types import PDF, essence
from ..domain.regions import Box
from .headers import sniff
from .inspection import InspectedJob
from .worker.jobs import Job, Limits, OpenFile, Result, encoded_images, file_of, fill, pixels_in, sentence
from .worker.process import Reply, WorkerDied

MAX_TEXT_BYTES = 32 << 20
"""The most text of one file. Chosen, not measured: no model's input limit takes a quarter of it."""

_MAX_PAGES_BYTES = 64 << 20
_SHORT_TEXT_BYTES = 1 << 20


class _Pages(InspectedJob[Result]):
    """What the jobs on pages have in common. Page numbers begin with 1."""

    pages: tuple[int, ...]

    @property
    def mime_type(self) -> str:
        """The type that it was inspected as."""
        return PDF

    @property
    def subject(self) -> str:
        """The field, and how much is requested, for the log."""
        return f"{self.blob.field} ({len(self.pages)} pages of a PDF)"

    def message(self) -> Mapping[str, object]:
        """Return the page numbers."""
        return {"pages": self.pages}

    def result(self, reply: Reply, buffer: OpenFile) -> Result:
        """Return the pages that were done. Raises `BadMedia` where not even the first could be read."""
        count = reply.get("pages")
        if type(count) is not int or not 0 <= count <= len(self.pages):
            raise WorkerDied("crash", "answered nonsense for pages")
        if not count:
            raise BadMedia(_DAMAGED_PAGE.format(number=self.pages[0]), field=self.blob.field)
        return self._taken(count, reply, buffer)

    @abstractmethod
    def _taken(self, count: int, reply: Reply, buffer: OpenFile) -> Result:
        """Return the first `count` pages from the buffer."""


_DAMAGED_PAGE = "Page {number} of the document is damaged. Save the document anew as PDF and send it again."


@dataclass(frozen=True, slots=True)
class PageTexts(_Pages[tuple[PageText, ...]]):
    """Extract the text of pages: of as many as time allows, and at least of one."""

    task: ClassVar[str] = "page texts"

    blob: Blob
    pages: tuple[int, ...]

    def _taken(self, count: int, reply: Reply, buffer: OpenFile) -> tuple[PageText, ...]:
        lines = _left(buffer, _MAX_PAGES_BYTES).splitlines()
        if len(lines) != count:
            raise WorkerDied("crash", "left another number of pages")
        return tuple(_page(number, line) for number, line in zip(self.pages, lines, strict=False))


@dataclass(frozen=True, slots=True)
class PageImages(_Pages[tuple[ImageData, ...]]):
    """Render pages upright, each at exactly its (width, height): as many as time allows, at least one."""

    task: ClassVar[str] = "page images"

    blob: Blob
    pages: tuple[int, ...]
    sizes: tuple[tuple[int, int], ...]
    form: ImageForm = "pixels"

    @property
    def stays(self) -> bool:
        """Whether it is pixels."""
        return self.form == "pixels"

    @property
    def buffer_bytes(self) -> int:
        """The bytes of all pages' pixels; 0 for encoded images, whose size the worker knows."""
        return sum(width * height * 3 for width, height in self.sizes) if self.form == "pixels" else 0

    def message(self) -> Mapping[str, object]:
        """Return the page numbers, their sizes and the form."""
        return {"pages": self.pages, "sizes": self.sizes, "form": self.form}

    def _taken(self, count: int, reply: Reply, buffer: OpenFile) -> tuple[ImageData, ...]:
        if self.form != "pixels":
            return encoded_images(reply, buffer, self.sizes[:count], self.form)
        return pixels_in(buffer, self.sizes[:count])


@dataclass(frozen=True, slots=True)
class PlainText(Job[str]):
    """Decode a text file, whatever its charset. Markup stays as it is; of RTF only the text is returned."""

    task: ClassVar[str] = "plain text"

    blob: Blob
    mime_type: str

    @property
    def subject(self) -> str:
        """The field and the type, for the log."""
        return f"{self.blob.field} ({self.mime_type})"

    @property
    def is_long(self) -> bool:
        """Whether the file is larger than 1 MiB."""
        return os.fstat(file_of(self.blob).fileno()).st_size > _SHORT_TEXT_BYTES

    def message(self) -> Mapping[str, object]:
        """Return the declared type, and the most bytes of text."""
        return {"mime_type": self.mime_type, "max_bytes": MAX_TEXT_BYTES}

    def file(self) -> AbstractContextManager[OpenFile]:
        """Return the open file. Raises `BadMedia` where it is longer than a text may be."""
        self._check_size(os.fstat(file_of(self.blob).fileno()).st_size)
        return nullcontext(file_of(self.blob))

    def result(self, reply: Reply, buffer: OpenFile) -> str:
        """Return the text. Raises `BadMedia` where it is too long."""
        count = reply.get("bytes")
        if type(count) is not int or count < 0:
            raise WorkerDied("crash", "answered nonsense for bytes")
        self._check_size(count)
        try:
            return _left(buffer, MAX_TEXT_BYTES).decode()
        except UnicodeDecodeError as error:
            raise WorkerDied("crash", "left no UTF-8") from error

    def refusal(self, reason: object, reply: Reply, limits: Limits) -> BadMedia:
        """Return the error for a text that could not be read."""
        looks = sniff.describe(memoryview(os.pread(file_of(self.blob).fileno(), sniff.FIRST_BYTES, 0)))
        values = {
            "label": essence(self.mime_type),
            # What begins like a text and goes on like none is not that text.
            "looks": "binary data" if looks in _LOOKS_OF_TEXTS else looks,
        }
        why = sentence(_TEXT_REFUSALS, reason).format(**values, **asdict(limits))
        return BadMedia(why, field=self.blob.field)

    def _check_size(self, count: int) -> None:
        if count > MAX_TEXT_BYTES:
            raise BadMedia(
                f"The text is longer than {MAX_TEXT_BYTES >> 20} MiB. Split it and send it again.",
                field=self.blob.field,
            )


_LOOKS_OF_TEXTS = frozenset({"plain text", "unknown data", "a web page", "an XML document", "an SVG drawing"})

_TEXT_REFUSALS: Mapping[str, str] = {
    "foreign": "The data is labelled {label} but looks like {looks}. Send text, or label it as what it is.",
    "memory": "Reading the text takes more than {memory_mib} MiB of memory. Split it and send it again.",
    "time": "Reading the text takes longer than {timeout_s:g} s. Split it and send it again.",
    "crash": "The text cannot be read. Save it as UTF-8 and send it again.",
}


def _left(buffer: OpenFile, max_bytes: int) -> bytearray:
    """Read the buffer whole. Raises `WorkerDied` where it holds more than `max_bytes`."""
    size = os.fstat(buffer.fileno()).st_size
    if size > max_bytes:
        raise WorkerDied("crash", "left too much")
    data = bytearray(size)
    fill(memoryview(data), buffer)
    return data


def _page(number: int, line: bytearray) -> PageText:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise WorkerDied("crash", "left nonsense for a page") from error
    fits = isinstance(said, dict) and type(said.get("scan")) is bool and isinstance(said.get("lines"), list)
    if not fits:
        raise WorkerDied("crash", "left nonsense for a page")
    return PageText(number, tuple(map(_line, said["lines"])), said["scan"])


def _line(said: object) -> TextLine:
    if not isinstance(said, list) or len(said) != 5 or not _is_plain(said[0]) or not _is_box(said[1:]):
        raise WorkerDied("crash", "left nonsense for a line")
    return TextLine(said[0], Box(*said[1:]))


def _is_plain(said: object) -> bool:
    """Whether a value is a string that can be encoded as UTF-8."""
    return isinstance(said, str) and _HALF.search(said) is None


_HALF = re.compile("[\ud800-\udfff]")
"""Surrogates, which JSON can escape."""


def _is_box(said: Sequence[object]) -> bool:
    ymin, xmin, ymax, xmax = said
    return _is_span(ymin, ymax) and _is_span(xmin, xmax)


def _is_span(low: object, high: object) -> bool:
    return type(low) is int and type(high) is int and 0 <= low < high <= 1000
