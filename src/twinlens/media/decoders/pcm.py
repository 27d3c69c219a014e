"""Raw PCM, described by its label, to one channel at 16 kHz. Runs in a worker process.

They are read here rather than by PyAV: there is nothing to demux, and any piece is where it is.
"""

from __future__ import annotations

import os
from typing import IO

import numpy as np

from ...domain.engine_media import SAMPLE_RATE, Samples
from ...domain.media_types import parameters_of
from ...domain.raw_audio import RawAudio, raw_audio_of
from ..worker.time_slice import TimeSlice
from .resample import Resampler
from .unreadable import Unreadable
from .video import MAX_SECONDS

_BLOCK_SAMPLES = 1 << 15
_PREROLL_S = 1
"""Read before a piece: more than the filter reaches to, at any rate."""


def inspect(file: IO[bytes], mime_type: str) -> dict[str, int | bool]:
    """Measure how long the samples last, and check that the last one is whole."""
    form, size = raw_audio_of(parameters_of(mime_type)), file.seek(0, os.SEEK_END)
    if not size:
        raise Unreadable("empty", "no samples")
    if size % form.frame_bytes:
        raise Unreadable("cut", f"{size} bytes in samples of {form.frame_bytes}")
    microseconds = size // form.frame_bytes * 1_000_000 // form.rate
    if microseconds > MAX_SECONDS * 1_000_000:
        raise Unreadable("damaged", f"lasts {microseconds} us")
    return {"duration": max(microseconds, 1), "width": 0, "height": 0, "sound": True}


def decode(file: IO[bytes], mime_type: str, start: float, out: Samples, part: TimeSlice) -> int:
    """Add the samples from a time on to `out`, which is silent; return how many of it are done.

    Those are all of it or, where this part of the job is over before, at least one.
    """
    form, first = raw_audio_of(parameters_of(mime_type)), round(start * SAMPLE_RATE)
    at = max(first * form.rate // SAMPLE_RATE - _PREROLL_S * form.rate, 0)
    resampler = Resampler(form.rate, 1 / (form.channels << 15), first, out)
    file.seek(at * form.frame_bytes)
    while at < resampler.end:
        if resampler.done:
            part.reached()
            if part.is_over:
                return resampler.done
        sums = _sums(file, form)
        if not len(sums):
            break
        _put(resampler, at, sums)
        at += len(sums)
    resampler.finish()
    return len(out)


def _sums(file: IO[bytes], form: RawAudio) -> Samples:
    """Read the next samples, each the sum of its channels."""
    data = file.read(_BLOCK_SAMPLES * form.frame_bytes)
    whole = len(data) - len(data) % form.frame_bytes
    samples = np.frombuffer(data[:whole], ">i2" if form.big_endian else "<i2")
    sums: Samples = samples.reshape(-1, form.channels).sum(axis=1, dtype=np.float32)
    return sums


def _put(resampler: Resampler, at: int, sums: Samples) -> None:
    done = 0
    while done < len(sums):
        skipped, buffer = resampler.buffer(at + done, len(sums) - done)
        buffer[:] = sums[done + skipped : done + skipped + len(buffer)]
        done += skipped + len(buffer)
