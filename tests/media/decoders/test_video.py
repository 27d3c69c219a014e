"""Looking into videos: how long they last, whatever their headers say, and why some are no use."""

from __future__ import annotations

import io
import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from av.stream import Disposition

import clips
import images
from twinlens.media.decoders import video
from twinlens.media.decoders.unreadable import Unreadable


def seconds(data: bytes) -> float:
    return video.inspect(io.BytesIO(data))["duration"] / 1_000_000


def reason(data: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        video.inspect(io.BytesIO(data))
    return caught.value.reason


def patched(data: bytes, box: bytes, offset: int, value: bytes) -> bytes:
    """Overwrite what stands so many bytes after the start of a box's content."""
    at = data.index(box) + len(box) + offset
    return data[:at] + value + data[at + len(value) :]


def with_key_frames(container: str, length: float) -> bytes:
    return clips.video(container, seconds=length, fps=25, codec=GOP_CODECS.get(container))


GOP_CODECS = dict.fromkeys(("mp4", "mov", "mkv", "ts"), "mpeg4")
"""A key frame every twelve frames."""


@pytest.mark.parametrize("name", clips.CONTAINERS)
def test_each_container_tells_how_long_it_lasts(name: str) -> None:
    assert seconds(clips.video(name, seconds=2)) == 2


@pytest.mark.parametrize("name", clips.CONTAINERS)
def test_a_recording_whose_header_tells_nothing_is_measured(name: str) -> None:
    assert seconds(clips.video(name, seconds=2, streamed=True)) == 2


@pytest.mark.parametrize("name", clips.CONTAINERS)
def test_many_key_frames_make_no_difference(name: str) -> None:
    # Not a whole number of seconds, so that the last stored frame is not always the last shown.
    assert seconds(with_key_frames(name, 4.2)) == pytest.approx(4.2, abs=0.001)


@pytest.mark.parametrize("times", [(0, 5, 5.04, 20, 60, 61), (0, 9, 12, 15, 16, 33, 36, 39)])
@pytest.mark.parametrize("bf", ["0", "2"])
@pytest.mark.parametrize(
    ("name", "streamed"), [("mp4", False), ("mp4", True), ("mov", False), ("mkv", False)]
)
def test_pictures_at_odd_times_last_until_the_end_of_the_one_that_is_shown_last(
    name: str, streamed: bool, bf: str, times: tuple[float, ...]
) -> None:
    data = clips.video(name, times=times, coding={"bf": bf}, streamed=streamed)

    assert seconds(data) == pytest.approx(times[-1] + 0.1, abs=0.001)


@pytest.mark.parametrize("bf", ["0", "2"])
def test_in_a_transport_stream_the_last_picture_is_found_before_those_that_are_stored_after_it(
    bf: str,
) -> None:
    assert seconds(clips.video("ts", times=(0, 5, 5.04, 20, 60, 61), coding={"bf": bf})) == pytest.approx(
        61.04, abs=0.001
    )


@pytest.mark.parametrize("name", sorted(set(clips.CONTAINERS) - {"avi"}))
def test_a_late_start_does_not_count(name: str) -> None:
    assert seconds(clips.video(name, seconds=2, start=3)) == 2


@pytest.mark.parametrize("name", ["mp4", "mov"])
def test_what_an_edit_list_cuts_off_does_not_count(name: str) -> None:
    assert seconds(clips.video(name, seconds=2, start=-0.5)) == 1.5


@pytest.mark.parametrize("name", clips.CONTAINERS)
def test_sound_beside_the_picture_changes_little(name: str) -> None:
    assert seconds(clips.video(name, seconds=2, sound=True)) == pytest.approx(2, abs=0.11)


@pytest.mark.parametrize("name", clips.CONTAINERS)
def test_sound_alone_is_enough(name: str) -> None:
    assert seconds(clips.audio(name, seconds=2)) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("mp4", "libx265"),
        ("webm", "libvpx-vp9"),
        ("mkv", "libsvtav1"),
        ("mov", "mpeg4"),
        ("ts", "mpeg2video"),
        ("flv", "libx264"),
        ("avi", "msmpeg4"),
    ],
)
def test_each_codec_is_decoded(name: str, codec: str) -> None:
    assert seconds(clips.video(name, codec=codec, seconds=2)) == 2


def size(data: bytes) -> tuple[int, int]:
    found = video.inspect(io.BytesIO(data))
    return found["width"], found["height"]


@pytest.mark.parametrize("name", clips.CONTAINERS)
def test_a_video_tells_its_size(name: str) -> None:
    assert size(clips.video(name, size=(64, 48))) == (64, 48)


