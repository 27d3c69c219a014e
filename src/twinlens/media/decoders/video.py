"""What a recording is, found out by PyAV. Runs in a worker process; the server does not import it.

Only demuxers of plain media files are enabled: none that reads a list and follows it to other
files or addresses, and no protocol to open those with.

Headers lie about the duration: recorders leave it out or guess it, cuts keep the old one. So the
timestamps are believed, from the first frame that is shown to the end of the last one. Jumps to the end
find that without reading what lies between, wherever the container has an index or timestamps to
search; where it has neither, the packets are read through, and not decoded.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import dropwhile, islice, pairwise
from typing import IO, Any, cast

import av
import av.subtitles.codeccontext
import av.subtitles.stream  # PyAV would load these two in the middle of a job
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ..headers import sniff
from .unreadable import Unreadable

MAX_PIXELS = 200_000_000
"""Of one frame; what is larger is refused before it is decoded."""

MAX_SECONDS = 30 * 24 * 3600
"""30 days; longer is a mistake in the timestamps."""

_DEMUXERS = (
    *("mov", "matroska", "avi", "flv", "asf", "mpeg", "mpegts", "mpegvideo"),
    *("wav", "mp3", "aiff", "aac", "ogg", "flac", "amr"),
)
_OPTIONS = {
    "format_whitelist": ",".join(_DEMUXERS),
    "protocol_whitelist": "none",
    "max_pixels": str(MAX_PIXELS),
}
_BUFFER_BYTES = 1 << 18

_PACKETS_TO_FIRST_FRAME = 1000
_LAST_SECONDS = 2
MOST_REORDERED = 32
"""No codec shows a frame after more than so many that are stored after it; fields count as frames."""

_USUAL_RATE = Fraction(25)

_GUESSING = frozenset({"asf"})
"""Containers whose packets do not know how long they last."""

_PLAUSIBLE_STAY_S = 10
_HEADERS_OFF = Fraction(1, 10)
"""The longest that the last frame may last by its own timestamp; beyond that a header has to agree.

Chosen, not measured."""

_MAX_SQUEEZE = 16
"""A larger pixel aspect ratio is a mistake, and ignored."""

Main = VideoStream | AudioStream


def inspect(file: IO[bytes]) -> dict[str, int | bool]:
    """Check that video or audio can be decoded; measure its size and its duration."""
    with opened(file) as container:
        stream = main_stream(container)
        has_sound = any(sound.codec_context is not None for sound in container.streams.audio)
        time_base = time_base_of(stream)
        first = first_frame(container, stream)
        start = first.pts or 0
        seconds = (_end(container, stream, start) - start) * time_base
        width, height = (0, 0) if isinstance(first, AudioFrame) else _displayed(first, stream)
    if not 0 < seconds <= MAX_SECONDS:
        raise Unreadable("damaged", f"lasts {float(seconds)} s by its timestamps")
    duration = max(round(seconds * 1_000_000), 1)
    return {"duration": duration, "width": width, "height": height, "sound": has_sound}


@contextmanager
def opened(file: IO[bytes]) -> Iterator[InputContainer]:
    """Open a recording. Raises `Unreadable`: `foreign` for another kind of file, else `damaged`."""
    # Streams and their container hold one another: the last recording's decoder is still in memory.
    gc.collect()
    file.seek(0)
    head = file.read(sniff.FIRST_BYTES)
    if sniff.is_image(head):
        # HEIF pictures are in the same boxes as MP4, and a demuxer takes them for videos.
        raise Unreadable("foreign", "an image")
    file.seek(0)
    try:
        # Names in a file may be in any encoding, and nobody reads them.
        with av.open(
            file, "r", None, _OPTIONS, metadata_errors="replace", buffer_size=_BUFFER_BYTES
        ) as container:
            yield container
    except av.error.MemoryError:
        raise
    except (av.error.FFmpegError, Unreadable) as error:
        if isinstance(error, Unreadable) and error.reason != "damaged":
            raise
        # The errors for another kind of file and for a broken one of the right kind are the same.
        raise Unreadable("damaged" if sniff.is_recording(head) else "foreign", str(error)) from error


def main_stream(container: InputContainer) -> Main:
    """Return the main stream: the first video, else the first audio. The others are discarded."""
    videos = [video for video in container.streams.video if not _is_cover(video)]
    # Damage can look like another stream.
    found: list[Main] = [*sorted(videos, key=_is_nothing), *container.streams.audio]
    if not found:
        raise Unreadable("empty", f"{len(container.streams)} streams")
    attend(container, found[0])
    return found[0]


def attend(container: InputContainer, main: Main) -> None:
    """Prepare to decode one stream, on one thread, and discard the others."""
    codec = main.codec_context
    if codec is None:
        raise Unreadable("codec", "no decoder")
    if _pixels(main) > MAX_PIXELS:
        raise Unreadable("pixels", f"{_pixels(main)} pixels")
    codec.thread_count = 1
    codec.options = {"max_pixels": str(MAX_PIXELS)}
    for stream in container.streams:
        if stream is not main:
            stream.discard = Discard.all


def time_base_of(stream: Main) -> Fraction:
    """Return the unit of a stream's timestamps, in seconds."""
    return stream.time_base or Fraction(1, av.time_base)


