"""Files by their descriptors."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Sequence

import numpy as np
import pytest

from twinlens.descriptors import anonymous_file, read_exactly, write_all


def test_what_is_written_is_read_again_from_its_place() -> None:
    with anonymous_file() as file:
        end = write_all(file.fileno(), b"head and tail")
        tail = bytearray(4)

        assert (end, read_exactly(file.fileno(), memoryview(tail), 9)) == (13, 13)
        assert tail == b"tail"


def test_several_pieces_follow_one_another() -> None:
    with anonymous_file() as file:
        end = 0
        for piece in (b"one", bytearray(b"two"), memoryview(b"three")):
            end = write_all(file.fileno(), piece, end)

        assert os.pread(file.fileno(), 99, 0) == b"onetwothree"


def test_an_array_of_any_shape_is_written_and_filled() -> None:
    pixels = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    found = np.empty_like(pixels)
    with anonymous_file() as file:
        write_all(file.fileno(), pixels.data)
        read_exactly(file.fileno(), found.data)

    assert (found == pixels).all()


def test_a_call_that_writes_less_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.pwrite

    def part(descriptor: int, data: memoryview, at: int) -> int:
        return whole(descriptor, data[:3], at)

    monkeypatch.setattr(os, "pwrite", part)
    with anonymous_file() as file:
        assert write_all(file.fileno(), b"0123456789") == 10
        assert os.pread(file.fileno(), 99, 0) == b"0123456789"


def test_a_call_that_reads_less_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.preadv

    def part(descriptor: int, buffers: Sequence[memoryview], at: int) -> int:
        return whole(descriptor, [buffers[0][:3]], at)

    monkeypatch.setattr(os, "preadv", part)
    found = bytearray(10)
    with anonymous_file() as file:
        write_all(file.fileno(), b"0123456789")
        read_exactly(file.fileno(), memoryview(found))

    assert found == b"0123456789"


def test_a_file_that_ends_before_is_no_success() -> None:
    with anonymous_file() as file:
        write_all(file.fileno(), b"short")

        with pytest.raises(EOFError):
            read_exactly(file.fileno(), memoryview(bytearray(6)))


def test_nothing_is_written_and_read_at_once() -> None:
    with anonymous_file() as file:
        assert write_all(file.fileno(), b"", 7) == read_exactly(file.fileno(), memoryview(b""), 7) == 7


@pytest.mark.skipif(sys.platform != "linux", reason="needs memfd")
def test_a_file_can_be_sealed_only_if_it_was_asked_for() -> None:
    with anonymous_file(sealable=True) as file:
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        write_all(file.fileno(), b"stays")

        with pytest.raises(PermissionError):
            os.ftruncate(file.fileno(), 0)

    with anonymous_file() as file, pytest.raises(PermissionError):
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
