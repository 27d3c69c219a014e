"""Who may be worked on, who waits, and who is refused."""

from __future__ import annotations

import asyncio

import pytest

from twinlens.concurrency.admission import Gate, Place
from twinlens.concurrency.body_memory import FREE_BYTES, Intake
from twinlens.domain.errors import ResourceExhausted


def test_more_than_may_wait_are_refused() -> None:
    gate = Gate(running=1, waiting=1)
    gate.place("p"), gate.place("p")

    with pytest.raises(ResourceExhausted):
        gate.place("p")


def test_a_place_is_given_back_once() -> None:
    gate = Gate(running=1, waiting=0)
    with gate.place("p") as place:
        place.close()
        again = gate.place("p")

    assert (gate.running, gate.waiting) == (0, 1)
    again.close()
    assert gate.waiting == 0


async def test_only_those_who_have_their_turn_are_running() -> None:
    gate = Gate(running=1, waiting=1)
    with gate.place("p") as first, gate.place("p"):
        async with first.turn():
            assert (gate.running, gate.waiting) == (1, 1)
        assert (gate.running, gate.waiting) == (0, 2)


async def test_the_background_has_half_of_the_turns_and_of_the_room() -> None:
    gate = Gate(running=4, waiting=4)
    waits = [gate.place(project).go_into_background() for project in "abab"]
    assert waits == [False, False, True, True]

    with pytest.raises(ResourceExhausted), gate.place("c") as place:
        place.go_into_background()
    with gate.place("c") as place:
        async with asyncio.timeout(60), place.turn():
            assert gate.running == 1


async def test_a_body_that_is_worked_on_makes_room_for_others() -> None:
    intake, gate = Intake(1), Gate(running=1, waiting=0)
    with intake.share("p") as body, gate.place("p", body) as place:
        await body.grow(FREE_BYTES + 1)
        async with place.turn():
            await asyncio.wait_for(intake.share("p").grow(FREE_BYTES + 1), 1)


async def test_room_is_waited_for() -> None:
    gate = Gate(running=1, waiting=0)
    place = gate.place("p")
    waiting = asyncio.create_task(gate.room("p"))
    await asyncio.sleep(0)
    assert not waiting.done()

    place.close()

    await asyncio.wait_for(waiting, 60)


async def test_another_projects_first_request_finds_a_turn() -> None:
    gate = Gate(running=4, waiting=100)
    order: list[str] = []
    for _ in range(36):
        begin(gate, "hostile", order)
    await settle()

    begin(gate, "other", order)
    await settle()

    assert order == ["hostile"] * 3 + ["other"]


async def test_a_turn_goes_to_the_project_with_the_fewest_then_to_whose_last_was_longest_ago() -> None:
    gate = Gate(running=4, waiting=100)
    order: list[str] = []
    ends = [begin(gate, project, order) for project in ("a", "a", "a", "b", "a", "b", "c", "c")]
    await settle()
    assert order == ["a", "a", "a", "b"]

    for end in ends[:3]:
        end.set()
        await settle()

    assert order[4:] == ["c", "a", "b"]


async def test_where_there_is_one_turn_projects_take_turns() -> None:
    gate = Gate(running=1, waiting=100)
    order: list[str] = []
    ends = [begin(gate, project, order) for project in ("a", "a", "a", "a", "b", "b")]
    await settle()

    for end in ends:
        end.set()
    await settle()
    await settle()

    assert order == ["a", "b", "a", "b", "a", "a"]


async def test_who_leaves_while_waiting_takes_no_turn() -> None:
    gate = Gate(running=1, waiting=2)
    with gate.place("a") as first, gate.place("b") as second, gate.place("c") as third:
        async with first.turn():
            leaving = asyncio.create_task(held(second))
            await settle()
            staying = asyncio.create_task(held(third))
            await settle()
            leaving.cancel()
        await asyncio.wait_for(staying, 60)

        assert leaving.cancelled()


async def test_who_leaves_as_the_turn_comes_gives_it_on() -> None:
    gate = Gate(running=1, waiting=2)
    with gate.place("a") as first, gate.place("b") as second:
        async with first.turn():
            leaving = asyncio.create_task(held(second))
            await settle()
        leaving.cancel()
        await settle()

        async with asyncio.timeout(60), first.turn():
            assert leaving.cancelled()


def test_one_project_leaves_room_to_wait_to_others() -> None:
    gate = Gate(running=4, waiting=4)
    for _ in range(6):
        gate.place("hostile")

    with pytest.raises(ResourceExhausted):
        gate.place("hostile")
    with pytest.raises(ResourceExhausted):
        gate.check_room("hostile")
    gate.place("other")


async def test_one_project_leaves_turns_and_room_of_the_background_to_others() -> None:
    gate = Gate(running=8, waiting=8)
    waits = [gate.place("hostile").go_into_background() for _ in range(6)]
    assert waits == [False] * 3 + [True] * 3
    with pytest.raises(ResourceExhausted), gate.place("hostile") as place:
        place.go_into_background()

    places = [gate.place("other"), gate.place("other")]

    assert not places[0].go_into_background()


async def test_room_is_waited_for_by_project() -> None:
    gate = Gate(running=4, waiting=0)
    for _ in range(3):
        gate.place("hostile")
    waiting = asyncio.create_task(gate.room("hostile"))
    await settle()

    await asyncio.wait_for(gate.room("other"), 60)

    assert not waiting.done()
    waiting.cancel()


async def settle() -> None:
    """Let all tasks come as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def held(place: Place) -> None:
    async with place.turn():
        pass


_tasks: set[asyncio.Task[None]] = set()


def begin(gate: Gate, project: str, order: list[str]) -> asyncio.Event:
    """Ask something, which is noted when its turn comes, and answered at the event."""
    end = asyncio.Event()

    async def ask() -> None:
        async with gate.slot(project):
            order.append(project)
            await end.wait()

    task = asyncio.create_task(ask())
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return end


async def test_a_project_that_is_alone_has_all_turns() -> None:
    gate = Gate(running=2, waiting=0, alone=True)

    async with gate.slot("one"), gate.slot("one"):
        assert gate.running == 2
