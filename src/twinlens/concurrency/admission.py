"""How many requests may be worked on, and how many may wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Self

from ..domain.errors import ResourceExhausted
from .body_memory import Reservation
from .fairness import FairSemaphore, ProjectCounts, share_of_one


class AdmissionQueue:
    """Lets `running` requests through at a time and `waiting` more wait; refuses the rest with 429.

    Work in the background has at most half of the turns, but one, and half of the room for waiting:
    somebody waits for all the rest.

    One project has at most three quarters of each of these, and the next turn is that of the project that
    has the fewest: however much one asks, another's first request finds a turn. A project that is `alone`
    has all.
    """

    def __init__(self, running: int, waiting: int, *, alone: bool = False) -> None:
        background = max(1, running // 2)
        self._all = _Room(running, waiting, alone)
        self._background = _Room(background, waiting // 2, alone)
        self.turns, self.background = FairSemaphore(running, alone), FairSemaphore(background, alone)
        self.running = 0
        self._left = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many requests wait for a run slot."""
        return self._all.held.total() - self.running

    @asynccontextmanager
    async def slot(self, project: str, body: Reservation | None = None) -> AsyncIterator[None]:
        """Hold a ticket and a run slot for a request whose body has been read."""
        with self.place(project, body) as place:
            async with place.turn():
                yield

    @asynccontextmanager
    async def patient_slot(self, project: str) -> AsyncIterator[None]:
        """Hold a turn, however many wait for one; who waits like this takes no place from the others."""
        async with self.turns.turn(project):
            self._all.held[project] += 1
            self.running += 1
            try:
                yield
            finally:
                self.running -= 1
                self.leave(project, background=False)

    def check_room(self, project: str) -> None:
        """Raise where the queue is full: a body that would be refused need not be read."""
        self._all.check(project)

    def place(self, project: str, body: Reservation | None = None) -> Ticket:
        """Be one of those who wait or are worked on; raise where there are enough of them.

        The body must have been read: who sends slowly takes no place from those who are ready.
        """
        self._all.join(project)
        return Ticket(self, project, body)

    async def room(self, project: str) -> None:
        """Wait until one more of the project in the background would not be refused."""
        while self._all.is_full(project) or self._background.is_full(project):
            self._left.clear()
            await self._left.wait()

    def join_background(self, project: str) -> bool:
        """Count one more in the background, and return whether it has to wait; raise where full."""
        self._background.join(project)
        return self._background.has_to_wait(project) or self.turns.locked(project)

    def leave(self, project: str, *, background: bool) -> None:
        """Count one less."""
        self._all.held.drop(project)
        if background:
            self._background.held.drop(project)
        self._left.set()


class _Room:
    """Room for as many as have a turn or wait for one: of all projects, and of each."""

    def __init__(self, turns: int, waiting: int, alone: bool) -> None:
        self._turns, self._turns_of_one = turns, share_of_one(turns, alone)
        self._places, self._places_of_one = turns + waiting, self._turns_of_one + share_of_one(waiting, alone)
        self.held = ProjectCounts()

    def is_full(self, project: str) -> bool:
        """Whether the queue is full, for all projects or for this one."""
        return self.held.total() >= self._places or self.held[project] >= self._places_of_one

    def has_to_wait(self, project: str) -> bool:
        """Whether the last request of a project that joined finds no free run slot."""
        most = self._turns_of_one
        return self.held[project] > most or sum(min(own, most) for own in self.held.values()) > self._turns

    def check(self, project: str) -> None:
        """Raise where there are enough."""
        if self.is_full(project):
            raise ResourceExhausted("Resource has been exhausted (e.g. check quota).", retry_after_s=1.0)

    def join(self, project: str) -> None:
        """Count one more; raise where the queue is full."""
        self.check(project)
        self.held[project] += 1


class Ticket:
    """The place of one request, until it is closed; with the room in memory that its body takes."""

    def __init__(self, gate: AdmissionQueue, project: str, body: Reservation | None) -> None:
        self._admission = gate
        self._project = project
        self._body = body
        self._is_open, self._in_background = True, False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def release_body(self) -> None:
        """Release the memory reserved for the body: it is being processed, or lies on the disk."""
        if self._body is not None:
            self._body.close()

    def demote(self) -> bool:
        """Move to the background share, and return whether it has to wait for a run slot."""
        waits = self._admission.join_background(self._project)
        self._in_background = True
        return waits

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold a run slot."""
        gate, project = self._admission, self._project
        first = gate.background.turn(project) if self._in_background else nullcontext()
        async with first, gate.turns.turn(project):
            self.release_body()
            gate.running += 1
            try:
                yield
            finally:
                gate.running -= 1

    def close(self) -> None:
        """Leave the queue. Idempotent."""
        if self._is_open:
            self._is_open = False
            self.release_body()
            self._admission.leave(self._project, background=self._in_background)
