"""Files of a project: found, listed, read, deleted, expired."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest

from twinlens.domain.errors import AlreadyExists, PermissionDenied
from twinlens.store.files import FileRecord, FileStore

Upload = Callable[..., Awaitable[FileRecord]]


class Clock(Protocol):
    def move(self, by: timedelta) -> None: ...


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
        await files.read("mine", made.id)
    with pytest.raises(PermissionDenied):
        await files.delete("mine", made.id)

    assert await files.get("theirs", made.id) == made


@pytest.mark.parametrize("data", [b"\x00\x01bytes", b""])
async def test_reading_gives_the_bytes_and_their_type(files: FileStore, upload: Upload, data: bytes) -> None:
    made = await upload(data)

    read, mime_type = await files.read("p", made.id)

    assert (bytes(read), mime_type) == (data, "image/png")


async def test_the_same_bytes_are_kept_once_until_their_last_file_goes(
    files: FileStore, upload: Upload, tmp_path: Path
) -> None:
    first, second = await upload(b"same", project="a"), await upload(b"same", project="b")

    assert len(blobs(tmp_path)) == 1
    await files.delete("a", first.id)
    assert bytes((await files.read("b", second.id))[0]) == b"same"
    await files.delete("b", second.id)
    assert blobs(tmp_path) == []


async def test_bytes_that_are_being_read_outlive_their_file(files: FileStore, upload: Upload) -> None:
    made = await upload(b"still here")
    data, _ = await files.read("p", made.id)

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
        await files.read("p", made.id)
    assert (await files.list("p", 10)).files == ()


async def test_a_name_is_free_again_once_its_file_expired(
    files: FileStore, upload: Upload, clock: Clock
) -> None:
    await upload(b"old", file_id="name")
    with pytest.raises(AlreadyExists):
        await upload(b"too early", file_id="name")

    clock.move(timedelta(hours=49))
    await upload(b"new", file_id="name")

    assert bytes((await files.read("p", "name"))[0]) == b"new"


async def test_a_list_goes_from_new_to_old_and_ends_without_an_empty_page(
    files: FileStore, upload: Upload
) -> None:
    made = [(await upload(b"%d" % number)).id for number in range(4)]
    await upload(b"other", project="other")

    first = await files.list("p", 2)
    second = await files.list("p", 2, first.next)

    assert [file.id for file in first.files + second.files] == made[::-1]
    assert second.next is None


async def test_everything_is_still_there_after_a_restart(
    files: FileStore, upload: Upload, tmp_path: Path
) -> None:
    made = await upload(b"bytes")

    again = FileStore(tmp_path, clock=files.clock)

    assert bytes((await again.read("p", made.id))[0]) == b"bytes"
    await again.close()
