"""Media as values."""

from __future__ import annotations

import os

import pytest

from twinlens.domain.media import IMAGE_FORMS, Descriptor, unsupported


def test_an_open_file_is_closed_when_nobody_holds_it() -> None:
    number = os.open(os.devnull, os.O_RDONLY)
    file = Descriptor(number)
    assert file.fileno() == number

    del file

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


def test_a_type_that_is_not_served_is_named() -> None:
    assert unsupported("application/zip") == "Unsupported MIME type: application/zip"
    assert "PNG" in IMAGE_FORMS
