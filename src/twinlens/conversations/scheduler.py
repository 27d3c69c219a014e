"""All interactions under way: begun, found, followed, cancelled, and gone on with after a restart.

Of whom somebody was told is worked on to its end, also when they leave.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import ExitStack, aclosing, suppress
from dataclasses import replace
from functools import partial
from typing import TypeVar

from ..concurrency.admission import AdmissionQueue, Ticket
from ..domain.errors import FailedPrecondition, Internal, NotFound, ResourceExhausted, Unavailable
from ..domain.interaction import Failure, Interaction, Outcome
from ..engines.router import Engines
from ..store.interactions import InteractionStore
from ..wire.interactions.errors import failure_of
from .executor import Executor, JobSpec
from .job import Job

MAX_ATTEMPTS = 3
"""Work that has outlived as many lives of the server may be what ends them."""

PATIENCE_S = 1.0
"""Between two looks whether what a restart has left was taken up, and two tries to write it down."""

LOST = Failure("ABORTED", "The server stopped while it was working on this. Send the request again.")

log = logging.getLogger(__name__)

T = TypeVar("T")

_Key = tuple[str, str]


class Scheduler:
    """Knows the work that is under way, and who may ask for it: `background_s` is the time it may take."""

    def __init__(
        self,
        executor: Executor,
        store: InteractionStore,
        engines: Engines,
        admission: AdmissionQueue,
        background_s: float,
    ) -> None:
        self._executor = executor
        self._store = store
        self._engines = engines
        self._admission = admission
        self._background_s = background_s
        self._tasks: dict[_Key, tuple[Job, asyncio.Task[None]]] = {}
        self._left: set[_Key] | None = None
        self._sorted = asyncio.Event()
        self._resuming: asyncio.Task[None] | None = None

    async def recover(self) -> None:
        """Go on with what the last stop left in the background; of all else say that it is lost.

        Where the disk does not allow that now, it is done when it does.
        """
        self._resuming = asyncio.create_task(self._resume())
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self._sorted.wait()

    async def stop(self) -> None:
        """Leave all work where it is."""
        tasks = [task for _, task in self._tasks.values()]
        if self._resuming:
            tasks.append(self._resuming)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def start(self, asked: JobSpec, place: Ticket) -> Job:
        """Begin to work; the place is given back when that is done."""
        job, key = Job(asked.interaction), (asked.project, asked.interaction.id)
        if asked.resumed:
            job.announce()
        task = asyncio.create_task(
            self._executor.do(job, asked, place), name=f"interaction {asked.interaction.id}"
        )
        self._tasks[key] = job, task
        task.add_done_callback(lambda _: self._tasks.pop(key))
        return job

    def find(self, project: str, interaction_id: str) -> Job | None:
        """Find a stored interaction that is being worked on."""
        job, _ = self._tasks.get((project, interaction_id), (None, None))
        return job if job and job.interaction.stored else None

    async def get(self, project: str, interaction_id: str) -> Interaction:
        """Give a stored interaction as it is now; raise where there is none."""
        job = self.find(project, interaction_id)
        if job:
            known = await job.wait_announced()
            if known.sent:
                return known
            return replace(known, sent=(await self._store.get(project, interaction_id)).sent)
        waits = self._left is None or (project, interaction_id) in self._left
        interaction = await self._store.get(project, interaction_id)
        if interaction.finished or waits:
            return interaction
        # Its end could not be written down, and maybe that still cannot be done.
        lost = replace(interaction, outcome=Outcome("failed", failure=LOST))
        with suppress(ResourceExhausted, Unavailable, Internal):
            if not await self._store.update(project, interaction_id, lost.outcome):
                return await self._store.get(project, interaction_id)
        return lost

    async def follow(self, project: str, interaction: Interaction) -> AsyncGenerator[Interaction, None]:
        """Give a stored interaction as it is, and again whenever there is more, until it is finished."""
        job = self.find(project, interaction.id)
        while not job and not interaction.finished:
            # It waits to be begun anew.
            await asyncio.sleep(PATIENCE_S)
            interaction = await self.get(project, interaction.id)
            job = self.find(project, interaction.id)
        if not job:
            yield interaction
            return
        async with aclosing(job.changes()) as changes:
            async for interaction in changes:
                yield interaction

    def release(self) -> None:
        """Let those go who follow what will go on after a restart: the server is about to stop."""
        for job, _ in self._tasks.values():
            if job.interaction.background:
                job.release()

    def abandon(self, project: str, job: Job) -> None:
        """Stop working for somebody who has left, unless they can come back for it."""
        _, task = self._tasks.get((project, job.interaction.id), (None, None))
        if task and not (job.is_announced and job.interaction.stored):
            task.cancel()

    async def cancel(self, project: str, interaction_id: str) -> Interaction:
        """Stop working on what runs in the background; raise where nothing does."""
        job, task = self._tasks.get((project, interaction_id), (None, None))
        if job and task and job.interaction.background:
            await _ended(task)
            if await self._executor.end(job, project, self._executor.broken_off(job, "cancelled")):
                return await self._store.get(project, interaction_id)
        if self._left and (project, interaction_id) in self._left:
            self._left.discard((project, interaction_id))
            await self._store.update(project, interaction_id, Outcome("cancelled"))
            return await self._store.get(project, interaction_id)
        interaction = await self.get(project, interaction_id)
        raise FailedPrecondition(
            f"The interaction {interaction_id} is {interaction.outcome.status}: "
            "only one that runs in the background can be cancelled."
        )

    async def delete(self, project: str, interaction_id: str) -> None:
        """Forget an interaction, and stop working on it; raise where there is none."""
        job, task = self._tasks.get((project, interaction_id), (None, None))
        await self._store.delete(project, interaction_id)
        if self._left:
            self._left.discard((project, interaction_id))
        if job and task:
            await _ended(task)
            await self._executor.end(job, project, self._executor.broken_off(job, "cancelled"))

    async def _resume(self) -> None:
        """Begin anew what a restart has left. What cannot be written down now is tried again later."""
        left = await _patiently(self._store.unfinished)
        again = [one for one in left if not _is_lost(one[1])]
        self._left = {(project, interaction.id) for project, interaction in again}
        for project, interaction in left:
            if _is_lost(interaction):
                lost = Outcome("failed", failure=LOST)
                await _patiently(partial(self._store.update, project, interaction.id, lost))
        self._sorted.set()
        by_project: dict[str, list[Interaction]] = {}
        for project, interaction in again:
            by_project.setdefault(project, []).append(interaction)
        # Each project has a queue of its own: what one has left does not hold up another's.
        await asyncio.gather(*(self._all_again(*own) for own in by_project.items()))

    async def _all_again(self, project: str, left: list[Interaction]) -> None:
        for interaction in left:
            # It may be deleted or cancelled while it waits.
            with suppress(NotFound, FailedPrecondition):
                await self._again(project, interaction)
            if self._left is not None:
                self._left.discard((project, interaction.id))

    async def _again(self, project: str, interaction: Interaction) -> None:
        await self._admission.room(project)
        if self._left is None or (project, interaction.id) not in self._left:
            return
        with ExitStack() as held:
            place = held.enter_context(self._admission.place(project))
            place.demote()
            if interaction.outcome.status != "queued":
                interaction = await _patiently(partial(self._store.retry, project, interaction.id))
            try:
                served = self._engines.get(interaction.model)
            except NotFound as error:
                outcome = Outcome("failed", failure=failure_of(error))
                await _patiently(partial(self._store.update, project, interaction.id, outcome))
                return
            asked = JobSpec(project, served, None, interaction, self._background_s, told=True, resumed=True)
            self.start(asked, place)
            held.pop_all()


def _is_lost(interaction: Interaction) -> bool:
    begun = interaction.outcome.status != "queued"
    return not interaction.background or (begun and interaction.attempt >= MAX_ATTEMPTS)


async def _patiently(step: Callable[[], Awaitable[T]]) -> T:
    """Do what the disk may not allow yet, as often as it takes."""
    while True:
        try:
            return await step()
        except (ResourceExhausted, Unavailable, Internal) as error:
            log.error("What a restart has left cannot be gone on with yet: %s", error.__cause__ or error)
            await asyncio.sleep(PATIENCE_S)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
