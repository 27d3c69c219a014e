"""The frames of a video at given times: the right ones, the same pixels as by decoding everything."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

import clips
from twinlens.media.decoders import frames
from twinlens.media.decoders.unreadable import Unreadable
from twinlens.media.worker.time_slice import TimeSlice

Pixels = NDArray[np.uint8]


def decode(
    data: bytes | io.BytesIO,
    times: Sequence[float],
    size: tuple[int, int] = (64, 48),
    part: TimeSlice | None = None,
) -> tuple[list[float], Pixels]:
    pixels = np.full((len(times), size[1], size[0], 3), 77, np.uint8)
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    found = frames.decode(file, times, pixels, part or TimeSlice(math.inf))
    return found, pixels[: len(found)]


def numbers(data: bytes | io.BytesIO, times: Sequence[float], **options: Any) -> list[int]:
    """Read which frames were taken."""
    return [clips.counted(frame) for frame in decode(data, times, **options)[1]]


def counted(container: str = "mp4", **options: Any) -> bytes:
    return clips.video(container, draw=clips.count, **options)


def all_frames(data: bytes) -> list[tuple[float, Pixels]]:
    """Decode everything in sequence; give each frame with its time."""
    with av.open(io.BytesIO(data), "r") as container:
        shown = list(container.decode(video=0))
    drawn = np.empty((len(shown), 48, 64, 3), np.uint8)
    canvas = frames.Canvas(drawn)
    for number, frame in enumerate(shown):
        canvas.draw(frame, [number])
    return [(frame.time - shown[0].time, picture) for frame, picture in zip(shown, drawn, strict=True)]


def nearest(shown: Sequence[tuple[float, Pixels]], wanted: float) -> tuple[float, Pixels]:
    return min(shown, key=lambda frame: abs(frame[0] - wanted))


def spread(start: float, step: float, end: float) -> list[float]:
    return [start + step * number for number in range(int((end - start) / step))]


class Read(io.BytesIO):
    """A file that knows how much of it has been read."""

    amount = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.amount += len(data)
        return data


EACH_KIND = {
    "H.264 in MP4": ("mp4", "libx264", {"g": "10", "bf": "3", "preset": "veryfast"}),
    "H.264 with open groups": (
        "mkv",
        "libx264",
        {"g": "8", "bf": "3", "preset": "fast", "x264-params": "open-gop=1"},
    ),
    "H.264 that refreshes itself": ("mp4", "libx264", {"g": "12", "intra-refresh": "1", "bf": "0"}),
    "H.264 in fields": ("ts", "libx264", {"g": "10", "bf": "2", "flags": "+ildct+ilme"}),
    "H.264 in QuickTime": ("mov", "libx264", {"g": "10", "bf": "2"}),
    "H.264 in Flash": ("flv", "libx264", {"g": "10", "bf": "2"}),
    "HEVC": ("mp4", "libx265", {"x265-params": "log-level=none:pools=none:keyint=10:bframes=3"}),
    "HEVC in layers": (
        "mkv",
        "libx265",
        {"x265-params": "log-level=none:pools=none:keyint=10:temporal-layers=1"},
    ),
    "VP8": ("webm", "libvpx", {"g": "10"}),
    "VP9": ("webm", "libvpx-vp9", {"g": "10"}),
    "AV1": ("mkv", "libsvtav1", {"g": "10"}),
    "MPEG-2": ("ts", "mpeg2video", {"g": "10", "bf": "2"}),
    "MPEG-2 in a program": ("mpeg", "mpeg2video", {"g": "10", "bf": "2"}),
    "MPEG-4": ("mp4", "mpeg4", {"g": "10", "bf": "2"}),
    "MPEG-4 in AVI": ("avi", "mpeg4", {"g": "10"}),
    "Sorenson": ("flv", "flv", {"g": "10"}),
    "WMV": ("wmv", "wmv2", {"g": "10"}),
}


@pytest.mark.parametrize("name", EACH_KIND)
def test_frames_are_those_of_decoding_everything(name: str) -> None:
    container, codec, coding = EACH_KIND[name]
    data = clips.video(container, codec=codec, coding=coding, seconds=4, fps=25, sound=True, draw=noisy)
    shown = all_frames(data)

    for start in (0, 0.37, 0.35, 2.61):
        times = spread(start, 0.4, 4)
        own, pixels = decode(data, times)

        for time, found, picture in zip(times, own, pixels, strict=True):
            right = nearest(shown, time)
            # A program's frames share their times with others; after a jump these may be half a frame off.
            assert found == pytest.approx(right[0], abs=0.021 if container == "mpeg" else 0.001)
            assert np.array_equal(picture, right[1])


@pytest.mark.parametrize("name", clips.CONTAINERS)
def test_each_container_gives_the_frames_that_are_nearest(name: str) -> None:
    # In a program, frames that are small share their times.
    data = clips.video(name, seconds=5, size=(128, 96), draw=noisy if name == "mpeg" else clips.count)
    times = [0, 0.12, 0.98, 1.51, 1.52, 2.26, 4.4, 4.93]

    assert numbers(data, times) == [0, 1, 10, 15, 15, 23, 44, 49]


@pytest.mark.parametrize("codec", ["libx264", "msmpeg4"])
def test_where_a_container_has_no_times_of_showing_frames_are_counted(codec: str) -> None:
    data = counted("avi", codec=codec, seconds=6, coding={"g": "20"})

    assert numbers(data, [0, 0.71, 3.4, 5.2, 5.9]) == [0, 7, 34, 52, 59]


def test_times_are_the_frames_own() -> None:
    own, _ = decode(counted(seconds=3), [0, 0.12, 1.98])

    assert own == pytest.approx([0, 0.1, 2.0])


def test_frames_at_no_steady_rate_are_the_nearest_too() -> None:
    gaps = np.random.default_rng(4).uniform(0.01, 0.2, 60)
    shown = [0, *np.cumsum(gaps).round(3).tolist()]
    data = counted("mkv", times=shown, coding={"g": "9"})
    wanted = spread(0.05, 0.33, shown[-1])

    own, _ = decode(data, wanted)

    right = [min(shown, key=lambda time: abs(time - moment)) for moment in wanted]
    assert own == pytest.approx(right, abs=0.0011)


def test_a_slide_is_there_as_long_as_it_is_shown() -> None:
    slides = counted("mp4", times=[0, 0.5, 6, 12, 12.1])

    assert numbers(slides, [0.2, 0.3, 3.2, 5.9, 6, 11.99, 12.08]) == [0, 1, 1, 1, 2, 2, 4]


def test_more_frames_than_there_are_repeat() -> None:
    found = numbers(counted(seconds=1), [number / 24 for number in range(24)])

    assert found == sorted(found)
    assert set(found) == set(range(10))


def test_a_film_of_one_frame_shows_it_always() -> None:
    assert numbers(counted(times=[0]), [0, 0.5, 30]) == [0, 0, 0]


def test_after_the_end_the_last_frame_stays() -> None:
    assert numbers(counted(seconds=3), [2.85, 2.99, 3.2, 90]) == [28, 29, 29, 29]


@pytest.mark.parametrize("name", sorted(set(clips.CONTAINERS) - {"avi"}))
def test_time_begins_with_the_first_frame(name: str) -> None:
    data = counted(name, seconds=3, start=7.5)

    assert numbers(data, [0, 1.2, 2.6]) == [0, 12, 26]


def test_what_an_edit_list_cuts_off_is_not_shown() -> None:
    data = counted("mp4", seconds=3, start=-0.5, coding={"g": "20"})

    assert numbers(data, [0, 0.12, 1.7]) == [5, 6, 22]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_turned_video_is_upright(rotation: int) -> None:
    def corners(_: int, width: int, height: int) -> Pixels:
        picture = np.zeros((height, width, 3), np.uint8)
        picture[: height // 2, : width // 2] = 255, 0, 0
        picture[height // 2 :, width // 2 :] = 0, 0, 255
        return picture

    upright = np.rot90(corners(0, 96, 64), -rotation // 90)
    data = clips.video(rotation=rotation, size=(96, 64), draw=corners, seconds=0.5)

    _, (picture,) = decode(data, [0], size=(upright.shape[1] // 2, upright.shape[0] // 2))

    assert np.abs(picture[4::8, 4::8].astype(int) - upright[8::16, 8::16]).max() < 60


def test_pixels_that_are_not_square_fill_the_size() -> None:
    data = counted(aspect=Fraction(4, 3), seconds=1)

    assert numbers(data, [0.7], size=(128, 72)) == [7]


COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (120, 60, 200)]


@pytest.mark.parametrize(
    ("space", "range_", "told", "size"),
    [
        (Colorspace.ITU709, ColorRange.MPEG, True, (64, 48)),
        (Colorspace.ITU601, ColorRange.MPEG, True, (64, 48)),
        (Colorspace.ITU709, ColorRange.JPEG, True, (64, 48)),
        (Colorspace.BT2020, ColorRange.MPEG, True, (64, 48)),
        (Colorspace.ITU601, ColorRange.MPEG, False, (64, 48)),
        (Colorspace.ITU709, ColorRange.MPEG, False, (1280, 720)),
    ],
)
def test_colours_are_those_that_were_filmed(
    space: Colorspace, range_: ColorRange, told: bool, size: tuple[int, int]
) -> None:
    data = coloured(space, range_, told, size)

    _, pixels = decode(data, [number / 10 for number in range(len(COLOURS))])

    assert np.abs(pixels[:, 24, 32].astype(int) - COLOURS).max() <= 6


def coloured(space: Colorspace, range_: ColorRange, told: bool, size: tuple[int, int]) -> bytes:
    """Make a film of a frame for each colour, told or not what colours its numbers stand for."""
    body = io.BytesIO()
    with av.open(body, "w", format="mp4") as output:
        stream: Any = output.add_stream("libx264", 10, options={"preset": "ultrafast", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        if told:
            stream.codec_context.colorspace = {Colorspace.ITU601: 5}.get(space, int(space))
            stream.codec_context.color_range = range_
        for number, colour in enumerate(COLOURS):
            planes = [
                np.full(shape, value)
                for shape, value in zip(_planes(size), _numbers(colour, space, range_), strict=True)
            ]
            frame = av.VideoFrame.from_ndarray(
                np.concatenate(planes).reshape(-1, size[0]).astype(np.uint8), "yuv420p"
            )
            frame.pts, frame.time_base = number, Fraction(1, 10)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return body.getvalue()


def _planes(size: tuple[int, int]) -> list[int]:
    pixels = size[0] * size[1]
    return [pixels, pixels // 4, pixels // 4]


def _numbers(colour: tuple[int, int, int], space: Colorspace, range_: ColorRange) -> list[int]:
    """Write a colour as luma and chroma, by the standards' formulas."""
    weight = {Colorspace.ITU709: (0.2126, 0.0722), Colorspace.ITU601: (0.299, 0.114)}
    of_red, of_blue = weight.get(space, (0.2627, 0.0593))
    red, green, blue = (value / 255 for value in colour)
    luma = of_red * red + of_blue * blue + (1 - of_red - of_blue) * green
    chroma = (blue - luma) / 2 / (1 - of_blue), (red - luma) / 2 / (1 - of_red)
    floor, most, spread_ = (0, 255, 255) if range_ == ColorRange.JPEG else (16, 219, 224)
    return [round(floor + most * luma), *(min(round(128 + spread_ * value), 255) for value in chroma)]


