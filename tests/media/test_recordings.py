"""Frames out of the worker pool: what is asked for, what comes back, and what is not believed."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

import clips
from twinlens.descriptors import anonymous_file
from twinlens.domain.errors import BadMedia
from twinlens.domain.media import Blob
from twinlens.media.recordings import MAX_BATCH_BYTES, FrameBatch, Frames, Sounds
from twinlens.media.worker.jobs import Limits, to_file
from twinlens.media.worker.pool import WorkerPool
from twinlens.media.worker.process import WorkerDied

SEND_A_VIDEO = "Send MP4, MOV, MPEG, AVI, FLV, WEBM, WMV or 3GPP."
FIELD = "contents[0].parts[0].inline_data"

on_one_loop = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def pool() -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(1, 512, 30)
    await pool.start()
    yield pool
    await pool.stop()


def stored(data: bytes, mime_type: str = "video/mp4") -> Blob:
    return to_file(Blob(data, mime_type, FIELD))


def numbers(batch: FrameBatch) -> list[int]:
    return [clips.counted(frame) for frame in np.asarray(batch.images)]


@on_one_loop
@pytest.mark.parametrize("name", clips.CONTAINERS)
async def test_frames_come_at_the_size_and_the_times_that_are_wanted(pool: WorkerPool, name: str) -> None:
    film = stored(clips.video(name, draw=clips.count, sound=True), clips.CONTAINERS[name].mime_type)

    batch = await pool.do(Frames(film, (0, 0.52, 1.48), 128, 72))

    assert np.asarray(batch.images).shape == (3, 72, 128, 3)
    # In this AVI the first frame is held for two.
    assert batch.times == pytest.approx((0, 0.5, 1.5), abs=0.03)
    assert numbers(batch) == ([0, 4, 14] if name == "avi" else [0, 5, 15])


@on_one_loop
async def test_many_jobs_read_one_file(pool: WorkerPool) -> None:
    film = stored(clips.video(draw=clips.count))

    found = [await pool.do(Frames(film, (number / 10,), 64, 48)) for number in (7, 3, 15)]

    assert [numbers(batch) for batch in found] == [[7], [3], [15]]


@on_one_loop
async def test_a_job_gives_no_more_than_there_is_room_for(pool: WorkerPool) -> None:
    film = stored(clips.video(draw=clips.count))
    side = 2304

    batch = await pool.do(Frames(film, tuple(number / 10 for number in range(20)), side, side))

    assert np.asarray(batch.images).nbytes <= MAX_BATCH_BYTES
    assert numbers(batch) == list(range(len(batch.times)))


@on_one_loop
async def test_a_thousand_times_are_not_too_many(pool: WorkerPool) -> None:
    film = stored(clips.video(draw=clips.count))

    batch = await pool.do(Frames(film, tuple(number / 700 for number in range(1400)), 64, 48))

    assert len(batch.times) == 500
    assert numbers(batch) == sorted(numbers(batch))


@on_one_loop
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            clips.video()[:1000],
            "The video data is damaged or incomplete. Check the file and send it again.",
        ),
        (
            b"hello",
            f"The data is labelled video/mp4 but looks like plain text. {SEND_A_VIDEO}",
        ),
    ],
)
async def test_a_refusal_says_what_to_do_and_names_the_field(
    pool: WorkerPool, data: bytes, message: str
) -> None:
    with pytest.raises(BadMedia) as caught:
        await pool.do(Frames(stored(data), (0,), 64, 48))

    assert caught.value.message == message
    assert caught.value.violations[0].field == FIELD


@on_one_loop
@pytest.mark.parametrize("name", clips.CONTAINERS)
async def test_damage_costs_an_error_at_most(pool: WorkerPool, name: str) -> None:
    film = clips.video(name, draw=clips.count, seconds=1)
    (pid,) = pool.pids
    found = 0

    for damaged in clips.mutations(film, 60, seed=8):
        try:
            batch = await pool.do(Frames(stored(damaged), (0, 0.3, 0.8), 64, 48))
        except BadMedia:
            continue
        found += len(batch.times)

    assert found
    assert pool.pids == (pid,)


@pytest.mark.parametrize(
    "times",
    [None, [], [0.0] * 3, ["0"], [True], [float("nan")], [float("inf")], [10**400], {"0": 1}, [None], 2],
)
def test_a_worker_that_answers_nonsense_is_lost(times: object) -> None:
    job = Frames(stored(b""), (0, 1), 64, 48)

    with anonymous_file() as buffer, pytest.raises(WorkerDied):
        job.result({"times": times}, buffer)


@pytest.mark.parametrize("count", [None, 0, -1, 16_001, "1", True, 1.0])
def test_a_worker_that_answers_nonsense_for_samples_is_lost(count: object) -> None:
    job = Sounds(stored(b""), 0, 1)

    with anonymous_file() as buffer, pytest.raises(WorkerDied):
        job.result({"samples": count}, buffer)


def test_a_worker_that_cuts_the_file_is_lost() -> None:
    job = Frames(stored(b""), (0, 1), 64, 48)

    with anonymous_file() as buffer:
        os.truncate(buffer.fileno(), 64 * 48 * 3)
        with pytest.raises(WorkerDied):
            job.result({"times": [0, 1]}, buffer)


@pytest.mark.parametrize("reason", [None, "surprise", 7])
def test_a_reason_that_is_none_counts_as_a_crash(reason: object) -> None:
    error = Frames(stored(b""), (0,), 64, 48).refusal(reason, {}, Limits(512, 30))

    assert error.message == "The decoder cannot handle this video. Convert it to H.264 and send it again."