def packets_of(container: InputContainer, stream: Main) -> Iterator[Packet[Any]]:
    """Yield packets from where the container stands, as far as it can be read; the last is an empty one."""
    while True:
        try:
            yield from container.demux(stream)
        except IndexError:
            # A stream that begins late is not among those that PyAV knows. What comes after it is read on.
            continue
        except av.error.MemoryError:
            raise
        except av.error.FFmpegError:
            pass
        return


def first_frame(container: InputContainer, stream: Main) -> VideoFrame | AudioFrame:
    """Decode the first frame of video or audio, from wherever the container stands."""
    is_bare = True
    for packet in islice(packets_of(container, stream), _PACKETS_TO_FIRST_FRAME):
        is_bare = is_bare and not packet.size
        # A recording that begins between two key frames is not damaged for that.
        for frame in frames_of(packet, stream):
            return frame
    if is_bare and not stream.frames and not stream.duration:
        raise Unreadable("empty", "no packets, and nothing says that there are any")
    # The size of a frame that is too large reads as none.
    raise Unreadable("damaged" if _pixels(stream) else "pixels", "no packet gave a frame")


def frames_of(packet: Packet[Any] | None, stream: Main) -> Sequence[VideoFrame | AudioFrame]:
    """Decode a packet, or what the decoder holds back if there is none; a damaged one gives nothing."""
    codec = stream.codec_context
    try:
        return codec.decode(packet)
    except _NOT_IMPLEMENTED as error:
        raise Unreadable("codec", str(error), codec=codec.codec.canonical_name) from error
    except av.error.MemoryError:
        raise
    except av.error.FFmpegError:
        return ()


_NOT_IMPLEMENTED = (av.error.PatchWelcomeError, av.error.NotImplementedError, av.error.DecoderNotFoundError)


def usual_duration(stream: Main) -> int:
    """Return how long a frame without a duration is assumed to last, in the stream's time base."""
    rate = stream.average_rate if isinstance(stream, VideoStream) else None
    return max(round(1 / ((rate or _USUAL_RATE) * time_base_of(stream))), 1)


def turn_of(frame: VideoFrame) -> Rotation:
    """Return the rotation that makes a frame upright."""
    if (matrix := frame.side_data.get("DISPLAYMATRIX")) is None:
        return Rotation()
    a, b, _, c, d = np.frombuffer(cast("Any", matrix), np.int32, 5).tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Rotation(transposed=True, mirrored=c < 0, upside_down=b < 0)
    return Rotation(transposed=False, mirrored=a < 0, upside_down=d < 0)


@dataclass(frozen=True, slots=True)
class Rotation:
    """What makes stored pixels upright: rows and columns change places first, then sides do."""

    transposed: bool = False
    mirrored: bool = False
    upside_down: bool = False


def _displayed(frame: VideoFrame, stream: Main) -> tuple[int, int]:
    """Return the size of a frame as it is shown: of square pixels, and upright."""
    aspect = (stream.sample_aspect_ratio if isinstance(stream, VideoStream) else None) or Fraction(1)
    if not 1 <= max(aspect, 1 / aspect) <= _MAX_SQUEEZE:
        aspect = Fraction(1)
    size = max(round(frame.width * aspect), 1), frame.height
    return size[::-1] if turn_of(frame).transposed else size


def _is_nothing(stream: VideoStream) -> bool:
    return stream.codec_context is None or not _pixels(stream)


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _pixels(stream: Main) -> int:
    return stream.width * stream.height if isinstance(stream, VideoStream) else 1


