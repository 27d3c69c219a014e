"""Looking into files before they are used: begun once, shared, given up, begun again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

import clips
from storing import uploads_of
from twinlens.domain.errors import FailedPrecondition, PermissionDenied
from twinlens.media import is_inspected
from twinlens.media.worker.pool import WorkerPool
from twinlens.pipeline.processing import Processing
from twinlens.store.files import FileStore
from twinlens.store.records import FileRecord
from twinlens.store.storage import Storage, open_storage
from twinlens.store.uploads import Draft


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    storage = open_storage(tmp_path)
    yield storage
    await storage.close()


@pytest.fixture
def files(storage: Storage) -> FileStore:
    return storage.files


@pytest.fixture
async def pool() -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(1, 1024, 30.0)
    await pool.start()
    yield pool
    await pool.stop()


@pytest.fixture
async def processing(files: FileStore, pool: WorkerPool) -> AsyncIterator[Processing]:
    processing = Processing(files, pool, at_once=1, patience_s=30.0)
    yield processing
    await processing.stop()


async def upload(
    storage: Storage, data: bytes, mime_type: str = "video/mp4", project: str = "p"
) -> FileRecord:
    async def stream() -> AsyncIterator[bytes]:
        yield data

    uploads = uploads_of(storage, inspected=is_inspected)
    session = await uploads.start(Draft(project, mime_type=mime_type))
    await uploads.receive(session.id, 0, stream())
    return await uploads.finish(session.id)


async def test_a_video_is_ready_with_its_duration(processing: Processing, storage: Storage) -> None:
    record = await upload(storage, clips.video(seconds=2))

    ready = await processing.ready("p", record.id)

    assert (record.state, ready.state, ready.duration) == ("PROCESSING", "ACTIVE", timedelta(seconds=2))


async def test_a_file_that_needs_no_look_is_ready_at_once(processing: Processing, storage: Storage) -> None:
    record = await upload(storage, b"words", "text/plain")

    assert await processing.settled(record, 0.0) is record
    assert await processing.ready("p", record.id) == record


async def test_a_file_that_cannot_be_read_is_never_ready(
    processing: Processing, storage: Storage, files: FileStore
) -> None:
    record = await upload(storage, b"no video at all")

    with pytest.raises(FailedPrecondition, match=f"The File {record.id} is not in an ACTIVE state"):
        await processing.ready("p", record.id)

    failed = await files.get("p", record.id)
    assert (failed.state, failed.duration) == ("FAILED", None)
    assert failed.error


async def test_all_who_ask_share_one_look(processing: Processing, storage: Storage) -> None:
    record = await upload(storage, clips.video())

    first, second = processing.begin(record), processing.begin(record)

    assert first is second
    await first


async def test_whoever_loses_patience_leaves_the_look_to_the_others(
    processing: Processing, storage: Storage
) -> None:
    record = await upload(storage, clips.video())

    impatient = await processing.settled(record, 0.0)
    patient = await processing.settled(record, 30.0)

    assert (impatient.state, patient.state) == ("PROCESSING", "ACTIVE")


async def test_a_cancelled_request_does_not_cancel_the_look(processing: Processing, storage: Storage) -> None:
    record = await upload(storage, clips.video())
    asking = asyncio.create_task(processing.ready("p", record.id))
    await asyncio.sleep(0)

    asking.cancel()

    assert (await processing.ready("p", record.id)).state == "ACTIVE"


async def test_a_long_look_says_how_far_it_is_until_it_is_over(
    processing: Processing, storage: Storage
) -> None:
    # This takes more than half a second to search.
    record = await upload(storage, b"%PDF-1.4\n" + bytes(100 * 1024**2), "application/pdf")
    other = await upload(storage, clips.pdf(1), "application/pdf")

    assert processing.progress_of(record) is None
    look = processing.begin(record)
    async with asyncio.timeout(120):
        while (progress := processing.progress_of(record)) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    assert 0 < progress <= 1
    assert processing.progress_of(other) is None
    await look
    assert processing.progress_of(record) is None


async def test_what_was_left_is_taken_up_at_the_start(processing: Processing, storage: Storage) -> None:
    records = [await upload(storage, clips.video(seconds=seconds)) for seconds in (1, 2, 3)]

    await processing.start()

    for record in records:
        assert (await processing.settled(record, 30.0)).state == "ACTIVE"


async def test_a_pool_that_is_closed_leaves_the_file_to_the_next_who_asks(
    storage: Storage, files: FileStore
) -> None:
    closed = WorkerPool(1, 1024, 30.0)
    record = await upload(storage, clips.video())
    processing = Processing(files, closed, at_once=1, patience_s=30.0)

    with pytest.raises(FailedPrecondition):
        await processing.ready("p", record.id)
    await closed.start()

    assert (await processing.ready("p", record.id)).state == "ACTIVE"
    await closed.stop()


async def test_a_projects_many_files_do_not_hold_up_anothers_one(
    processing: Processing, storage: Storage, files: FileStore
) -> None:
    many = [await upload(storage, clips.video(seconds=seconds)) for seconds in range(1, 7)]
    one = await upload(storage, clips.pdf(1), "application/pdf", project="other")
    for record in many:
        processing.begin(record)

    assert (await processing.ready("other", one.id)).state == "ACTIVE"

    assert len(await files.pending()) >= 3


async def test_a_file_deleted_meanwhile_is_gone(
    processing: Processing, storage: Storage, files: FileStore, caplog: pytest.LogCaptureFixture
) -> None:
    record = await upload(storage, clips.video())
    await files.delete("p", record.id)

    with caplog.at_level(logging.WARNING), pytest.raises(PermissionDenied):
        await processing.settled(record, 30.0)

    assert not caplog.records


async def test_a_stop_leaves_files_processing(storage: Storage, files: FileStore, pool: WorkerPool) -> None:
    processing = Processing(files, pool, at_once=1, patience_s=30.0)
    records = [await upload(storage, clips.video(seconds=seconds)) for seconds in (1, 2)]
    for record in records:
        processing.begin(record)

    await processing.stop()

    assert {(await files.get("p", record.id)).state for record in records} <= {"PROCESSING", "ACTIVE"}
    assert len(await files.pending()) >= 1
