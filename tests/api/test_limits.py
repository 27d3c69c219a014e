"""Who may be worked on, who waits, and who is refused."""

from __future__ import annotations

import asyncio

import pytest

from twinlens.api.intake import FREE_BYTES, Intake
from twinlens.api.limits import Gate
from twinlens.domain.errors import ResourceExhausted


def test_more_than_may_wait_are_refused() -> None:
    gate = Gate(running=1, waiting=1)
    gate.place(), gate.place()

    with pytest.raises(ResourceExhausted):
        gate.place()


def test_a_place_is_given_back_once() -> None:
    gate = Gate(running=1, waiting=0)
    with gate.place() as place:
        place.close()
        again = gate.place()

    assert (gate.running, gate.waiting) == (0, 1)
    again.close()
    assert gate.waiting == 0


async def test_only_those_who_have_their_turn_are_running() -> None:
    gate = Gate(running=1, waiting=1)
    with gate.place() as first, gate.place():
        async with first.turn():
            assert (gate.running, gate.waiting) == (1, 1)
        assert (gate.running, gate.waiting) == (0, 2)


async def test_the_background_has_half_of_the_turns_and_of_the_room() -> None:
    gate = Gate(running=4, waiting=4)
    waits = [gate.place().go_into_background() for _ in range(4)]
    assert waits == [False, False, True, True]

    with pytest.raises(ResourceExhausted), gate.place() as place:
        place.go_into_background()
    with gate.place() as place:
        async with asyncio.timeout(60), place.turn():
            assert gate.running == 1


async def test_a_body_that_is_worked_on_makes_room_for_others() -> None:
    intake, gate = Intake(1), Gate(running=1, waiting=0)
    with intake.share() as body, gate.place(body) as place:
        await body.grow(FREE_BYTES + 1)
        async with place.turn():
            await asyncio.wait_for(intake.share().grow(FREE_BYTES + 1), 1)


async def test_room_is_waited_for() -> None:
    gate = Gate(running=1, waiting=0)
    place = gate.place()
    waiting = asyncio.create_task(gate.room())
    await asyncio.sleep(0)
    assert not waiting.done()

    place.close()

    await asyncio.wait_for(waiting, 60)
