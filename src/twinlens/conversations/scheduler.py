"""All running interactions: start, look up, follow and cancel them, and resume them after a restart.

A stored one whose caller has received its id runs to its end, also when the caller disconnects.
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
"""Work that was running at so many crashes of the server may be their cause. Chosen, not measured."""

RETRY_S = 1.0
"""Between two checks whether an interaction was resumed, and two attempts to store that. Not measured."""

LOST = Failure("ABORTED", "The server stopped while it was working on this. Send the request again.")

log = logging.getLogger(__name__)

T = TypeVar("T")

_Key = tuple[str, str]


class Scheduler:
    """Holds the running jobs by project and id. `background_s` limits those resumed in the background."""

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
        self._to_resume: set[_Key] | None = None
        self._is_triaged = asyncio.Event()
        self._resuming: asyncio.Task[None] | None = None

    async def recover(self) -> None:
        """Resume the background interactions that the last stop left unfinished; mark all others failed.

        Where the disk does not allow that now, it is retried in the background.
        """
        self._resuming = asyncio.create_task(self._resume())
        with suppress(TimeoutError):
            async with asyncio.timeout(RETRY_S):
                await self._is_triaged.wait()

    async def stop(self) -> None:
        """Cancel all jobs; their state stays in the store as it is."""
        tasks = [task for _, task in self._tasks.values()]
        if self._resuming:
            tasks.append(self._resuming)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def start(self, spec: JobSpec, ticket: Ticket) -> Job:
        """Start a job; its ticket is closed when it ends."""
        job, key = Job(spec.interaction), (spec.project, spec.interaction.id)
        if spec.resumed:
            job.announce()
        task = asyncio.create_task(
            self._executor.do(job, spec, ticket), name=f"interaction {spec.interaction.id}"
        )
        self._tasks[key] = job, task
        task.add_done_callback(lambda _: self._tasks.pop(key))
        return job

    def find(self, project: str, interaction_id: str) -> Job | None:
        """Look up the job of a stored interaction; None where it is not running."""
        job, _ = self._tasks.get((project, interaction_id), (None, None))
        return job if job and job.interaction.stored else None

    async def get(self, project: str, interaction_id: str) -> Interaction:
        """Return a stored interaction as it is now. Raises `NotFound`."""
        job = self.find(project, interaction_id)
        if job:
            running = await job.wait_announced()
            if running.sent:
                return running
            return replace(running, sent=(await self._store.get(project, interaction_id)).sent)
        waits = self._to_resume is None or (project, interaction_id) in self._to_resume
        interaction = await self._store.get(project, interaction_id)
        if interaction.finished or waits:
            return interaction
        # Its end could not be stored, and maybe still cannot.
        lost = replace(interaction, outcome=Outcome("failed", failure=LOST))
        with suppress(ResourceExhausted, Unavailable, Internal):
            if not await self._store.update(project, interaction_id, lost.outcome):
                return await self._store.get(project, interaction_id)
        return lost

    async def follow(self, project: str, interaction: Interaction) -> AsyncGenerator[Interaction, None]:
        """Yield a stored interaction as it is, and again after each change, until it is finished."""
        job = self.find(project, interaction.id)
        while not job and not interaction.finished:
            # It waits to be resumed.
            await asyncio.sleep(RETRY_S)
            interaction = await self.get(project, interaction.id)
            job = self.find(project, interaction.id)
        if not job:
            yield interaction
            return
        async with aclosing(job.changes()) as changes:
            async for interaction in changes:
                yield interaction

    def release(self) -> None:
        """Disconnect the watchers of background jobs, which a restart resumes: the server stops soon."""
        for job, _ in self._tasks.values():
            if job.interaction.background:
                job.release()

    def abandon(self, project: str, job: Job) -> None:
        """Cancel a job whose caller has disconnected, unless the caller can fetch its result later."""
        _, task = self._tasks.get((project, job.interaction.id), (None, None))
        if task and not (job.is_announced and job.interaction.stored):
            task.cancel()

    async def cancel(self, project: str, interaction_id: str) -> Interaction:
        """Cancel a background job and return its interaction. Raises `NotFound`, `FailedPrecondition`."""
        job, task = self._tasks.get((project, interaction_id), (None, None))
        if job and task and job.interaction.background:
            await _ended(task)
            if await self._executor.end(job, project, self._executor.partial_outcome(job, "cancelled")):
                return await self._store.get(project, interaction_id)
        if self._to_resume and (project, interaction_id) in self._to_resume:
            self._to_resume.discard((project, interaction_id))
            await self._store.update(project, interaction_id, Outcome("cancelled"))
            return await self._store.get(project, interaction_id)
        interaction = await self.get(project, interaction_id)
        raise FailedPrecondition(
            f"The interaction {interaction_id} is {interaction.outcome.status}: "
            "only one that runs in the background can be cancelled."
        )

    async def delete(self, project: str, interaction_id: str) -> None:
        """Delete an interaction, and cancel its job. Raises `NotFound`."""
        job, task = self._tasks.get((project, interaction_id), (None, None))
        await self._store.delete(project, interaction_id)
        if self._to_resume:
            self._to_resume.discard((project, interaction_id))
        if job and task:
            await _ended(task)
            await self._executor.end(job, project, self._executor.partial_outcome(job, "cancelled"))

    async def _resume(self) -> None:
        """Resume what a restart has left, project by project, retrying where the store refuses."""
        unfinished = await _retry(self._store.unfinished)
        resumable = [entry for entry in unfinished if not _is_lost(entry[1])]
        self._to_resume = {(project, interaction.id) for project, interaction in resumable}
        for project, interaction in unfinished:
            if _is_lost(interaction):
                lost = Outcome("failed", failure=LOST)
                await _retry(partial(self._store.update, project, interaction.id, lost))
        self._is_triaged.set()
        by_project: dict[str, list[Interaction]] = {}
        for project, interaction in resumable:
            by_project.setdefault(project, []).append(interaction)
        # Each project has a queue of its own: a backlog of one does not delay another's.
        await asyncio.gather(*(self._resume_project(*entry) for entry in by_project.items()))

    async def _resume_project(self, project: str, interactions: list[Interaction]) -> None:
        for interaction in interactions:
            # It may be deleted or cancelled while it waits.
            with suppress(NotFound, FailedPrecondition):
                await self._resume_one(project, interaction)
            if self._to_resume is not None:
                self._to_resume.discard((project, interaction.id))

    async def _resume_one(self, project: str, interaction: Interaction) -> None:
        await self._admission.room(project)
        if self._to_resume is None or (project, interaction.id) not in self._to_resume:
            return
        with ExitStack() as held:
            ticket = held.enter_context(self._admission.place(project))
            ticket.demote()
            if interaction.outcome.status != "queued":
                interaction = await _retry(partial(self._store.retry, project, interaction.id))
            try:
                served = self._engines.get(interaction.model)
            except NotFound as error:
                outcome = Outcome("failed", failure=failure_of(error))
                await _retry(partial(self._store.update, project, interaction.id, outcome))
                return
            spec = JobSpec(
                project, served, None, interaction, self._background_s, is_watched=True, resumed=True
            )
            self.start(spec, ticket)
            held.pop_all()


def _is_lost(interaction: Interaction) -> bool:
    begun = interaction.outcome.status != "queued"
    return not interaction.background or (begun and interaction.attempt >= MAX_ATTEMPTS)


async def _retry(step: Callable[[], Awaitable[T]]) -> T:
    """Retry a step until the disk and the store allow it."""
    while True:
        try:
            return await step()
        except (ResourceExhausted, Unavailable, Internal) as error:
            log.error("interrupted interactions cannot be resumed yet: %s", error.__cause__ or error)
            await asyncio.sleep(RETRY_S)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
