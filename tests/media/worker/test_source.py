"""A descriptor that several read at once."""

from __future__ import annotations

import io
import os

import pytest

from twinlens.descriptors import anonymous_file, write_all
from twinlens.media.worker.source import DescriptorReader


def test_each_reader_has_a_place_of_its_own() -> None:
    with anonymous_file() as file:
        write_all(file.fileno(), b"0123456789")
        one, two = DescriptorReader(file.fileno()), DescriptorReader(file.fileno())

        assert one.read(4) == b"0123"
        assert two.read(2) == b"01"
        assert one.read() == b"456789"
        assert (one.tell(), two.tell()) == (10, 2)


def test_a_place_can_be_gone_to_from_anywhere() -> None:
    with anonymous_file() as file:
        write_all(file.fileno(), b"0123456789")
        reader = DescriptorReader(file.fileno())

        assert reader.seek(-2, os.SEEK_END) == 8
        assert reader.read() == b"89"
        assert reader.seek(-4, os.SEEK_CUR) == 6
        assert reader.seek(99) == 99
        assert reader.read() == b""
        with pytest.raises(OSError, match="before the beginning"):
            reader.seek(-1)


def test_it_can_be_buffered_as_any_file() -> None:
    with anonymous_file() as file:
        write_all(file.fileno(), b"one\ntwo\n")
        with io.BufferedReader(DescriptorReader(file.fileno())) as lines:
            assert list(lines) == [b"one\n", b"two\n"]

        assert os.fstat(file.fileno()).st_size == 8


def test_whoever_watches_is_told_of_each_read() -> None:
    seen: list[tuple[int, int]] = []
    with anonymous_file() as file:
        write_all(file.fileno(), b"0123456789")
        reader = DescriptorReader(file.fileno(), lambda start, count: seen.append((start, count)))
        reader.seek(3)
        reader.read(4)
        reader.readinto(memoryview(bytearray(10)))

    assert seen == [(3, 4), (7, 3)]
