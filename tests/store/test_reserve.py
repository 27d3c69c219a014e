"""The reserve: taken, given where the disk is full, and had again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from storing import uploads_of
from twinlens.domain.errors import ResourceExhausted
from twinlens.store.reserve import SIZE_BYTES, Reserve
from twinlens.store.storage import open_storage
from twinlens.store.uploads import Draft

SmallDisk = Callable[[], Path]
Fill = Callable[[Path], Path]


async def stream(data: bytes) -> AsyncIterator[bytes]:
    yield data


def test_the_reserve_takes_room_until_it_is_given(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve")

    reserve.take()
    assert (tmp_path / "reserve").stat().st_size == SIZE_BYTES
    assert reserve.give()

    assert not (tmp_path / "reserve").exists()
    assert not reserve.give()


def test_a_reserve_that_a_crash_cut_short_is_made_whole(tmp_path: Path) -> None:
    (tmp_path / "reserve").write_bytes(b"short")

    Reserve(tmp_path / "reserve").take()

    assert (tmp_path / "reserve").stat().st_size == SIZE_BYTES


def test_the_reserve_is_had_again_only_where_there_is_room(small_disk: SmallDisk, fill: Fill) -> None:
    disk = small_disk()
    reserve = Reserve(disk / "reserve")
    ballast = fill(disk)

    with pytest.raises(OSError, match="No space"):
        reserve.take()
    reserve.restore()
    assert not (disk / "reserve").exists()
    ballast.unlink()
    reserve.restore()

    assert (disk / "reserve").stat().st_size == SIZE_BYTES


async def test_on_a_full_disk_files_are_deleted_and_uploads_cancelled(
    small_disk: SmallDisk, fill: Fill
) -> None:
    disk = small_disk()
    storage = open_storage(disk)
    uploads = uploads_of(storage)
    upload = await uploads.start(Draft("p", mime_type="image/png"))
    await uploads.receive(upload.id, 0, stream(bytes(100_000)))
    made = await uploads.finish(upload.id)
    half = await uploads.start(Draft("p"))
    await uploads.receive(half.id, 0, stream(bytes(100_000)))
    ballast = fill(disk)

    with pytest.raises(ResourceExhausted, match="disk is full"):
        await uploads.start(Draft("p", display_name="x" * 100_000))
    await storage.files.delete("p", made.id)
    await uploads.cancel(half.id)

    assert not (disk / "twinlens.reserve").exists()
    assert not [path for path in (disk / "blobs").rglob("*") if path.is_file()]
    ballast.unlink()
    await uploads.start(Draft("p"))
    assert (disk / "twinlens.reserve").exists()
    await storage.close()
