"""Stored files in the worker pool: what is found out, what is said, and what is not believed."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

import clips
import images
from twinlens.domain.errors import BadMedia
from twinlens.domain.media import Blob, Descriptor, Inspected, PdfInfo, SoundInfo, VideoInfo
from twinlens.media import is_inspected
from twinlens.media.inspection import Inspect
from twinlens.media.worker.jobs import Limits, file_of, to_file
from twinlens.media.worker.pool import WorkerPool
from twinlens.media.worker.process import WorkerDied

PDF = "application/pdf"
LIMITS = Limits(512, 30)
SEND_SOUND = "Send WAV, MP3, AIFF, AAC, OGG, FLAC, M4A, OPUS or WEBM."
SEND_A_VIDEO = "Send MP4, MOV, MPEG, AVI, FLV, WEBM, WMV or 3GPP."


on_one_loop = pytest.mark.asyncio(loop_scope="module")
"""One pool serves all tests that take it; starting a process costs more than a hundred looks."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def pool() -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(1, 512, 30)
    await pool.start()
    yield pool
    await pool.stop()


def stored(data: bytes) -> Blob:
    """Put bytes into a file, as the store does."""
    return to_file(Blob(data, None, ""))


async def inspect(pool: WorkerPool, data: bytes, mime_type: str = "video/mp4") -> Inspected:
    return await pool.inspect(stored(data), mime_type)


def video_info(mime_type: str = "video/mp4", *, sound: bool = False) -> VideoInfo:
    return VideoInfo(mime_type, 64, 48, timedelta(seconds=2), sound)


def pdf_info(pages: int) -> PdfInfo:
    return PdfInfo(PDF, ((200.0, 300.0),) * pages)


async def refusal(pool: WorkerPool, data: bytes, mime_type: str = "video/mp4") -> str:
    with pytest.raises(BadMedia) as caught:
        await inspect(pool, data, mime_type)
    return caught.value.message


@pytest.mark.parametrize(
    "mime_type", ["video/mp4", "VIDEO/WebM; codecs=vp9", "application/pdf", "Application/PDF", "audio/mp4"]
)
def test_recordings_and_documents_are_looked_into(mime_type: str) -> None:
    assert is_inspected(mime_type)


@pytest.mark.parametrize("mime_type", ["image/png", "audio/", "text/plain", "application/pdfx", "", "video/"])
def test_other_files_are_not(mime_type: str) -> None:
    assert not is_inspected(mime_type)


@on_one_loop
@pytest.mark.parametrize("name", clips.CONTAINERS)
async def test_a_video_tells_its_size_and_its_duration(pool: WorkerPool, name: str) -> None:
    mime_type = clips.CONTAINERS[name].mime_type

    assert await inspect(pool, clips.video(name), mime_type) == video_info(mime_type)


@on_one_loop
async def test_a_video_tells_whether_it_has_sound(pool: WorkerPool) -> None:
    assert await inspect(pool, clips.video(sound=True)) == video_info(sound=True)


@on_one_loop
@pytest.mark.parametrize("name", clips.SOUNDS)
async def test_sound_tells_its_duration(pool: WorkerPool, name: str) -> None:
    kind = clips.SOUNDS[name]

    found = await inspect(pool, clips.sound(name, np.zeros((2, 96_000))), kind.mime_type)

    assert isinstance(found, SoundInfo)
    assert found.mime_type == kind.mime_type
    assert found.duration.total_seconds() == pytest.approx(2, abs=0.1)


@on_one_loop
async def test_sound_in_a_videos_container_is_sound(pool: WorkerPool) -> None:
    assert await inspect(pool, clips.audio("mp4"), "video/mp4") == SoundInfo(
        "video/mp4", timedelta(seconds=2)
    )


@on_one_loop
async def test_of_a_video_that_is_called_audio_the_sound_counts(pool: WorkerPool) -> None:
    found = await inspect(pool, clips.video(sound=True), "audio/mp4")

    assert found == SoundInfo("audio/mp4", timedelta(seconds=2))


