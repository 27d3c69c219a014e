"""Part files: what is written, compared, hashed and cut off."""

from __future__ import annotations

import hashlib
from contextlib import closing
from pathlib import Path

import pytest

from twinlens.domain.errors import InvalidArgument
from twinlens.store.part_files import MAX_HASHES, PartFiles, Sealed, StoredPart


def received(parts: PartFiles, name: str, *blocks: bytes, start: int = 0) -> int:
    """Write blocks and acknowledge them, as a request does."""
    part = parts.open(name, start)
    with closing(part):
        position = start
        for block in blocks:
            part.write(position, block)
            position += len(block)
        parts.sync(part)
        parts.acknowledged(name, part, position)
    return position


def seal(parts: PartFiles, name: str, end: int) -> Sealed:
    part = parts.open(name, end)
    with closing(part):
        return part.seal(end)


def sealed(data: bytes) -> Sealed:
    return Sealed(hashlib.sha256(data).hexdigest(), data)


def test_blocks_are_hashed_as_they_come(tmp_path: Path) -> None:
    parts = PartFiles(tmp_path)
    end = received(parts, "a", b"one", b"two")
    end = received(parts, "a", b"three", start=end)
    # Sealing reads the file no more: it would not notice this.
    parts.path("a").write_bytes(b"x" * end)

    assert seal(parts, "a", end).sha256 == hashlib.sha256(b"onetwothree").hexdigest()


def test_after_a_restart_the_hash_is_made_from_the_file(tmp_path: Path) -> None:
    end = received(PartFiles(tmp_path), "a", b"one", b"two")
    restarted = PartFiles(tmp_path)
    end = received(restarted, "a", b"three", start=end)

    assert seal(restarted, "a", end) == sealed(b"onetwothree")


def test_what_was_never_acknowledged_is_overwritten_and_cut_off(tmp_path: Path) -> None:
    parts = PartFiles(tmp_path)
    end = received(parts, "a", b"one")
    part = parts.open("a", end)
    with closing(part):
        part.write(end, b"lost and much longer")

    end = received(parts, "a", b"two", start=end)

    assert seal(parts, "a", end) == sealed(b"onetwo")
    assert parts.path("a").read_bytes() == b"onetwo"


def test_what_is_acknowledged_only_in_part_is_hashed_as_far(tmp_path: Path) -> None:
    parts = PartFiles(tmp_path)
    part = parts.open("a", 0)
    with closing(part):
        part.write(0, b"onetwo")
        parts.acknowledged("a", part, 3)

    assert seal(parts, "a", 3) == sealed(b"one")


def test_bytes_sent_again_are_compared(tmp_path: Path) -> None:
    parts = PartFiles(tmp_path)
    end = received(parts, "a", b"onetwo")
    part = parts.open("a", end)

    with closing(part):
        part.write(3, b"twothree")
        with pytest.raises(InvalidArgument, match="differ"):
            part.write(0, b"won")

    assert parts.path("a").read_bytes() == b"onetwothree"


def test_hashes_at_hand_are_bounded(tmp_path: Path) -> None:
    parts = PartFiles(tmp_path)
    for number in range(MAX_HASHES + 1):
        part = parts.open("shared", 0)
        with closing(part):
            part.write(0, b"one")
            parts.acknowledged(f"{number}", part, 3)
    parts.path("0").write_bytes(b"one")

    assert seal(parts, "0", 3) == sealed(b"one")


def test_parts_are_listed_and_removed(tmp_path: Path) -> None:
    parts = PartFiles(tmp_path)
    received(parts, "a", b"one")

    assert parts.list() == [StoredPart("a", 3)]
    parts.remove("a")
    parts.remove("a")

    assert parts.list() == []
