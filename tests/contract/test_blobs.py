"""What every store of blobs must keep, whatever is behind it. A new one gets a row in `STORES`."""

from __future__ import annotations

import hashlib
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from obstore.store import LocalStore, MemoryStore, ObjectStore

from twinlens.domain.errors import Unavailable
from twinlens.domain.media import Data
from twinlens.store.blobs import READ_BYTES, SCARCE_READ_BYTES, Blobs, StoredBlob

STORES: dict[str, Callable[[Path], ObjectStore]] = {
    "folder": lambda folder: LocalStore(folder),
    "memory": lambda _folder: MemoryStore(),
}
BIG = bytes(range(256)) * 4 * 9001
"""More than one of the chunks that a store elsewhere is sent and read in."""


@pytest.fixture(params=STORES)
def blobs(request: pytest.FixtureRequest, folder: Path) -> Blobs:
    return Blobs(STORES[request.param](folder), folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Name a folder as an operator might."""
    folder = tmp_path / "Ä b%20c#1?"
    (folder / "uploads").mkdir(parents=True)
    return folder


def part(folder: Path, data: bytes, name: str = "a-B_9") -> tuple[Path, str]:
    path = folder / "uploads" / name
    path.write_bytes(data)
    return path, hashlib.sha256(data).hexdigest()


def opened() -> int:
    return len(os.listdir("/dev/fd"))


@contextmanager
def descriptors(most: int) -> Iterator[None]:
    """Let this process have no more descriptors."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def map_all(blobs: Blobs, hashes: list[str], mapped: list[Data | None]) -> None:
    for sha256 in hashes:
        mapped.append(await blobs.map(sha256))  # noqa: PERF401  those before a failure count


async def listed(blobs: Blobs) -> list[StoredBlob]:
    return [blob async for found in blobs.list() for blob in found]


@pytest.mark.parametrize("data", [b"", b"\x00", bytes(READ_BYTES), bytes(READ_BYTES + 1), BIG])
async def test_adopted_bytes_can_be_opened_and_mapped(blobs: Blobs, folder: Path, data: bytes) -> None:
    path, sha256 = part(folder, data)

    await blobs.adopt(path, sha256)

    assert path.read_bytes() == data
    mapped = await blobs.map(sha256)
    assert mapped is not None
    assert bytes(mapped) == data
    opened = await blobs.open(sha256)
    assert opened is not None
    with opened as file:
        assert os.fstat(file.fileno()).st_size == len(data)
        assert file.read() == data


async def test_adopted_bytes_outlive_their_part(blobs: Blobs, folder: Path) -> None:
    path, sha256 = part(folder, b"bytes")
    await blobs.adopt(path, sha256)

    path.unlink()

    assert bytes(await blobs.map(sha256) or b"") == b"bytes"


async def test_bytes_that_are_not_here_are_none(blobs: Blobs) -> None:
    assert await blobs.open("0" * 64) is None
    assert await blobs.map("0" * 64) is None


async def test_adopting_the_same_bytes_again_changes_nothing(blobs: Blobs, folder: Path) -> None:
    path, sha256 = part(folder, b"bytes")
    again, _ = part(folder, b"bytes", "again")
    await blobs.adopt(path, sha256)

    await blobs.adopt(path, sha256)
    await blobs.adopt(again, sha256)

    assert await listed(blobs) == [StoredBlob(sha256, 5)]


async def test_dropped_bytes_are_gone_but_for_who_reads_them(blobs: Blobs, folder: Path) -> None:
    path, sha256 = part(folder, b"bytes")
    await blobs.adopt(path, sha256)
    mapped, opened = await blobs.map(sha256), await blobs.open(sha256)

    await blobs.drop(sha256)
    await blobs.drop(sha256)

    assert await blobs.open(sha256) is None
    assert await listed(blobs) == []
    assert mapped is not None
    assert bytes(mapped) == b"bytes"
    assert opened is not None
    with opened as file:
        assert file.read() == b"bytes"


async def test_small_bytes_take_no_descriptor(blobs: Blobs, folder: Path) -> None:
    path, sha256 = part(folder, bytes(READ_BYTES))
    await blobs.adopt(path, sha256)
    before = opened()

    mapped = [await blobs.map(sha256) for _ in range(20)]

    assert all(mapped)
    assert opened() - before < 10


async def test_bytes_can_be_read_as_long_as_their_descriptor_is_held(blobs: Blobs, folder: Path) -> None:
    path, sha256 = part(folder, b"bytes")
    await blobs.adopt(path, sha256)
    # The library opens some of its own when it is first asked.
    await blobs.drop("0" * 64)
    before = opened()

    held = await blobs.open_descriptor(sha256)
    await blobs.drop(sha256)

    assert held is not None
    assert os.pread(held.fileno(), 9, 0) == b"bytes"
    del held
    assert opened() <= before
    assert await blobs.open_descriptor(sha256) is None


async def test_the_last_descriptors_are_left_to_others(blobs: Blobs, folder: Path) -> None:
    path, sha256 = part(folder, bytes(SCARCE_READ_BYTES + 1))
    middling, of_middling = part(folder, bytes(SCARCE_READ_BYTES), "middling")
    await blobs.adopt(path, sha256)
    await blobs.adopt(middling, of_middling)
    most = 2 * opened() + 40
    held: list[Data | None] = []

    with descriptors(most):
        with pytest.raises(Unavailable, match="as many files open as it may"):
            await map_all(blobs, [sha256] * most, held)
        with pytest.raises(Unavailable, match="as many files open as it may"):
            await blobs.open_descriptor(sha256)
        await map_all(blobs, [of_middling] * most, held)
        assert opened() < most * 0.8

    assert all(len(data or b"") == SCARCE_READ_BYTES for data in held[-most:])


async def test_a_list_tells_what_is_here_and_its_size(blobs: Blobs, folder: Path) -> None:
    assert await listed(blobs) == []
    stored = set()
    for size in range(3):
        path, sha256 = part(folder, bytes(size), str(size))
        await blobs.adopt(path, sha256)
        stored.add(StoredBlob(sha256, size))

    assert set(await listed(blobs)) == stored


async def test_holding_one_blob_keeps_others_waiting_for_that_one_alone(blobs: Blobs) -> None:
    order = []

    async with blobs.lock("a"), blobs.lock("b"):
        order.append("b within a")

    assert order == ["b within a"]
