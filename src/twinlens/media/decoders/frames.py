"""The frames of a video at given times, decoded by PyAV. Runs in a worker process.

Only what those frames need is decoded: from the key frame before each, and of what lies between the
frames that others refer to. The packets alone tell which those are (`timeline.py`). Where they do not, or
where a frame does not come out, everything is decoded in sequence, and the times of the frames decide.
Either way gives the same pixels.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import IO

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from ..worker.time_slice import TimeSlice
from .timeline import FrameRun, Timeline
from .unreadable import Unreadable
from .video import turn_of
from .video_reader import VideoReader

_NEAR_S = 10.0
"""Up to this gap, reading on costs less than a seek and another key frame. Chosen, not measured."""

_LONGEST_STRETCH_S = 600.0
"""The longest span of one plan, so that memory does not grow with the video. Chosen, not measured."""


def decode(
    file: IO[bytes], times: Sequence[float], pixels: NDArray[np.uint8], part: TimeSlice
) -> list[float]:
    """Decode the frames shown at rising times into `pixels`, upright; return the frames' own times.

    Times are in seconds from the first frame. `pixels` has the shape (frames, height, width, 3). What there
    is no room for is left out, and so is what comes after this part of the job; there is always one frame.
    """
    with ExitStack() as stack:
        found = _Decoding(VideoReader(file, stack), times, pixels, part).run()
    if not found:
        raise Unreadable("damaged", "no frame came out")
    return found


class _Decoding:
    """One job: the frames that are requested, and those that are done. Positions are indices of `times`."""

    def __init__(
        self, reader: VideoReader, times: Sequence[float], pixels: NDArray[np.uint8], part: TimeSlice
    ) -> None:
        self._reader = reader
        self._wanted = [reader.zero + seconds * reader.second for seconds in times]
        self._end = min(len(times), len(pixels))
        self._found: dict[int, float] = {}
        self._starts: dict[int, float] = {}
        self._canvas = Canvas(pixels)
        self._part = part
        self._has_stopped = False
        self._is_planned = reader.has_times

    def run(self) -> list[float]:
        """Work until all is done or the part is over."""
        for stretch in self._stretches(range(self._end)):
            if self._is_planned:
                self._by_plan(stretch)
            missing = [at for at in stretch if at < self._end and at not in self._found]
            # One that loses more than it finds is not worth another try.
            self._is_planned &= 2 * len(missing) <= len(stretch)
            for rest in self._stretches(missing):
                if not self._is_over():
                    self._in_sequence(rest)
            if self._is_over():
                break
        return [self._found[position] for position in range(_unbroken(self._found))]

    def _stretches(self, positions: Iterable[int]) -> Iterator[list[int]]:
        """Split positions where a seek pays."""
        stretch: list[int] = []
        for position in positions:
            if stretch and not self._is_near(stretch, position):
                yield stretch
                stretch = []
            stretch.append(position)
        if stretch:
            yield stretch

    def _is_near(self, stretch: Sequence[int], position: int) -> bool:
        """Whether a position is to be reached from a stretch by reading on."""
        if position >= len(self._wanted):
            return False
        first, last, next_ = (
            self._wanted[at] / self._reader.second for at in (stretch[0], stretch[-1], position)
        )
        return next_ - last <= _NEAR_S and next_ - first <= _LONGEST_STRETCH_S

    def _by_plan(self, positions: Sequence[int]) -> None:
        """Decode the runs of packets that hold the frames at these positions, and nothing else."""
        wanted = [self._wanted[position] for position in positions]
        # What is wanted next, for which there is no room.
        more = self._wanted[self._end : self._end + 1] if self._is_near(positions, self._end) else []
        timeline = Timeline.read(self._reader, wanted + more)
        if timeline is None:
            return
        runs = timeline.runs(wanted)
        next_runs = timeline.runs(more)
        is_torn = bool(next_runs) and next_runs[0].first == runs[-1].first
        if is_torn and (len(runs) > 1 or positions[0]):
            # The next job would begin with that key frame again: it does the whole.
            left = runs.pop()
            self._end = positions[min(map(min, left.targets.values()))]
        for run in runs:
            # Where the plan fails, another key frame is taken.
            of_run = (positions[at] for places in run.targets.values() for at in places)
            self._starts.update(dict.fromkeys(of_run, run.start - 1.0))
        self._follow(timeline, runs, positions)

    def _follow(self, timeline: Timeline, runs: Sequence[FrameRun], positions: Sequence[int]) -> None:
        waiting = deque(runs)
        knows_references = _knows_references(self._reader.stream)
        for place, packet in timeline.packets():
            if not waiting or (self._found and self._part.is_over):
                return
            run = waiting[0]
            if place < run.first:
                continue
            codec = self._reader.stream.codec_context
            is_needed = packet.pts in run.targets or not knows_references
            codec.skip_frame = "DEFAULT" if is_needed else "NONREF"
            self._keep(self._reader.frames_of(packet), run, positions)
            if place == run.last:
                self._keep(self._reader.frames_of(None), run, positions)
                codec.flush_buffers()
                waiting.popleft()
                if 0 in self._found and self._part.is_nearly_over:
                    # Later, going on costs nothing extra only here, before a key frame.
                    self._has_stopped = True
                    return

    def _keep(self, frames: Sequence[VideoFrame], run: FrameRun, positions: Sequence[int]) -> None:
        for frame in frames:
            if frame.pts == run.proof and frame.key_frame:
                run.proof = None
            if run.proof is None and frame.pts in run.targets:
                self._draw(frame, frame.pts, [positions[at] for at in run.targets[frame.pts]])

    def _in_sequence(self, positions: Sequence[int]) -> None:
        """Decode everything from a key frame before these positions on, and choose by the frames' times."""
        first = positions[0]
        for start in self._reader.steps_back(self._starts.get(first, self._wanted[first])):
            if self._sequence_from(start, deque(positions)):
                return

    def _sequence_from(self, start: float, waiting: deque[int]) -> bool:
        """Decode from a given time; return whether that was early enough."""
        before: list[tuple[int, VideoFrame]] = []
        for shown in self._reader.frames_from(start):
            if not before and shown[0] > self._wanted[waiting[0]] and not self._reader.is_beginning(start):
                return False
            nearest = [*before, shown]
            while waiting and shown[0] > self._wanted[waiting[0]]:
                self._draw_nearest(nearest, waiting.popleft())
            if not waiting or self._is_over():
                return True
            before = [shown]
        for position in waiting if before else ():
            self._draw_nearest(before, position)
        return bool(before)

    def _draw_nearest(self, shown: Sequence[tuple[int, VideoFrame]], position: int) -> None:
        chosen = self._reader.choose([time_ for time_, _ in shown], self._wanted[position])
        self._draw(shown[chosen][1], shown[chosen][0], [position])

    def _draw(self, frame: VideoFrame, time_: int, positions: Sequence[int]) -> None:
        self._canvas.draw(frame, positions)
        own = (time_ - self._reader.zero) / self._reader.second
        self._found.update(dict.fromkeys(positions, own))
        if 0 in self._found:
            self._part.reached()

    def _is_over(self) -> bool:
        """Whether to stop: what is returned must not lack its first frame."""
        return 0 in self._found and (self._has_stopped or self._part.is_over)