@pytest.mark.parametrize(
    ("rotation", "expected"), [(0, (64, 48)), (90, (48, 64)), (180, (64, 48)), (270, (48, 64))]
)
def test_a_turned_video_has_the_size_that_is_seen(rotation: int, expected: tuple[int, int]) -> None:
    assert size(clips.video("mp4", rotation=rotation)) == expected


@pytest.mark.parametrize(
    ("aspect", "rotation", "expected"),
    [
        (Fraction(4, 3), 0, (85, 48)),
        (Fraction(1, 2), 0, (32, 48)),
        (Fraction(4, 3), 90, (48, 85)),
        (Fraction(1000), 0, (64, 48)),
    ],
)
def test_the_size_is_one_of_square_pixels(aspect: Fraction, rotation: int, expected: tuple[int, int]) -> None:
    assert size(clips.video("mp4", aspect=aspect, rotation=rotation)) == expected


def test_sound_has_no_size() -> None:
    assert size(clips.audio("mp4")) == (0, 0)


@pytest.mark.parametrize("sound", [True, False])
def test_a_video_tells_whether_there_is_sound(sound: bool) -> None:
    assert video.inspect(io.BytesIO(clips.video(sound=sound)))["sound"] is sound


def test_sound_that_no_decoder_knows_does_not_count() -> None:
    unknown = clips.video("mkv", sound=True).replace(b"A_MPEG/L3", b"A_ZZZZ/L3")

    assert video.inspect(io.BytesIO(unknown))["sound"] is False


@pytest.mark.parametrize("name", clips.SOUNDS)
def test_each_kind_of_sound_is_measured(name: str) -> None:
    found = video.inspect(io.BytesIO(clips.sound(name, np.zeros((2, 120_000)))))

    assert found["duration"] == pytest.approx(2_500_000, abs=80_000)
    assert found["sound"] is True


@pytest.mark.parametrize("length", [0.1, 0.3, 0.9, 1.7, 3.68])
@pytest.mark.parametrize("name", clips.SOUNDS)
def test_short_sound_lasts_as_long_as_it_is_heard(name: str, length: float) -> None:
    found = seconds(clips.sound(name, np.zeros((2, round(length * 48_000)))))

    assert found == pytest.approx(length, abs=0.05)


@pytest.mark.parametrize("codec", ["wmav1", "wmav2"])
@pytest.mark.parametrize("length", [0.3, 3.68, 12])
def test_sound_in_wmv_lasts_as_long_as_it_is_heard(codec: str, length: float) -> None:
    assert seconds(clips.audio("wmv", codec=codec, seconds=length)) == pytest.approx(length, abs=0.025)


@pytest.mark.parametrize("said", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_wav_that_was_never_finished_is_measured(said: int) -> None:
    sound = clips.sound("wav", np.zeros((1, 24_000)))

    assert seconds(patched(sound, b"data", 0, struct.pack("<I", said))) == 0.5


@pytest.mark.parametrize("frames", [1, 1_000_000])
def test_an_mp3_header_that_lies_about_its_frames_is_not_believed(frames: int) -> None:
    sound = clips.sound("mp3", np.zeros((1, 96_000)))

    assert seconds(patched(sound, b"Info", 4, struct.pack(">I", frames))) == pytest.approx(2, abs=0.05)


def test_timestamps_that_wrap_around_are_followed() -> None:
    # 33 bits of a 90 kHz clock.
    assert seconds(clips.video("ts", seconds=8, start=2**33 / 90_000 - 4)) == 8


@pytest.mark.parametrize(("said", "agreed", "expected"), [(300, True, 300.3), (130_000, False, 0.4)])
def test_the_last_picture_stays_for_minutes_only_if_a_header_says_so_too(
    said: int, agreed: bool, expected: float
) -> None:
    film = clips.video("mp4", times=(0, 0.1, 0.3), coding={"bf": "0"})
    ticks, entries = 16_000 * said, struct.unpack_from(">I", film, film.index(b"stts") + 8)[0]

    film = patched(film, b"stts", 8 * entries + 4, struct.pack(">I", ticks))
    if agreed:
        film = patched(film, b"mdhd", 16, struct.pack(">I", 4800 + ticks))
        film = patched(film, b"elst", 8, struct.pack(">I", 300 + 1000 * said))

    assert seconds(film) == pytest.approx(expected, abs=0.2)


def test_a_song_with_a_cover_is_sound() -> None:
    song = io.BytesIO()
    with av.open(song, "w", format="mp3", options={"id3v2_version": "3"}) as output:
        sound = output.add_stream("libmp3lame", 48_000, layout="mono")
        cover = output.add_stream("mjpeg", 1)
        cover.width, cover.height, cover.pix_fmt = 16, 16, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(clips.picture(0, 16, 16), format="rgb24")
        output.mux(cover.encode(picture))
        output.mux(cover.encode(None))
        clips.write_audio(output, sound, 3)

    assert size(song.getvalue()) == (0, 0)
    assert seconds(song.getvalue()) == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize(
    ("box", "offset"),
    [(b"mvhd", 16), (b"tkhd", 20), (b"mdhd", 16), (b"elst", 8)],
    ids=lambda value: str(value),
)
def test_a_header_that_lies_about_the_duration_is_not_believed(box: bytes, offset: int) -> None:
    lie = patched(clips.video("mp4"), box, offset, struct.pack(">I", 0x7FFFFFFF))

    assert seconds(lie) == 2


def test_a_webm_header_that_lies_about_the_duration_is_not_believed() -> None:
    lie = patched(clips.video("webm"), b"\x44\x89\x88", 0, struct.pack(">d", 1e15))

    assert seconds(lie) == 2


def test_pictures_that_stay_for_longer_than_the_stretch_that_is_looked_at_are_measured() -> None:
    slow = patched(clips.video("avi", seconds=1), b"vids", 16, struct.pack("<II", 5, 1))

    assert seconds(slow) == 50


def test_timestamps_beyond_a_month_are_damage() -> None:
    sparse = io.BytesIO()
    with av.open(sparse, "w", format="matroska") as output:
        stream = output.add_stream("mjpeg", 1)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuvj420p"
        for time in (0, 40 * 24 * 3600):
            frame = av.VideoFrame.from_ndarray(clips.picture(0, 16, 16), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))

    assert reason(sparse.getvalue()) == "damaged"


