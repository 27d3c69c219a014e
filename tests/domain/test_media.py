"""Media as values."""

from __future__ import annotations

import os

import pytest

from twinlens.domain.media import Descriptor


def test_an_open_file_is_closed_when_nobody_holds_it() -> None:
    number = os.open(os.devnull, os.O_RDONLY)
    file = Descriptor(number)
    assert file.fileno() == number

    del file

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)
