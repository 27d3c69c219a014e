"""generateContent, streamGenerateContent and countTokens: read, call, write."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..concurrency.admission import AdmissionQueue
from ..concurrency.body_memory import BodyMemory, Reservation
from ..concurrency.deadline import until
from ..concurrency.off_loop import parse_off_loop
from ..domain import request as domain
from ..domain.answer import Answer, fold
from ..domain.engine import Usage
from ..domain.errors import NotFound, UnknownModel
from ..domain.generations import Generation
from ..engines.router import MAX_NAME, Served
from ..pipeline.answer import Plan, answer, plan
from ..pipeline.failures import report, to_api_error
from ..pipeline.services import Services
from ..wire import gemini, status
from .auth import Keys
from .backlog import Backlog
from .body import read_body
from .deadline import LAST_WORD_S, deadline_of, in_time, while_connected
from .query import check_query
from .responses import answered
from .sse import ARRAY, SSE, Framing, framed, stream_start
from .traffic import note_cut
from .unsupported import unserved_method

_GENERATING = ("generateContent", "streamGenerateContent")

Reader = Callable[[bytes | bytearray, str, Generation], domain.Request]


@dataclass(frozen=True, slots=True)
class GenerateRules:
    """What the operator allows. `pause_s` is how long the bytes of a request may stay away.

    `engine_usage` adds what the engine spent to `usageMetadata`.
    """

    max_request_bytes: int
    request_timeout_s: float
    pause_s: float
    engine_usage: bool = False


@dataclass(frozen=True, slots=True)
class MethodCall:
    """One call of a model's method: who calls, which model, and until when."""

    http: Request
    project: str
    served: Served
    deadline: float

    @property
    def framing(self) -> Framing:
        """The form of stream that is asked for."""
        said = self.http.query_params
        return SSE if "sse" in (said.get("alt"), said.get("$alt")) else ARRAY


@dataclass(slots=True)
class ParsedCall:
    """A call with its body, and the room that the body takes; whoever works on it takes the body out."""

    call: MethodCall
    body: bytes | bytearray
    reservation: Reservation

    def take_body(self) -> bytes | bytearray:
        """Give the body once: a request that is read slowly must not keep it."""
        body, self.body = self.body, b""
        return body