@pytest.mark.parametrize(
    ("codec", "pixels"),
    [("libx264", "yuv420p10le"), ("libx264", "yuv444p"), ("libx265", "yuv420p10le"), ("mjpeg", "yuvj422p")],
)
def test_other_kinds_of_pixels_are_read(codec: str, pixels: str) -> None:
    assert numbers(counted("mkv", codec=codec, pixels=pixels, seconds=1), [0.41]) == [4]


def noisy(number: int, width: int, height: int) -> Pixels:
    """Draw a frame's number over noise, so that it takes some bytes."""
    picture = clips.count(number, width, height)
    noise = np.random.default_rng(number).integers(0, 256, (height - height // 2, width), np.uint8)
    picture[height // 2 :] = noise[:, :, None]
    return picture


def long_film(container: str) -> bytes:
    """Make three minutes of film, ten megabytes."""
    coding = {"g": "10", "qmax": "2"}
    return clips.video(
        container, codec="mpeg4", seconds=180, fps=5, size=(128, 96), coding=coding, draw=noisy
    )


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_a_clip_from_the_middle_costs_no_more_than_one_from_the_start(container: str) -> None:
    data = long_film(container)
    start, middle = Read(data), Read(data)

    numbers(start, spread(0, 1, 10))
    found = numbers(middle, spread(100, 1, 110))

    assert found == list(range(500, 550, 5))
    # Reading goes by the quarter of a megabyte.
    assert middle.amount <= start.amount + 3 * 2**18


def test_between_moments_far_apart_nothing_is_read() -> None:
    data = long_film("mp4")
    file = Read(data)

    assert numbers(file, [0, 60, 120, 179]) == [0, 300, 600, 895]
    assert file.amount < len(data) / 3


def test_when_the_time_is_over_there_is_what_has_been_done() -> None:
    data = counted(seconds=4, coding={"g": "5"})

    found, pixels = decode(data, spread(0, 0.5, 4), part=TimeSlice(0, 0))

    assert 1 <= len(found) < 8
    assert [clips.counted(frame) for frame in pixels] == list(range(0, 5 * len(found), 5))


@pytest.mark.parametrize("coding", [{"g": "5"}, {"g": "100"}, {"g": "12", "bf": "3"}])
def test_a_job_that_is_cut_again_and_again_gives_the_same(coding: dict[str, str]) -> None:
    data = counted(seconds=4, coding=coding)
    wanted, found = spread(0, 0.3, 4), list[int]()

    while len(found) < len(wanted):
        found += numbers(data, wanted[len(found) :], part=TimeSlice(0, 0))

    assert found == numbers(data, wanted)


@pytest.mark.parametrize("name", ["mkv", "webm", "avi", "flv", "ts", "mpeg"])
def test_of_a_file_that_ends_early_there_is_what_is_left(name: str) -> None:
    whole = counted(name, seconds=4, codec={"ts": "mpeg4", "mkv": "mpeg4"}.get(name))

    found = numbers(whole[: len(whole) * 3 // 4], spread(0, 0.5, 4))

    assert len(found) == 8
    assert found[:4] == [0, 5, 10, 15]
    assert found == sorted(found)


def test_of_a_file_that_ends_early_an_index_at_its_start_does_not_matter() -> None:
    whole = counted(seconds=4, options={"moov_size": "4000"}, coding={"g": "10"})

    found = numbers(whole[: len(whole) * 7 // 8], spread(0, 0.5, 4))

    assert len(found) == 8
    assert found[:4] == [0, 5, 10, 15]
    assert found == sorted(found)


def test_a_damaged_part_costs_a_neighbouring_frame() -> None:
    whole = counted("mkv", codec="mpeg4", seconds=4, coding={"g": "5"})
    packets = broken(whole, range(20, 24))

    found = numbers(packets, [0, 1, 2, 2.2, 3, 3.5])

    assert [found[at] for at in (0, 1, 4, 5)] == [0, 10, 30, 35]
    assert all(abs(number - right) <= 5 for number, right in zip(found[2:4], (20, 22), strict=True))


def broken(data: bytes, which: Iterable[int]) -> bytes:
    """Overwrite some packets with noise."""
    damaged = bytearray(data)
    with av.open(io.BytesIO(data), "r") as container:
        packets = [bytes(packet) for packet in container.demux(video=0)]
    for number in which:
        at = data.index(packets[number])
        damaged[at : at + len(packets[number])] = bytes(len(packets[number]))
    return bytes(damaged)


@pytest.mark.parametrize(
    ("room", "expected"), [(3, 3), (4, 3), (5, 3), (6, 6), (8, 6), (9, 9), (1, 1), (2, 2)]
)
def test_what_there_is_no_room_for_is_left_out_from_its_key_frame_on(room: int, expected: int) -> None:
    data = counted(seconds=6, coding={"g": "15"})
    pixels = np.empty((room, 48, 64, 3), np.uint8)

    found = frames.decode(io.BytesIO(data), spread(0.1, 0.5, 6), pixels, TimeSlice(math.inf))

    assert len(found) == expected
    assert [clips.counted(frame) for frame in pixels[:expected]] == list(range(1, 5 * expected, 5))


def test_a_file_of_sound_has_no_frames() -> None:
    with pytest.raises(Unreadable) as caught:
        decode(clips.audio("mp4"), [0])

    assert caught.value.reason == "empty"


def test_a_film_of_which_nothing_can_be_decoded_is_damaged() -> None:
    whole = counted("mkv", codec="mpeg4", seconds=1, coding={"g": "5"})

    with pytest.raises(Unreadable) as caught:
        decode(broken(whole, range(10)), [0])

    assert caught.value.reason == "damaged"


def test_many_moments_rise_as_they_should() -> None:
    own, _ = decode(counted("ts", codec="mpeg2video", seconds=3, coding={"bf": "2"}), spread(0, 0.05, 3))

    assert all(early <= late for early, late in pairwise(own))
