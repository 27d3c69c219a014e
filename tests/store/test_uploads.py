"""Resumable uploads: what is kept, what is compared, what is refused."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest

from storing import uploads_of
from twinlens.domain.errors import (
    AlreadyExists,
    Cancelled,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
)
from twinlens.store.files import FileStore
from twinlens.store.storage import Storage, open_storage
from twinlens.store.uploads import SYNC_BYTES, Draft, Uploads

PNG = b"\x89PNG" + bytes(range(100))
MIB = 1024 * 1024


class Clock(Protocol):
    def move(self, by: timedelta) -> None: ...


class Server(Protocol):
    async def restart(self) -> Storage: ...


async def stream(*pieces: bytes, then: Exception | None = None) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
    if then:
        raise then


async def test_chunks_make_a_file(uploads: Uploads, files: FileStore) -> None:
    upload = await uploads.start(Draft("p", display_name="Ä picture", mime_type="image/png", size=104))

    await uploads.receive(upload.id, 0, stream(PNG[:10], PNG[10:30]))
    await uploads.receive(upload.id, 30, stream(PNG[30:]))
    made = await uploads.finish(upload.id)

    assert (made.display_name, made.mime_type, made.size, made.state) == (
        "Ä picture",
        "image/png",
        104,
        "ACTIVE",
    )
    assert bytes(await files.map(made)) == PNG


async def test_a_query_tells_how_far_it_got(uploads: Uploads) -> None:
    upload = await uploads.start(Draft("p"))
    await uploads.receive(upload.id, 0, stream(PNG))

    assert (await uploads.query(upload.id)).received == len(PNG)


async def test_a_chunk_sent_twice_counts_once(uploads: Uploads, files: FileStore) -> None:
    upload = await uploads.start(Draft("p", size=104))

    await uploads.receive(upload.id, 0, stream(PNG[:50]))
    repeated = await uploads.receive(upload.id, 0, stream(PNG[:50]))
    await uploads.receive(upload.id, 50, stream(PNG[50:]))
    made = await uploads.finish(upload.id)

    assert repeated.received == 50
    assert bytes(await files.map(made)) == PNG


async def test_a_chunk_that_overlaps_goes_on_where_the_upload_was(uploads: Uploads, files: FileStore) -> None:
    upload = await uploads.start(Draft("p"))
    await uploads.receive(upload.id, 0, stream(PNG[:50]))

    await uploads.receive(upload.id, 20, stream(PNG[20:]))

    made = await uploads.finish(upload.id)
    assert bytes(await files.map(made)) == PNG


async def test_other_bytes_in_place_of_received_ones_are_refused(uploads: Uploads) -> None:
    upload = await uploads.start(Draft("p"))
    await uploads.receive(upload.id, 0, stream(PNG))

    with pytest.raises(InvalidArgument, match="differ"):
        await uploads.receive(upload.id, 0, stream(PNG[::-1]))

    assert (await uploads.query(upload.id)).received == len(PNG)


async def test_a_gap_is_refused_with_the_bytes_received(uploads: Uploads) -> None:
    upload = await uploads.start(Draft("p"))
    await uploads.receive(upload.id, 0, stream(PNG[:10]))

    with pytest.raises(InvalidArgument, match="has received 10 bytes"):
        await uploads.receive(upload.id, 11, stream(PNG[11:]))


async def test_what_came_before_the_client_went_away_is_kept(uploads: Uploads) -> None:
    upload = await uploads.start(Draft("p"))

    with pytest.raises(Cancelled):
        await uploads.receive(upload.id, 0, stream(bytes(MIB), bytes(MIB), b"tail", then=Cancelled("gone")))

    assert (await uploads.query(upload.id)).received == 2 * MIB


async def test_an_upload_goes_on_after_a_restart(server: Server, uploads: Uploads, tmp_path: Path) -> None:
    upload = await uploads.start(Draft("p", mime_type="image/png"))
    await uploads.receive(upload.id, 0, stream(PNG[:40]))
    with (tmp_path / "uploads" / upload.id).open("ab") as part:
        part.write(b"never acknowledged" * 10)

    again = await server.restart()
    resumed = uploads_of(again)
    await resumed.receive(upload.id, 40, stream(PNG[40:]))
    made = await resumed.finish(upload.id)

    assert bytes(await again.files.map(made)) == PNG
    assert made.sha256 == hashlib.sha256(PNG).hexdigest()


async def test_the_newest_request_takes_over_from_a_stalled_one(uploads: Uploads, files: FileStore) -> None:
    upload = await uploads.start(Draft("p", mime_type="image/png"))
    stalled, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield bytes(MIB)
        stalled.set()
        await go_on.wait()
        yield bytes(MIB)

    old = asyncio.create_task(uploads.receive(upload.id, 0, slow()))
    await stalled.wait()
    await uploads.receive(upload.id, 0, stream(PNG))
    made = await uploads.finish(upload.id)
    go_on.set()

    with pytest.raises(FailedPrecondition, match="taken over"):
        await old
    assert bytes(await files.map(made)) == PNG


async def test_fewer_bytes_than_declared_cannot_be_finished_yet(uploads: Uploads) -> None:
    upload = await uploads.start(Draft("p", mime_type="image/png", size=104))
    await uploads.receive(upload.id, 0, stream(PNG[:100]))

    with pytest.raises(InvalidArgument, match="100 of the 104"):
        await uploads.finish(upload.id)

    await uploads.receive(upload.id, 100, stream(PNG[100:]))
    assert (await uploads.finish(upload.id)).size == 104


async def test_more_bytes_than_declared_are_refused_unread(uploads: Uploads) -> None:
    upload = await uploads.start(Draft("p", size=4))

    with pytest.raises(InvalidArgument, match="declared with 4 bytes"):
        await uploads.receive(upload.id, 0, stream(then=AssertionError("read")), length=5)


async def test_more_bytes_than_declared_are_refused_where_the_length_is_not_told(uploads: Uploads) -> None:
    upload = await uploads.start(Draft("p", size=4))

    with pytest.raises(InvalidArgument, match="declared with 4 bytes"):
        await uploads.receive(upload.id, 0, stream(b"12345"))

    assert (await uploads.query(upload.id)).received == 0


async def test_a_size_over_the_limit_is_refused_at_the_start(uploads: Uploads) -> None:
    with pytest.raises(InvalidArgument, match="exceeds the limit: 2147483648 bytes"):
        await uploads.start(Draft("p", size=2 * 1024**3 + 1))


async def test_bytes_over_the_limit_are_refused_where_no_size_was_declared(storage: Storage) -> None:
    uploads = uploads_of(storage, max_file_bytes=10)
    upload = await uploads.start(Draft("p"))

    with pytest.raises(InvalidArgument, match="exceeds the limit: 10 bytes"):
        await uploads.receive(upload.id, 0, stream(b"12345678901"))


async def test_a_type_that_nobody_told_is_read_off_the_bytes(uploads: Uploads) -> None:
    upload = await uploads.start(Draft("p"))
    await uploads.receive(upload.id, 0, stream(PNG))

    assert (await uploads.finish(upload.id)).mime_type == "image/png"


async def test_bytes_of_no_known_type_end_the_upload(uploads: Uploads, tmp_path: Path) -> None:
    upload = await uploads.start(Draft("p"))
    await uploads.receive(upload.id, 0, stream(b"?"))

    with pytest.raises(InvalidArgument, match="Unsupported MIME"):
        await uploads.finish(upload.id)

    assert (await uploads.query(upload.id)).state == "cancelled"
    assert list((tmp_path / "uploads").iterdir()) == []


async def test_finishing_twice_gives_the_same_file(uploads: Uploads) -> None:
    upload = await uploads.start(Draft("p", mime_type="image/png"))
    await uploads.receive(upload.id, 0, stream(PNG))
    first = await uploads.finish(upload.id)

    await uploads.receive(upload.id, 0, stream(PNG))
    second = await uploads.finish(upload.id)

    assert second == first


async def test_nothing_can_be_added_to_a_finished_upload(uploads: Uploads) -> None:
    upload = await uploads.start(Draft("p", mime_type="image/png"))
    await uploads.receive(upload.id, 0, stream(PNG))
    await uploads.finish(upload.id)

    with pytest.raises(InvalidArgument, match="finished at 104"):
        await uploads.receive(upload.id, 104, stream(b"more"))
    with pytest.raises(FailedPrecondition):
        await uploads.cancel(upload.id)


async def test_a_retry_after_the_file_was_deleted_is_denied(uploads: Uploads, files: FileStore) -> None:
    upload = await uploads.start(Draft("p", mime_type="image/png"))
    await uploads.receive(upload.id, 0, stream(PNG))
    made = await uploads.finish(upload.id)
    await files.delete("p", made.id)

    with pytest.raises(PermissionDenied):
        await uploads.receive(upload.id, 0, stream(PNG))


async def test_a_cancelled_upload_takes_nothing_and_leaves_nothing(uploads: Uploads, tmp_path: Path) -> None:
    upload = await uploads.start(Draft("p"))
    await uploads.receive(upload.id, 0, stream(PNG))

    await uploads.cancel(upload.id)

    assert (await uploads.query(upload.id)).state == "cancelled"
    with pytest.raises(NotFound):
        await uploads.receive(upload.id, 104, stream(PNG))
    assert list((tmp_path / "uploads").iterdir()) == []


async def test_an_unknown_upload_is_not_found(uploads: Uploads) -> None:
    with pytest.raises(NotFound):
        await uploads.query("garbage")


async def test_an_upload_left_alone_for_a_week_is_not_found(uploads: Uploads, clock: Clock) -> None:
    upload = await uploads.start(Draft("p"))

    clock.move(timedelta(days=7))

    with pytest.raises(NotFound):
        await uploads.receive(upload.id, 0, stream(PNG))


async def test_a_name_that_is_taken_is_refused_at_the_start(uploads: Uploads) -> None:
    upload = await uploads.start(Draft("p", file_id="mine", mime_type="image/png"))
    await uploads.finish(upload.id)

    with pytest.raises(AlreadyExists):
        await uploads.start(Draft("p", file_id="mine"))
    await uploads.start(Draft("other", file_id="mine"))


async def test_of_two_uploads_for_one_name_the_first_to_finish_wins(uploads: Uploads) -> None:
    first = await uploads.start(Draft("p", file_id="mine", mime_type="image/png"))
    second = await uploads.start(Draft("p", file_id="mine", mime_type="image/png"))
    await uploads.finish(second.id)

    with pytest.raises(AlreadyExists):
        await uploads.finish(first.id)

    assert (await uploads.query(first.id)).state == "cancelled"


async def test_a_file_that_has_to_be_looked_into_is_not_active_yet(uploads: Uploads) -> None:
    upload = await uploads.start(Draft("p", mime_type="video/mp4"))

    assert (await uploads.finish(upload.id)).state == "PROCESSING"


async def test_an_upload_without_bytes_makes_an_empty_file(uploads: Uploads, files: FileStore) -> None:
    upload = await uploads.start(Draft("p", mime_type="text/plain", size=0))

    await uploads.receive(upload.id, 0, stream())
    made = await uploads.finish(upload.id)

    assert (made.size, bytes(await files.map(made))) == (0, b"")


async def test_a_long_request_is_acknowledged_on_the_way(uploads: Uploads) -> None:
    upload = await uploads.start(Draft("p"))
    seen = list[int]()

    async def watched() -> AsyncIterator[bytes]:
        for _ in range(SYNC_BYTES // MIB + 1):
            yield bytes(MIB)
        seen.append((await uploads.query(upload.id)).received)

    await uploads.receive(upload.id, 0, watched())

    assert seen == [SYNC_BYTES]


async def test_bytes_sent_differently_after_they_were_refused_are_hashed_as_kept(
    uploads: Uploads, files: FileStore
) -> None:
    upload = await uploads.start(Draft("p", mime_type="image/png", size=2 * MIB))
    with pytest.raises(InvalidArgument):
        await uploads.receive(upload.id, 0, stream(bytes(MIB), bytes(3 * MIB)))
    await uploads.receive(upload.id, MIB, stream(b"1" * MIB))

    made = await uploads.finish(upload.id)

    assert made.sha256 == hashlib.sha256(bytes(await files.map(made))).hexdigest()


async def test_the_lifetime_of_an_upload_can_be_set(storage: Storage, clock: Clock) -> None:
    uploads = uploads_of(storage, lifetime=timedelta(hours=1))
    upload = await uploads.start(Draft("p"))

    clock.move(timedelta(hours=1))

    with pytest.raises(NotFound):
        await uploads.query(upload.id)


async def test_a_full_disk_refuses_the_rest_and_keeps_what_was_acknowledged(
    small_disk: Callable[[], Path], fill: Callable[[Path], Path]
) -> None:
    disk = small_disk()
    storage = open_storage(disk)
    uploads = uploads_of(storage)
    data = random.Random(1).randbytes(MIB + 300_000)
    upload = await uploads.start(Draft("p", mime_type="image/png"))
    await uploads.receive(upload.id, 0, stream(data[:300_000]))
    ballast = fill(disk)

    with pytest.raises(ResourceExhausted, match="disk is full; what was acknowledged is kept"):
        await uploads.receive(upload.id, 300_000, stream(data[300_000:]))

    assert (await uploads.query(upload.id)).received == 300_000
    ballast.unlink()
    await uploads.receive(upload.id, 300_000, stream(data[300_000:]))
    assert bytes(await storage.files.map(await uploads.finish(upload.id))) == data
    await storage.close()


async def test_a_file_that_the_system_lets_grow_no_further_is_refused(
    uploads: Uploads, files: FileStore, max_file_size: Callable[[int], AbstractContextManager[None]]
) -> None:
    upload = await uploads.start(Draft("p", mime_type="image/png"))

    with max_file_size(2 * MIB + 1), pytest.raises(ResourceExhausted, match="disk is full"):
        await uploads.receive(upload.id, 0, stream(bytes(MIB), bytes(MIB), bytes(MIB)))

    assert (await uploads.query(upload.id)).received == 2 * MIB
    assert (await uploads.finish(upload.id)).size == 2 * MIB


async def test_a_part_on_another_disk_is_copied(tmp_path: Path, small_disk: Callable[..., Path]) -> None:
    small_disk(at=tmp_path / "uploads")
    storage = open_storage(tmp_path)
    uploads = uploads_of(storage)
    upload = await uploads.start(Draft("p", mime_type="image/png"))
    await uploads.receive(upload.id, 0, stream(PNG))

    made = await uploads.finish(upload.id)

    assert bytes(await storage.files.map(made)) == PNG
    await storage.close()


async def test_no_room_for_a_copy_leaves_the_upload_to_be_finished_later(
    tmp_path: Path, small_disk: Callable[..., Path], fill: Callable[[Path], Path]
) -> None:
    blobs = small_disk(at=tmp_path / "blobs")
    storage = open_storage(tmp_path)
    ballast = fill(blobs)
    uploads = uploads_of(storage)
    upload = await uploads.start(Draft("p", mime_type="image/png"))
    await uploads.receive(upload.id, 0, stream(PNG))

    with pytest.raises(ResourceExhausted, match="disk is full"):
        await uploads.finish(upload.id)

    ballast.unlink()
    assert bytes(await storage.files.map(await uploads.finish(upload.id))) == PNG
    await storage.close()


async def test_a_client_that_leaves_while_its_upload_is_finished_gets_its_file_later(
    uploads: Uploads, files: FileStore
) -> None:
    upload = await uploads.start(Draft("p", mime_type="image/png"))
    await uploads.receive(upload.id, 0, stream(PNG))

    leaving = asyncio.create_task(uploads.finish(upload.id))
    for _ in range(5):
        await asyncio.sleep(0)
    leaving.cancel()
    with suppress(asyncio.CancelledError):
        await leaving

    assert bytes(await files.map(await uploads.finish(upload.id))) == PNG