class Generate:
    """The methods of a model. One route leads here; the name after the colon picks the method.

    `spend` hears of the tokens of every answer.
    """

    def __init__(
        self,
        services: Services,
        keys: Keys,
        admission: AdmissionQueue,
        body_memory: BodyMemory,
        rules: GenerateRules,
        spend: Callable[[Usage], None],
    ) -> None:
        self._services = services
        self._keys = keys
        self._admission = admission
        self._body_memory = body_memory
        self._rules = rules
        self._spend = spend
        self._methods: Mapping[str, Callable[[MethodCall], Awaitable[Response]]] = {
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
                await self._check_instruction(http, project, model, deadline)
            raise NotFound(_unserved(http.path_params["version"], model, method, unknown.why)) from None
        return await handler(MethodCall(http, project, served, deadline))

    async def _check_instruction(self, http: Request, project: str, model: str, deadline: float) -> None:
        """Refuse a system instruction for a maker of images as the service does, before its name is."""
        rules = self._rules
        async with until(deadline):
            with self._body_memory.reserve(project) as reservation:
                body = await read_body(http, rules.max_request_bytes, rules.pause_s, reservation)
            await parse_off_loop(body, lambda body: gemini.check_instruction(body, model))

    async def _generate(self, call: MethodCall) -> Response:
        async with until(call.deadline), self._read(call) as asked, while_connected(call.http):
            async with (
                self._turn(asked, gemini.read_generate) as planned,
                aclosing(answer(planned, self._services)) as pieces,
            ):
                whole = fold([piece async for piece in pieces])
            self._spend(whole.usage)
            return answered(gemini.write_answer(whole, self._head(call)))
        return Response(status_code=499)

    async def _stream(self, call: MethodCall) -> Response:
        """Give a response that does the work as it is sent: what fails before the first piece is raised."""
        return _Stream(call, self)

    async def _count(self, call: MethodCall) -> Response:
        async with until(call.deadline), self._read(call) as asked, while_connected(call.http):
            async with self._turn(asked, gemini.read_count) as planned:
                counted = gemini.write_count(planned.usage)
            return answered(counted)
        return Response(status_code=499)

    async def send_stream(self, call: MethodCall, send: Send) -> None:
        """Send a stream. What fails before the first piece is raised, and becomes a plain error.

        The answer is made by a task of its own, which never waits for whoever reads: its turn is over when
        the answer is made, and the client has until the request's deadline to take it.
        """
        async with AsyncExitStack() as stack:
            async with until(call.deadline):
                asked = await stack.enter_async_context(self._read(call))
            await stack.enter_async_context(while_connected(call.http))
            backlog = Backlog()
            await stack.enter_async_context(_beside(self._make(asked, backlog)))
            chunks = await stack.enter_async_context(aclosing(backlog.chunks()))
            first = await anext(chunks)
            async with in_time(call.http, call.deadline + LAST_WORD_S):
                written = _written(first, chunks, self._head(call), call.http.scope)
                await _send(written, call.framing, send)

    @asynccontextmanager
    async def _read(self, call: MethodCall) -> AsyncIterator[ParsedCall]:
        """Read the body, and hold the room that it takes until it is worked on."""
        self._admission.check_room(call.project)
        with self._body_memory.reserve(call.project) as reservation:
            rules = self._rules
            yield ParsedCall(
                call,
                await read_body(call.http, rules.max_request_bytes, rules.pause_s, reservation),
                reservation,
            )

    @asynccontextmanager
    async def _turn(self, asked: ParsedCall, read: Reader) -> AsyncIterator[Plan]:
        """Have a turn, with what is asked planned, until the answer is made."""
        async with self._admission.slot(asked.call.project, asked.reservation):
            yield await self._plan(asked.call, asked.take_body(), read)

    async def _plan(self, call: MethodCall, body: bytes | bytearray, read: Reader) -> Plan:
        served = call.served
        request = await parse_off_loop(body, lambda body: read(body, served.name, served.generation))
        return await plan(request, served, call.project, self._services)

    async def _make(self, asked: ParsedCall, backlog: Backlog) -> None:
        """Make an answer. One that breaks off has cost what was made of it."""
        try:
            async with until(asked.call.deadline), self._turn(asked, gemini.read_generate) as planned:
                usage: Usage | None = None
                try:
                    async with aclosing(answer(planned, self._services)) as pieces:
                        async for piece in pieces:
                            usage = piece.usage
                            backlog.put(piece)
                finally:
                    if usage is not None:
                        self._spend(usage)
        except Exception as failure:
            backlog.end(failure)
        else:
            backlog.end()

    def _head(self, call: MethodCall) -> gemini.ResponseHead:
        return gemini.ResponseHead(
            model_version=call.served.name,
            response_id=secrets.token_urlsafe(12),
            engine_usage=self._rules.engine_usage,
        )


def _unserved(version: str, model: str, method: str, why: str) -> str:
    shown = model if len(model) <= MAX_NAME else f"{model[:MAX_NAME]}..."
    sentence = (
        f"models/{shown} is not found for API version {version}, or is not supported for {method}. "
        "Call ListModels to see the list of available models and their supported methods."
    )
    return f"{sentence} {why}".rstrip()


class _Stream(Response):
    def __init__(self, call: MethodCall, api: Generate) -> None:
        super().__init__()
        self._call = call
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._api.send_stream(self._call, send)


async def _written(
    first: Answer, rest: AsyncGenerator[Answer, None], head: gemini.ResponseHead, scope: Scope
) -> AsyncGenerator[bytes, None]:
    yield gemini.write_answer(first, head)
    try:
        async for chunk in rest:
            yield gemini.write_answer(chunk, head)
    except Exception as failure:
        note_cut(scope, to_api_error(failure).status)
        raise


@asynccontextmanager
async def _beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Have something done beside what is done within, and no longer than that."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _send(written: AsyncGenerator[bytes, None], framing: Framing, send: Send) -> None:
    await send(stream_start(framing.media_type))
    async with aclosing(framed(written, framing, _write_failure)) as chunks:
        async for chunk in chunks:
            if chunk:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _write_failure(failure: Exception) -> bytes:
    error = to_api_error(failure)
    report(error, "a stream")
    return status.write_error(error)
