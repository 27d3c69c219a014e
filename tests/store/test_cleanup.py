"""The sweeper: what it removes, what it leaves, and what a crash leaves for it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest

from storing import cleanup_of, interactions_of, uploads_of
from twinlens.domain.errors import FailedPrecondition, NotFound
from twinlens.domain.interaction import Interaction, Outcome
from twinlens.domain.request import BlobRef
from twinlens.store.cleanup import BATCH, CleanupJob, CleanupReport
from twinlens.store.contents import Contents
from twinlens.store.files import FileStore
from twinlens.store.interactions import InteractionStore
from twinlens.store.records import FileRecord
from twinlens.store.storage import Storage
from twinlens.store.uploads import Draft, Uploads

Upload = Callable[..., Awaitable[FileRecord]]
ORPHAN = "ab" * 32


class Clock(Protocol):
    def move(self, by: timedelta) -> None: ...


class Server(Protocol):
    async def restart(self) -> Storage: ...


@pytest.fixture
def sweeper(storage: Storage, uploads: Uploads) -> CleanupJob:
    return cleanup_of(storage, uploads)


async def stream(data: bytes) -> AsyncIterator[bytes]:
    yield data


def blobs(folder: Path) -> list[Path]:
    return [path for path in (folder / "blobs").rglob("*") if path.is_file()]


def parts(folder: Path) -> list[Path]:
    return list((folder / "uploads").iterdir())


async def test_there_may_be_nothing_to_sweep(sweeper: CleanupJob, upload: Upload, files: FileStore) -> None:
    made = await upload(b"young")

    assert await sweeper.sweep() == CleanupReport()

    assert bytes(await files.map(made)) == b"young"


async def test_expired_files_go_and_their_bytes_with_them(
    sweeper: CleanupJob, upload: Upload, clock: Clock, tmp_path: Path
) -> None:
    await upload(b"first")
    await upload(b"second")
    clock.move(timedelta(hours=48))

    swept = await sweeper.sweep()

    assert swept == CleanupReport(files=2, blobs=2, bytes=11)
    assert blobs(tmp_path) == []


async def test_bytes_that_a_younger_file_names_stay(
    sweeper: CleanupJob, upload: Upload, clock: Clock, files: FileStore
) -> None:
    await upload(b"same")
    clock.move(timedelta(hours=47))
    young = await upload(b"same")
    clock.move(timedelta(hours=1))

    assert await sweeper.sweep() == CleanupReport(files=1)

    assert bytes(await files.map(young)) == b"same"


async def test_bytes_of_a_file_whose_name_was_taken_over_go(
    sweeper: CleanupJob, upload: Upload, clock: Clock, tmp_path: Path
) -> None:
    await upload(b"old", file_id="name")
    clock.move(timedelta(hours=48))
    await upload(b"new", file_id="name")

    assert await sweeper.sweep() == CleanupReport(blobs=1, bytes=3)

    assert len(blobs(tmp_path)) == 1


async def test_an_abandoned_upload_goes_with_its_part(
    sweeper: CleanupJob, uploads: Uploads, clock: Clock, tmp_path: Path
) -> None:
    upload = await uploads.start(Draft("p"))
    await uploads.receive(upload.id, 0, stream(b"half of it"))
    clock.move(timedelta(days=7))

    assert await sweeper.sweep() == CleanupReport(uploads=1, bytes=10)

    assert parts(tmp_path) == []
    with pytest.raises(NotFound):
        await uploads.query(upload.id)


async def test_an_upload_that_is_still_young_stays(
    sweeper: CleanupJob, uploads: Uploads, clock: Clock, tmp_path: Path
) -> None:
    upload = await uploads.start(Draft("p"))
    await uploads.receive(upload.id, 0, stream(b"half of it"))
    clock.move(timedelta(days=7, microseconds=-1))

    assert await sweeper.sweep() == CleanupReport()
    assert await sweeper.recover() == CleanupReport()

    assert (await uploads.query(upload.id)).received == 10


async def test_what_is_known_of_ended_uploads_goes_after_a_week(
    sweeper: CleanupJob, uploads: Uploads, upload: Upload, clock: Clock
) -> None:
    await upload(b"bytes")
    cancelled = await uploads.start(Draft("p"))
    await uploads.cancel(cancelled.id)
    clock.move(timedelta(hours=48))
    assert (await sweeper.sweep()).uploads == 0

    clock.move(timedelta(days=5))

    assert await sweeper.sweep() == CleanupReport(uploads=2)


async def test_a_request_for_an_upload_that_is_swept_is_refused(
    sweeper: CleanupJob, uploads: Uploads, clock: Clock, tmp_path: Path
) -> None:
    upload = await uploads.start(Draft("p"))
    written, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield bytes(1024 * 1024)
        written.set()
        await go_on.wait()

    request = asyncio.create_task(uploads.receive(upload.id, 0, slow()))
    await written.wait()
    clock.move(timedelta(days=7))
    await sweeper.sweep()
    go_on.set()

    with pytest.raises(FailedPrecondition):
        await request
    assert parts(tmp_path) == []


async def test_more_than_a_batch_is_swept_in_one_pass(
    sweeper: CleanupJob, uploads: Uploads, clock: Clock
) -> None:
    for _ in range(BATCH + 1):
        await uploads.start(Draft("p"))
    clock.move(timedelta(days=7))

    assert await sweeper.sweep() == CleanupReport(uploads=BATCH + 1)


async def test_bytes_that_a_crash_left_without_a_record_go(sweeper: CleanupJob, tmp_path: Path) -> None:
    orphan = tmp_path / "blobs" / "ab" / ORPHAN
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(b"nobody's")

    assert await sweeper.recover() == CleanupReport(blobs=1, bytes=8)

    assert blobs(tmp_path) == []


async def test_parts_that_a_crash_left_without_an_upload_go(
    sweeper: CleanupJob, uploads: Uploads, tmp_path: Path
) -> None:
    finished = await uploads.start(Draft("p", mime_type="image/png"))
    await uploads.receive(finished.id, 0, stream(b"bytes"))
    await uploads.finish(finished.id)
    (tmp_path / "uploads" / finished.id).write_bytes(b"bytes")
    (tmp_path / "uploads" / "unknown").write_bytes(b"123")

    assert await sweeper.recover() == CleanupReport(uploads=2, bytes=8)

    assert parts(tmp_path) == []


async def test_a_crash_between_bytes_and_record_loses_nothing(
    server: Server, uploads: Uploads, tmp_path: Path
) -> None:
    upload = await uploads.start(Draft("p", mime_type="image/png"))
    await uploads.receive(upload.id, 0, stream(b"bytes"))
    # What finishing does first: the blob is a second name of the part.
    orphan = tmp_path / "blobs" / "ab" / ORPHAN
    orphan.parent.mkdir(parents=True)
    orphan.hardlink_to(tmp_path / "uploads" / upload.id)

    again = await server.restart()
    resumed = uploads_of(again)
    assert await cleanup_of(again, resumed).recover() == CleanupReport(blobs=1, bytes=5)

    assert bytes(await again.files.map(await resumed.finish(upload.id))) == b"bytes"


async def test_half_a_blob_that_a_crash_left_goes(sweeper: CleanupJob, tmp_path: Path) -> None:
    half = tmp_path / "blobs" / "ab" / f"{ORPHAN}#1"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")

    await sweeper.recover()

    assert blobs(tmp_path) == []


async def test_recovering_leaves_what_is_wanted(
    server: Server, uploads: Uploads, upload: Upload, tmp_path: Path
) -> None:
    waiting = await upload(b"film", mime_type="video/mp4")
    session = await uploads.start(Draft("p"))
    await uploads.receive(session.id, 0, stream(b"half of it"))

    again = await server.restart()
    resumed = uploads_of(again)
    assert await cleanup_of(again, resumed).recover() == CleanupReport()

    assert list(await again.files.pending()) == [waiting]
    assert bytes(await again.files.map(waiting)) == b"film"
    assert (await resumed.query(session.id)).received == 10


async def keep(store: InteractionStore, storage: Storage, name: str, previous: str | None = None) -> None:
    """Keep an interaction with a medium of its own, which is its name."""
    data = name.encode()
    sha256 = hashlib.sha256(data).hexdigest()
    media = (BlobRef(sha256, len(data), "image/png"),)
    outcome, time = Outcome("completed"), storage.clock()
    async with storage.contents.pinned([sha256]):
        await storage.contents.put(data, sha256)
        await store.add("p", Interaction(name, "m", b"", time, time, previous, media, outcome=outcome))


@pytest.fixture
def store(storage: Storage) -> InteractionStore:
    return interactions_of(storage)


async def test_expired_interactions_go_once_nothing_is_built_on_them(
    store: InteractionStore,
    storage: Storage,
    files: FileStore,
    uploads: Uploads,
    clock: Clock,
    tmp_path: Path,
) -> None:
    sweeper = cleanup_of(storage, uploads, store)
    await keep(store, storage, "first")
    await keep(store, storage, "alone")
    clock.move(timedelta(hours=12))
    await keep(store, storage, "second", "first")
    clock.move(timedelta(hours=12))

    assert await sweeper.sweep() == CleanupReport(blobs=1, bytes=5, interactions=1)
    assert [turn.id for turn in await store.history("p", "second")] == ["first", "second"]
    clock.move(timedelta(hours=12))

    assert await sweeper.sweep() == CleanupReport(blobs=2, bytes=11, interactions=2)
    assert blobs(tmp_path) == []


async def test_more_than_a_batch_of_interactions_is_swept_in_one_pass(
    store: InteractionStore, storage: Storage, uploads: Uploads, clock: Clock
) -> None:
    for number in range(2 * BATCH + 1):
        time, outcome = storage.clock(), Outcome("completed")
        previous = f"{number - 1}" if number else None
        await store.add("p", Interaction(f"{number}", "m", b"", time, time, previous, outcome=outcome))
        clock.move(timedelta(microseconds=1))
    clock.move(timedelta(days=1))

    swept = await cleanup_of(storage, uploads, store).sweep()

    assert swept == CleanupReport(interactions=2 * BATCH + 1)


async def test_bytes_that_only_an_interaction_names_stay_after_a_crash(
    server: Server, store: InteractionStore, storage: Storage, tmp_path: Path
) -> None:
    await keep(store, storage, "bytes")
    (blob,) = blobs(tmp_path)
    # A crash while bytes were written, and one after that.
    (tmp_path / "uploads" / "kept-half").write_bytes(b"half")
    orphan = tmp_path / "blobs" / "ab" / ORPHAN
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"nobody's")

    again = await server.restart()
    assert await cleanup_of(again, uploads_of(again)).recover() == CleanupReport(uploads=1, blobs=1, bytes=12)

    assert blobs(tmp_path) == [blob]
    assert parts(tmp_path) == []


async def test_sweeping_while_interactions_come_and_go_takes_nothing_that_is_wanted(
    store: InteractionStore,
    storage: Storage,
    files: FileStore,
    contents: Contents,
    uploads: Uploads,
    upload: Upload,
    tmp_path: Path,
) -> None:
    sweeper = cleanup_of(storage, uploads, store)

    async def come_and_go(project: str) -> None:
        data = hashlib.sha256(b"same").hexdigest()
        media, time = (BlobRef(data, 4, "image/png"),), storage.clock()
        for _ in range(10):
            async with contents.pinned([data]):
                await contents.put(b"same", data)
                await store.add(project, Interaction("name", "m", b"", time, time, media=media))
            assert await contents.map(data) == b"same"
            await store.delete(project, "name")

    async def sweep() -> None:
        for _ in range(10):
            await sweeper.sweep()
            await files.delete("p", (await upload(b"same")).id)

    await asyncio.gather(keep(store, storage, "kept"), come_and_go("a"), come_and_go("b"), sweep())

    assert [blob.read_bytes() for blob in blobs(tmp_path)] == [b"kept"]


async def test_sweeping_while_files_come_and_go_takes_nothing_that_is_wanted(
    sweeper: CleanupJob, files: FileStore, upload: Upload, tmp_path: Path
) -> None:
    async def come_and_go() -> None:
        for _ in range(10):
            await files.delete("p", (await upload(b"same")).id)

    async def sweep() -> None:
        for _ in range(10):
            await sweeper.sweep()

    kept, *_ = await asyncio.gather(upload(b"kept"), come_and_go(), come_and_go(), sweep())

    assert bytes(await files.map(kept)) == b"kept"
    assert len(blobs(tmp_path)) == 1


class Told(logging.Handler):
    """Hands on what is logged as soon as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.messages = asyncio.Queue[str]()

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.put_nowait(record.getMessage())


@pytest.fixture
def told() -> Iterator[Told]:
    told, logger = Told(), logging.getLogger("twinlens.store.cleanup")
    logger.addHandler(told)
    logger.setLevel(logging.INFO)
    yield told
    logger.removeHandler(told)
    logger.setLevel(logging.NOTSET)


async def test_a_pass_that_fails_is_logged_and_the_next_one_comes(
    sweeper: CleanupJob, upload: Upload, clock: Clock, tmp_path: Path, told: Told
) -> None:
    await upload(b"bytes")
    clock.move(timedelta(hours=48))
    (blob,) = blobs(tmp_path)
    blob.unlink()
    blob.mkdir()

    running = asyncio.create_task(sweeper.run(0.001))

    assert "failed; the next try comes" in await told.messages.get()
    blob.rmdir()
    assert "Swept" in await told.messages.get()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