def _end(container: InputContainer, stream: Main, start: int) -> int:
    """Return when the last frame ends, in the stream's time base."""
    time_base = time_base_of(stream)
    last = _tail_from(start + int(MAX_SECONDS / time_base), container, stream)
    if last is None:
        last = _tail_from(start, container, stream)
        if last is None:
            raise Unreadable("damaged", "no packet after a jump")
    if isinstance(stream, AudioStream):
        return _heard_until(container, stream, start, last)
    # The packet that is stored last, to which some jumps lead, need not be the one that is shown last.
    back, stored_last = max(int(_LAST_SECONDS / time_base), 1), last.time
    while True:
        begin = max(start, stored_last - back)
        last = _tail_from(begin, container, stream) or last
        if begin == start or last.packets >= MOST_REORDERED:
            return last.time + _stays(container, stream, last, start)
        back *= 4


def _tail_from(pts: int, container: InputContainer, stream: Main) -> _Tail | None:
    """Read from the key frame before `pts`, or from here if no seek is possible, to the end."""
    with suppress(av.error.FFmpegError):
        container.seek(pts, stream=stream)
    return _Tail.of(packets_of(container, stream))


def _heard_until(container: InputContainer, stream: AudioStream, start: int, last: _Tail) -> int:
    """Return when the audio ends: where its last samples do, or before, where the packets say so.

    What a packet says is often a guess, nothing at all, or, in a short Ogg file, a number below zero that is
    read as one of 27 hours. Packets alone know of an end that is cut off by the container's own word.
    """
    time_base = time_base_of(stream)
    begin = max(start, last.time - int(_LAST_SECONDS / time_base))
    with suppress(av.error.FFmpegError):
        container.seek(begin, stream=stream)
    end, held_back = Fraction(begin), Fraction(0)
    # Where jumps are not exact, what lies between is not decoded.
    packets = dropwhile(lambda x: x.pts is not None and x.pts < begin, packets_of(container, stream))
    for packet in packets:
        for frame in cast("Sequence[AudioFrame]", frames_of(packet, stream)):
            lasts = Fraction(frame.samples, frame.sample_rate or 1) / time_base
            # What a decoder has held back comes after the last packet's time.
            held_back += 0 if packet.size else lasts
            end = max(end, (end if frame.pts is None else frame.pts) + lasts)
    said = last.time + (last.lasts or usual_duration(stream))
    if end == begin:
        return min(said, last.time + round(_PLAUSIBLE_STAY_S / time_base))
    is_told = last.lasts and container.format.name not in _GUESSING
    return round(min(end, said + held_back) if is_told else end)


def _stays(container: InputContainer, stream: Main, last: _Tail, start: int) -> int:
    """Return how long the last frame lasts: as it says, if others last as long or the headers agree."""
    usual = usual_duration(stream)
    second = 1 / time_base_of(stream)
    said = last.lasts or usual
    plausible = max(last.longest, round(_PLAUSIBLE_STAY_S * second))
    if said <= plausible:
        return said
    headers = Fraction(stream.duration or 0), (container.duration or 0) * second / av.time_base
    end = last.time + said - start
    if any(abs(told - end) <= _HEADERS_OFF * end for told in headers):
        return said
    # The usual rate may be one that was worked out from what is not believed here.
    return min(usual, last.longest or plausible)


@dataclass(frozen=True, slots=True)
class _Tail:
    """The last packets of a recording: how many are shown, when the last of them is, and how long it lasts.

    That is what it says itself, 0 where it says nothing; `longest` is the longest time from one to the next.
    """

    packets: int
    time: int
    lasts: int
    longest: int

    @classmethod
    def of(cls, packets: Iterable[Packet[Any]]) -> _Tail | None:
        """Read packets to the end.

        What MP4 calls a packet's duration is the time to the next one that is stored. Of a picture that is
        shown last but not stored last, it says nothing, and the one that is stored last sets the limit.
        """
        times: list[int] = []
        shown_last, lasts, stored_last = 0, 0, 0
        for packet in packets:
            time = packet.dts if packet.pts is None else packet.pts
            if time is None or packet.is_discard:
                continue
            stored_last = packet.duration or 0
            if not times or time >= shown_last:
                shown_last, lasts = time, stored_last
            times.append(time)
        if not times:
            return None
        times.sort()
        longest = max((late - early for early, late in pairwise(times)), default=0)
        known = [said for said in (lasts, stored_last) if said > 0]
        return cls(len(times), shown_last, min(known, default=0), longest)
