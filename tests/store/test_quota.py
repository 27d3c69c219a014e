"""What a project may keep, and how the rest is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Protocol

import pytest

from storing import uploads_of
from twinlens.domain.errors import ResourceExhausted
from twinlens.store.files import FileStore
from twinlens.store.records import FileRecord
from twinlens.store.storage import Storage
from twinlens.store.uploads import Draft, Uploads

MIB = 1024 * 1024


class Clock(Protocol):
    def move(self, by: timedelta) -> None: ...


@pytest.fixture
def uploads(storage: Storage) -> Uploads:
    return uploads_of(storage, max_project_bytes=100)


async def stream(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def kept(uploads: Uploads, size: int, project: str = "p") -> FileRecord:
    upload = await uploads.start(Draft(project, mime_type="image/png", size=size))
    await uploads.receive(upload.id, 0, stream(bytes(size)))
    return await uploads.finish(upload.id)


async def test_a_declared_size_that_does_not_fit_is_refused_at_the_start(uploads: Uploads) -> None:
    await kept(uploads, 60)

    with pytest.raises(ResourceExhausted) as raised:
        await uploads.start(Draft("p", size=41))

    assert raised.value.message == (
        "Resource has been exhausted (e.g. check quota). The project uses 60 of its 100 bytes for files, "
        "and there is no room for this one: delete files, or wait until some expire."
    )


async def test_what_just_fits_is_taken(uploads: Uploads) -> None:
    await kept(uploads, 60)

    assert (await kept(uploads, 40)).size == 40


async def test_the_same_bytes_count_twice(uploads: Uploads) -> None:
    await kept(uploads, 50)
    await kept(uploads, 50)

    with pytest.raises(ResourceExhausted, match="uses 100 of its 100"):
        await uploads.start(Draft("p", size=1))


async def test_other_projects_have_their_own_room(uploads: Uploads) -> None:
    await kept(uploads, 100)

    assert (await kept(uploads, 100, project="other")).size == 100


async def test_bytes_that_were_received_count_before_they_are_a_file(uploads: Uploads) -> None:
    upload = await uploads.start(Draft("p"))
    await uploads.receive(upload.id, 0, stream(bytes(70)))

    with pytest.raises(ResourceExhausted, match="uses 70 of its 100"):
        await uploads.start(Draft("p", size=31))


async def test_bytes_of_an_undeclared_size_are_taken_as_far_as_they_fit(storage: Storage) -> None:
    uploads = uploads_of(storage, max_project_bytes=2 * MIB)
    upload = await uploads.start(Draft("p", mime_type="image/png"))

    with pytest.raises(ResourceExhausted, match="check quota"):
        await uploads.receive(upload.id, 0, stream(bytes(MIB), bytes(MIB), bytes(MIB)))

    assert (await uploads.query(upload.id)).received == 2 * MIB
    assert (await uploads.finish(upload.id)).size == 2 * MIB


async def test_bytes_that_cannot_fit_are_refused_unread(uploads: Uploads) -> None:
    upload = await uploads.start(Draft("p"))

    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError("read")
        yield b""

    with pytest.raises(ResourceExhausted):
        await uploads.receive(upload.id, 0, unread(), length=101)


async def test_uploads_at_the_same_time_do_not_share_the_same_room(
    uploads: Uploads, storage: Storage
) -> None:
    first, second = await uploads.start(Draft("p", size=60)), await uploads.start(Draft("p", size=60))
    both_began = asyncio.Barrier(2)

    async def slow() -> AsyncIterator[bytes]:
        await both_began.wait()
        yield bytes(60)

    done = await asyncio.gather(
        uploads.receive(first.id, 0, slow()), uploads.receive(second.id, 0, slow()), return_exceptions=True
    )

    assert [isinstance(answer, ResourceExhausted) for answer in done].count(True) == 1
    received = [(await uploads.query(upload.id)).received for upload in (first, second)]
    assert sorted(received) == [40, 60]
    assert sum(part.stat().st_size for part in (storage.folder.path / "uploads").iterdir()) == 100


async def test_a_retry_is_no_new_use(uploads: Uploads) -> None:
    upload = await uploads.start(Draft("p"))
    await uploads.receive(upload.id, 0, stream(bytes(100)))

    assert (await uploads.receive(upload.id, 0, stream(bytes(100)))).received == 100


async def test_room_comes_back_when_a_file_is_deleted(uploads: Uploads, files: FileStore) -> None:
    made = await kept(uploads, 100)

    await files.delete("p", made.id)

    assert (await kept(uploads, 100)).size == 100


async def test_room_comes_back_when_a_file_or_an_upload_expires(uploads: Uploads, clock: Clock) -> None:
    await kept(uploads, 50)
    upload = await uploads.start(Draft("p"))
    await uploads.receive(upload.id, 0, stream(bytes(50)))

    clock.move(timedelta(days=7))

    assert (await kept(uploads, 100)).size == 100


async def test_room_comes_back_when_an_upload_is_cancelled(uploads: Uploads) -> None:
    upload = await uploads.start(Draft("p"))
    await uploads.receive(upload.id, 0, stream(bytes(100)))

    await uploads.cancel(upload.id)

    assert (await kept(uploads, 100)).size == 100
