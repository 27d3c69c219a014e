"""Looking into videos: how long they last, whatever their headers say, and why some are no use."""

from __future__ import annotations

import io
import struct
from fractions import Fraction

import av
import pytest
from av.stream import Disposition

import clips
import pictures
from twinlens.media import video
from twinlens.media.unreadable import Unreadable


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


@pytest.mark.parametrize("name", set(clips.CONTAINERS) - {"avi"})
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


def test_a_turned_video_lasts_as_long() -> None:
    assert seconds(clips.video("mp4", rotation=90)) == 2


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
        packet = av.Packet(pictures.png(20_000, 12_000, iter([bytes(60_000)])))
        packet.stream, packet.pts, packet.dts, packet.time_base = stream, 0, 0, Fraction(1)
        output.mux(packet)

    assert reason(large.getvalue()) == "pixels"


def test_an_unknown_codec_is_refused() -> None:
    assert reason(clips.video("mp4").replace(b"avc1", b"zzz1")) == "codec"


def test_a_file_without_streams_is_refused() -> None:
    assert reason(clips.video("mp4").replace(b"trak", b"free")) == "empty"


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


@pytest.mark.parametrize("name", pictures.FORMATS)
def test_an_image_is_not_a_video(name: str) -> None:
    assert reason(pictures.make(name)) == "foreign"


@pytest.mark.parametrize(
    "data", [b"", b"hello", bytes(5000), clips.pdf()], ids=["nothing", "text", "zeros", "pdf"]
)
def test_other_data_is_not_a_video(data: bytes) -> None:
    assert reason(data) == "foreign"
