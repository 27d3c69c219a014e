"""Makes the tiny videos and documents the tests need, and what strangers do to them."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_SAMPLES_HZ = 48_000
_MILLISECOND = Fraction(1, 1000)

Draw = Callable[[int, int, int], NDArray[np.uint8]]
"""Draws the frame of a number, of some width and height."""


@dataclass(frozen=True)
class Container:
    """How a kind of container is written, and what is in it unless the test says otherwise."""

    mime_type: str
    muxer: str
    codec: str
    audio_codec: str
    streamed: Mapping[str, str] = field(default_factory=dict)
    """The muxer's options for a file that is written in one go, its length unknown."""


_FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}

CONTAINERS: Mapping[str, Container] = {
    "mp4": Container("video/mp4", "mp4", "libx264", "aac", _FRAGMENTS),
    "mov": Container("video/quicktime", "mov", "libx264", "aac", _FRAGMENTS),
    "3gp": Container("video/3gpp", "3gp", "mpeg4", "aac", _FRAGMENTS),
    "webm": Container("video/webm", "webm", "libvpx", "libopus", {"live": "1"}),
    "mkv": Container("video/x-matroska", "matroska", "libx264", "libmp3lame", {"live": "1"}),
    "avi": Container("video/avi", "avi", "mpeg4", "libmp3lame"),
    "flv": Container("video/x-flv", "flv", "flv", "libmp3lame", {"flvflags": "no_duration_filesize"}),
    "wmv": Container("video/wmv", "asf", "wmv2", "wmav2"),
    "mpeg": Container("video/mpeg", "vob", "mpeg2video", "mp2"),
    "ts": Container("video/mp2t", "mpegts", "libx264", "mp2"),
}

SOUNDS: Mapping[str, Container] = {
    "wav": Container("audio/wav", "wav", "", "pcm_s16le"),
    "mp3": Container("audio/mp3", "mp3", "", "libmp3lame"),
    "aiff": Container("audio/aiff", "aiff", "", "pcm_s16be"),
    "aac": Container("audio/aac", "adts", "", "aac"),
    "ogg": Container("audio/ogg", "ogg", "", "vorbis"),
    "flac": Container("audio/flac", "flac", "", "flac"),
    "m4a": Container("audio/m4a", "ipod", "", "aac"),
    "opus": Container("audio/opus", "ogg", "", "libopus"),
    "webm": Container("audio/webm", "webm", "", "libopus"),
}
"""Files of sound alone, as recorders and players write them."""

_CODEC_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "libx264": {"preset": "ultrafast", "bf": "2", "threads": "1"},
    "vorbis": {"strict": "experimental"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:pools=none:frame-threads=1"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    "libsvtav1": {"preset": "12"},
}


def video(
    container: str = "mp4",
    *,
    codec: str | None = None,
    seconds: float = 2,
    fps: int = 10,
    size: tuple[int, int] = (64, 48),
    sound: bool = False,
    start: float = 0,
    rotation: int = 0,
    streamed: bool = False,
    options: Mapping[str, str] | None = None,
    coding: Mapping[str, str] | None = None,
    pixels: str = "yuv420p",
    aspect: Fraction | None = None,
    times: Sequence[float] | None = None,
    draw: Draw | None = None,
) -> bytes:
    """Make a video of `seconds` × `fps` frames, each of them different.

    `start` is the time of the first frame, `rotation` is clockwise. `streamed` is written as a browser's
    recorder does it: without going back, so that no header says how long it is. `options` are the muxer's,
    `coding` the encoder's, like `g` for the distance of key frames and `bf` for the B-frames between others;
    `pixels` is the format of the encoded pixels, and `aspect` is that of one pixel. `times` are the seconds
    at which the frames are shown, where they come at no steady rate. `draw` draws them.
    """
    kind = CONTAINERS[container]
    body = _Streamed() if streamed else io.BytesIO()
    muxing = {**(kind.streamed if streamed else {}), **(options or {})}
    with av.open(body, "w", format=kind.muxer, options=muxing) as output:
        pictures = _add_video(output, codec or kind.codec, fps, size, rotation, coding or {})
        pictures.pix_fmt = pixels
        if aspect:
            pictures.codec_context.sample_aspect_ratio = aspect
        tones = _add_audio(output, kind.audio_codec) if sound else None
        if times is None:
            times = [start + number / fps for number in range(round(seconds * fps))]
        else:
            pictures.codec_context.time_base = _MILLISECOND
        _write_video(output, pictures, times, draw or picture)
        if tones:
            write_audio(output, tones, seconds, start)
    return body.getvalue()


