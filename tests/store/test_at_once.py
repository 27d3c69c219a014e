"""Files whose end comes with their last bytes, and files that come whole."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import pytest

from storing import uploads_of
from twinlens.domain.errors import (
    AlreadyExists,
    Cancelled,
    FailedPrecondition,
    InvalidArgument,
    ResourceExhausted,
)
from twinlens.store.files import FileStore
from twinlens.store.storage import Storage, open_storage
from twinlens.store.uploads import SYNC_BYTES, Draft, Uploads

PNG = b"\x89PNG" + bytes(range(100))
MIB = 1024 * 1024


class Server(Protocol):
    async def restart(self) -> Storage: ...


async def stream(*pieces: bytes, then: Exception | None = None) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
    if then:
        raise then


def left(folder: Path) -> list[Path]:
    """List the bytes that are kept, of files and of uploads."""
    return [path for name in ("blobs", "uploads") for path in (folder / name).rglob("*") if path.is_file()]


async def test_the_last_bytes_and_the_end_are_one(uploads: Uploads, files: FileStore, tmp_path: Path) -> None:
    upload = await uploads.start(Draft("p", size=104))
    await uploads.receive(upload.id, 0, stream(PNG[:30]))

    made = await uploads.complete(upload.id, 30, stream(PNG[30:]))

    assert (made.mime_type, made.size, made.sha256) == ("image/png", 104, hashlib.sha256(PNG).hexdigest())
    assert bytes(await files.map(made)) == PNG
    ended = await uploads.query(upload.id)
    assert (ended.state, ended.received, ended.sha256) == ("final", 104, made.sha256)
    assert len(left(tmp_path)) == 1


async def test_the_last_bytes_may_be_known_or_none(uploads: Uploads) -> None:
    for last in (stream(PNG[50:]), stream()):
        upload = await uploads.start(Draft("p", size=104))
        await uploads.receive(upload.id, 0, stream(PNG))

        assert (await uploads.complete(upload.id, 50, last)).size == 104


async def test_completing_twice_gives_the_same_file(uploads: Uploads) -> None:
    upload = await uploads.start(Draft("p"))
    first = await uploads.complete(upload.id, 0, stream(PNG))

    assert await uploads.complete(upload.id, 0, stream(PNG)) == first
    with pytest.raises(InvalidArgument, match="differ"):
        await uploads.complete(upload.id, 0, stream(PNG[::-1]))
    with pytest.raises(InvalidArgument, match="finished at 104"):
        await uploads.complete(upload.id, 104, stream(b"more"))


async def test_an_end_that_is_too_early_keeps_what_came(uploads: Uploads, files: FileStore) -> None:
    upload = await uploads.start(Draft("p", size=104))

    with pytest.raises(InvalidArgument, match="100 of the 104"):
        await uploads.complete(upload.id, 0, stream(PNG[:100]))

    kept = await uploads.query(upload.id)
    assert (kept.state, kept.received) == ("active", 100)
    assert bytes(await files.map(await uploads.complete(upload.id, 100, stream(PNG[100:])))) == PNG


async def test_an_end_whose_client_goes_away_keeps_what_came(uploads: Uploads) -> None:
    upload = await uploads.start(Draft("p"))

    with pytest.raises(Cancelled):
        await uploads.complete(upload.id, 0, stream(bytes(MIB), b"tail", then=Cancelled("gone")))

    kept = await uploads.query(upload.id)
    assert (kept.state, kept.received) == ("active", MIB)


async def test_an_end_with_a_gap_is_refused(uploads: Uploads) -> None:
    upload = await uploads.start(Draft("p"))

    with pytest.raises(InvalidArgument, match="has received 0 bytes"):
        await uploads.complete(upload.id, 1, stream(PNG))


async def test_last_bytes_of_no_known_type_end_the_upload(uploads: Uploads, tmp_path: Path) -> None:
    upload = await uploads.start(Draft("p"))

    with pytest.raises(InvalidArgument, match="Unsupported MIME"):
        await uploads.complete(upload.id, 0, stream(b"?"))

    assert (await uploads.query(upload.id)).state == "cancelled"
    assert left(tmp_path) == []


async def test_last_bytes_for_a_name_that_is_taken_end_the_upload(uploads: Uploads) -> None:
    first = await uploads.start(Draft("p", file_id="mine", mime_type="image/png"))
    second = await uploads.start(Draft("p", file_id="mine", mime_type="image/png"))
    await uploads.complete(first.id, 0, stream(b"first"))

    with pytest.raises(AlreadyExists):
        await uploads.complete(second.id, 0, stream(b"second"))

    ended = await uploads.query(second.id)
    assert (ended.state, ended.received) == ("cancelled", 0)


async def test_last_bytes_whose_room_was_taken_meanwhile_are_kept_as_far_as_they_fit(
    storage: Storage, tmp_path: Path
) -> None:
    uploads = uploads_of(storage, max_project_bytes=100)
    upload = await uploads.start(Draft("p", mime_type="image/png"))

    async def slow() -> AsyncIterator[bytes]:
        await uploads.put(Draft("p", mime_type="image/png"), stream(b"1" * 60))
        yield b"2" * 60

    with pytest.raises(ResourceExhausted, match="uses 60 of its 100"):
        await uploads.complete(upload.id, 0, slow())

    kept = await uploads.query(upload.id)
    assert (kept.state, kept.received) == ("active", 40)
    assert (await uploads.finish(upload.id)).sha256 == hashlib.sha256(b"2" * 40).hexdigest()
    assert len(left(tmp_path)) == 2


async def test_the_end_takes_over_from_a_stalled_request(uploads: Uploads, files: FileStore) -> None:
    upload = await uploads.start(Draft("p", mime_type="image/png"))
    stalled, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield bytes(MIB)
        stalled.set()
        await go_on.wait()

    old = asyncio.create_task(uploads.complete(upload.id, 0, slow()))
    await stalled.wait()
    made = await uploads.complete(upload.id, 0, stream(PNG))
    go_on.set()

    with pytest.raises(FailedPrecondition, match="taken over"):
        await old
    assert bytes(await files.map(made)) == PNG


@pytest.mark.parametrize("turns", range(0, 60, 4))
async def test_a_client_that_leaves_at_the_end_loses_nothing(
    turns: int, uploads: Uploads, files: FileStore
) -> None:
    upload = await uploads.start(Draft("p", mime_type="image/png"))

    leaving = asyncio.create_task(uploads.complete(upload.id, 0, stream(PNG)))
    for _ in range(turns):
        await asyncio.sleep(0)
    leaving.cancel()
    with suppress(asyncio.CancelledError):
        await leaving

    assert (await uploads.query(upload.id)).state in ("active", "final")
    assert bytes(await files.map(await uploads.complete(upload.id, 0, stream(PNG)))) == PNG


async def test_no_room_for_a_copy_keeps_what_came_with_the_end(
    tmp_path: Path, small_disk: Callable[..., Path], fill: Callable[[Path], Path]
) -> None:
    blobs = small_disk(at=tmp_path / "blobs")
    storage = open_storage(tmp_path)
    ballast = fill(blobs)
    uploads = uploads_of(storage)
    upload = await uploads.start(Draft("p", mime_type="image/png"))
    await uploads.receive(upload.id, 0, stream(PNG[:30]))

    # Another server's life: it knows no hash of what came before.
    uploads = uploads_of(storage)
    with pytest.raises(ResourceExhausted, match="disk is full"):
        await uploads.complete(upload.id, 30, stream(PNG[30:]))

    assert (await uploads.query(upload.id)).received == 104
    ballast.unlink()
    made = await uploads.finish(upload.id)
    assert made.sha256 == hashlib.sha256(PNG).hexdigest()
    await storage.close()


async def test_a_file_may_come_whole(uploads: Uploads, files: FileStore, tmp_path: Path) -> None:
    made = await uploads.put(Draft("p", file_id="mine", size=104), stream(PNG[:30], PNG[30:]))

    assert (made.id, made.mime_type, made.size) == ("mine", "image/png", 104)
    assert bytes(await files.map(made)) == PNG
    assert len(left(tmp_path)) == 1
    assert (await files.usage()).uploads == 0


@pytest.mark.parametrize("size", [0, 2 * MIB, SYNC_BYTES + MIB])
async def test_nothing_is_left_of_a_whole_file_that_breaks(
    size: int, uploads: Uploads, files: FileStore, tmp_path: Path
) -> None:
    blocks = [bytes(MIB)] * (size // MIB)

    with pytest.raises(Cancelled):
        await uploads.put(Draft("p", mime_type="image/png"), stream(*blocks, then=Cancelled("gone")))

    assert left(tmp_path) == []
    usage = await files.usage()
    assert (usage.files, usage.uploads, usage.upload_bytes) == (0, 0, 0)


@pytest.mark.parametrize("turns", range(0, 60, 4))
async def test_a_whole_file_whose_client_leaves_is_kept_or_gone(
    turns: int, uploads: Uploads, files: FileStore, tmp_path: Path
) -> None:
    leaving = asyncio.create_task(uploads.put(Draft("p", mime_type="image/png"), stream(PNG)))
    for _ in range(turns):
        await asyncio.sleep(0)
    leaving.cancel()
    with suppress(asyncio.CancelledError):
        await leaving

    kept = (await files.list("p", 10)).files
    assert [bytes(await files.map(record)) for record in kept] in ([], [PNG])
    assert len(left(tmp_path)) == len(kept)


@pytest.mark.parametrize(
    ("draft", "says"),
    [
        (Draft("p", mime_type="image/png", size=103), "declared with 103 bytes"),
        (Draft("p", mime_type="image/png", size=105), "104 of the 105"),
        (Draft("p", size=2 * 1024**3 + 1), "exceeds the limit"),
    ],
)
async def test_a_whole_file_of_another_size_is_refused(
    draft: Draft, says: str, uploads: Uploads, tmp_path: Path
) -> None:
    with pytest.raises(InvalidArgument, match=says):
        await uploads.put(draft, stream(PNG))

    assert left(tmp_path) == []


async def test_a_whole_file_is_refused_unread_where_its_name_is_taken(uploads: Uploads) -> None:
    await uploads.put(Draft("p", file_id="mine"), stream(PNG))

    with pytest.raises(AlreadyExists):
        await uploads.put(Draft("p", file_id="mine"), stream(then=AssertionError("read")))


async def test_of_two_whole_files_for_one_name_the_first_to_end_wins(
    uploads: Uploads, files: FileStore, tmp_path: Path
) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield PNG
        await uploads.put(Draft("p", file_id="mine"), stream(PNG, b"first"))

    with pytest.raises(AlreadyExists):
        await uploads.put(Draft("p", file_id="mine"), slow())

    assert bytes(await files.map(await files.get("p", "mine"))) == PNG + b"first"
    assert len(left(tmp_path)) == 1


async def test_whole_files_at_the_same_time_do_not_share_the_same_room(
    storage: Storage, files: FileStore
) -> None:
    uploads = uploads_of(storage, max_project_bytes=100)
    both_began = asyncio.Barrier(2)

    async def slow(piece: bytes) -> AsyncIterator[bytes]:
        await both_began.wait()
        yield piece

    done = await asyncio.gather(
        *(uploads.put(Draft("p", mime_type="image/png"), slow(piece * 60)) for piece in (b"1", b"2")),
        return_exceptions=True,
    )

    assert [isinstance(answer, ResourceExhausted) for answer in done].count(True) == 1
    assert (await files.usage()).bytes == 60


async def test_a_long_whole_file_takes_room_on_its_way(uploads: Uploads, files: FileStore) -> None:
    seen = list[int]()

    async def watched() -> AsyncIterator[bytes]:
        for _ in range(SYNC_BYTES // MIB + 2):
            yield bytes(MIB)
        seen.append((await files.usage()).upload_bytes)

    made = await uploads.put(Draft("p", mime_type="image/png"), watched())

    assert seen == [SYNC_BYTES]
    assert made.size == SYNC_BYTES + 2 * MIB
    assert (await files.usage()).uploads == 0


async def test_a_part_that_a_failed_end_left_as_a_blob_does_not_change_it(
    server: Server, uploads: Uploads, files: FileStore, tmp_path: Path
) -> None:
    upload = await uploads.start(Draft("p", mime_type="image/png"))
    await uploads.receive(upload.id, 0, stream(PNG[:50]))
    part, blob = tmp_path / "uploads" / upload.id, tmp_path / "blobs" / "00" / ("0" * 64)
    blob.parent.mkdir(parents=True)
    blob.hardlink_to(part)

    made = await uploads.complete(upload.id, 50, stream(PNG[50:]))

    assert blob.read_bytes() == PNG[:50]
    assert bytes(await files.map(made)) == PNG
