"""The plan for decoding some frames of a video and no others, made from its packets before any is decoded.

A frame is decoded from the key frame before it: the last one that is stored before it and shown no later.
A frame that is stored after a key frame but shown before it refers to the one before that as well.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from av.packet import Packet

from .video import MOST_REORDERED
from .video_reader import VideoReader


@dataclass(slots=True)
class FrameRun:
    """Packets to be decoded together, by their places in the timeline. The first one is shown at `start`.

    `targets` tells for the time of a frame which of the wanted times it is for. `proof` is the time of the
    frame that has to come out as a key frame before others are believed: what packets call one may be a
    place from which on the image recovers.
    """

    first: int
    last: int
    start: int
    proof: int | None
    targets: dict[int, list[int]] = field(default_factory=dict)


class Timeline:
    """When the packets of a stretch of video are shown, in the order they are stored."""

    def __init__(self, reader: VideoReader, start: float) -> None:
        self._reader = reader
        self._start = start
        self._keys: list[int] = []
        self._shown: dict[int, None] = {}
        self.times: list[int] = []

    @classmethod
    def read(cls, reader: VideoReader, wanted: Sequence[float]) -> Timeline | None:
        """Read on until the frames for rising `wanted` are certain; None where packets have no times."""
        for start in reader.steps_back(wanted[0]):
            timeline = cls(reader, start)
            packets = reader.packets_from(start)
            if not timeline._read_past(packets, wanted[0]):
                return None
            if timeline._reaches_back_to(wanted[0]):
                return timeline if timeline._read_past(packets, wanted[-1]) else None
        return None

    def runs(self, wanted: Sequence[float]) -> list[FrameRun]:
        """Return what to decode for rising `wanted`."""
        if not self._shown:
            return []
        order = sorted(self._shown, key=self.times.__getitem__)
        times = [self.times[place] for place in order]
        places = [order[self._reader.choose(times, time)] for time in wanted]
        runs: list[FrameRun] = []
        for place, position in sorted(zip(places, range(len(wanted)), strict=True)):
            first = self._key_frame_of(place) or 0
            if not runs or first > runs[-1].last:
                runs.append(FrameRun(first, place, self.times[first], self._proof_of(first)))
            runs[-1].last = place
            runs[-1].targets.setdefault(self.times[place], []).append(position)
        return runs

    def packets(self) -> Iterator[tuple[int, Packet[Any]]]:
        """Read the packets again, each with its place. Ends where they are not the same any more."""
        place = -1
        for packet in self._reader.packets_from(self._start):
            # A jump may lead nearer to its goal when the way is known.
            place = self._place_of(packet.pts) if place < 0 else place + 1
            if not 0 <= place < len(self.times) or packet.pts != self.times[place]:
                return
            yield place, packet

    def _read_past(self, packets: Iterator[Packet[Any]], wanted: float) -> bool:
        """Read until nothing can come that is shown nearer to `wanted`; return whether all have times."""
        after = min((self.times[place] for place in self._shown if self.times[place] > wanted), default=None)
        beyond = 0
        for packet in packets:
            if packet.pts is None:
                return not packet.size  # the end, if there is nothing in it
            self._add(packet)
            if packet.pts > wanted and not packet.is_discard:
                after = packet.pts if after is None else min(after, packet.pts)
            if after is not None:
                beyond += 1
                # Nothing is shown before it is decoded.
                if beyond > MOST_REORDERED or (packet.dts is not None and packet.dts >= after):
                    break
        return True

    def _place_of(self, time: int | None) -> int:
        return self.times.index(time) if time in self.times else -1

    def _add(self, packet: Packet[Any]) -> None:
        place = len(self.times)
        if packet.is_keyframe:
            self._keys.append(place)
        if not packet.is_discard:
            self._shown[place] = None
        self.times.append(packet.pts or 0)

    def _reaches_back_to(self, wanted: float) -> bool:
        """Whether the frame for `wanted` can be decoded from what has been read."""
        if self._reader.is_beginning(self._start):
            return True
        if min(map(self.times.__getitem__, self._shown), default=inf) > wanted:
            return False
        return self._key_frame_of(self.runs([wanted])[0].last) is not None

    def _proof_of(self, key: int) -> int | None:
        is_first_of_all = key == 0 and self._reader.is_beginning(self._start)
        return None if is_first_of_all or key not in self._shown else self.times[key]

    def _key_frame_of(self, place: int) -> int | None:
        for key in reversed(self._keys[: bisect_right(self._keys, place)]):
            if self.times[key] <= self.times[place]:
                return key
        return None
