"""A PDF document opened by PDFium, and what it is. Runs in a worker process; the server does not import it.

PDFium is given the bytes through a function of ours and no document can have anything else read: this
build of it has no JavaScript and no XFA, and no other access to a file or a network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ctypes import memmove
from math import isfinite
from typing import IO, Any

import pypdfium2  # noqa: F401  its import is what starts the library
from pypdfium2 import raw

from .unreadable import Reason, Unreadable

MAX_MEASURED_PAGES = 1000
"""A longer document is refused for its length, so its pages are not measured."""

_LETTER = 612.0, 792.0
_MIN_SIDE, _MAX_SIDE = 1.0, 1_000_000.0


def inspect(file: IO[bytes]) -> dict[str, object]:
    """Count the pages and measure them. Reads what it needs of the file, wherever that stands.

    Sizes are in points, cropped and turned as the page is shown. A page that has none, and one in the
    middle that is not there, counts as a Letter sheet: what is wrong with it shows when it is looked at.
    """
    _check_label(file)
    with Pdf.opened(file) as pdf:
        if pdf.pages < 1:
            raise Unreadable("empty", "no pages")
        # A count is a claim: the page it leads to must be there.
        if pdf.size(0) is None or pdf.size(pdf.pages - 1) is None:
            raise Unreadable("damaged", "a page is missing")
        measured = range(pdf.pages if pdf.pages <= MAX_MEASURED_PAGES else 0)
        return {"pages": pdf.pages, "sizes": [_within_reason(pdf.size(index)) for index in measured]}


class DamagedPage(Exception):
    """A page cannot be read, though its document can."""


class Pdf:
    """An open document. Use `opened`; pages count from 0 here."""

    def __init__(self, handle: Any, reader: Reader) -> None:
        self.handle = handle
        self.reader = reader
        self.pages: int = raw.FPDF_GetPageCount(handle)
        self.forms: Any = None

    @classmethod
    @contextmanager
    def opened(cls, file: IO[bytes]) -> Iterator[Pdf]:
        """Open a document, by PDFium's own call; one whose password is empty opens like any other.

        pypdfium2's class takes one without pages for one that fails, and then gives the reason why some
        document before it failed.
        """
        reader = Reader(file)
        handle = raw.FPDF_LoadCustomDocument(reader.access, None)
        if not handle:
            code = raw.FPDF_GetLastError()
            raise Unreadable(_REASONS.get(code, "damaged"), f"PDFium's error {code}")
        pdf = cls(handle, reader)
        try:
            yield pdf
        finally:
            if pdf.forms:
                raw.FPDFDOC_ExitFormFillEnvironment(pdf.forms)
            raw.FPDF_CloseDocument(handle)

    def show_forms(self) -> None:
        """Draw form fields on pages loaded from now on. Their actions are never run."""
        if raw.FPDF_GetFormType(self.handle) != raw.FORMTYPE_NONE:
            self._calls = raw.FPDF_FORMFILLINFO(version=1)
            self.forms = raw.FPDFDOC_InitFormFillEnvironment(self.handle, self._calls)

    def size(self, index: int) -> tuple[float, float] | None:
        """Return a page's size in points, as it is shown; None where the document has no such page."""
        size = raw.FS_SIZEF()
        return (size.width, size.height) if raw.FPDF_GetPageSizeByIndexF(self.handle, index, size) else None

    @contextmanager
    def page(self, index: int) -> Iterator[Any]:
        """Load a page for as long as it is needed."""
        page = raw.FPDF_LoadPage(self.handle, index)
        if not page:
            raise DamagedPage(f"page {index + 1} does not load")
        try:
            if self.forms:
                raw.FORM_OnAfterLoadPage(page, self.forms)
            yield page
        finally:
            if self.forms:
                raw.FORM_OnBeforeClosePage(page, self.forms)
            raw.FPDF_ClosePage(page)


class Reader:
    """Reads a file for PDFium, and remembers where the long pieces stood: those are streams."""

    _LONG = 4096

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.read_bytes = 0
        self.places: dict[int, int] = {}
        """Where the last piece of that length began."""
        self.access = raw.FPDF_FILEACCESS()
        self.access.m_FileLen = file.seek(0, 2)
        self.access.m_GetBlock = type(self.access.m_GetBlock)(self._read)

    def at(self, position: int, size: int) -> bytes:
        """Read a piece of the file."""
        self.file.seek(position)
        return self.file.read(size)

    def _read(self, _: object, position: int, target: Any, size: int) -> int:
        data = self.at(position, size)
        if len(data) != size:
            return 0
        memmove(target, data, size)
        self.read_bytes += size
        if size >= self._LONG:
            self.places[size] = position
        return 1


_REASONS: Mapping[int, Reason] = {raw.FPDF_ERR_PASSWORD: "password", raw.FPDF_ERR_SECURITY: "password"}
"""What PDFium's error codes mean for the caller, where it is not damage."""


def _within_reason(size: tuple[float, float] | None) -> list[float]:
    if size is None or not all(isfinite(side) and side > 0 for side in size):
        size = _LETTER
    return [round(min(max(side, _MIN_SIDE), _MAX_SIDE), 2) for side in size]


def _check_label(file: IO[bytes]) -> None:
    """Raise `Unreadable` for another kind of file, which PDFium would call damaged."""
    if _SIGNATURE not in file.read(_SIGNATURE_WITHIN):
        raise Unreadable("foreign", "no PDF signature")


_SIGNATURE = b"%PDF"
_SIGNATURE_WITHIN = 1024
"""Readers of PDF forgive that many bytes before it."""
