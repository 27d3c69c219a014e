"""What can be told of a recording by listening: where somebody speaks, where it is quiet, how loud it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from math import log10

import numpy as np

from ....domain.clip import Span
from ....domain.engine_media import SAMPLE_RATE, Samples
from ..facts import Hearing, SpeechSpan
from .silero import CHUNK, Memory, Silero

_CHUNK_S = CHUNK / SAMPLE_RATE

_SPEECH, _NO_SPEECH = 0.5, 0.35
"""Speech begins at the first score; it goes on until scores stay below the second for `_PAUSE_S`."""
_SHORTEST_S = 0.25
_PAUSE_S = 0.4
_PAD_S = 0.03

_QUIET_DB = -50
_SHORTEST_QUIET_S = 1.0
_SILENT_DB, _LEAST_POWER = -100.0, 1e-10


@dataclass(frozen=True, slots=True)
class Carried:
    """What goes from one piece of a recording to the next: samples short of a chunk, and the memory."""

    rest: Samples
    memory: Memory

    @classmethod
    def nothing(cls) -> Carried:
        """Begin with a recording."""
        return cls(np.empty(0, np.float32), Memory.empty())


@dataclass(frozen=True, slots=True)
class Heard:
    """What listening to a piece gave: for each chunk the score of speech in it, and its power."""

    scores: Samples
    powers: Samples
    carried: Carried


class Listener:
    """Listens to pieces of recordings, each with what is carried over from the one before it."""

    def __init__(self) -> None:
        self._silero = Silero()

    def hear(self, piece: Samples, carried: Carried) -> Heard:
        """Listen to the next piece."""
        samples = np.concatenate((carried.rest, piece))
        count = len(samples) // CHUNK
        whole, rest = samples[: count * CHUNK], samples[count * CHUNK :].copy()
        if not count:
            return Heard(whole, whole, Carried(rest, carried.memory))
        scores, memory = self._silero.score(whole, carried.memory)
        powers = np.square(whole.reshape(count, CHUNK)).mean(axis=1)
        return Heard(scores, powers, Carried(rest, memory))


def conclude(scores: Samples, powers: Samples, span: Span) -> Hearing:
    """Put together what was heard in a stretch of a recording, chunk by chunk."""
    quiet = powers < 10 ** (_QUIET_DB / 10)
    return Hearing(
        speech=tuple(_speech(scores, span)),
        quiet=tuple(s for s in _runs(quiet.tolist(), span) if s.seconds >= _SHORTEST_QUIET_S),
        level_db=_decibels(float(powers.mean()) if len(powers) else 0.0),
    )


def _decibels(power: float) -> float:
    return round(10 * log10(power), 1) if power > _LEAST_POWER else _SILENT_DB


def _speech(scores: Samples, span: Span) -> Iterator[SpeechSpan]:
    for first, end in _spoken(scores.tolist()):
        if (end - first) * _CHUNK_S >= _SHORTEST_S:
            yield SpeechSpan(
                max(span.start + first * _CHUNK_S - _PAD_S, span.start),
                min(span.start + end * _CHUNK_S + _PAD_S, span.end),
                round(float(scores[first:end].mean()), 3),
            )


def _spoken(scores: list[float]) -> Iterator[tuple[int, int]]:
    """Find where scores rise, and where they have fallen for long: the first chunk, and the one after."""
    first, end = None, 0
    for index, score in enumerate(scores):
        if first is None:
            if score >= _SPEECH:
                first, end = index, index + 1
        elif score >= _NO_SPEECH:
            end = index + 1
        elif (index + 1 - end) * _CHUNK_S >= _PAUSE_S:
            yield first, end
            first = None
    if first is not None:
        yield first, end


def _runs(are: list[bool], span: Span) -> Iterator[Span]:
    """Give the stretches of chunks that are something."""
    at = 0
    for is_so, run in groupby(are):
        first, at = at, at + sum(1 for _ in run)
        if is_so:
            yield Span(span.start + first * _CHUNK_S, min(span.start + at * _CHUNK_S, span.end))
