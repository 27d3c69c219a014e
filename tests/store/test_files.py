"""Files of a project: found, listed, read, deleted, expired."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest
from obstore.store import MemoryStore

from storing import uploads_of
from twinlens.domain.errors import AlreadyExists, PermissionDenied
from twinlens.store.files import FileStore
from twinlens.store.records import FileRecord, StorageUsage
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


async def test_a_file_is_found_with_all_that_is_known_of_it(files: FileStore, upload: Upload) -> None:
    made = await upload(b"bytes")

    found = await files.get("p", made.id)

    assert found == made
    assert (found.size, found.sha256) == (5, hashlib.sha256(b"bytes").hexdigest())
    assert found.expires - found.created == timedelta(hours=48)


async def test_a_missing_file_cannot_be_told_from_a_forbidden_one(files: FileStore) -> None:
    with pytest.raises(PermissionDenied) as raised:
        await files.get("p", "nothing")

    assert raised.value.message == (
        "You do not have permission to access the File nothing or it may not exist."
    )


async def test_a_file_of_another_project_is_denied(files: FileStore, upload: Upload) -> None:
    made = await upload(b"bytes", project="theirs")

    with pytest.raises(PermissionDenied):
        await files.get("mine", made.id)
    with pytest.raises(PermissionDenied):
        await files.delete("mine", made.id)

    assert await files.get("theirs", made.id) == made


@pytest.mark.parametrize("data", [b"\x00\x01bytes", b""])
async def test_a_file_can_be_mapped_and_opened(files: FileStore, upload: Upload, data: bytes) -> None:
    made = await upload(data)

    assert bytes(await files.map(made)) == data
    with await files.open(made) as file:
        assert os.pread(file.fileno(), 100, 0) == data


async def test_the_same_bytes_are_kept_once_until_their_last_file_goes(
    files: FileStore, upload: Upload, tmp_path: Path
) -> None:
    first, second = await upload(b"same", project="a"), await upload(b"same", project="b")

    assert len(blobs(tmp_path)) == 1
    await files.delete("a", first.id)
    assert bytes(await files.map(second)) == b"same"
    await files.delete("b", second.id)
    assert blobs(tmp_path) == []


async def test_bytes_that_are_being_read_outlive_their_file(files: FileStore, upload: Upload) -> None:
    made = await upload(b"still here")
    data = await files.map(made)

    await files.delete("p", made.id)

    assert bytes(data) == b"still here"


async def test_a_deleted_file_is_denied(files: FileStore, upload: Upload) -> None:
    made = await upload(b"bytes")

    await files.delete("p", made.id)

    with pytest.raises(PermissionDenied):
        await files.get("p", made.id)
    with pytest.raises(PermissionDenied):
        await files.delete("p", made.id)


async def test_a_file_is_gone_after_48_hours(files: FileStore, upload: Upload, clock: Clock) -> None:
    made = await upload(b"bytes")

    clock.move(timedelta(hours=48, microseconds=-1))
    assert await files.get("p", made.id) == made
    clock.move(timedelta(microseconds=1))

    with pytest.raises(PermissionDenied):
        await files.get("p", made.id)
    assert (await files.list("p", 10)).files == ()


async def test_a_name_is_free_again_once_its_file_expired(
    files: FileStore, upload: Upload, clock: Clock
) -> None:
    await upload(b"old", file_id="name")
    with pytest.raises(AlreadyExists):
        await upload(b"too early", file_id="name")

    clock.move(timedelta(hours=49))
    made = await upload(b"new", file_id="name")

    assert bytes(await files.map(await files.get("p", "name"))) == b"new"
    assert await files.get("p", "name") == made


async def test_a_list_goes_from_new_to_old_and_ends_without_an_empty_page(
    files: FileStore, upload: Upload
) -> None:
    made = [(await upload(b"%d" % number)).id for number in range(4)]
    await upload(b"other", project="other")

    first = await files.list("p", 2)
    second = await files.list("p", 2, first.next)

    assert [file.id for file in first.files + second.files] == made[::-1]
    assert second.next is None


async def test_everything_is_still_there_after_a_restart(server: Server, upload: Upload) -> None:
    made = await upload(b"bytes")

    again = await server.restart()

    assert await again.files.get("p", made.id) == made
    assert bytes(await again.files.map(made)) == b"bytes"


async def test_bytes_that_went_since_the_record_was_read_are_denied(files: FileStore, upload: Upload) -> None:
    made = await upload(b"bytes")
    await files.delete("p", made.id)

    with pytest.raises(PermissionDenied):
        await files.map(made)
    with pytest.raises(PermissionDenied):
        await files.open(made)


async def test_a_file_that_was_looked_into_is_active_and_has_its_duration(
    files: FileStore, upload: Upload, clock: Clock
) -> None:
    made = await upload(b"film", mime_type="video/mp4")
    clock.move(timedelta(seconds=3))

    await files.activate(made, timedelta(seconds=184, milliseconds=400))

    found = await files.get("p", made.id)
    assert (made.state, found.state) == ("PROCESSING", "ACTIVE")
    assert found.duration == timedelta(seconds=184, milliseconds=400)
    assert found.updated - found.created == timedelta(seconds=3)


async def test_a_file_that_cannot_be_read_has_failed_and_says_why(files: FileStore, upload: Upload) -> None:
    made = await upload(b"no film", mime_type="video/mp4")

    await files.fail(made, "The video cannot be read.")

    found = await files.get("p", made.id)
    assert (found.state, found.error) == ("FAILED", "The video cannot be read.")


async def test_what_became_of_a_file_is_said_once(files: FileStore, upload: Upload) -> None:
    made = await upload(b"film", mime_type="video/mp4")
    await files.activate(made, None)
    settled = await files.get("p", made.id)

    await files.fail(made, "too late")

    assert await files.get("p", made.id) == settled


async def test_a_look_into_a_file_says_nothing_of_another_one_of_its_name(
    files: FileStore, upload: Upload
) -> None:
    old = await upload(b"old", file_id="name", mime_type="video/mp4")
    await files.delete("p", "name")
    new = await upload(b"new", file_id="name", mime_type="video/mp4")

    await files.fail(old, "no video")

    assert await files.get("p", "name") == new


async def test_files_that_wait_are_listed_for_all_projects_after_a_restart(
    server: Server, upload: Upload
) -> None:
    waiting = [await upload(b"film", project=project, mime_type="video/mp4") for project in "ab"]
    await upload(b"picture")

    again = await server.restart()

    assert list(await again.files.pending()) == waiting


async def test_usage_counts_the_same_bytes_once_where_they_lie(
    files: FileStore, upload: Upload, uploads: Uploads
) -> None:
    await upload(b"same", project="a")
    await upload(b"same", project="b")
    session = await uploads.start(Draft("a"))
    await uploads.receive(session.id, 0, once(b"123"))

    assert await files.usage() == StorageUsage(
        files=2, bytes=8, blobs=1, blob_bytes=4, uploads=1, upload_bytes=3
    )


async def test_files_can_be_kept_in_a_store_elsewhere(tmp_path: Path) -> None:
    elsewhere = MemoryStore()
    storage = open_storage(tmp_path, blobs=elsewhere)
    uploads = uploads_of(storage)
    session = await uploads.start(Draft("p", mime_type="image/png"))
    await uploads.receive(session.id, 0, once(b"bytes"))
    made = await uploads.finish(session.id)

    assert bytes(await storage.files.map(made)) == b"bytes"
    assert blobs(tmp_path) == []
    assert list((tmp_path / "uploads").iterdir()) == []
    await uploads.receive(session.id, 0, once(b"bytes"))
    await storage.files.delete("p", made.id)
    assert not elsewhere.list().collect()
    await storage.close()
