"""A look through a video: frame by frame, at those only that are not like the one before.

Facts are kept, and never pixels: however long a video is, a few frames lie in memory at a time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from ....domain.engine_media import Frame, Video
from ....domain.errors import Internal
from ..asked import LookAtImage
from ..facts import FactName, Facts
from . import captions, sights
from .captions import Caption, Glance
from .sights import Sight

_SIDE_BY_SIDE = 4


@dataclass(frozen=True, slots=True)
class Wanted:
    """The facts to look for in every frame that is looked at, and in the first frame of each scene."""

    anywhere: frozenset[FactName]
    opening: frozenset[FactName]


@dataclass(frozen=True, slots=True)
class Reel:
    """What was seen of a video from its frame `first` to `last`.

    `facts` are those of the glances, each text in the first frame only that shows it.
    """

    first: int
    last: int
    glances: tuple[Glance, ...]
    captions: tuple[Caption, ...]
    facts: tuple[Facts, ...]

    @property
    def scenes(self) -> tuple[tuple[Glance, int], ...]:
        """The scenes: each by its first frame, with the index of its last."""
        openings = [glance for glance in self.glances if glance.opens]
        ends = [*(glance.index - 1 for glance in openings[1:]), self.last]
        return tuple(zip(openings, ends, strict=True))

    @property
    def cuts(self) -> tuple[int, ...]:
        """The frames before which a cut lies."""
        return tuple(glance.index for glance, _ in self.scenes[1:])

    @property
    def weight(self) -> int:
        """What it takes to remember it, in lines and words of text."""
        lines = (line for glance in self.glances for line in glance.facts.lines or ())
        return sum(1 + len(line.words) for line in lines) + 16 * len(self.glances)


@dataclass(frozen=True, slots=True)
class _Judged:
    sight: Sight
    opens: bool
    changed: bool


async def wind(video: Video, which: Sequence[int], wanted: Wanted, look: LookAtImage) -> Reel:
    """Look through frames of a video that follow one another."""
    found = [glance async for glance in glances(video, which, wanted, look)]
    if not found:
        raise Internal
    ends = [*(glance.index - 1 for glance in found[1:]), which[-1]]
    lasting = [replace(glance, last=max(end, glance.index)) for glance, end in zip(found, ends, strict=True)]
    joined, facts = await asyncio.to_thread(captions.join, lasting)
    return Reel(which[0], which[-1], tuple(lasting), joined, facts)


async def glances(
    video: Video, which: Sequence[int], wanted: Wanted, look: LookAtImage
) -> AsyncGenerator[Glance, None]:
    """Look at frames as they come, a few side by side; one that hardly differs from the last is left out."""
    looks: deque[asyncio.Task[Glance]] = deque()
    try:
        async with aclosing(_changed(video, which)) as changed:
            async for frame, opens in changed:
                facts = wanted.opening | wanted.anywhere if opens else wanted.anywhere
                looks.append(asyncio.create_task(_glance(frame, facts, look, opens)))
                if len(looks) >= _SIDE_BY_SIDE:
                    yield await looks.popleft()
        while looks:
            yield await looks.popleft()
    finally:
        for task in looks:
            task.cancel()
        await asyncio.gather(*looks, return_exceptions=True)


async def _changed(video: Video, which: Sequence[int]) -> AsyncGenerator[tuple[Frame, bool], None]:
    """Give the frames that are worth a look, and whether a scene begins there."""
    before: Sight | None = None
    kept: Sight | None = None
    async with aclosing(video.frames(which)) as frames:
        async for frame in frames:
            judged = await asyncio.to_thread(_judge, frame, before, kept)
            before = judged.sight
            if judged.changed:
                kept = judged.sight
                yield frame, judged.opens


def _judge(frame: Frame, before: Sight | None, kept: Sight | None) -> _Judged:
    sight = sights.take(frame.image.pixels)
    opens = before is None or sight.distance(before) >= sights.CUT
    return _Judged(sight, opens, opens or kept is None or sight.differs(kept))


async def _glance(frame: Frame, wanted: frozenset[FactName], look: LookAtImage, opens: bool) -> Glance:
    return Glance(frame.index, frame.index, opens, await look(frame.image, wanted))
