"""Run one interaction, and store it.

When it is stored depends on how the caller waits for it:

  in a plain request, store=false   never
  in a plain request                once, when it is finished
  on its stream                     when the first output has come, and again at its end
  by polling (background)           before any work is done, and again at its end
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from ..concurrency.admission import Ticket
from ..concurrency.deadline import until
from ..concurrency.off_loop import ON_LOOP_BYTES, is_small, off_loop_unless, parse_off_loop
from ..concurrency.tasks import gather
from ..domain.engine import FunctionCall, Text, Thought, Usage
from ..domain.errors import DeadlineExceeded, NotFound, TwinlensError
from ..domain.interaction import Failure, Interaction, Outcome, Status
from ..domain.rendering import output_text_of
from ..domain.request import Request
from ..engines.router import Served
from ..pipeline.answer import Plan, answer, check, plan
from ..pipeline.failures import drop_tracebacks, report, to_api_error
from ..pipeline.media_limits import EARLIER
from ..pipeline.persist_media import blob_refs_of, persist, persisting_inline
from ..pipeline.planning import PlannedMedia
from ..pipeline.services import Services
from ..store.interactions import InteractionStore
from ..wire.interactions.errors import failure_of
from ..wire.interactions.reading import read_sent
from .history import check_answered, turns_of, with_names
from .job import Job

GRACE_S = 1.0
"""A stream is opened after this time also without output. An engine that refuses sooner is answered with a
plain error, after which clients retry by themselves; they do not after an event. Chosen, not measured."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What to run: for which project, with which model, and for how many seconds at most.

    `request` holds the interaction's own turns only; None means that it is in the store. `is_watched` means
    that a caller follows it while it runs (by stream or polling), `resumed` that it was accepted before a
    restart of the server.
    """

    project: str
    served: Served
    request: Request | None
    interaction: Interaction
    seconds: float
    is_watched: bool
    resumed: bool = False

    @property
    def recorded(self) -> bool:
        """Whether it is in the store before it is finished."""
        return self.is_watched and self.interaction.stored


class Executor:
    """Runs interactions. `spend` is called with the usage of each, `ended` with a background one's status."""

    def __init__(
        self,
        services: Services,
        store: InteractionStore,
        spend: Callable[[Usage], None],
        ended: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._services = services
        self._store = store
        self._spend = spend
        self._ended = ended

    async def do(self, job: Job, spec: JobSpec, ticket: Ticket) -> None:
        """Run one to its end, whatever that is, and close its ticket."""
        try:
            with ticket:
                if spec.interaction.background:
                    spec = await self._accept(job, spec)
                    ticket.release_body()
                async with self._turn(spec, ticket):
                    await self._answer(job, spec)
        except asyncio.CancelledError:
            await self._withdraw(job, spec)
            raise
        except Exception as failure:
            error = to_api_error(failure)
            if job.is_announced:
                # Before that the caller's own response carries the error, and it is logged there.
                report(error, "an interaction")
                drop_tracebacks(error)
            await self._fail(job, spec, error)

    async def end(self, job: Job, project: str, outcome: Outcome, error: TwinlensError | None = None) -> bool:
        """Store how one ended and wake its watchers; return False where it had already ended otherwise."""
        time = self._now()
        if await self._store.update(project, job.interaction.id, outcome, time=time):
            self._publish_end(job, outcome, time, error)
            return True
        if not job.interaction.finished:
            with suppress(NotFound):
                stored = await self._store.get(project, job.interaction.id)
                outcome, time = stored.outcome, stored.updated
            self._publish_end(job, outcome, time, error)
        return False

    def partial_outcome(self, job: Job, status: Status, failure: Failure | None = None) -> Outcome:
        """Return the outcome of one that is cut short, with the tokens of its output so far counted."""
        outcome = replace(job.interaction.outcome, status=status, failure=failure)
        if outcome.usage is None:
            return outcome
        count = self._services.engines.get(job.interaction.model).engine.count_text
        thoughts = "".join(part.text for part in outcome.said if isinstance(part, Thought))
        texts = "".join(part.text for part in outcome.said if isinstance(part, Text))
        calls = sum(count(output_text_of(part)) for part in outcome.said if isinstance(part, FunctionCall))
        usage = replace(outcome.usage, candidates=count(texts) + calls, thoughts=count(thoughts))
        return replace(outcome, usage=usage)

    async def _accept(self, job: Job, spec: JobSpec) -> JobSpec:
        """Store a background request and free its body: it may wait for long."""
        if spec.request is not None:
            check(await self._whole(spec, spec.request), spec.served)
            async with persisting_inline(spec.request, self._services.contents) as media:
                job.set_media(media)
                await self._add(job, spec, job.interaction)
            job.announce()
        job.release_body()
        return replace(spec, request=None, interaction=job.interaction)

    async def _own_request(self, spec: JobSpec) -> Request:
        """Return the request, parsed again from the store where its body was freed."""
        if spec.request is not None:
            return spec.request
        stored = await self._store.get(spec.project, spec.interaction.id)
        return await parse_off_loop(stored.sent, lambda _: read_sent(stored, spec.served.generation))

    async def _whole(self, spec: JobSpec, own: Request) -> Request:
        """Prepend the earlier turns of the conversation to a request."""
        history = await self._history(spec)
        joined, size = partial(_joined, history, own), sum(len(one.sent) for one in history)
        return await off_loop_unless(size <= ON_LOOP_BYTES and is_small(own), joined)

    async def _history(self, spec: JobSpec) -> Sequence[Interaction]:
        """Return the earlier interactions. An accepted one keeps them, whatever is deleted later."""
        previous = spec.interaction.previous
        if previous is None:
            return ()
        if spec.request is None:
            return (await self._store.history(spec.project, spec.interaction.id))[:-1]
        try:
            history = await self._store.history(spec.project, previous)
        except NotFound as missing:
            raise NotFound(missing.message, field=EARLIER) from missing
        check_answered(history[-1])
        return history

    @asynccontextmanager
    async def _turn(self, spec: JobSpec, ticket: Ticket) -> AsyncIterator[None]:
        """Hold a run slot within the time limit, which includes the wait unless it is a background one."""
        now = asyncio.get_running_loop().time
        async with AsyncExitStack() as stack:
            if not spec.interaction.background:
                await stack.enter_async_context(until(now() + spec.seconds))
            await stack.enter_async_context(ticket.turn())
            if spec.interaction.background:
                await stack.enter_async_context(until(now() + spec.seconds))
            yield

    async def _answer(self, job: Job, spec: JobSpec) -> None:
        if job.interaction.outcome.status == "queued":
            await self._mark_running(job, spec.project)
        own_request = await self._own_request(spec)
        request = await self._whole(spec, own_request)
        stored, contents = spec.interaction.stored, self._services.contents
        planned = await plan(request, spec.served, spec.project, self._services, persist=stored)
        own = planned.media[len(request.media) - len(own_request.media) :] if stored else ()
        kept = blob_refs_of(own)
        job.set_plan(planned.usage, kept)
        async with contents.pinned(one.sha256 for one in kept):
            await gather((self._store_media(job, spec, own), self._stream(job, spec, planned)))
            await self._finish(job, spec)

    async def _stream(self, job: Job, spec: JobSpec, planned: Plan) -> None:
        try:
            # A background job waits for a busy engine: no caller would see the error and retry.
            pieces_of = answer(planned, self._services, patient=spec.interaction.background)
            async with aclosing(pieces_of) as pieces:
                async for piece in pieces:
                    job.add_chunk(piece)
                    if spec.is_watched:
                        await self._announce(job, spec)
        finally:
            # An interrupted answer is billed for the output it had; a refused one is not billed.
            if job.has_output:
                usage = job.outcome.usage if job.is_whole else self.partial_outcome(job, "failed").usage
                self._spend(usage or planned.usage)

    async def _mark_running(self, job: Job, project: str) -> None:
        """Store that it runs: from now on, a restart that interrupts it counts as an attempt."""
        job.mark_running()
        await self._store.update(project, job.interaction.id, job.interaction.outcome)

    async def _store_media(self, job: Job, spec: JobSpec, media: Sequence[PlannedMedia]) -> None:
        """Store the bytes of its media, and announce it even where no output comes for long."""
        await persist(media, self._services.contents)
        job.media_stored.set()
        interaction = job.interaction
        if job.is_announced and spec.recorded:
            await self._store.update(spec.project, interaction.id, interaction.outcome, interaction.media)
        elif spec.is_watched and not await job.first_chunk(GRACE_S):
            await self._announce(job, spec)

    async def _announce(self, job: Job, spec: JobSpec) -> None:
        """Store it where it is to be recorded, and let its watchers know that it exists."""
        await job.media_stored.wait()
        async with job.announcing:
            if not job.is_announced:
                if spec.recorded:
                    await self._add(job, spec, job.interaction)
                job.announce()

    async def _finish(self, job: Job, spec: JobSpec) -> None:
        """Store how it ended, and wake its watchers."""
        if spec.recorded:
            await self.end(job, spec.project, job.outcome)
            return
        time = self._now()
        if spec.interaction.stored:
            await self._add(job, spec, replace(job.interaction, outcome=job.outcome, updated=time))
        job.announce()
        self._publish_end(job, job.outcome, time)

    async def _add(self, job: Job, spec: JobSpec, interaction: Interaction) -> None:
        job.is_added = True
        try:
            await self._store.add(spec.project, interaction)
        except NotFound as missing:
            raise NotFound(missing.message, field=EARLIER) from missing

    async def _fail(self, job: Job, spec: JobSpec, error: TwinlensError) -> None:
        if job.interaction.finished:
            return
        outcome = self.partial_outcome(job, "failed", failure_of(error))
        await self._withdraw(job, spec)
        if job.is_announced and spec.recorded:
            try:
                await self.end(job, spec.project, outcome, error)
                return
            except TwinlensError as cause:
                log.error("how an interaction ended could not be stored: %s", cause)
        self._publish_end(job, outcome, self._now(), error)

    def _publish_end(
        self, job: Job, outcome: Outcome, time: datetime, error: TwinlensError | None = None
    ) -> None:
        job.end(outcome, time, error)
        if job.interaction.background:
            is_late = outcome.failure is not None and outcome.failure.status == DeadlineExceeded.status
            self._ended("timed_out" if is_late else outcome.status)

    async def _withdraw(self, job: Job, spec: JobSpec) -> None:
        """Delete one that was interrupted while it was being stored, before any caller knew of it."""
        if job.is_added and not job.is_announced:
            with suppress(TwinlensError):
                await self._store.delete(spec.project, job.interaction.id)

    def _now(self) -> datetime:
        return self._services.clock()


def _joined(history: Sequence[Interaction], own: Request) -> Request:
    return replace(own, turns=with_names(turns_of(history) + own.turns))