@on_one_loop
@pytest.mark.parametrize("label", ["audio/3gpp", "audio/3gpp2"])
async def test_a_3gpp_file_is_a_video_if_there_are_pictures_whatever_its_label(
    pool: WorkerPool, label: str
) -> None:
    mime_type = label.replace("audio", "video")

    assert await inspect(pool, clips.video("3gp"), label) == video_info(mime_type)
    assert isinstance(await inspect(pool, clips.audio("3gp"), label), SoundInfo)


@on_one_loop
async def test_a_document_tells_its_pages(pool: WorkerPool) -> None:
    assert await inspect(pool, clips.pdf(1000), PDF) == pdf_info(1000)


@on_one_loop
async def test_the_label_need_not_name_the_right_container(pool: WorkerPool) -> None:
    assert await inspect(pool, clips.video("webm"), "video/mp4") == video_info()


@on_one_loop
async def test_a_file_that_is_refused_costs_no_worker(pool: WorkerPool) -> None:
    (pid,) = pool.pids

    for _ in range(3):
        await refusal(pool, b"nothing")
        assert await inspect(pool, clips.pdf(2), PDF) == pdf_info(2)

    assert pool.pids == (pid,)


@on_one_loop
@pytest.mark.parametrize(
    ("data", "mime_type", "message"),
    [
        (
            clips.video()[:1000],
            "video/mp4",
            "The video data is damaged or incomplete. Check the file and send it again.",
        ),
        (
            clips.video().replace(b"trak", b"free"),
            "video/mp4",
            "The file holds no video and no audio. Check the file and send it again.",
        ),
        (
            clips.wav_without_samples(),
            "audio/wav",
            "The file holds no video and no audio. Check the file and send it again.",
        ),
        (
            b"\0\0\0\x10ftypmif3heic" + b"\0\0\0\x20mini" + bytes(24),
            "video/mp4",
            f"The data is labelled video/mp4 but looks like a Mini-HEIF image. {SEND_A_VIDEO}",
        ),
        (
            clips.video().replace(b"avc1", b"zzz1"),
            "video/mp4",
            "The codec is not supported. Convert the video to H.264 and send it again.",
        ),
        (
            clips.pdf(),
            "video/mp4",
            f"The data is labelled video/mp4 but looks like a PDF document. {SEND_A_VIDEO}",
        ),
        (
            images.make("heif"),
            "Video/MP4; codecs=hvc1",
            f"The data is labelled video/mp4 but looks like a HEIF image. {SEND_A_VIDEO}",
        ),
        (
            b"hello",
            "audio/mpeg",
            f"The data is labelled audio/mpeg but looks like plain text. {SEND_SOUND}",
        ),
        (
            clips.sound("wav", np.zeros((2, 4800)))[:40],
            "audio/wav",
            "The audio data is damaged or incomplete. Check the file and send it again.",
        ),
        (
            clips.sound("mp3", np.zeros((2, 4800)))[:60],
            "video/mp4",
            "The audio data is damaged or incomplete. Check the file and send it again.",
        ),
        (
            b"hello",
            PDF,
            f"The document has no pages. The data is labelled {PDF} but looks like plain text. Send a PDF.",
        ),
        (
            clips.pdf()[:200],
            PDF,
            "The PDF data is damaged or incomplete. Check the file and send it again.",
        ),
        (clips.pdf(0), PDF, "The document has no pages."),
        (
            clips.pdf(1001),
            PDF,
            "The document contains 1001 pages which exceeds the supported page limit of 1000.",
        ),
        (
            clips.pdf(locked=True),
            PDF,
            "The document is protected by a password. Remove the password and send it again.",
        ),
    ],
)
async def test_each_refusal_says_what_to_do(
    pool: WorkerPool, data: bytes, mime_type: str, message: str
) -> None:
    assert await refusal(pool, data, mime_type) == message


@on_one_loop
@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{address}\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{path}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{address}'\n",
        "ffconcat version 1.0\nfile '{path}'\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
        '<?xml version="1.0"?><MPD><Period><BaseURL>{address}</BaseURL></Period></MPD>',
        "<asx version='3'><entry><ref href='{address}'/></entry></asx>",
        "[Reference]\nRef1={address}\n",
    ],
)
async def test_a_list_of_other_files_is_not_followed(pool: WorkerPool, tmp_path: Path, playlist: str) -> None:
    path = tmp_path / "video.ts"
    path.write_bytes(clips.video("ts"))
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.setblocking(False)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/video.ts"

        message = await refusal(pool, playlist.format(address=address, path=path).encode())

        assert "labelled video/mp4 but looks like" in message
        with pytest.raises(BlockingIOError):
            server.accept()


