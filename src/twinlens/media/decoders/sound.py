"""The audio of a recording, decoded by PyAV to one channel at 16 kHz. Runs in a worker process.

Any piece of a recording can be decoded alone, and pieces join without a click: time is counted in whole
samples from the recording's start, a piece is decoded from a little before it, and what containers round
in their timestamps is taken back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from itertools import chain, dropwhile, groupby, islice
from math import floor
from typing import IO, Any, cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from ...domain.engine_media import SAMPLE_RATE, Samples
from ..worker.time_slice import TimeSlice
from . import video
from .mixing import mix_of
from .resample import MAX_RATE, MIN_RATE, Resampler
from .unreadable import Unreadable

_PREROLL_S = Fraction(1, 2)
"""Decoded before a piece and discarded: decoders and the filter need what came before."""

_SEEK_FROM_S = 3
"""That close to the beginning, reading on is faster than a seek. Chosen, not measured."""

_READ_THROUGH = frozenset({"mp3"})
"""Demuxers that only guess where a seek has led to."""

_GAP_S = 0.02
"""What timestamps may be off before they count as a gap in the audio, or as audio that is sent twice.

Chosen, not measured."""

_TICKS_OFF = 1.5
"""A stream's start and a frame's may each be rounded by half a tick, and not quite by the same rule."""

_PACKETS_TO_FIRST_FRAMES = 1000
_RUN_SAMPLES = 1 << 15


def decode(file: IO[bytes], start: float, out: Samples, part: TimeSlice) -> int:
    """Add the audio from a time on to `out`, which is silent; return how many samples are done.

    Those are all that it has or, where this part of the job is over before, at least one. Time zero is the
    first frame's or, in a recording without video, that of the first audio.
    """
    first = round(start * SAMPLE_RATE)
    with video.opened(file) as container:
        main = video.main_stream(container)
        if isinstance(main, AudioStream):
            return _Track(container, main).write(None, first, out, part)
        zero = (video.first_frame(container, main).pts or 0) * video.time_base_of(main)
    file.seek(0)
    with video.opened(file) as container:
        if not container.streams.audio:
            raise Unreadable("mute", "no audio stream")
        stream = container.streams.audio[0]
        video.attend(container, stream)
        return _Track(container, stream).write(zero, first, out, part)


class _Track:
    """One audio stream, from its beginning."""

    def __init__(self, container: InputContainer, stream: AudioStream) -> None:
        self._container, self._stream = container, stream
        self._time_base = video.time_base_of(stream)
        # The last packet is an empty one, which gets out what the decoder holds back. A recording that
        # breaks off is silent from there on.
        self._packets = video.packets_of(container, stream)
        self._origin: int | None = None
        self._ahead: list[AudioFrame] = []
        for packet in islice(self._packets, _PACKETS_TO_FIRST_FRAMES):
            self._origin = packet.pts if self._origin is None else self._origin
            self._ahead += self._decoded(packet)
            if len(self._ahead) > 1:
                break

    def write(self, zero: Fraction | None, first: int, out: Samples, part: TimeSlice) -> int:
        """Write the audio from sample `first` on, counted from `zero`, or else from the first audio.

        Returns the number of samples that are done.
        """
        if not self._ahead:
            if zero is None:
                raise Unreadable("damaged", "no packet gave a frame")
            return len(out)
        one = self._ahead[0]
        if zero is None:
            zero = Fraction(self._grid_of(one.sample_rate).place(one.pts or 0, one.samples), one.sample_rate)
        frames = self._frames_from(zero + Fraction(first, SAMPLE_RATE) - _PREROLL_S)
        # A file of floats may hold what is no number; the resampler makes silence of that.
        with np.errstate(all="ignore"):
            for (rate, *_), alike in groupby(frames, key=_form):
                done = _write(alike, _Clock(self._grid_of(rate), zero), first, out, part)
                if done is not None:
                    return done
        return len(out)

    def _frames_from(self, begin: Fraction) -> Iterator[AudioFrame]:
        """Decode from a time on, or from somewhat before."""
        earliest = floor(begin / self._time_base)
        ahead = self._ahead
        if begin > (ahead[0].pts or 0) * self._time_base + _SEEK_FROM_S:
            self._jump(earliest)
            ahead = []
        yield from ahead
        for packet in dropwhile(lambda packet: _ends_before(packet, earliest), self._packets):
            yield from self._decoded(packet)

    def _jump(self, pts: int) -> None:
        """Seek to before a time, if the container can; else all packets are read, and few are decoded."""
        if self._container.format.name not in _READ_THROUGH:
            with suppress(av.error.FFmpegError):
                self._container.seek(pts, stream=self._stream)
                self._packets = video.packets_of(self._container, self._stream)

    def _decoded(self, packet: Packet[Any]) -> Sequence[AudioFrame]:
        return cast("Sequence[AudioFrame]", video.frames_of(packet, self._stream))

    def _grid_of(self, rate: int) -> _Grid:
        step = max(frame.samples for frame in self._ahead) if rate == self._ahead[0].sample_rate else 1
        return _Grid(self._time_base, rate, self._origin or 0, step)


def _ends_before(packet: Packet[Any], pts: int) -> bool:
    return packet.pts is not None and packet.pts + (packet.duration or 0) < pts


def _form(frame: AudioFrame) -> tuple[int, str, str]:
    return frame.sample_rate, frame.format.name, frame.layout.name


def _write(
    frames: Iterator[AudioFrame], clock: _Clock, first: int, out: Samples, part: TimeSlice
) -> int | None:
    """Write frames of one form; where nothing more is to be written, return how many samples are done.

    That is so when one comes that is too late, or the part is over.
    """
    one = next(frames)
    if not MIN_RATE <= one.sample_rate <= MAX_RATE:
        raise Unreadable("damaged", f"{one.sample_rate} samples a second")
    mix = mix_of(one)
    resampler = Resampler(one.sample_rate, mix.gain, first, out)
    for at, run, count in _runs(chain((one,), frames), clock):
        if at >= resampler.end:
            resampler.finish()
            return len(out)
        if resampler.done:
            part.reached()
            if part.is_over:
                return resampler.done
        channels, done = mix.channels(run, count), 0
        while done < count:
            skipped, buffer = resampler.buffer(at + done, count - done)
            mix.add(channels, done + skipped, buffer)
            done += skipped + len(buffer)
    resampler.finish()
    return None


def _runs(frames: Iterator[AudioFrame], clock: _Clock) -> Iterator[tuple[int, list[AudioFrame], int]]:
    """Group consecutive frames: many at once cost little more than one.

    Yields the sample that they begin with, the frames, and how many samples they have.
    """
    start, count = 0, 0
    run: list[AudioFrame] = []
    for frame in frames:
        at = clock.place(frame.pts, frame.samples)
        if run and (count >= _RUN_SAMPLES or at != start + count):
            yield start, run, count
            run, count = [], 0
        if not run:
            start = at
        run.append(frame)
        count += frame.samples
    if run:
        yield start, run, count


class _Grid:
    """Computes which sample a frame begins with, counted at its rate from the container's own time zero.

    Timestamps in whole milliseconds do not say it to the sample. But where frames are of one size, `step`,
    they stand a whole number of frames from the stream's first, and that does.
    """

    def __init__(self, time_base: Fraction, rate: int, origin: int, step: int) -> None:
        self.rate = rate
        self.tick = time_base * rate
        """How many samples go by from one timestamp to the next."""
        self._origin = round(origin * self.tick)
        self._step = step

    def place(self, pts: int, count: int) -> int:
        """Return the first sample of a frame of `count` samples."""
        said = round(pts * self.tick)
        if self.tick.numerator == 1:
            return said
        # By its end, for the first frame may have been cut at its beginning.
        end = self._origin + round((said + count - self._origin) / self._step) * self._step
        return end - count if abs(end - count - said) <= _TICKS_OFF * self.tick else said


class _Clock:
    """Computes the first sample of frame after frame, counted from `zero`; ignores small gaps."""

    def __init__(self, grid: _Grid, zero: Fraction) -> None:
        self._grid = grid
        self._zero = round(zero * grid.rate)
        self._gap = _GAP_S * grid.rate
        # Fractions are exact and slow; this does to see that a frame follows the one before.
        self._tick = float(grid.tick)
        self._next: int | None = None

    def place(self, pts: int | None, count: int) -> int:
        """Return the first sample of the next frame, of `count` samples."""
        at = self._next
        if at is None or (pts is not None and abs(pts * self._tick - self._zero - at) > self._gap):
            at = self._grid.place(pts or 0, count) - self._zero
        self._next = at + count
        return at
