"""The Interactions API over HTTP: create, get, cancel, delete."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from ...concurrency.admission import AdmissionQueue
from ...concurrency.body_memory import BodyMemory, Reservation
from ...concurrency.deadline import until
from ...concurrency.fairness import FairSemaphore
from ...concurrency.off_loop import off_loop, parse_off_loop
from ...conversations.executor import JobSpec
from ...conversations.scheduler import Scheduler
from ...domain.clock import Clock
from ...domain.errors import InvalidArgument
from ...domain.generations import Generation
from ...domain.interaction import Interaction, Outcome
from ...domain.media import Data
from ...engines.router import Engines
from ...store.contents import Contents
from ...store.interactions import InteractionStore
from ...wire.encoding import JSON
from ...wire.interactions.events import EventEncoder, read_event_id
from ...wire.interactions.reading import Create, read_create
from ...wire.interactions.writing import inline_media, write_interaction, write_pieces
from ..body import read_body
from ..deadline import deadline_of, while_connected
from ..query import check_query
from ..responses import ZIPPED_BYTES, answered
from .stream import EventStream

READS_AT_ONCE = 2
"""Of stored interactions: more would only share the interpreter's lock, and take it from the event loop."""

_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True, slots=True)
class InteractionRules:
    """What the operator allows.

    `project_of` names the project a request belongs to, and raises where it belongs to none; `pause_s` is
    how long the bytes of a request may stay away.
    """

    project_of: Callable[[Request], str]
    max_request_bytes: int
    request_timeout_s: float
    background_timeout_s: float
    pause_s: float


@dataclass(frozen=True, slots=True)
class InteractionServices:
    """What the routes work with.

    Stored interactions are read by turns, since their writing is work, and within `outgoing`, room for those
    that wait to be sent.
    """

    scheduler: Scheduler
    store: InteractionStore
    contents: Contents
    clock: Clock
    engines: Engines
    admission: AdmissionQueue
    body_memory: BodyMemory
    reads: FairSemaphore
    outgoing: BodyMemory


def routes(parts: InteractionServices, rules: InteractionRules) -> list[BaseRoute]:
    """List the routes, the same under every version."""
    own, base = _Interactions(parts, rules), "/{version:version}/interactions"
    return [
        Route(base, own.create, methods=["POST"]),
        Route(f"{base}/{{id}}", own.get, methods=["GET"]),
        Route(f"{base}/{{id}}", own.delete, methods=["DELETE"]),
        Route(f"{base}/{{id}}/cancel", own.cancel, methods=["POST"]),
    ]


