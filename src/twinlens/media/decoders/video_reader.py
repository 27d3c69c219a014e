"""The frames of a video and their times: where reading begins, and which frame is shown when.

Runs in a worker process. Times are in the stream's time base, as packets and frames carry them; the
video's zero is the time of the first frame, which is the only one that is decoded here unasked.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain, islice
from typing import IO, Any, cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from .unreadable import Unreadable
from .video import first_frame, frames_of, main_stream, opened, packets_of, time_base_of, usual_duration

_WITHOUT_TIMES = frozenset({"avi", "asf"})
"""Containers that hold the times of decoding alone: what they give as the times of showing is a guess."""

_TORN = {"mpeg": 2}
"""How many packets after a seek are torn or have the times of others, by the container."""

_HELD_S = 1.0
"""A frame that lasts longer is the right one until it ends. Chosen, not measured."""

_TIE_S = 1e-6


class VideoReader:
    """A video's frames, to be read from any time. The stack closes what is opened."""

    container: InputContainer
    stream: VideoStream

    def __init__(self, file: IO[bytes], stack: ExitStack) -> None:
        self._file = file
        self._stack = stack
        self._open()
        self.has_times = self.container.format.name not in _WITHOUT_TIMES
        self.second = float(1 / time_base_of(self.stream))
        self.zero = self._time_of(cast("VideoFrame", first_frame(self.container, self.stream))) or 0

    def is_beginning(self, time: float) -> bool:
        """Whether reading from `time` is reading from the beginning."""
        return time <= self.zero

    def steps_back(self, time: float) -> Iterator[float]:
        """Yield times to begin at, ever earlier, down to the beginning."""
        step = 0.0
        while not self.is_beginning(time - step):
            yield time - step
            step = 2 * step or self.second
        yield self.zero

    def packets_from(self, time: float) -> Iterator[Packet[Any]]:
        """Return packets from a key frame on that is stored before `time`, or from the beginning.

        What a seek leads to before a key frame is left out: nothing can be decoded from it, and its times
        are not certain. Seeks need not be exact: the key frame may be a later one.
        """
        if not self.is_beginning(time):
            try:
                self.container.seek(int(time), stream=self.stream)
                packets = packets_of(self.container, self.stream)
                return _from_key_frame(islice(packets, _TORN.get(self.container.format.name, 0), None))
            except av.error.FFmpegError:
                # Nowhere to jump to: what follows reads what lies between.
                pass
        self._stack.close()
        self._open()
        return packets_of(self.container, self.stream)

    def frames_from(self, time: float) -> Iterator[tuple[int, VideoFrame]]:
        """Decode frame after frame from `time` on, each with its time."""
        packets = self.packets_from(time)
        self.stream.codec_context.skip_frame = "DEFAULT"
        last = None
        usual = usual_duration(self.stream)
        # The end of the file gets out what the decoder holds back, and so does None where it is torn off.
        for packet in chain(packets, (None,)):
            for frame in self.frames_of(packet):
                found = self._time_of(frame)
                guess = self.zero if last is None else last + usual
                last = guess if found is None else found
                yield last, frame

    def frames_of(self, packet: Packet[Any] | None) -> Sequence[VideoFrame]:
        """Decode a packet, or what the decoder holds back if there is none."""
        return cast("Sequence[VideoFrame]", frames_of(packet, self.stream))

    def choose(self, times: Sequence[int], wanted: float) -> int:
        """Return the index of the frame for a time among rising `times`: the nearest, of two the earlier."""
        after = bisect_right(times, wanted)
        if after in (0, len(times)):
            return max(after - 1, 0)
        early, late = wanted - times[after - 1], times[after] - wanted
        is_held = early + late > _HELD_S * self.second
        return after - 1 if is_held or early <= late + _TIE_S * self.second else after

    def _time_of(self, frame: VideoFrame) -> int | None:
        """Return the time a frame is shown, or where that is not known one that grows with it."""
        return frame.pts if self.has_times and frame.pts is not None else frame.dts

    def _open(self) -> None:
        self.container = self._stack.enter_context(opened(self._file))
        stream = main_stream(self.container)
        if not isinstance(stream, VideoStream):
            raise Unreadable("empty", "no video stream")
        self.stream = stream


def _from_key_frame(packets: Iterator[Packet[Any]]) -> Iterator[Packet[Any]]:
    for packet in packets:
        if packet.is_keyframe:
            yield packet
            yield from packets
