"""Contents: kept while somebody wants them, pinned before that, and dropped after."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest
from obstore.store import MemoryStore

from twinlens.domain.errors import AlreadyExists, ResourceExhausted
from twinlens.store.contents import Contents
from twinlens.store.files import FileStore
from twinlens.store.records import FileRecord
from twinlens.store.storage import Storage, open_storage
from twinlens.store.uploads import Draft, Uploads

Upload = Callable[..., Awaitable[FileRecord]]


class Clock(Protocol):
    def move(self, by: timedelta) -> None: ...


class Server(Protocol):
    async def restart(self) -> Storage: ...


async def once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def blobs(folder: Path) -> list[Path]:
    return [path for path in (folder / "blobs").rglob("*") if path.is_file()]


async def test_it_is_told_which_projects_still_have_a_content_when_one_has_lost_it(
    files: FileStore, contents: Contents, upload: Upload
) -> None:
    told: list[tuple[str, frozenset[str]]] = []
    contents.on_drop(lambda sha256, projects: told.append((sha256, projects)))
    mine, also_mine, theirs = [await upload(b"bytes", project=name) for name in ("mine", "mine", "theirs")]

    for file in (mine, also_mine, theirs):
        await files.delete(file.project, file.id)

    assert [projects for _, projects in told] == [{"mine", "theirs"}, {"theirs"}, set()]
    assert {sha256 for sha256, _ in told} == {mine.sha256}


async def test_bytes_are_dropped_only_where_nobody_adopts_them_at_that_moment(
    files: FileStore, upload: Upload, tmp_path: Path
) -> None:
    for _ in range(20):
        old = await upload(b"same")
        new, _ = await asyncio.gather(upload(b"same"), files.delete("p", old.id))
        assert bytes(await files.map(new)) == b"same"
        await files.delete("p", new.id)

    assert blobs(tmp_path) == []


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("data", [b"bytes", b"", bytes(3_000_000), memoryview(b"bytes")])
async def test_bytes_can_be_kept_before_a_record_names_them(
    files: FileStore, contents: Contents, tmp_path: Path, data: bytes
) -> None:
    sha256 = sha256_of(data)

    async with contents.pinned([sha256]):
        await contents.put(data, sha256)
        assert not await contents.drop_unused(sha256)
        assert [blob async for blob in contents.unused()] == [set()]
        assert await contents.map(sha256) == data
        assert list((tmp_path / "uploads").iterdir()) == []

    assert blobs(tmp_path) == []


async def test_bytes_that_are_here_are_not_written_again(
    contents: Contents, upload: Upload, tmp_path: Path
) -> None:
    made = await upload(b"bytes")
    (blob,) = blobs(tmp_path)
    before = blob.stat()

    async with contents.pinned([made.sha256]):
        await contents.put(b"bytes", made.sha256)

    assert blob.stat() == before


async def test_bytes_that_were_cut_off_on_the_disk_are_written_again(
    files: FileStore, contents: Contents, upload: Upload, tmp_path: Path
) -> None:
    made = await upload(b"bytes")
    (blob,) = blobs(tmp_path)
    os.truncate(blob, 3)

    async with contents.pinned([made.sha256]):
        await contents.put(b"bytes", made.sha256)

    assert bytes(await files.map(made)) == b"bytes"


async def test_bytes_stay_until_the_last_who_keeps_them_is_done(contents: Contents, tmp_path: Path) -> None:
    sha256 = sha256_of(b"bytes")

    async with contents.pinned([sha256, sha256]):
        await contents.put(b"bytes", sha256)
        async with contents.pinned([sha256]):
            await contents.put(b"bytes", sha256)
        assert len(blobs(tmp_path)) == 1

    assert blobs(tmp_path) == []


async def test_bytes_being_kept_outlive_their_file(
    files: FileStore, contents: Contents, upload: Upload, tmp_path: Path
) -> None:
    made = await upload(b"bytes")

    async with contents.pinned([made.sha256]):
        await contents.put(b"bytes", made.sha256)
        await files.delete("p", made.id)
        again = await upload(b"bytes")

    assert bytes(await files.map(again)) == b"bytes"
    await files.delete("p", again.id)
    assert blobs(tmp_path) == []


async def test_bytes_are_here_after_keeping_them_whoever_drops_them_at_that_moment(
    files: FileStore, contents: Contents, upload: Upload, tmp_path: Path
) -> None:
    sha256 = sha256_of(b"same")
    for _ in range(20):
        made = await upload(b"same")
        async with contents.pinned([sha256]):
            await asyncio.gather(
                contents.drop_unused(sha256),
                files.delete("p", made.id),
                contents.put(b"same", sha256),
                contents.put(b"same", sha256),
                contents.drop_unused(sha256),
            )
            assert await contents.map(sha256) == b"same"

    assert blobs(tmp_path) == []


@pytest.mark.parametrize("asked", ["before the file fails", "after the file fails"])
async def test_a_file_that_cannot_be_made_takes_nothing_from_who_keeps_its_bytes(
    asked: str, contents: Contents, uploads: Uploads, upload: Upload, tmp_path: Path
) -> None:
    sha256 = sha256_of(b"bytes")
    session = await uploads.start(Draft("p", "name", mime_type="image/png"))
    await uploads.receive(session.id, 0, once(b"bytes"))
    await upload(b"other", file_id="name")

    async with contents.pinned([sha256]):
        if asked == "before the file fails":
            await contents.put(b"bytes", sha256)
        with pytest.raises(AlreadyExists):
            await uploads.finish(session.id)
        # What is a part of an upload could still be written to.
        assert len(blobs(tmp_path)) == (2 if asked == "before the file fails" else 1)
        await contents.put(b"bytes", sha256)
        assert await contents.map(sha256) == b"bytes"


async def test_bytes_that_do_not_fit_on_the_disk_leave_nothing_behind(
    contents: Contents, tmp_path: Path, max_file_size: Callable[[int], AbstractContextManager[None]]
) -> None:
    data = bytes(3_000_000)

    async with contents.pinned([sha256_of(data)]):
        with max_file_size(1_000_000), pytest.raises(ResourceExhausted):
            await contents.put(data, sha256_of(data))

        assert list((tmp_path / "uploads").iterdir()) == blobs(tmp_path) == []
        await contents.put(data, sha256_of(data))
        assert len(blobs(tmp_path)) == 1


async def test_who_is_cancelled_while_keeping_bytes_leaves_nothing_behind(
    contents: Contents, tmp_path: Path
) -> None:
    data = bytes(3_000_000)

    async def keep() -> None:
        async with contents.pinned([sha256_of(data)]):
            await contents.put(data, sha256_of(data))
            await asyncio.sleep(60)

    for steps in range(12):
        task = asyncio.create_task(keep())
        for _ in range(steps):
            await asyncio.sleep(0.0005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert list((tmp_path / "uploads").glob("*")) == blobs(tmp_path) == []


async def test_bytes_can_be_kept_in_a_store_elsewhere(tmp_path: Path) -> None:
    elsewhere, sha256 = MemoryStore(), sha256_of(b"bytes")
    storage = open_storage(tmp_path, blobs=elsewhere)

    async with storage.contents.pinned([sha256]):
        await storage.contents.put(b"bytes", sha256)
        await storage.contents.put(b"bytes", sha256)
        assert await storage.contents.map(sha256) == b"bytes"

    assert list((tmp_path / "uploads").iterdir()) == []
    assert not elsewhere.list().collect()
    await storage.close()
