"""What a PDF document is, found out by PDFium. Runs in a worker process; the server does not import it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO

import pypdfium2
from pypdfium2 import raw
from pypdfium2.internal import get_bufreader

from .unreadable import Reason, Unreadable


def inspect(file: IO[bytes]) -> dict[str, int]:
    """Count the pages. Reads what it needs of the file, wherever that stands."""
    _check_label(file)
    with _opened(file) as document:
        pages = len(document)
        if pages < 1:
            raise Unreadable("empty", "no pages")
        try:
            # A count is a claim: the page it leads to must be there.
            for index in (0, pages - 1):
                document.get_page_size(index)
        except pypdfium2.PdfiumError as error:
            raise Unreadable("damaged", str(error)) from error
    return {"pages": pages}


@contextmanager
def _opened(file: IO[bytes]) -> Iterator[pypdfium2.PdfDocument]:
    """Open a document by PDFium's own call.

    The library's class takes one without pages for one that fails, and then gives the reason why some
    document before it failed.
    """
    access, held = get_bufreader(file)
    opened = raw.FPDF_LoadCustomDocument(access, None)
    if not opened:
        code = raw.FPDF_GetLastError()
        raise Unreadable(_REASONS.get(code, "damaged"), f"PDFium's error {code}")
    with pypdfium2.PdfDocument(opened) as document:
        yield document
    del held  # the callbacks that reading went through


_REASONS: Mapping[int, Reason] = {raw.FPDF_ERR_PASSWORD: "password", raw.FPDF_ERR_SECURITY: "password"}
"""What PDFium's error codes mean for the caller, where it is not damage."""


def _check_label(file: IO[bytes]) -> None:
    """Tell another kind of file from a damaged document, which is all the same to PDFium."""
    if _SIGNATURE not in file.read(_SIGNATURE_WITHIN):
        raise Unreadable("foreign", "no PDF signature")


_SIGNATURE = b"%PDF-"
_SIGNATURE_WITHIN = 1024
"""Readers of PDF forgive that many bytes before it."""
