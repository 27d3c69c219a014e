"""The pool of decoders: what a bad image costs, and what it does not cost."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import struct
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from PIL import Image

import clips
import images
import pdfs
from twinlens import media
from twinlens.domain.errors import BadMedia, Unavailable
from twinlens.domain.media import Blob, Descriptor, ImageInfo, Pixels
from twinlens.media.documents import PageImages
from twinlens.media.worker.compute_quota import ComputeQuota, ComputeQuotaExceeded
from twinlens.media.worker.jobs import to_file
from twinlens.media.worker.pool import WorkerPool

FIELD = "contents[0].parts[1].inline_data"


@asynccontextmanager
async def running(
    workers: int = 1, memory_mib: int = 512, timeout_s: float = 30
) -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(workers, memory_mib, timeout_s)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.stop()


async def decode(pool: WorkerPool, data: bytes | bytearray, info: ImageInfo | None = None) -> Pixels:
    blob = Blob(data, None, FIELD)
    info = info or media.probe(blob, 100_000_000)
    return await pool.decode(blob, info, min(info.width, 64), min(info.height, 48))


async def refusal(pool: WorkerPool, data: bytes, info: ImageInfo | None = None) -> str:
    with pytest.raises(BadMedia) as caught:
        await decode(pool, data, info)
    assert caught.value.violations[0].field == FIELD
    return caught.value.message


async def assert_well(pool: WorkerPool) -> None:
    assert images.corners(await decode(pool, images.make("jpeg"))) == images.CORNERS


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@contextmanager
def slow_file(tmp_path: Path) -> Iterator[IO[bytes]]:
    """Hold a document with a long hole, which takes many seconds to search."""
    path = tmp_path / "slow.pdf"
    path.write_bytes(b"%PDF-1.4\n")
    os.truncate(path, 8 * 1024**3)
    with path.open("rb") as file:
        yield file


def as_blob(file: IO[bytes]) -> Blob:
    """Name a file that lies on the disk, by a descriptor of its own."""
    return Blob(b"", None, FIELD, file=Descriptor(os.dup(file.fileno())))


async def unread(pool: WorkerPool, file: IO[bytes]) -> str:
    with pytest.raises(BadMedia) as caught:
        await pool.inspect(as_blob(file), "application/pdf")
    return caught.value.message


async def until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not fact():  # noqa: ASYNC110  the fact is another process's
            await asyncio.sleep(0.01)


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


async def at_work(pid: int) -> None:
    """Wait until a worker has begun to work on something, more than on taking a job."""
    begin = worked(pid)
    await until(lambda: worked(pid) > begin + 0.03)


def worked(pid: int) -> float:
    return time.clock_gettime(~pid << 3 | 2)


def blob_of(data: bytes) -> Blob:
    return Blob(data, None, FIELD)


def environment_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


SLOW = images.encode(Image.new("P", (9000, 9000)), "gif")
"""Takes half a second to decode."""


@pytest.mark.parametrize("name", images.FORMATS)
async def test_each_format_comes_back_as_pixels(name: str) -> None:
    async with running() as pool:
        pixels = await decode(pool, bytearray(images.make(name)))

    assert pixels.shape == (48, 64, 3)
    assert pixels.dtype == np.uint8
    assert images.corners(pixels) == images.CORNERS


async def test_many_requests_share_a_few_workers() -> None:
    async with running(workers=2) as pool:
        shades = [images.encode(Image.new("RGB", (64, 48), (shade, 0, 0)), "png") for shade in range(40)]

        found = await asyncio.gather(*(decode(pool, body) for body in shades))

        assert [int(pixels[0, 0, 0]) for pixels in found] == list(range(40))
        assert pool.restarts == 0


async def test_damaged_data_costs_its_request_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "twinlens.media.worker.pool")
    async with running() as pool:
        message = await refusal(pool, images.make("jpeg")[:-40])
        await assert_well(pool)

        assert message == (
            "Unable to process input image. The JPEG data is damaged or incomplete. "
            "Check the file and send it again."
        )
        assert "Premature end of JPEG file" in caplog.text
        assert pool.restarts == 0


async def test_a_header_that_lies_about_the_size_is_refused() -> None:
    body = images.make("webp")
    lie = replace(media.probe(Blob(body, None, FIELD), 100_000_000), width=32, height=24)

    async with running() as pool:
        assert "does not have the size that its header states" in await refusal(pool, body, lie)


async def test_an_image_that_needs_too_much_memory_is_refused() -> None:
    bomb = images.encode(Image.new("P", (7000, 7000)), "gif")

    async with running(memory_mib=48) as pool:
        message = await refusal(pool, bomb)
        await assert_well(pool)

        assert "more than 48 MiB of memory" in message
        assert pool.restarts == 1


async def test_a_crash_costs_one_request_and_one_worker() -> None:
    async with running() as pool:
        await assert_well(pool)
        (pid,) = pool.pids
        first = asyncio.create_task(refusal(pool, SLOW))
        second = asyncio.create_task(decode(pool, images.make("png")))
        await at_work(pid)

        os.kill(pid, signal.SIGSEGV)

        assert "The decoder cannot handle this GIF data" in await first
        assert (await second).shape == (48, 64, 3)
        assert pool.restarts == 1
        assert pid not in pool.pids
        assert is_gone(pid)


async def test_a_worker_that_takes_too_long_is_killed() -> None:
    async with running(timeout_s=1) as pool:
        await assert_well(pool)
        (pid,) = pool.pids

        message = await refusal(pool, images.many_scans(100, 6000, 4000))

        await until(lambda: is_gone(pid))
        assert "longer than 1 s" in message
        await assert_well(pool)


async def test_a_worker_that_hangs_between_jobs_is_replaced_and_costs_no_request() -> None:
    async with running() as pool:
        await assert_well(pool)
        (pid,) = pool.pids
        os.kill(pid, signal.SIGSTOP)

        await assert_well(pool)

        await until(lambda: is_gone(pid))
        assert pool.restarts == 1


async def test_a_job_goes_to_a_worker_that_is_ready() -> None:
    async with running(workers=2) as pool:
        await asyncio.gather(assert_well(pool), assert_well(pool))
        first, second = pool.pids
        os.kill(first, signal.SIGKILL)
        await until(lambda: is_gone(first))

        for _ in range(4):
            await assert_well(pool)

        assert second in pool.pids


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
async def test_a_job_whose_worker_was_stopped_from_outside_is_done_again(sign: signal.Signals) -> None:
    async with running() as pool:
        await assert_well(pool)
        (pid,) = pool.pids
        job = asyncio.create_task(decode(pool, images.many_scans(90, 3000, 2000)))
        await at_work(pid)

        os.kill(pid, sign)

        assert (await job).shape == (48, 64, 3)
        assert pool.restarts == 1


async def test_a_job_whose_workers_are_stopped_again_and_again_is_nobodys_fault(tmp_path: Path) -> None:
    async with running() as pool:
        await assert_well(pool)
        (pid,) = pool.pids
        with slow_file(tmp_path) as file:
            job = asyncio.create_task(pool.inspect(as_blob(file), "application/pdf"))
            await at_work(pid)
            os.kill(pid, signal.SIGKILL)
            await until(lambda: pool.pids not in ((), (pid,)))
            (other,) = pool.pids
            await at_work(other)
            os.kill(other, signal.SIGKILL)

            with pytest.raises(Unavailable, match="stopped from outside"):
                await job
        await assert_well(pool)


async def test_a_job_that_nobody_waits_for_any_more_ends_and_frees_its_worker(tmp_path: Path) -> None:
    async with running() as pool:
        await assert_well(pool)
        (pid,) = pool.pids
        with slow_file(tmp_path) as file:
            job = asyncio.create_task(pool.inspect(as_blob(file), "application/pdf"))
            await at_work(pid)

            job.cancel()

            await assert_well(pool)
        assert is_gone(pid)
        assert pool.restarts == 1


async def test_a_job_that_takes_all_the_work_of_its_request_ends_it(tmp_path: Path) -> None:
    quota = ComputeQuota("p", 0.5)
    async with running() as pool:
        await assert_well(pool)
        with slow_file(tmp_path) as file:
            with pytest.raises(ComputeQuotaExceeded, match=r"more than 0\.5 s") as caught:
                await pool.inspect(as_blob(file), "application/pdf", quota)
            restarts = pool.restarts
            with pytest.raises(ComputeQuotaExceeded):
                await pool.decode(
                    blob_of(images.make("png")), ImageInfo("png", "image/png", 1, 1), 1, 1, quota
                )

        assert caught.value.violations[0].field == FIELD
        assert pool.restarts == restarts == 1
        await assert_well(pool)


async def test_what_still_waits_is_refused_without_a_process_where_the_work_is_over() -> None:
    photo, info = blob_of(images.many_scans(90, 3000, 2000)), ImageInfo("jpeg", "image/jpeg", 3000, 2000)
    quota = ComputeQuota("p", 0.2)
    async with running() as pool:
        failures = await asyncio.gather(
            *(pool.decode(photo, info, 64, 48, quota) for _ in range(10)), return_exceptions=True
        )

        assert [type(failure) for failure in failures] == [ComputeQuotaExceeded] * 10
        assert pool.restarts == 1


async def test_what_a_job_takes_is_counted() -> None:
    quota = ComputeQuota("p")
    async with running() as pool:
        await pool.decode(
            blob_of(images.many_scans(90, 3000, 2000)),
            ImageInfo("jpeg", "image/jpeg", 3000, 2000),
            64,
            48,
            quota,
        )

    assert quota.spent_s > 0.05


async def test_a_jpeg_of_very_many_scans_is_not_decoded() -> None:
    async with running() as pool:
        message = await refusal(pool, images.many_scans(400))

        assert "more scans than any camera or program makes" in message
        assert pool.restarts == 0
        await decode(pool, images.many_scans(20))


async def test_a_small_picture_does_not_wait_for_the_end_of_a_large_document() -> None:
    document = to_file(Blob(pdfs.heavy(pages=1000), "application/pdf", FIELD, "digest"))
    pages = 0

    async def read_all(pool: WorkerPool) -> None:
        nonlocal pages
        quota = ComputeQuota("p")
        while True:
            wanted = tuple(range(pages + 1, pages + 21))
            drawn = await pool.do(PageImages(document, wanted, ((306, 396),) * 20), quota)
            pages += len(drawn)

    async with running() as pool:
        reading = asyncio.create_task(read_all(pool))
        await until(lambda: pages > 0)
        for _ in range(2):
            before = pages
            await assert_well(pool)
            assert not reading.done()
            # A part or two came in between, of hundreds.
            assert pages - before <= 40
        reading.cancel()


async def test_a_worker_that_died_between_jobs_costs_no_request() -> None:
    async with running() as pool:
        await assert_well(pool)
        (pid,) = pool.pids
        os.kill(pid, signal.SIGKILL)
        await until(lambda: is_gone(pid))

        await assert_well(pool)


async def test_a_worker_that_dies_before_it_takes_a_job_costs_no_request() -> None:
    async with running() as pool:
        await assert_well(pool)
        (pid,) = pool.pids
        os.kill(pid, signal.SIGSTOP)
        job = asyncio.create_task(assert_well(pool))
        await asyncio.sleep(0.2)

        os.kill(pid, signal.SIGKILL)

        await job
        assert pool.restarts == 1


async def test_an_interrupt_does_not_reach_the_workers() -> None:
    async with running() as pool:
        await assert_well(pool)
        os.kill(pool.pids[0], signal.SIGINT)

        await assert_well(pool)

        assert pool.restarts == 0


async def test_a_crash_on_a_stored_file_costs_one_worker(tmp_path: Path) -> None:
    async with running() as pool:
        await assert_well(pool)
        (pid,) = pool.pids
        with slow_file(tmp_path) as file:
            job = asyncio.create_task(unread(pool, file))
            await at_work(pid)

            os.kill(pid, signal.SIGSEGV)

            assert "The reader cannot handle this document." in await job
        await assert_well(pool)
        assert pool.restarts == 1


async def test_a_stored_file_that_takes_too_long_costs_one_worker(tmp_path: Path) -> None:
    async with running(timeout_s=1) as pool:
        await assert_well(pool)

        with slow_file(tmp_path) as file:
            message = await unread(pool, file)

        assert message == "Reading the document takes longer than 1 s. Split it and send it again."
        await assert_well(pool)
        assert pool.restarts == 1


async def test_a_stored_file_may_be_closed_while_its_job_waits_or_runs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # A test's log would hold on to the errors, and they hold on to their jobs.
    caplog.set_level("ERROR", "twinlens.media.worker.pool")
    async with running(timeout_s=1) as pool:
        await assert_well(pool)
        with slow_file(tmp_path) as file:
            tasks = [asyncio.create_task(pool.inspect(as_blob(file), "application/pdf")) for _ in range(3)]
            await asyncio.sleep(0.1)
        before = open_descriptors()

        tasks[2].cancel()
        found = [type(error) for error in await asyncio.gather(*tasks, return_exceptions=True)]
        tasks.clear()

        assert found == [BadMedia, BadMedia, asyncio.CancelledError]
        await until(lambda: open_descriptors() <= before - 3)


async def test_a_long_look_into_a_file_tells_how_far_it_is(tmp_path: Path) -> None:
    on_progress: list[float] = []
    with slow_file(tmp_path) as file:
        async with running() as pool:
            job = asyncio.create_task(
                pool.inspect(as_blob(file), "application/pdf", on_progress=on_progress.append)
            )
            await until(lambda: len(on_progress) >= 3)
        with pytest.raises(Unavailable):
            await job

    assert on_progress == sorted(set(on_progress))
    assert 0 < on_progress[0] < on_progress[-1] < 1


async def test_a_look_that_is_short_is_silent(tmp_path: Path) -> None:
    path = tmp_path / "short.pdf"
    path.write_bytes(clips.pdf(2))
    on_progress: list[float] = []
    async with running() as pool:
        await assert_well(pool)

        with path.open("rb") as file:
            await pool.inspect(as_blob(file), "application/pdf", on_progress=on_progress.append)

    assert on_progress == []


async def test_a_pool_that_stops_while_it_looks_into_a_file_says_so(tmp_path: Path) -> None:
    with slow_file(tmp_path) as file:
        async with running() as pool:
            await assert_well(pool)
            job = asyncio.create_task(pool.inspect(as_blob(file), "application/pdf"))
            await asyncio.sleep(0.2)

        with pytest.raises(Unavailable):
            await job
        with pytest.raises(Unavailable):
            await pool.inspect(as_blob(file), "application/pdf")


async def test_requests_that_are_given_up_do_not_mix_up_the_answers() -> None:
    photo = images.encode(Image.new("RGB", (3000, 2000), (9, 9, 9)), "jpeg", progressive=True)

    async with running() as pool:
        given_up = [asyncio.create_task(decode(pool, photo)) for _ in range(4)]
        await asyncio.sleep(0.05)
        for task in given_up:
            task.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)

        await assert_well(pool)

        assert all(task.cancelled() for task in given_up)
        assert pool.restarts == 0


async def test_the_event_loop_runs_on_while_images_are_decoded() -> None:
    photo = images.encode(Image.new("RGB", (3000, 2000), (9, 9, 9)), "png")
    turns = 0

    async with running() as pool:
        task = asyncio.create_task(decode(pool, photo))
        while not task.done():
            await asyncio.sleep(0)
            turns += 1

    assert turns > 10


async def test_workers_end_with_the_pool() -> None:
    async with running(workers=2) as pool:
        await assert_well(pool)
        pids = pool.pids

    assert len(pids) == 2
    assert all(is_gone(pid) for pid in pids)
    with pytest.raises(Unavailable):
        await assert_well(pool)


async def test_a_pool_that_stops_in_the_middle_of_a_job_says_so() -> None:
    async with running() as pool:
        await assert_well(pool)
        job = asyncio.create_task(decode(pool, SLOW))
        await asyncio.sleep(0.1)

    with pytest.raises(Unavailable):
        await job


async def test_workers_do_not_outlive_a_server_that_is_killed() -> None:
    code = (
        "import asyncio\n"
        "from twinlens.media.worker.pool import WorkerPool\n"
        "async def main():\n"
        "    pool = WorkerPool(1, 512, 30)\n"
        "    await pool.start()\n"
        "    print(pool.pids[0], flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert server.stdout
    pid = int(await server.stdout.readline())

    server.kill()
    await server.wait()

    await until(lambda: is_gone(pid))


async def test_workers_do_not_see_the_servers_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINLENS_API_KEYS", "secret")

    async with running() as pool:
        await assert_well(pool)

        assert b"secret" not in environment_of(pool.pids[0])


async def test_the_servers_memory_stays_flat_over_bad_images() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (900, 900, 3), np.uint8)
    damaged = images.encode(Image.fromarray(noise), "png")[:-3000]

    async with running() as pool:
        for _ in range(5):
            await refusal(pool, damaged)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(50):
            await refusal(pool, damaged)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert after - before < 16_000


@pytest.mark.parametrize(
    "bomb",
    [
        images.avif_grid(80, 80, says=(64, 48)),
        images.encode(Image.new("L", (6000, 4000)), "avif", speed=10).replace(
            struct.pack(">II", 6000, 4000), struct.pack(">II", 64, 48)
        ),
    ],
    ids=["tiles", "pixels"],
)
async def test_an_avif_picture_that_is_larger_than_its_header_says_costs_one_error(bomb: bytes) -> None:
    # libavif decodes it all the same, and scales it to what the header says: what counts is the memory.
    async with running(memory_mib=32) as pool:
        message = await refusal(pool, bomb)

        assert "Unable to process input image" in message
        assert images.corners(await decode(pool, images.make("avif"))) == images.CORNERS
