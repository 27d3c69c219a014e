"""Whose job is next: fair between projects and requests, and never all places for what takes long."""

from __future__ import annotations

import asyncio

import pytest

from twinlens.domain.errors import Unavailable
from twinlens.media.worker.compute_quota import ComputeQuota
from twinlens.media.worker.job_queue import JobQueue


class Queue:
    """Jobs that wait for a place, by their names; `served` has those that got one, in order."""

    def __init__(self, places: int = 1) -> None:
        self.turns = JobQueue(places)
        self.served: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._long: dict[str, bool] = {}

    async def join(self, name: str, quota: ComputeQuota, *, is_long: bool = False) -> None:
        async def wait() -> None:
            await self.turns.take(quota, is_long=is_long)
            self.served.append(name)

        self._long[name] = is_long
        self.tasks[name] = asyncio.create_task(wait())
        await asyncio.sleep(0)

    async def end(self, name: str) -> None:
        self.turns.give_back(is_long=self._long[name])
        await asyncio.sleep(0)

    async def end_all(self) -> list[str]:
        """End one after the other as they get a place, and give the order."""
        done = 0
        while done < len(self.served):
            await self.end(self.served[done])
            done += 1
        return self.served


def spent(project: str, seconds: float) -> ComputeQuota:
    quota = ComputeQuota(project)
    quota.spend(seconds)
    return quota


async def test_there_are_so_many_places_and_no_more() -> None:
    queue = Queue(places=2)
    for name in "abc":
        await queue.join(name, ComputeQuota("p"))

    assert queue.served == ["a", "b"]
    await queue.end("a")
    assert queue.served == ["a", "b", "c"]


async def test_a_request_of_one_job_does_not_wait_for_all_jobs_of_another() -> None:
    queue, album = Queue(), spent("p", 3)
    for number in range(9):
        await queue.join(f"album {number}", album)
    await queue.join("one", ComputeQuota("p"))

    order = await queue.end_all()

    assert order.index("one") <= 2
    assert len(order) == 10


async def test_a_request_that_has_cost_much_is_not_put_off_for_ever() -> None:
    queue = Queue()
    await queue.join("first", ComputeQuota("p"))
    await queue.join("film", spent("p", 100))
    for number in range(20):
        await queue.join(f"small {number}", ComputeQuota("p"))

    assert (await queue.end_all()).index("film") <= 3


async def test_projects_take_turns_however_many_requests_they_have() -> None:
    queue = Queue()
    await queue.join("first", ComputeQuota("mine"))
    for number in range(6):
        await queue.join(f"mine {number}", ComputeQuota("mine"))
    for number in range(2):
        await queue.join(f"theirs {number}", ComputeQuota("theirs"))

    order = await queue.end_all()

    assert [name.split()[0] for name in order[1:5]] == ["theirs", "mine", "theirs", "mine"]


async def test_what_takes_long_leaves_a_place_to_others() -> None:
    queue = Queue(places=3)
    for number in range(3):
        await queue.join(f"long {number}", ComputeQuota("p"), is_long=True)
    await queue.join("short", ComputeQuota("p"))

    assert queue.served == ["long 0", "long 1", "short"]
    await queue.end("short")
    assert "long 2" not in queue.served
    await queue.end("long 0")
    assert "long 2" in queue.served


async def test_where_there_is_one_place_what_takes_long_gets_it_too() -> None:
    queue = Queue()
    await queue.join("long", ComputeQuota("p"), is_long=True)

    assert queue.served == ["long"]


@pytest.mark.parametrize("has_place", [False, True])
async def test_who_leaves_takes_nothing_along(has_place: bool) -> None:
    queue = Queue()
    await queue.join("first", ComputeQuota("p"))
    quota = ComputeQuota("p")
    for name in ("leaver", "other"):
        await queue.join(name, quota)
    if has_place:
        queue.turns.give_back(is_long=False)

    queue.tasks["leaver"].cancel()
    await asyncio.wait([queue.tasks["leaver"]])
    if not has_place:
        await queue.end("first")

    await queue.tasks["other"]
    assert queue.served == ["first", "other"]


async def test_all_who_wait_are_sent_away_at_the_end() -> None:
    queue = Queue()
    await queue.join("first", ComputeQuota("p"))
    await queue.join("second", ComputeQuota("p"))

    queue.turns.close(Unavailable("closed"))

    with pytest.raises(Unavailable):
        await queue.tasks["second"]
