"""Who may be worked on, who waits, and who is refused."""

from __future__ import annotations

import asyncio

import pytest

from twinlens.concurrency.admission import AdmissionQueue, Ticket
from twinlens.concurrency.body_memory import FREE_BYTES, BodyMemory
from twinlens.domain.errors import ResourceExhausted


def test_more_than_may_wait_are_refused() -> None:
    admission = AdmissionQueue(running=1, waiting=1)
    admission.place("p"), admission.place("p")

    with pytest.raises(ResourceExhausted):
        admission.place("p")


def test_a_place_is_given_back_once() -> None:
    admission = AdmissionQueue(running=1, waiting=0)
    with admission.place("p") as place:
        place.close()
        again = admission.place("p")

    assert (admission.running, admission.waiting) == (0, 1)
    again.close()
    assert admission.waiting == 0


async def test_only_those_who_have_their_turn_are_running() -> None:
    admission = AdmissionQueue(running=1, waiting=1)
    with admission.place("p") as first, admission.place("p"):
        async with first.turn():
            assert (admission.running, admission.waiting) == (1, 1)
        assert (admission.running, admission.waiting) == (0, 2)


async def test_the_background_has_half_of_the_turns_and_of_the_room() -> None:
    admission = AdmissionQueue(running=4, waiting=4)
    waits = [admission.place(project).demote() for project in "abab"]
    assert waits == [False, False, True, True]

    with pytest.raises(ResourceExhausted), admission.place("c") as place:
        place.demote()
    with admission.place("c") as place:
        async with asyncio.timeout(60), place.turn():
            assert admission.running == 1


async def test_a_body_that_is_worked_on_makes_room_for_others() -> None:
    body_memory, admission = BodyMemory(1), AdmissionQueue(running=1, waiting=0)
    with body_memory.reserve("p") as body, admission.place("p", body) as place:
        await body.grow(FREE_BYTES + 1)
        async with place.turn():
            await asyncio.wait_for(body_memory.reserve("p").grow(FREE_BYTES + 1), 1)


async def test_room_is_waited_for() -> None:
    admission = AdmissionQueue(running=1, waiting=0)
    place = admission.place("p")
    waiting = asyncio.create_task(admission.room("p"))
    await asyncio.sleep(0)
    assert not waiting.done()

    place.close()

    await asyncio.wait_for(waiting, 60)


async def test_another_projects_first_request_finds_a_turn() -> None:
    admission = AdmissionQueue(running=4, waiting=100)
    order: list[str] = []
    for _ in range(36):
        begin(admission, "hostile", order)
    await settle()

    begin(admission, "other", order)
    await settle()

    assert order == ["hostile"] * 3 + ["other"]


async def test_a_turn_goes_to_the_project_with_the_fewest_then_to_whose_last_was_longest_ago() -> None:
    admission = AdmissionQueue(running=4, waiting=100)
    order: list[str] = []
    ends = [begin(admission, project, order) for project in ("a", "a", "a", "b", "a", "b", "c", "c")]
    await settle()
    assert order == ["a", "a", "a", "b"]

    for end in ends[:3]:
        end.set()
        await settle()

    assert order[4:] == ["c", "a", "b"]


async def test_where_there_is_one_turn_projects_take_turns() -> None:
    admission = AdmissionQueue(running=1, waiting=100)
    order: list[str] = []
    ends = [begin(admission, project, order) for project in ("a", "a", "a", "a", "b", "b")]
    await settle()

    for end in ends:
        end.set()
    await settle()
    await settle()

    assert order == ["a", "b", "a", "b", "a", "a"]


async def test_who_leaves_while_waiting_takes_no_turn() -> None:
    admission = AdmissionQueue(running=1, waiting=2)
    with admission.place("a") as first, admission.place("b") as second, admission.place("c") as third:
        async with first.turn():
            leaving = asyncio.create_task(held(second))
            await settle()
            staying = asyncio.create_task(held(third))
            await settle()
            leaving.cancel()
        await asyncio.wait_for(staying, 60)

        assert leaving.cancelled()


async def test_who_leaves_as_the_turn_comes_gives_it_on() -> None:
    admission = AdmissionQueue(running=1, waiting=2)
    with admission.place("a") as first, admission.place("b") as second:
        async with first.turn():
            leaving = asyncio.create_task(held(second))
            await settle()
        leaving.cancel()
        await settle()

        async with asyncio.timeout(60), first.turn():
            assert leaving.cancelled()


def test_one_project_leaves_room_to_wait_to_others() -> None:
    admission = AdmissionQueue(running=4, waiting=4)
    for _ in range(6):
        admission.place("hostile")

    with pytest.raises(ResourceExhausted):
        admission.place("hostile")
    with pytest.raises(ResourceExhausted):
        admission.check_room("hostile")
    admission.place("other")


async def test_one_project_leaves_turns_and_room_of_the_background_to_others() -> None:
    admission = AdmissionQueue(running=8, waiting=8)
    waits = [admission.place("hostile").demote() for _ in range(6)]
    assert waits == [False] * 3 + [True] * 3
    with pytest.raises(ResourceExhausted), admission.place("hostile") as place:
        place.demote()

    places = [admission.place("other"), admission.place("other")]

    assert not places[0].demote()


async def test_room_is_waited_for_by_project() -> None:
    admission = AdmissionQueue(running=4, waiting=0)
    for _ in range(3):
        admission.place("hostile")
    waiting = asyncio.create_task(admission.room("hostile"))
    await settle()

    await asyncio.wait_for(admission.room("other"), 60)

    assert not waiting.done()
    waiting.cancel()


async def settle() -> None:
    """Let all tasks come as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def held(place: Ticket) -> None:
    async with place.turn():
        pass


_tasks: set[asyncio.Task[None]] = set()


def begin(admission: AdmissionQueue, project: str, order: list[str]) -> asyncio.Event:
    """Ask something, which is noted when its turn comes, and answered at the event."""
    end = asyncio.Event()

    async def ask() -> None:
        async with admission.slot(project):
            order.append(project)
            await end.wait()

    task = asyncio.create_task(ask())
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return end


async def test_a_project_that_is_alone_has_all_turns() -> None:
    admission = AdmissionQueue(running=2, waiting=0, alone=True)

    async with admission.slot("one"), admission.slot("one"):
        assert admission.running == 2


async def test_who_is_patient_is_not_refused_and_takes_no_place_while_waiting() -> None:
    admission, order = AdmissionQueue(running=1, waiting=1, alone=True), []

    async def wait_patiently() -> None:
        async with admission.patient_slot("p"):
            order.append("patient")
            assert admission.running == 1

    with admission.place("p") as first:
        async with first.turn():
            patient = asyncio.create_task(wait_patiently())
            await asyncio.sleep(0)
            assert admission.waiting == 0
            with admission.place("p"), pytest.raises(ResourceExhausted):
                admission.place("p")
            order.append("first")
    await patient

    assert order == ["first", "patient"]
    assert (admission.running, admission.waiting) == (0, 0)