def audio(container: str = "webm", *, codec: str | None = None, seconds: float = 2) -> bytes:
    """Make a file of a video container that holds sound alone."""
    kind = CONTAINERS[container]
    body = io.BytesIO()
    with av.open(body, "w", format=kind.muxer) as output:
        write_audio(output, _add_audio(output, codec or kind.audio_codec), seconds)
    return body.getvalue()


def sound(
    kind: str,
    waves: NDArray[np.floating],
    rate: int = _SAMPLES_HZ,
    *,
    layout: str | None = None,
    codec: str | None = None,
    options: Mapping[str, str] | None = None,
) -> bytes:
    """Make a file of sound alone out of samples from -1 to 1, of shape (channels, samples)."""
    made, body = SOUNDS[kind], io.BytesIO()
    layout = layout or {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}[len(waves)]
    with av.open(body, "w", format=made.muxer, options=dict(options or {})) as output:
        codec = codec or made.audio_codec
        encoding = dict(_CODEC_OPTIONS.get(codec, {}))
        stream = cast("AudioStream", output.add_stream(codec, rate, options=encoding, layout=layout))
        stream.bit_rate = 64_000 * len(waves)
        samples = np.ascontiguousarray(waves.T, np.float32)
        for at in range(0, len(samples), rate):
            frame = av.AudioFrame.from_ndarray(samples[at : at + rate].reshape(1, -1), "flt", layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return body.getvalue()


def wav_without_samples() -> bytes:
    """Make what a recorder leaves that was stopped at once: a whole header, and no sound."""
    body = io.BytesIO()
    with wave.open(body, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
    return body.getvalue()


def pdf(
    pages: int = 3, *, size: tuple[int, int] = (200, 300), count: int | None = None, locked: bool = False
) -> bytes:
    """Make a document whose pages say "Page 1" and so on.

    `count` is how many pages it claims to have; a `locked` one asks for a password.
    """
    numbers = range(1, pages + 1)
    kids = " ".join(f"{2 * number + 2} 0 R" for number in numbers)
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages if count is None else count} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number in numbers:
        words = f"BT /F 24 Tf 20 {size[1] // 2} Td (Page {number}) Tj ET"
        box = f"/MediaBox [0 0 {size[0]} {size[1]}]"
        fonts = "/Resources << /Font << /F 3 0 R >> >>"
        objects += [
            f"<< /Type /Page /Parent 2 0 R {box} {fonts} /Contents {2 * number + 3} 0 R >>",
            f"<< /Length {len(words)} >>\nstream\n{words}\nendstream",
        ]
    return _document(objects, _LOCK if locked else "")


_LOCK = f"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{'6f' * 32}> /U <{'75' * 32}> >> /ID [<00> <00>]"


def _document(objects: list[str], trailer: str) -> bytes:
    body, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n".encode()
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    return (
        body
        + f"xref\n0 {size}\n0000000000 65535 f \n{table}".encode()
        + f"trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{len(body)}\n%%EOF\n".encode()
    )


def mutations(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Damage a file in `count` ways, the same for the same seed: bytes changed, cut out, repeated."""
    random = Random(seed)
    for _ in range(count):
        damaged = bytearray(data)
        for _ in range(random.choice((1, 2, 8, 40))):
            random.choice(_DAMAGES)(damaged, random)
        yield bytes(damaged)


def _change(data: bytearray, random: Random) -> None:
    data[_place(data, random)] = random.choice((0, 1, 127, 128, 255, random.randrange(256)))


def _cut_out(data: bytearray, random: Random) -> None:
    at = _place(data, random)
    del data[at : min(at + random.randrange(1, 64), len(data) - 1)]


def _repeat(data: bytearray, random: Random) -> None:
    at = _place(data, random)
    data[at:at] = data[at : at + random.randrange(1, 64)]


_DAMAGES = (_change, _change, _change, _cut_out, _repeat)


def _place(data: bytearray, random: Random) -> int:
    """Choose a place; near the start more often, for there the headers are."""
    return random.randrange(random.choice((min(len(data), 1024), len(data))))


class _Streamed(io.BytesIO):
    """What can be written, but not gone back in."""

    def seekable(self) -> bool:
        return False


def _add_video(
    output: OutputContainer,
    codec: str,
    fps: int,
    size: tuple[int, int],
    rotation: int,
    coding: Mapping[str, str],
) -> VideoStream:
    options = {**_CODEC_OPTIONS.get(codec, {}), **coding}
    stream = cast("VideoStream", output.add_stream(codec, fps, options=options))
    stream.width, stream.height = size
    if rotation:
        stream.set_display_rotation(-rotation)
    return stream


def _add_audio(output: OutputContainer, codec: str) -> AudioStream:
    stream = cast("AudioStream", output.add_stream(codec, _SAMPLES_HZ, layout="mono"))
    stream.bit_rate = 64_000
    return stream


def _write_video(output: OutputContainer, stream: VideoStream, times: Sequence[float], draw: Draw) -> None:
    time_base = stream.codec_context.time_base or _MILLISECOND
    for number, time in enumerate(times):
        frame = av.VideoFrame.from_ndarray(draw(number, stream.width, stream.height), format="rgb24")
        frame.pts, frame.time_base = round(time / time_base), time_base
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def picture(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """Draw the frame of that number: a slope of grey that moves on."""
    row = (np.arange(width) * 3 + number * 16) % 256
    return np.repeat(np.tile(row.astype(np.uint8), (height, 1))[:, :, None], 3, axis=2)


def count(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """Draw a frame's number: in digits, and above them in twelve black and white blocks."""
    image = Image.new("L", (width, height), 255)
    pen = ImageDraw.Draw(image)
    for bit in range(_BITS):
        left, right = width * bit // _BITS, width * (bit + 1) // _BITS - 1
        pen.rectangle((left, 0, right, height // 4), fill=255 * (number >> bit & 1))
    middle = width // 2, height * 5 // 8
    pen.text(middle, str(number), fill=0, anchor="mm", font=ImageFont.load_default(height // 2))
    return np.repeat(np.asarray(image)[:, :, None], 3, axis=2)


def counted(pixels: NDArray[np.uint8]) -> int:
    """Read the number of a frame that `count` has drawn, whatever its size is by now."""
    height, width = pixels.shape[:2]
    middles = [width * (2 * bit + 1) // (2 * _BITS) for bit in range(_BITS)]
    return sum(int(pixels[height // 8, at].mean() > 127) << bit for bit, at in enumerate(middles))


_BITS = 12


def write_audio(output: OutputContainer, stream: AudioStream, seconds: float, start: float = 0) -> None:
    """Write a tone."""
    times = np.arange(round(seconds * _SAMPLES_HZ)) / _SAMPLES_HZ
    wave = (np.sin(times * 2 * np.pi * 440) * 8000).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(wave[None, :], format="s16", layout="mono")
    frame.sample_rate = _SAMPLES_HZ
    frame.pts, frame.time_base = round(start * _SAMPLES_HZ), Fraction(1, _SAMPLES_HZ)
    output.mux(stream.encode(frame))
    output.mux(stream.encode(None))
