"""generateContent, streamGenerateContent and countTokens: read, call, write."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..domain import request as domain
from ..domain.answer import Answer, fold
from ..domain.engine import Usage
from ..domain.errors import Internal, NotFound, UnknownModel
from ..domain.lines import Line
from ..engines.pool import MAX_NAME, Served
from ..pipeline.answer import Plan, answer, plan
from ..pipeline.services import Services
from ..wire import gemini, status
from .auth import Keys
from .body import parsed, read_body
from .deadline import deadline_of, timely, until, while_connected
from .elsewhere import unserved_method
from .failures import meant_by
from .limits import Gate
from .metrics import note_cut
from .query import check_query
from .sse import ARRAY, SSE, Framing, framed, stream_start

JSON = "application/json; charset=UTF-8"

log = logging.getLogger(__name__)

_GENERATING = ("generateContent", "streamGenerateContent")

Reader = Callable[[bytes | bytearray, str, Line], domain.Request]


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator allows. `pause_s` is how long the bytes of a request may stay away.

    `engine_usage` adds what the engine spent to `usageMetadata`.
    """

    max_request_bytes: int
    request_timeout_s: float
    pause_s: float
    engine_usage: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a model's method: who calls, which model, and until when."""

    http: Request
    project: str
    served: Served
    deadline: float


class Generate:
    """The methods of a model. One route leads here; the name after the colon picks the method.

    `spend` hears of the tokens of every answer.
    """

    def __init__(
        self, services: Services, keys: Keys, gate: Gate, rules: Rules, spend: Callable[[Usage], None]
    ) -> None:
        self._services = services
        self._keys = keys
        self._gate = gate
        self._rules = rules
        self._spend = spend
        self._methods: Mapping[str, Callable[[Call], Awaitable[Response]]] = {
            "generateContent": self._generate,
            "streamGenerateContent": self._stream,
            "countTokens": self._count,
        }

    async def __call__(self, http: Request) -> Response:
        """Answer a POST to `models/{model}:{method}`."""
        project = self._keys.project_of(http)
        check_query(http)
        model, _, method = http.path_params["target"].rpartition(":")
        handler = self._methods.get(method)
        if handler is None:
            raise unserved_method(method, http.path_params["target"])
        deadline = deadline_of(http, self._rules.request_timeout_s)
        try:
            served = self._services.engines.get(model)
        except UnknownModel as unknown:
            if unknown.paints and method in _GENERATING:
                await self._check_instruction(http, model, deadline)
            raise NotFound(_unserved(http.path_params["version"], model, method, unknown.why)) from None
        return await handler(Call(http, project, served, deadline))

    async def _check_instruction(self, http: Request, model: str, deadline: float) -> None:
        """Refuse a system instruction for a maker of images as the service does, before its name is."""
        async with until(deadline), self._gate.slot():
            body = await read_body(http, self._rules.max_request_bytes, self._rules.pause_s)
            await parsed(body, lambda body: gemini.check_instruction(body, model))

    async def _generate(self, call: Call) -> Response:
        async with until(call.deadline), self._gate.slot():
            planned = await self._plan(call, gemini.read_generate)
            async with while_connected(call.http), aclosing(answer(planned, self._services)) as pieces:
                whole = fold([piece async for piece in pieces])
                self._spend(whole.usage)
                return Response(gemini.write_answer(whole, self._head(call)), media_type=JSON)
        return Response(status_code=499)

    async def _stream(self, call: Call) -> Response:
        """Give a response that does the work as it is sent: one task holds slot, deadline and stream."""
        return _Stream(call, self)

    async def _count(self, call: Call) -> Response:
        async with until(call.deadline), self._gate.slot():
            planned = await self._plan(call, gemini.read_count)
        return Response(gemini.write_count(planned.usage), media_type=JSON)

    async def send_stream(self, call: Call, send: Send) -> None:
        """Send a stream. What fails before the first piece is raised, and becomes a plain error."""
        sse = "sse" in (call.http.query_params.get("alt"), call.http.query_params.get("$alt"))
        async with self._gate.slot():
            async with until(call.deadline):
                planned = await self._plan(call, gemini.read_generate)
            async with (
                while_connected(call.http),
                aclosing(timely(answer(planned, self._services), call.deadline)) as pieces,
            ):
                first = await anext(pieces)
                written = self._written(first, pieces, self._head(call), call.http)
                await _send(written, SSE if sse else ARRAY, send)

    async def _plan(self, call: Call, read: Reader) -> Plan:
        body = await read_body(call.http, self._rules.max_request_bytes, self._rules.pause_s)
        served = call.served
        request = await parsed(body, lambda body: read(body, served.name, served.line))
        return await plan(request, served, call.project, self._services)

    def _head(self, call: Call) -> gemini.Head:
        return gemini.Head(
            model_version=call.served.name,
            response_id=secrets.token_urlsafe(12),
            engine_usage=self._rules.engine_usage,
        )

    async def _written(
        self, first: Answer, rest: AsyncGenerator[Answer, None], head: gemini.Head, http: Request
    ) -> AsyncGenerator[bytes, None]:
        last = first
        try:
            yield gemini.write_answer(first, head)
            async for last in rest:
                yield gemini.write_answer(last, head)
        except Exception as failure:
            note_cut(http.scope, meant_by(failure).status)
            raise
        finally:
            # A stream that breaks off has cost what it has sent.
            self._spend(last.usage)


def _unserved(version: str, model: str, method: str, why: str) -> str:
    shown = model if len(model) <= MAX_NAME else f"{model[:MAX_NAME]}..."
    sentence = (
        f"models/{shown} is not found for API version {version}, or is not supported for {method}. "
        "Call ListModels to see the list of available models and their supported methods."
    )
    return f"{sentence} {why}".rstrip()


class _Stream(Response):
    def __init__(self, call: Call, api: Generate) -> None:
        super().__init__()
        self._call = call
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._api.send_stream(self._call, send)


async def _send(written: AsyncGenerator[bytes, None], framing: Framing, send: Send) -> None:
    await send(stream_start(framing.media_type))
    async with aclosing(framed(written, framing, _write_failure)) as chunks:
        async for chunk in chunks:
            if chunk:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _write_failure(failure: Exception) -> bytes:
    error = meant_by(failure)
    if isinstance(error, Internal):
        log.error("a stream broke", exc_info=error)
    return status.write_error(error)
