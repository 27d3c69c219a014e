"""The one path of a request: resolve, probe, plan, decode, prompt, generate.

`plan` is its first half: nothing is decoded, and `countTokens` stops there. `answer` is the second.
Streaming and plain, every dialect goes through these two.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from .. import media
from ..domain import budget
from ..domain.answer import Answer, Candidate
from ..domain.budget import Budget
from ..domain.engine import Blocked, EngineRequest, Finished, Text, Thought, Usage
from ..domain.errors import InvalidArgument
from ..domain.geometry import GEOMETRIES, Fit
from ..domain.media import Blob, Image, ImageInfo, Modality
from ..domain.request import Media, Request
from ..engines.base import Engine
from ..engines.pool import Served
from . import prompt
from .concurrency import side_by_side
from .limits import limited
from .resolve import resolve
from .services import Services

PLAN_ON_LOOP = 64
"""So many headers are read sooner than a thread is woken; thousands would hold up everyone else."""


@dataclass(frozen=True, slots=True)
class PlannedMedia:
    """One medium before it is decoded: what it is, what it may cost, and how the engine will see it."""

    blob: Blob
    info: ImageInfo
    budget: Budget
    fit: Fit


@dataclass(frozen=True, slots=True)
class Plan:
    """A request with every cost decided. `usage` holds the prompt's tokens and nothing of the answer."""

    request: Request
    engine: Engine
    media: tuple[PlannedMedia, ...]
    usage: Usage


async def plan(request: Request, served: Served, project: str, services: Services) -> Plan:
    """Decide what every part of a request costs, reading headers only."""
    blobs = await resolve(request.media, project, services)
    if len(blobs) <= PLAN_ON_LOOP:
        items = _plan_all(request, blobs, served, services.max_image_pixels)
    else:
        items = await asyncio.to_thread(_plan_all, request, blobs, served, services.max_image_pixels)
    tokens: Counter[Modality] = Counter()
    tokens[Modality.TEXT] = prompt.count_text(request, served.engine.count_text)
    for item in items:
        tokens[item.budget.modality] += item.budget.billed
    usage = Usage(prompt=+tokens, engine_media=sum(item.fit.tokens for item in items))
    _check_input_limit(usage.prompt_total, served)
    return Plan(request, served.engine, items, usage)


async def answer(planned: Plan, services: Services) -> AsyncGenerator[Answer, None]:
    """Decode what the plan pays for, ask the engine, and yield the answer piece by piece.

    Pieces carry the prompt's usage; the last piece of a candidate adds what has been written until
    then. Closing the generator cancels the engine's work.
    """
    pixels = sum(item.fit.width * item.fit.height for item in planned.media)
    async with services.room.take(pixels):
        images = await side_by_side(_decode(item, services) for item in planned.media)
        await services.engines.loaded()
        async with aclosing(_candidates(prompt.build(planned.request, images), planned)) as pieces:
            async for piece in pieces:
                yield piece


def _plan_all(
    request: Request, blobs: Sequence[Blob], served: Served, max_pixels: int
) -> tuple[PlannedMedia, ...]:
    return tuple(
        _plan_media(part, blob, request, served, max_pixels)
        for part, blob in zip(request.media, blobs, strict=True)
    )


def _plan_media(part: Media, blob: Blob, request: Request, served: Served, max_pixels: int) -> PlannedMedia:
    info = media.probe(blob, max_pixels)
    cost = budget.plan(info, served.line.name, request.resolution, part.resolution, part.field)
    geometry = GEOMETRIES[served.engine.capabilities.geometry]
    return PlannedMedia(blob, info, cost, geometry(info.width, info.height, cost.payload))


def _check_input_limit(tokens: int, served: Served) -> None:
    limit = served.line.input_token_limit
    if tokens > limit:
        raise InvalidArgument(
            f"The input token count ({tokens}) exceeds the maximum number of tokens allowed ({limit}).",
            field="contents",
        )


async def _decode(item: PlannedMedia, services: Services) -> Image:
    fit = item.fit
    pixels, digest = await services.decoded.image(item.blob, item.info, fit.width, fit.height)
    return Image(
        pixels=pixels,
        source_width=item.info.width,
        source_height=item.info.height,
        mime_type=item.info.mime_type,
        tokens=fit.tokens,
        digest=digest,
    )


async def _candidates(request: EngineRequest, planned: Plan) -> AsyncGenerator[Answer, None]:
    """Ask for as many candidates as are wanted, one after the other; a blocked prompt ends it."""
    usage = planned.usage
    for index in range(request.sampling.candidates):
        async with aclosing(_candidate(index, request, planned.engine, usage)) as pieces:
            async for piece in pieces:
                yield piece
                usage = piece.usage
        if piece.blocked:
            return


async def _candidate(
    index: int, request: EngineRequest, engine: Engine, usage: Usage
) -> AsyncGenerator[Answer, None]:
    """Turn one candidate's events into pieces. Thoughts are counted, and shown where asked for."""
    sampling = request.sampling
    if index:
        request = replace(request, sampling=replace(sampling, seed=(sampling.seed or 0) + index))
    texts: list[str] = []
    thoughts: list[str] = []
    async with aclosing(limited(engine.generate(request), sampling, engine.count_text)) as events:
        async for event in events:
            match event:
                case Text(text):
                    texts.append(text)
                    yield Answer((Candidate(index, (event,)),), usage)
                case Thought(text):
                    thoughts.append(text)
                    if request.thinking.include:
                        yield Answer((Candidate(index, (event,)),), usage)
                case Finished():
                    spent = replace(
                        usage,
                        candidates=usage.candidates + engine.count_text("".join(texts)),
                        thoughts=usage.thoughts + engine.count_text("".join(thoughts)),
                    )
                    # The last piece carries an empty text: clients index its parts.
                    yield Answer((Candidate(index, (Text(""),), event),), spent)
                case Blocked():
                    yield Answer((), usage, blocked=event)
