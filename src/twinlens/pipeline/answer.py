"""The one path of a request: resolve, probe, plan, decode, prompt, generate.

`plan` is its first half: nothing is decoded, and `countTokens` stops there. `answer` is the second.
Streaming or plain, in every dialect, requests go through these two.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial

from ..concurrency.off_loop import count_off_loop, off_loop_if_large
from ..domain.answer import Answer, Candidate
from ..domain.engine import Blocked, EngineRequest, EngineUsage, Finished, FunctionCall, Text, Thought, Usage
from ..domain.errors import InvalidArgument
from ..domain.media import Modality
from ..domain.rendering import output_text_of
from ..domain.request import Request
from ..engines.base import Engine
from ..engines.router import Served
from ..media.worker.compute_quota import ComputeQuota
from . import prompt
from .engine_media import EngineMedia
from .media_limits import check_images
from .output_limits import limited
from .planning import PlannedMedia, Planner, costs_of, delimiters_of, pixels_of
from .resolve import resolve
from .services import Services
from .surrogates import well_formed


@dataclass(frozen=True, slots=True)
class Plan:
    """A request with every cost decided. `usage` holds the prompt's tokens and nothing of the answer.

    `quota` is the CPU time that its media may take, and names the project.
    """

    request: Request
    served: Served
    media: tuple[PlannedMedia, ...]
    usage: Usage
    quota: ComputeQuota


async def plan(
    request: Request, served: Served, project: str, services: Services, *, persist: bool = False
) -> Plan:
    """Decide what every part of a request costs; nothing is decoded.

    `persist` names the media by their SHA-256, so that they can be stored.
    """
    check(request, served)
    blobs = await resolve(request.media, project, services, persist=persist)
    quota = ComputeQuota(project, services.work_limit_s)
    planner = Planner(request, served, services.inspections, quota, services.max_image_pixels)
    items = await planner.plan(blobs)
    quota.allow(sum(item.work_s for item in items))
    tokens = costs_of(items)
    count = partial(prompt.count_text, request, served.engine.count_text)
    tokens[Modality.TEXT] += await off_loop_if_large(request, count)
    usage = Usage(prompt=+tokens, engine_media=sum(item.engine_tokens for item in items))
    _check_input_limit(usage.prompt_total, delimiters_of(items), served)
    return Plan(request, served, items, usage, quota)


async def answer(planned: Plan, services: Services, *, patient: bool = False) -> AsyncGenerator[Answer, None]:
    """Decode what the plan pays for, ask the engine, and yield the answer piece by piece.

    Nothing is decoded here: the engine takes what it needs, a piece at a time. An image that it has not
    taken before its first piece is decoded then, since one that is damaged is an error in any case.
    Pieces carry the prompt's usage. The last one of a candidate says nothing but how it ended; its usage
    adds what has been written until then. Closing the generator cancels the engine's work.

    The engine's turn is awaited first: a request that waits for one engine holds no pixels that another
    needs. A `patient` one also waits where the engine's queue is full.
    """
    backend, project = planned.served.backend, planned.quota.project
    async with (
        backend.turn(project, patient=patient),
        services.pixel_limiter.take(pixels_of(planned.media)),
    ):
        decoder = services.decoder.for_request(planned.quota)
        media = EngineMedia(decoder, planned.served.engine.capabilities.media)
        items = await media.of(planned.media)
        built = await off_loop_if_large(planned.request, partial(prompt.build, planned.request, items))
        async with aclosing(_candidates(built, planned)) as pieces:
            async for piece in pieces:
                await media.check_images()
                yield piece


def check(request: Request, served: Served) -> None:
    """Raise for what is wrong before any medium is inspected; `plan` does it first."""
    check_images(request, served.generation)
    _check_calls(request, served.engine)


def _check_calls(request: Request, engine: Engine) -> None:
    """Raise where a function call is required of an engine that makes none."""
    if request.tool_choice.mode == "ANY" and not engine.capabilities.calls:
        raise InvalidArgument(
            "Function calling mode ANY is not supported: this server answers in text.",
            field="tool_config.function_calling_config.mode",
        )


def _check_input_limit(tokens: int, delimiters: int, served: Served) -> None:
    """Raise for a prompt over the model's limit, by its payload: an hour of video, three at LOW, fit."""
    limit = served.generation.input_token_limit
    if tokens - delimiters > limit:
        raise InvalidArgument(
            f"The input token count ({tokens}) exceeds the maximum number of tokens allowed ({limit}).",
            field="contents",
        )


async def _candidates(request: EngineRequest, planned: Plan) -> AsyncGenerator[Answer, None]:
    """Generate the requested candidates one after the other; a blocked prompt ends them."""
    usage = planned.usage
    for index in range(request.sampling.candidates):
        async with aclosing(_candidate(index, request, planned.served.engine, usage)) as pieces:
            async for piece in pieces:
                yield piece
                usage = piece.usage
        if piece.blocked:
            return


async def _candidate(
    index: int, request: EngineRequest, engine: Engine, usage: Usage
) -> AsyncGenerator[Answer, None]:
    """Turn one candidate's events into pieces. Thoughts are counted, and shown where asked for.

    Calls have an id from here on: results name it.
    """
    sampling = request.sampling
    if index:
        request = replace(request, sampling=replace(sampling, seed=(sampling.seed or 0) + index))
    texts: list[str] = []
    thoughts: list[str] = []
    calls = 0
    events = limited(well_formed(engine.generate(request)), sampling, engine.count_text)
    async with aclosing(events):
        async for event in events:
            match event:
                case Text(text):
                    texts.append(text)
                    yield Answer((Candidate(index, (event,)),), usage)
                case Thought(text):
                    thoughts.append(text)
                    if request.thinking.include:
                        yield Answer((Candidate(index, (event,)),), usage)
                case FunctionCall():
                    calls += engine.count_text(output_text_of(event))
                    named = replace(event, id=event.id or f"call_{secrets.token_hex(8)}")
                    yield Answer((Candidate(index, (named,)),), usage)
                case Finished(usage=reported):
                    own = reported or EngineUsage()
                    said, thought = own.output, own.thoughts
                    if said is None:
                        said = calls + await count_off_loop("".join(texts), engine.count_text)
                    if thought is None:
                        thought = await count_off_loop("".join(thoughts), engine.count_text)
                    spent = replace(
                        usage,
                        candidates=usage.candidates + said,
                        thoughts=usage.thoughts + thought,
                        engine=usage.engine + own,
                    )
                    yield Answer((Candidate(index, (), event),), spent)
                case Blocked():
                    yield Answer((), usage, blocked=event)