async def test_two_gigabytes_cost_no_memory(tmp_path: Path) -> None:
    path, hole = tmp_path / "large.mp4", 2 * 1024**3
    path.write_bytes(clips.video("mp4") + b"\0\0\0\1free" + hole.to_bytes(8, "big"))
    os.truncate(path, path.stat().st_size - 16 + hole)
    pool = WorkerPool(1, 64, 30)
    await pool.start()

    found = await pool.inspect(Blob(b"", None, "", file=Descriptor(os.open(path, os.O_RDONLY))), "video/mp4")
    await pool.stop()

    assert found == video_info()


NOISE = np.random.default_rng(7).uniform(-0.3, 0.3, (2, 48_000))
PAGES = {name: {"page_duration": "100000"} for name in ("ogg", "opus")}
"""A page that is damaged is lost; as it is made, all fits into one."""

KINDS = {name: (clips.video(name), kind.mime_type) for name, kind in clips.CONTAINERS.items()} | {
    "mp4 in fragments": (clips.video("mp4", streamed=True, sound=True), "video/mp4"),
    "webm from a recorder": (clips.video("webm", streamed=True, sound=True), "video/webm"),
    "pdf": (clips.pdf(), PDF),
    **{
        f"{name} sound": (clips.sound(name, NOISE, options=PAGES.get(name)), kind.mime_type)
        for name, kind in clips.SOUNDS.items()
    },
}


@on_one_loop
@pytest.mark.parametrize("name", KINDS)
async def test_damage_costs_an_error_at_most(pool: WorkerPool, name: str) -> None:
    data, mime_type = KINDS[name]
    cut = (data[: len(data) * part // 20] for part in range(20))
    found = 0

    for damaged in (*cut, *clips.mutations(data, 40 if "sound" in name else 200, seed=5)):
        with suppress(BadMedia):
            found += bool(await inspect(pool, damaged, mime_type))

    assert found
    assert await inspect(pool, clips.pdf(), PDF) == pdf_info(3)


@pytest.mark.parametrize("value", [None, True, 0, -1, 1.5, "2", [2], 10**30])
@pytest.mark.parametrize(
    ("name", "mime_type"),
    [("duration", "video/mp4"), ("height", "video/mp4"), ("pages", PDF), ("sizes", PDF)],
)
def test_a_worker_that_answers_nonsense_is_lost(name: str, mime_type: str, value: object) -> None:
    right = {"duration": 2_000_000, "width": 64, "height": 48, "pages": 1, "sizes": [[200, 300]]}
    job = Inspect(stored(b""), mime_type)

    with pytest.raises(WorkerDied):
        job.result({**right, name: value}, file_of(job.blob))


@pytest.mark.parametrize(
    ("data", "medium"),
    [(clips.sound("mp3", np.zeros((2, 4800))), "audio"), (clips.video(), "video"), (b"?", "video")],
)
def test_where_no_label_says_what_is_broken_the_bytes_do(data: bytes, medium: str) -> None:
    error = Inspect(stored(data), "application/octet-stream").refusal("damaged", {}, LIMITS)

    assert error.message == f"The {medium} data is damaged or incomplete. Check the file and send it again."


@pytest.mark.parametrize("reason", [None, "surprise", 7, ["damaged"], {"damaged": 1}])
async def test_a_reason_that_is_none_counts_as_a_crash(reason: object) -> None:
    error = Inspect(stored(b""), "video/mp4").refusal(reason, {}, LIMITS)

    assert error.message == "The decoder cannot handle this video. Convert it to H.264 and send it again."


@pytest.mark.parametrize(
    ("codec", "named"),
    [("vvc", " vvc"), ("{label}", ""), ("<b>", ""), ("a" * 33, ""), (5, ""), (None, ""), ("a\nb", "")],
)
def test_only_a_plain_codec_name_is_repeated(codec: object, named: str) -> None:
    error = Inspect(stored(b""), "video/mp4").refusal("codec", {"codec": codec}, LIMITS)

    assert (
        error.message == f"The codec{named} is not supported. Convert the video to H.264 and send it again."
    )