def _unbroken(found: dict[int, float]) -> int:
    """Count what has been found from the beginning on, up to the first gap."""
    return next(position for position in range(len(found) + 1) if position not in found)


class Canvas:
    """The output of the frames: upright, RGB, and of the requested size."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self._pixels = pixels
        self._reformatter = VideoReformatter()

    def draw(self, frame: VideoFrame, positions: Sequence[int]) -> None:
        """Scale a frame, turn it, and write it wherever it is wanted."""
        turn = turn_of(frame)
        height, width = self._pixels.shape[1:3]
        size = (height, width) if turn.transposed else (width, height)
        scaled = self._reformatter.reformat(
            frame,
            *size,
            "rgb24",
            src_colorspace=colours_of(frame),
            interpolation=SCALING,
            threads=1,
        ).to_ndarray()
        if turn.transposed:
            scaled = scaled.transpose(1, 0, 2)
        scaled = scaled[:: -1 if turn.upside_down else 1, :: -1 if turn.mirrored else 1]
        for position in positions:
            np.copyto(self._pixels[position], scaled)


SCALING = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
"""Sharper than averaging for half as much again; the rest keeps colours from being rounded twice."""

_UNSPECIFIED = 2
_LINES_OF_HD = 720


def colours_of(frame: VideoFrame) -> Colorspace | None:
    """Return the colour space of a frame that declares none: by its size, as players do."""
    if frame.colorspace != _UNSPECIFIED:
        return None
    return Colorspace.ITU709 if frame.height >= _LINES_OF_HD else Colorspace.ITU601


def _knows_references(stream: VideoStream) -> bool:
    """Whether the codec's decoder skips only frames that no other refers to, when told to."""
    codec = stream.codec_context
    name = codec.codec.canonical_name
    return name in _WITH_REFERENCES or (name == "hevc" and _layers(codec.extradata or b"") == 1)


_WITH_REFERENCES = frozenset({"h264", "mpeg1video", "mpeg2video", "mpeg4"})


def _layers(extradata: bytes) -> int:
    """Count HEVC's temporal layers, 0 where that is not said.

    A frame that its own layer can do without may be needed by the next one.
    """
    is_boxed = extradata.startswith(b"\1")
    at = extradata.find(_HEVC_PARAMETERS, _BOX_HEAD if is_boxed else 0)
    layers = extradata[at + 3 : at + 4] if at >= 0 else b""
    return (layers[0] >> 1 & 7) + 1 if layers else 0


_BOX_HEAD = 22
_HEVC_PARAMETERS = b"\x40\x01"
"""The head of HEVC's first parameter set; its second byte from there ends in the number of layers."""
