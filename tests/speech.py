"""Makes audio that detectors take for speech, without a recording of anybody."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import numpy as np
from numpy.typing import NDArray

from twinlens.domain.engine_media import SAMPLE_RATE, Samples, Sound

Wave = NDArray[np.float64]

_VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))
"""The first three resonances of a mouth, in Hz."""
_WIDTHS = (80, 90, 120)


def speech(seconds: float, seed: int = 0) -> Samples:
    """Make somebody speak without pause."""
    random = np.random.default_rng(seed)
    syllables: list[Wave] = []
    count = 0
    while count < seconds * SAMPLE_RATE:
        syllables += [_consonant(random), _vowel(random, count / SAMPLE_RATE)]
        count = sum(map(len, syllables))
    return np.concatenate(syllables)[: round(seconds * SAMPLE_RATE)].astype(np.float32)


def recording(seconds: float, spoken: Sequence[tuple[float, float]] = (), noise: float = 0.001) -> Samples:
    """Make a recording in which somebody speaks at these times, before a little noise."""
    made = np.random.default_rng(1).normal(0, noise, round(seconds * SAMPLE_RATE)).astype(np.float32)
    for start, end in spoken:
        at = round(start * SAMPLE_RATE)
        said = speech(end - start, seed=at)
        made[at : at + len(said)] += said
    return np.clip(made, -1, 1)


def tone(seconds: float, hertz: float = 440, rate: int = SAMPLE_RATE, level: float = 0.25) -> Samples:
    """Make a tone, which begins at zero."""
    times = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def sound_of(samples: Samples, start: float = 0, piece_s: float = 60, digest: str = "one") -> Sound:
    """Return samples as an engine gets them, in pieces; they begin at `start`."""

    async def read(begin: float, end: float) -> AsyncGenerator[Samples, None]:
        at, last = (round((moment - start) * SAMPLE_RATE) for moment in (begin, end))
        for first in range(at, last, round(piece_s * SAMPLE_RATE)):
            yield samples[first : min(first + round(piece_s * SAMPLE_RATE), last)]

    return Sound("audio/wav", start, len(samples) / SAMPLE_RATE, 0, digest, read)


def _consonant(random: np.random.Generator) -> Wave:
    count = random.integers(640, 1440)
    made: Wave = np.diff(random.standard_normal(count), prepend=0) * np.hanning(count) * 0.12
    return made


def _vowel(random: np.random.Generator, at: float) -> Wave:
    """Let glottal pulses, whose pitch wavers and falls and rises, sound through a mouth."""
    count = int(random.integers(1920, 3520))
    times = at + np.arange(count) / SAMPLE_RATE
    wavering = 1 + 0.01 * random.standard_normal(count).cumsum() / np.sqrt(count)
    pitch = random.uniform(100, 140) * (1 + 0.15 * np.sin(2 * np.pi * 1.5 * times)) * wavering
    pulses = np.diff(np.floor(np.cumsum(pitch) / SAMPLE_RATE), prepend=0)
    made: Wave = np.diff(np.convolve(pulses, np.exp(-np.arange(60) / 12))[:count], prepend=0)
    made += 0.02 * random.standard_normal(count)
    for hertz, width in zip(_VOWELS[random.integers(len(_VOWELS))], _WIDTHS, strict=True):
        made = np.convolve(made, _resonance(hertz * (1 + 0.02 * random.standard_normal()), width))[:count]
    made *= np.hanning(count) ** 0.4
    made *= 0.5 / np.abs(made).max()
    return made


def _resonance(hertz: float, width: float) -> Wave:
    decay, turn = np.exp(-np.pi * width / SAMPLE_RATE), 2 * np.pi * hertz / SAMPLE_RATE
    times = np.arange(600)
    made: Wave = (1 - decay) * decay**times * np.sin((times + 1) * turn) / np.sin(turn)
    return made
