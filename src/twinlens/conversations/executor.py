"""How one interaction is worked on, and what is written down of it when.

That depends on who is told of it while it is worked on:

  nobody, and it is not stored   nothing
  nobody                         all of it, once it is finished
  who follows its stream         that it is there, once it has begun to answer; then how it ended
  who polls for it               that it is there, before anything is done; then how it ended
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
"""So long a stream waits for its first piece. An engine that refuses at once is answered with a plain
error, after which clients try again by themselves; they do not after an event."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What is to be worked on: for which project, with which model, and for how many seconds at most.

    `request` holds the interaction's own turns only; where there is none, the store has it. `told` means
    that somebody hears of it while it is worked on, `resumed` that it was accepted by an earlier life of the
    server.
    """

    project: str
    served: Served
    request: Request | None
    interaction: Interaction
    seconds: float
    told: bool
    resumed: bool = False

    @property
    def recorded(self) -> bool:
        """Whether there is a record of it before it is finished."""
        return self.told and self.interaction.stored


class Executor:
    """Works on interactions. `spend` hears of the tokens of each, `ended` how one in the background ended."""

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

    async def do(self, job: Job, asked: JobSpec, place: Ticket) -> None:
        """Work on one to its end, whatever that is, and close its place."""
        try:
            with place:
                if asked.interaction.background:
                    asked = await self._accept(job, asked)
                    place.release_body()
                async with self._turn(asked, place):
                    await self._answer(job, asked)
        except asyncio.CancelledError:
            await self._withdraw(job, asked)
            raise
        except Exception as failure:
            error = to_api_error(failure)
            if job.is_announced:
                # Of what has not begun, whoever asked is told, and the log too.
                report(error, "an interaction")
                drop_tracebacks(error)
            await self._fail(job, asked, error)

    async def end(self, job: Job, project: str, outcome: Outcome, error: TwinlensError | None = None) -> bool:
        """Write down how one ended, unless that was done before, and tell; say whether it ended so."""
        time = self._now()
        if await self._store.update(project, job.interaction.id, outcome, time=time):
            self._tell_end(job, outcome, time, error)
            return True
        if not job.interaction.finished:
            with suppress(NotFound):
                known = await self._store.get(project, job.interaction.id)
                outcome, time = known.outcome, known.updated
            self._tell_end(job, outcome, time, error)
        return False

    def broken_off(self, job: Job, status: Status, failure: Failure | None = None) -> Outcome:
        """Give what one has come to that will say no more: what it said is counted."""
        outcome = replace(job.interaction.outcome, status=status, failure=failure)
        if outcome.usage is None:
            return outcome
        count = self._services.engines.get(job.interaction.model).engine.count_text
        thoughts = "".join(said.text for said in outcome.said if isinstance(said, Thought))
        texts = "".join(said.text for said in outcome.said if isinstance(said, Text))
        calls = sum(count(output_text_of(said)) for said in outcome.said if isinstance(said, FunctionCall))
        usage = replace(outcome.usage, candidates=count(texts) + calls, thoughts=count(thoughts))
        return replace(outcome, usage=usage)

    async def _accept(self, job: Job, asked: JobSpec) -> JobSpec:
        """Write down what will be worked on, and let go of it: it may wait for long."""
        if asked.request is not None:
            check(await self._whole(asked, asked.request), asked.served)
            async with persisting_inline(asked.request, self._services.contents) as media:
                job.set_media(media)
                await self._add(job, asked, job.interaction)
            job.announce()
        job.release_body()
        return replace(asked, request=None, interaction=job.interaction)

    async def _own(self, asked: JobSpec) -> Request:
        """Give the request, read again where it was let go of."""
        if asked.request is not None:
            return asked.request
        stored = await self._store.get(asked.project, asked.interaction.id)
        return await parse_off_loop(stored.sent, lambda _: read_sent(stored, asked.served.generation))

    async def _whole(self, asked: JobSpec, own: Request) -> Request:
        """Put what was said before in front of a request."""
        history = await self._history(asked)
        joined, size = partial(_joined, history, own), sum(len(one.sent) for one in history)
        return await off_loop_unless(size <= ON_LOOP_BYTES and is_small(own), joined)

    async def _history(self, asked: JobSpec) -> Sequence[Interaction]:
        """Give what it is built on. Once it is accepted, that stays with it, whatever is deleted."""
        previous = asked.interaction.previous
        if previous is None:
            return ()
        if asked.request is None:
            return (await self._store.history(asked.project, asked.interaction.id))[:-1]
        try:
            history = await self._store.history(asked.project, previous)
        except NotFound as missing:
            raise NotFound(missing.message, field=EARLIER) from missing
        check_answered(history[-1])
        return history

    @asynccontextmanager
    async def _turn(self, asked: JobSpec, place: Ticket) -> AsyncIterator[None]:
        """Work when it is its turn. Where somebody waits, the waiting takes of the time there is."""
        now = asyncio.get_running_loop().time
        async with AsyncExitStack() as stack:
            if not asked.interaction.background:
                await stack.enter_async_context(until(now() + asked.seconds))
            await stack.enter_async_context(place.turn())
            if asked.interaction.background:
                await stack.enter_async_context(until(now() + asked.seconds))
            yield

    async def _answer(self, job: Job, asked: JobSpec) -> None:
        if job.interaction.outcome.status == "queued":
            await self._take_up(job, asked.project)
        own_request = await self._own(asked)
        request = await self._whole(asked, own_request)
        stored, contents = asked.interaction.stored, self._services.contents
        planned = await plan(request, asked.served, asked.project, self._services, persist=stored)
        own = planned.media[len(request.media) - len(own_request.media) :] if stored else ()
        kept = blob_refs_of(own)
        job.set_plan(planned.usage, kept)
        async with contents.pinned(one.sha256 for one in kept):
            await gather((self._keep(job, asked, own), self._say(job, asked, planned)))
            await self._close(job, asked)

    async def _say(self, job: Job, asked: JobSpec, planned: Plan) -> None:
        try:
            # Nobody waits for it: it is not worth an error that an engine has enough to do.
            pieces_of = answer(planned, self._services, patient=asked.interaction.background)
            async with aclosing(pieces_of) as pieces:
                async for piece in pieces:
                    job.add_chunk(piece)
                    if asked.told:
                        await self._begin(job, asked)
        finally:
            # What breaks off has cost what it has said; what is refused, nothing.
            if job.has_output:
                usage = job.outcome.usage if job.is_whole else self.broken_off(job, "failed").usage
                self._spend(usage or planned.usage)

    async def _take_up(self, job: Job, project: str) -> None:
        """Write down that it waits no more: a restart counts as an attempt what it breaks off from now on."""
        job.mark_running()
        await self._store.update(project, job.interaction.id, job.interaction.outcome)

    async def _keep(self, job: Job, asked: JobSpec, media: Sequence[PlannedMedia]) -> None:
        """Have the bytes of its media in the store, and begin even where no piece comes for long."""
        await persist(media, self._services.contents)
        job.kept.set()
        interaction = job.interaction
        if job.is_announced and asked.recorded:
            await self._store.update(asked.project, interaction.id, interaction.outcome, interaction.media)
        elif asked.told and not await job.first_chunk(GRACE_S):
            await self._begin(job, asked)

    async def _begin(self, job: Job, asked: JobSpec) -> None:
        """Write down what somebody is told of from now on."""
        await job.kept.wait()
        async with job.announcing:
            if not job.is_announced:
                if asked.recorded:
                    await self._add(job, asked, job.interaction)
                job.announce()

    async def _close(self, job: Job, asked: JobSpec) -> None:
        """Write down how it ended, and tell."""
        if asked.recorded:
            await self.end(job, asked.project, job.outcome)
            return
        time = self._now()
        if asked.interaction.stored:
            await self._add(job, asked, replace(job.interaction, outcome=job.outcome, updated=time))
        job.announce()
        self._tell_end(job, job.outcome, time)

    async def _add(self, job: Job, asked: JobSpec, interaction: Interaction) -> None:
        job.is_added = True
        try:
            await self._store.add(asked.project, interaction)
        except NotFound as missing:
            raise NotFound(missing.message, field=EARLIER) from missing

    async def _fail(self, job: Job, asked: JobSpec, error: TwinlensError) -> None:
        if job.interaction.finished:
            return
        outcome = self.broken_off(job, "failed", failure_of(error))
        await self._withdraw(job, asked)
        if job.is_announced and asked.recorded:
            try:
                await self.end(job, asked.project, outcome, error)
                return
            except TwinlensError as cause:
                log.error("how an interaction ended could not be written down: %s", cause)
        self._tell_end(job, outcome, self._now(), error)

    def _tell_end(
        self, job: Job, outcome: Outcome, time: datetime, error: TwinlensError | None = None
    ) -> None:
        job.end(outcome, time, error)
        if job.interaction.background:
            is_late = outcome.failure is not None and outcome.failure.status == DeadlineExceeded.status
            self._ended("timed_out" if is_late else outcome.status)

    async def _withdraw(self, job: Job, asked: JobSpec) -> None:
        """Forget one that broke off while it was being written down, before anybody was told of it."""
        if job.is_added and not job.is_announced:
            with suppress(TwinlensError):
                await self._store.delete(asked.project, job.interaction.id)

    def _now(self) -> datetime:
        return self._services.clock()


def _joined(history: Sequence[Interaction], own: Request) -> Request:
    return replace(own, turns=with_names(turns_of(history) + own.turns))