def test_a_cover_is_not_a_video() -> None:
    album = io.BytesIO()
    with av.open(album, "w", format="mp4") as output:
        cover = output.add_stream("mjpeg", 1)
        cover.width, cover.height, cover.pix_fmt = 16, 16, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        sound = output.add_stream("aac", 48_000, layout="mono")
        clips.write_audio(output, sound, 3)
        picture = av.VideoFrame.from_ndarray(clips.picture(0, 16, 16), format="rgb24")
        output.mux(cover.encode(picture))
        output.mux(cover.encode(None))

    assert seconds(album.getvalue()) == pytest.approx(3, abs=0.1)


def test_frames_too_large_are_refused_before_they_are_decoded() -> None:
    large = io.BytesIO()
    with av.open(large, "w", format="mov") as output:
        stream = output.add_stream("png", 1)
        stream.width, stream.height, stream.pix_fmt = 20_000, 12_000, "rgb24"
        packet = av.Packet(images.png(20_000, 12_000, iter([bytes(60_000)])))
        packet.stream, packet.pts, packet.dts, packet.time_base = stream, 0, 0, Fraction(1)
        output.mux(packet)

    assert reason(large.getvalue()) == "pixels"


def test_an_unknown_codec_is_refused() -> None:
    assert reason(clips.video("mp4").replace(b"avc1", b"zzz1")) == "codec"


def test_a_file_without_streams_is_refused() -> None:
    assert reason(clips.video("mp4").replace(b"trak", b"free")) == "empty"


def test_a_recording_that_was_stopped_before_its_first_sample_is_empty_and_not_damaged() -> None:
    assert reason(clips.wav_without_samples()) == "empty"


def test_an_mp4_without_its_index_is_damaged() -> None:
    body = clips.video("mp4")

    assert reason(body[: body.index(b"moov") - 4]) == "damaged"


@pytest.mark.parametrize("name", clips.CONTAINERS)
def test_a_file_that_ends_early_lasts_as_long_as_what_is_there(name: str) -> None:
    options = {"moov_size": "4000"} if name in ("mp4", "mov", "3gp") else None
    body = clips.video(name, seconds=4, options=options)
    found = []
    for part in range(1, 20):
        try:
            found.append(seconds(body[: len(body) * part // 20]))
        except (Unreadable, av.error.FFmpegError):
            found.append(0)

    assert found == sorted(found)
    assert found[-1] <= 4
    assert 0 < found[16] < 4 or name == "wmv"


@pytest.mark.parametrize("name", images.FORMATS)
def test_an_image_is_not_a_video(name: str) -> None:
    assert reason(images.make(name)) == "foreign"


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"Hello. " * 5000, bytes(5000), clips.pdf(), np.random.default_rng(3).bytes(100_000)],
    ids=["nothing", "a word", "text", "zeros", "pdf", "noise"],
)
def test_other_data_is_not_a_video(data: bytes) -> None:
    assert reason(data) == "foreign"
