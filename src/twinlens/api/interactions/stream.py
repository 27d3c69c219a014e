"""An interaction as a stream of events: while it runs, or replayed afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import aclosing, suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from ...domain.errors import Cancelled, TwinlensError, Unavailable
from ...domain.interaction import Interaction
from ...pipeline.failures import report, to_api_error
from ...wire import status
from ...wire.interactions.errors import write_error_event
from ...wire.interactions.events import Event, EventEncoder
from ..deadline import LAST_WORD_S, while_connected
from ..sse import SSE, named_event, stream_start
from ..traffic import note_cut

BATCH_BYTES = 64 * 1024
"""Of events, sent at a time where there are many."""

Changes = AsyncGenerator[Interaction, None]


class EventStream(Response):
    """Sends what a teller makes of an interaction's changes; calls `left` where the client goes away."""

    def __init__(
        self, http: Request, changes: Changes, teller: EventEncoder, left: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__()
        self._http = http
        self._changes = changes
        self._teller = teller
        self._left = left

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with while_connected(self._http):
            await send(stream_start(SSE.media_type))
            try:
                await self._tell(scope, send)
            except Exception as failure:
                error = to_api_error(failure)
                report(error, "a stream")
                note_cut(scope, error.status)
                await send(_last_word(error))
            except asyncio.CancelledError:
                note_cut(scope, Cancelled.status)
                # The client has left, or the server's time for stopping is over.
                with suppress(OSError, TimeoutError):
                    async with asyncio.timeout(LAST_WORD_S):
                        await send(_last_word(Unavailable("The server is stopping. Try again later.")))
                raise
            return
        self._left()

    async def _tell(self, scope: Scope, send: Send) -> None:
        was_under_way = False
        async with aclosing(self._changes) as changes:
            async for interaction in changes:
                failure = interaction.outcome.failure
                if was_under_way and failure and failure.status in status.HTTP:
                    note_cut(scope, failure.status)
                was_under_way = not interaction.finished
                for told in _batches(map(_written, self._teller.encode_each(interaction))):
                    await send({"type": "http.response.body", "body": told, "more_body": True})
                    # Many events at once are told in turns with whatever else there is to do.
                    await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _batches(events: Iterable[bytes]) -> Iterator[bytes]:
    """Join events to what is worth sending by itself; the last batch is what is left."""
    batch: list[bytes] = []
    size = 0
    for event in events:
        batch.append(event)
        size += len(event)
        if size >= BATCH_BYTES:
            yield b"".join(batch)
            batch, size = [], 0
    if batch:
        yield b"".join(batch)


def _last_word(error: TwinlensError) -> Message:
    told = (Event("error", write_error_event(error)), Event("done", b"[DONE]"))
    return {"type": "http.response.body", "body": b"".join(map(_written, told)), "more_body": False}


def _written(event: Event) -> bytes:
    return named_event(event.name, event.data)