class _Interactions:
    def __init__(self, parts: InteractionServices, rules: InteractionRules) -> None:
        self._parts = parts
        self._rules = rules

    async def create(self, http: Request) -> Response:
        """Begin an interaction; answer when it is finished, as it goes, or at once."""
        project = self._rules.project_of(http)
        check_query(http)
        deadline = deadline_of(http, self._rules.request_timeout_s)
        with ExitStack() as held:
            reservation = held.enter_context(self._parts.body_memory.reserve(project))
            async with until(deadline):
                created = await self._read(http, project, reservation)
            place = held.enter_context(self._parts.admission.place(project, reservation))
            waits = created.background and place.demote()
            job = self._parts.scheduler.start(self._asked(project, created, deadline, waits=waits), place)
            held.pop_all()
        left = partial(self._parts.scheduler.abandon, project, job)
        async with while_connected(http):
            try:
                if created.stream:
                    # What goes wrong until then is raised, and becomes a plain error.
                    await job.wait_announced()
                    return EventStream(http, job.changes(), EventEncoder(), left)
                done = await (job.wait_announced() if created.background else job.finished())
                done = replace(done, sent=created.sent)
            except asyncio.CancelledError:
                left()
                raise
            return answered(write_interaction(done))
        return Response(status_code=499)

    async def _read(self, http: Request, project: str, reservation: Reservation) -> Create:
        self._parts.admission.check_room(project)
        body = await read_body(http, self._rules.max_request_bytes, self._rules.pause_s, reservation)
        created = await parse_off_loop(body, lambda body: read_create(body, self._generation_of))
        if created.store:
            await self._parts.store.check_room(project, len(created.sent))
        return created

    async def get(self, http: Request) -> Response:
        """Answer an interaction as it is, or its stream from the beginning or from an event on."""
        project = self._rules.project_of(http)
        check_query(http, own=("stream", "include_input", "last_event_id"))
        stream, include_input = _flag(http, "stream"), _flag(http, "include_input")
        last = http.query_params.get("last_event_id")
        if last is not None and not stream:
            raise InvalidArgument("last_event_id: it can only be used with stream=true.")
        with ExitStack() as held:
            reservation = held.enter_context(self._parts.outgoing.reserve(project))
            async with while_connected(http), self._parts.reads.turn(project):
                interaction = await self._parts.scheduler.get(project, http.path_params["id"])
                if stream:
                    interaction = replace(interaction, sent=b"")
                    after = read_event_id(last, interaction) if last else None
                    return EventStream(
                        http, self._parts.scheduler.follow(project, interaction), EventEncoder(after)
                    )
                await reservation.grow(len(interaction.sent))
                response = await self._whole(interaction, reservation, include_input=include_input)
                held.pop_all()
                return response
        return Response(status_code=499)

    async def cancel(self, http: Request) -> Response:
        """Stop what runs in the background."""
        project = self._rules.project_of(http)
        check_query(http)
        cancelled = await self._parts.scheduler.cancel(project, http.path_params["id"])
        return answered(write_interaction(cancelled))

    async def delete(self, http: Request) -> Response:
        """Delete an interaction."""
        project = self._rules.project_of(http)
        check_query(http)
        await self._parts.scheduler.delete(project, http.path_params["id"])
        return answered(b"{}")

    def _generation_of(self, model: str) -> Generation:
        return self._parts.engines.get(model).generation

    def _asked(self, project: str, created: Create, deadline: float, *, waits: bool) -> JobSpec:
        served, time = self._parts.engines.get(created.request.model), self._parts.clock()
        interaction = Interaction(
            id=f"v1_{secrets.token_urlsafe(24)}",
            model=served.name,
            sent=created.sent,
            created=time,
            updated=time,
            previous=created.previous,
            background=created.background,
            stored=created.store,
            outcome=Outcome("queued" if waits else "in_progress"),
        )
        left = deadline - asyncio.get_running_loop().time()
        return JobSpec(
            project,
            served,
            created.request,
            interaction,
            self._rules.background_timeout_s if created.background else left,
            is_watched=created.background or created.stream,
        )

    async def _whole(
        self, interaction: Interaction, reservation: Reservation, *, include_input: bool
    ) -> Response:
        data: dict[int, Data] = {}
        if interaction.finished or include_input:
            for index in await parse_off_loop(interaction.sent, lambda _: inline_media(interaction)):
                kept = interaction.media[index]
                found = await self._parts.contents.map(kept.sha256) if kept else None
                if found is not None:
                    data[index] = found
        pieces = write_pieces(interaction, data, include_input=include_input)
        if sum(map(len, data.values())) + len(interaction.sent) <= ZIPPED_BYTES:
            reservation.close()
            return answered(b"".join(pieces))
        # All but the bytes of the media is written now; what a slow reader has not taken of those is not.
        return _Pieces(reservation, chain([await off_loop(lambda: next(pieces))], pieces))


class _Pieces(StreamingResponse):
    """Sends a large interaction piece by piece, and gives its room back when it is sent or given up."""

    def __init__(self, reservation: Reservation, pieces: Iterator[bytes]) -> None:
        super().__init__(pieces, media_type=JSON, headers={"Content-Encoding": "identity"})
        self._share = reservation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._share:
            await super().__call__(scope, receive, send)


def _flag(http: Request, name: str) -> bool:
    said = http.query_params.get(name, "false").lower()
    if said not in _BOOLEANS:
        raise InvalidArgument(f"{name}: it must be true or false.")
    return _BOOLEANS[said]
