"""What a video file is, found out by PyAV. Runs in a worker process; the server does not import it.

Only demuxers of plain media files are let at the data: none that reads a list and follows it to other
files or addresses, and no protocol to open those with.

Headers lie about the duration: recorders leave it out or guess it, cuts keep the old one. So the
timestamps are believed, from the first frame that is shown to the end of the last one. Jumps to the end
find that without reading what lies between, wherever the container has an index or timestamps to
search; where it has neither, the packets are read through, and not decoded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from itertools import islice
from typing import IO, Any

import av
import av.subtitles.codeccontext
import av.subtitles.stream  # PyAV would load these two in the middle of a job
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from . import sniff
from .unreadable import Unreadable

MAX_PIXELS = 200_000_000
"""Of one frame; what is larger is refused before it is decoded."""

MAX_SECONDS = 30 * 24 * 3600
"""Longer is a mistake in the timestamps."""

_DEMUXERS = ("mov", "matroska", "avi", "flv", "asf", "mpeg", "mpegts", "mpegvideo")
_OPTIONS = {
    "format_whitelist": ",".join(_DEMUXERS),
    "protocol_whitelist": "none",
    "max_pixels": str(MAX_PIXELS),
}
_BUFFER_BYTES = 1 << 18

_PACKETS_TO_FIRST_FRAME = 1000
_LAST_SECONDS = 2
_USUAL_RATE = Fraction(25)

Main = VideoStream | AudioStream


def inspect(file: IO[bytes]) -> dict[str, int]:
    """Check that there is a picture or a sound that can be decoded, and measure how long it lasts."""
    head = file.read(sniff.FIRST_BYTES)
    if sniff.is_image(head):
        # HEIF pictures are in the same boxes as MP4, and a demuxer takes them for videos.
        raise Unreadable("foreign", "an image")
    file.seek(0)
    with _opened(file, head) as container:
        stream = _main_stream(container)
        time_base = stream.time_base or Fraction(1, av.time_base)
        start = _first_frame(container, stream).pts or 0
        seconds = (_end(container, stream, start, time_base) - start) * time_base
    if not 0 < seconds <= MAX_SECONDS:
        raise Unreadable("damaged", f"lasts {float(seconds)} s by its timestamps")
    return {"duration": max(round(seconds * 1_000_000), 1)}


@contextmanager
def _opened(file: IO[bytes], head: bytes) -> Iterator[InputContainer]:
    try:
        # Names in a file may be in any encoding, and nobody reads them.
        container = av.open(file, "r", None, _OPTIONS, metadata_errors="replace", buffer_size=_BUFFER_BYTES)
    except av.error.MemoryError:
        raise
    except av.error.FFmpegError as error:
        # The errors for another kind of file and for a broken one of the right kind are the same.
        raise Unreadable("damaged" if sniff.is_video(head) else "foreign", str(error)) from error
    with container:
        yield container


def _main_stream(container: InputContainer) -> Main:
    """Choose what the file is about: its first video, else its first sound. The rest is muted."""
    found: list[Main] = [video for video in container.streams.video if not _is_cover(video)]
    found += container.streams.audio
    if not found:
        raise Unreadable("empty", f"{len(container.streams)} streams")
    main = found[0]
    if main.codec_context is None:
        raise Unreadable("codec", "no decoder")
    if _pixels(main) > MAX_PIXELS:
        raise Unreadable("pixels", f"{_pixels(main)} pixels")
    for stream in container.streams:
        if stream is not main:
            stream.discard = Discard.all
    return main


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _pixels(stream: Main) -> int:
    return stream.width * stream.height if isinstance(stream, VideoStream) else 1


def _first_frame(container: InputContainer, stream: Main) -> VideoFrame | AudioFrame:
    codec = stream.codec_context
    codec.thread_count = 1
    codec.options = {"max_pixels": str(MAX_PIXELS)}
    for packet in islice(container.demux(stream), _PACKETS_TO_FIRST_FRAME):
        try:
            for frame in stream.decode(packet):
                return frame
        except _NOT_IMPLEMENTED as error:
            raise Unreadable("codec", str(error), codec=codec.codec.canonical_name) from error
        except av.error.MemoryError:
            raise
        except av.error.FFmpegError:
            # A recording that begins between two key frames is not damaged for that.
            continue
    # The size of a frame that is too large reads as none.
    raise Unreadable("damaged" if _pixels(stream) else "pixels", "no packet gave a frame")


_NOT_IMPLEMENTED = (av.error.PatchWelcomeError, av.error.NotImplementedError, av.error.DecoderNotFoundError)


def _end(container: InputContainer, stream: Main, start: int, time_base: Fraction) -> int:
    """Find when the last frame ends, in the stream's time base."""
    last = _end_from(start + int(MAX_SECONDS / time_base), container, stream, time_base)
    if last is None:
        found = _end_from(start, container, stream, time_base)
    else:
        # The packet that is stored last, to which some jumps lead, need not be the one that is shown last.
        found = _end_from(max(start, last - int(_LAST_SECONDS / time_base)), container, stream, time_base)
        found = last if found is None else found
    if found is None:
        raise Unreadable("damaged", "no packet after a jump")
    return found


def _end_from(pts: int, container: InputContainer, stream: Main, time_base: Fraction) -> int | None:
    """Read from the key frame before `pts`, or from here if no jump is possible, to the end."""
    with suppress(av.error.FFmpegError):
        container.seek(pts, stream=stream)
    rate = stream.average_rate if isinstance(stream, VideoStream) else None
    usual = round(1 / ((rate or _USUAL_RATE) * time_base))
    return max(_ends(container.demux(stream), usual), default=None)


def _ends(packets: Iterable[Packet[Any]], usual: int) -> Iterator[int]:
    """Say of each packet that is shown when it ends; one that does not know lasts `usual`."""
    for packet in packets:
        if packet.pts is not None and not packet.is_discard:
            yield packet.pts + (packet.duration or usual)
