"""The pool of decoders: what a bad image costs, and what it does not cost."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from PIL import Image

import clips
import pictures
from twinlens import media
from twinlens.domain.errors import BadMedia, Unavailable
from twinlens.domain.media import Blob, Descriptor, ImageInfo, Pixels
from twinlens.media.worker import DecodePool

FIELD = "contents[0].parts[1].inline_data"


@asynccontextmanager
async def running(
    workers: int = 1, memory_mib: int = 512, timeout_s: float = 30
) -> AsyncIterator[DecodePool]:
    pool = DecodePool(workers, memory_mib, timeout_s)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.stop()


async def decode(pool: DecodePool, data: bytes | bytearray, info: ImageInfo | None = None) -> Pixels:
    blob = Blob(data, None, FIELD)
    info = info or media.probe(blob, 100_000_000)
    return await pool.decode(blob, info, min(info.width, 64), min(info.height, 48))


async def refusal(pool: DecodePool, data: bytes, info: ImageInfo | None = None) -> str:
    with pytest.raises(BadMedia) as caught:
        await decode(pool, data, info)
    assert caught.value.violations[0].field == FIELD
    return caught.value.message


async def assert_well(pool: DecodePool) -> None:
    assert pictures.corners(await decode(pool, pictures.make("jpeg"))) == pictures.CORNERS


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


async def unread(pool: DecodePool, file: IO[bytes]) -> str:
    with pytest.raises(BadMedia) as caught:
        await pool.inspect(as_blob(file), "application/pdf")
    return caught.value.message


async def until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not fact():  # noqa: ASYNC110  the fact is another process's
            await asyncio.sleep(0.01)


async def until_at_work(pid: int, before: float) -> None:
    """Wait until a process is in the midst of a job: it has computed for some time since `before`."""
    await until(lambda: seconds_of(pid) >= before + 0.05)


def seconds_of(pid: int) -> float:
    """Give how long a process has computed."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def environment_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


SLOW = pictures.encode(Image.new("P", (9000, 9000)), "gif")
"""Takes half a second to decode."""


@pytest.mark.parametrize("name", pictures.FORMATS)
async def test_each_format_comes_back_as_pixels(name: str) -> None:
    async with running() as pool:
        pixels = await decode(pool, bytearray(pictures.make(name)))

    assert pixels.shape == (48, 64, 3)
    assert pixels.dtype == np.uint8
    assert pictures.corners(pixels) == pictures.CORNERS


async def test_many_requests_share_a_few_workers() -> None:
    async with running(workers=2) as pool:
        shades = [pictures.encode(Image.new("RGB", (64, 48), (shade, 0, 0)), "png") for shade in range(40)]

        found = await asyncio.gather(*(decode(pool, body) for body in shades))

        assert [int(pixels[0, 0, 0]) for pixels in found] == list(range(40))
        assert pool.restarts == 0


async def test_damaged_data_costs_its_request_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "twinlens.media.worker")
    async with running() as pool:
        message = await refusal(pool, pictures.make("jpeg")[:-40])
        await assert_well(pool)

        assert message == (
            "Unable to process input image. The JPEG data is damaged or incomplete. "
            "Check the file and send it again."
        )
        assert "Premature end of JPEG file" in caplog.text
        assert pool.restarts == 0


async def test_a_header_that_lies_about_the_size_is_refused() -> None:
    body = pictures.make("webp")
    lie = replace(media.probe(Blob(body, None, FIELD), 100_000_000), width=32, height=24)

    async with running() as pool:
        assert "does not have the size that its header states" in await refusal(pool, body, lie)


async def test_an_image_that_needs_too_much_memory_is_refused() -> None:
    bomb = pictures.encode(Image.new("P", (7000, 7000)), "gif")

    async with running(memory_mib=48) as pool:
        message = await refusal(pool, bomb)
        await assert_well(pool)

        assert "more than 48 MiB of memory" in message
        assert pool.restarts == 1


async def test_a_crash_costs_one_request_and_one_worker() -> None:
    async with running() as pool:
        await assert_well(pool)
        (pid,) = pool.pids
        before = seconds_of(pid)
        first = asyncio.create_task(refusal(pool, SLOW))
        second = asyncio.create_task(decode(pool, pictures.make("png")))
        await until_at_work(pid, before)

        os.kill(pid, signal.SIGKILL)

        assert "The decoder cannot handle this GIF data" in await first
        assert (await second).shape == (48, 64, 3)
        assert pool.restarts == 1
        assert pid not in pool.pids
        assert is_gone(pid)


async def test_a_worker_that_hangs_is_killed_when_its_time_is_over() -> None:
    async with running(timeout_s=1) as pool:
        await assert_well(pool)
        (pid,) = pool.pids
        before = seconds_of(pid)
        job = asyncio.create_task(refusal(pool, SLOW))
        await until_at_work(pid, before)

        os.kill(pid, signal.SIGSTOP)
        message = await job

        await until(lambda: is_gone(pid))
        assert "longer than 1 s" in message
        await assert_well(pool)


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
        before = seconds_of(pid)
        with slow_file(tmp_path) as file:
            job = asyncio.create_task(unread(pool, file))
            await until_at_work(pid, before)

            os.kill(pid, signal.SIGKILL)

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
    caplog.set_level("ERROR", "twinlens.media.worker")
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
    heard: list[float] = []
    with slow_file(tmp_path) as file:
        async with running() as pool:
            job = asyncio.create_task(pool.inspect(as_blob(file), "application/pdf", heard.append))
            await until(lambda: len(heard) >= 3)
        with pytest.raises(Unavailable):
            await job

    assert heard == sorted(set(heard))
    assert 0 < heard[0] < heard[-1] < 1


async def test_a_look_that_is_short_is_silent(tmp_path: Path) -> None:
    path = tmp_path / "short.pdf"
    path.write_bytes(clips.pdf(2))
    heard: list[float] = []
    async with running() as pool:
        await assert_well(pool)

        with path.open("rb") as file:
            await pool.inspect(as_blob(file), "application/pdf", heard.append)

    assert heard == []


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
    photo = pictures.encode(Image.new("RGB", (3000, 2000), (9, 9, 9)), "jpeg", progressive=True)

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
    photo = pictures.encode(Image.new("RGB", (3000, 2000), (9, 9, 9)), "png")
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
        "from twinlens.media.worker import DecodePool\n"
        "async def main():\n"
        "    pool = DecodePool(1, 512, 30)\n"
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
    damaged = pictures.encode(Image.fromarray(noise), "png")[:-3000]

    async with running() as pool:
        for _ in range(5):
            await refusal(pool, damaged)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(50):
            await refusal(pool, damaged)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert after - before < 16_000
