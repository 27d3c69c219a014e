"""The sound of a recording at 16 kHz: in its place, in pieces that join, whatever it is kept in."""

from __future__ import annotations

import io
import math
from collections.abc import AsyncIterator
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

import clips
import speech
from twinlens.domain.engine_media import SAMPLE_RATE, Samples
from twinlens.domain.errors import BadMedia
from twinlens.domain.media import Blob
from twinlens.media.decoders import sound
from twinlens.media.decoders.unreadable import Unreadable
from twinlens.media.recordings import Sounds
from twinlens.media.worker.jobs import to_file
from twinlens.media.worker.pool import WorkerPool
from twinlens.media.worker.time_slice import TimeSlice

SECONDS = 4.0
EXACT = ("wav", "aiff", "flac")
LATE_S = {"aac": 1024 / 48_000}
"""A stream of bare AAC frames does not say how much its encoder has put before the sound."""


def decoded(data: bytes, start: float = 0, end: float = SECONDS) -> Samples:
    out = np.zeros(round((end - start) * SAMPLE_RATE), np.float32)
    assert sound.decode(io.BytesIO(data), start, out, TimeSlice(math.inf)) == len(out)
    return out


def sweep(seconds: float = SECONDS, rate: int = 48_000, channels: int = 2) -> Samples:
    """Make a tone that rises and throbs: no two moments are alike."""
    times = np.arange(round(seconds * rate)) / rate
    wave = np.sin(2 * np.pi * (200 + 100 * times) * times) * (0.3 + 0.1 * np.sin(2 * np.pi * 3 * times))
    return np.tile(wave.astype(np.float32), (channels, 1))


def lag(found: Samples, wanted: Samples) -> int:
    """Tell by how many samples one comes after the other."""
    spectra = [np.fft.rfft(np.pad(x, (0, len(x)))) for x in (found, wanted)]
    match = np.fft.irfft(spectra[0] * spectra[1].conj())
    place = int(np.argmax(match))
    return place if place < len(match) // 2 else place - len(match)


def assert_close(found: Samples, wanted: Samples | float, within: float) -> None:
    np.testing.assert_allclose(found, wanted, rtol=0, atol=within)


def level(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


@pytest.mark.parametrize("kind", clips.SOUNDS)
def test_sound_stands_where_it_belongs(kind: str) -> None:
    data = clips.sound(kind, sweep())
    wanted = sweep(rate=SAMPLE_RATE)[0]

    found = decoded(data)

    assert lag(found, wanted) == round(LATE_S.get(kind, 0) * SAMPLE_RATE)
    assert level(found) == pytest.approx(level(wanted), rel=0.06)
    if kind in EXACT:
        assert_close(found[1_000:-1_000], wanted[1_000:-1_000], 0.001)


@pytest.mark.parametrize("kind", clips.SOUNDS)
def test_pieces_join_without_a_click(kind: str) -> None:
    data = clips.sound(kind, sweep())
    cuts = (0, 3.6, 3.721, SECONDS)

    pieces = [decoded(data, start, end) for start, end in pairwise(cuts)]

    assert_close(np.concatenate(pieces), decoded(data), 1e-4)


@pytest.mark.parametrize("kind", clips.SOUNDS)
def test_parts_of_a_job_that_is_cut_join_without_a_click(kind: str) -> None:
    data, seconds = clips.sound(kind, sweep(30)), 29.5
    parts: list[Samples] = []
    done = 0
    while done < round(seconds * SAMPLE_RATE):
        out = np.zeros(round(seconds * SAMPLE_RATE) - done, np.float32)
        count = sound.decode(io.BytesIO(data), done / SAMPLE_RATE, out, TimeSlice(0, 0))
        parts.append(out[:count])
        done += count

    assert len(parts) > 1
    assert_close(np.concatenate(parts), decoded(data, 0, seconds), 1e-4)


@pytest.mark.parametrize("name", clips.CONTAINERS)
def test_pieces_of_a_video_join_without_a_click(name: str) -> None:
    data = clips.video(name, seconds=4.5, sound=True, start=1)

    pieces = [decoded(data, 0, 1.3), decoded(data, 1.3, 3.7), decoded(data, 3.7, 4.5)]

    # The last packet of some is cut off by the encoder, and made up.
    assert_close(np.concatenate(pieces)[:-500], decoded(data, 0, 4.5)[:-500], 1e-4)


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 88_200, 96_000])
def test_any_rate_is_read(rate: int) -> None:
    found = decoded(clips.sound("wav", sweep(2, rate), rate), 0, 2)

    assert_close(found[500:-500], sweep(2, SAMPLE_RATE)[0][500:-500], 0.001)


@pytest.mark.parametrize(
    "codec", ["pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_alaw"]
)
def test_any_kind_of_sample_is_read(codec: str) -> None:
    found = decoded(clips.sound("wav", sweep(1), codec=codec), 0, 1)

    assert_close(found[500:-500], sweep(1, SAMPLE_RATE)[0][500:-500], 0.02)


@pytest.mark.parametrize("kind", ["wav", "m4a", "flac"])
def test_two_channels_give_their_mean(kind: str) -> None:
    left = speech.tone(2, 440, 48_000, level=0.5)

    found = decoded(clips.sound(kind, np.stack([left, 0 * left])), 0, 2)

    assert level(found[4_000:28_000]) == pytest.approx(0.25 / 2**0.5, rel=0.02)


@pytest.mark.parametrize(
    ("channel", "share"), [(0, 1 / 4.4), (1, 1 / 4.4), (2, 1 / 4.4), (3, 0), (4, 0.7 / 4.4), (5, 0.7 / 4.4)]
)
def test_of_six_channels_the_voice_counts_and_the_rumble_does_not(channel: int, share: float) -> None:
    waves = np.zeros((6, 48_000), np.float32)
    waves[channel] = speech.tone(1, 440, 48_000, level=0.5)

    found = decoded(clips.sound("wav", waves), 0, 1)

    assert level(found[2_000:14_000]) == pytest.approx(share * 0.5 / 2**0.5, rel=0.01, abs=1e-6)


def test_what_is_before_the_first_picture_is_left_out() -> None:
    data = film(sound_from=-1, seconds=3)

    found = decoded(data, 0, 2)

    assert lag(found, sweep(3, SAMPLE_RATE)[0][SAMPLE_RATE:]) == 0


def test_sound_that_begins_after_the_first_picture_is_silent_before() -> None:
    data = film(sound_from=1.5, seconds=2)

    found = decoded(data, 0, 4)

    assert not found[: round(1.49 * SAMPLE_RATE)].any()
    assert lag(found[round(1.5 * SAMPLE_RATE) :][: 2 * SAMPLE_RATE], sweep(2, SAMPLE_RATE)[0]) == 0
    assert not found[round(3.6 * SAMPLE_RATE) :].any()


def test_a_gap_is_silent_and_what_follows_stays_in_its_place() -> None:
    data = film(sound_from=0, seconds=4, gap=(1, 2.5))

    found = decoded(data, 0, 4)

    assert not found[round(1.1 * SAMPLE_RATE) : round(2.4 * SAMPLE_RATE)].any()
    late = slice(round(2.6 * SAMPLE_RATE), round(3.9 * SAMPLE_RATE))
    assert lag(found[late], sweep(4, SAMPLE_RATE)[0][late]) == 0


def test_after_the_end_there_is_silence() -> None:
    data = clips.sound("wav", sweep(1))

    assert not decoded(data, 1.1, 3).any()
    assert not decoded(data, 3_600, 3_601).any()


@pytest.mark.parametrize("kind", ["wav", "mp3", "flac", "opus"])
def test_a_file_that_breaks_off_is_silent_from_there(kind: str) -> None:
    data = clips.sound(kind, sweep())

    found = decoded(data[: len(data) // 2])

    assert_close(found[:SAMPLE_RATE], decoded(data)[:SAMPLE_RATE], 0.01)
    assert not found[round(SECONDS * 0.75 * SAMPLE_RATE) :].any()


def test_a_stream_that_begins_late_cuts_nothing_off() -> None:
    parts = broadcast((0, 10)), broadcast((10, 2), (10, 2)), broadcast((12, 20))

    found = decoded(b"".join(parts), 0, 32)

    assert level(found[-SAMPLE_RATE:]) == pytest.approx(level(found[SAMPLE_RATE : 2 * SAMPLE_RATE]), rel=0.05)


def test_what_is_no_number_is_silent() -> None:
    waves = sweep(1)
    waves[:, 10_000:10_100] = np.nan

    found = decoded(clips.sound("wav", waves, codec="pcm_f32le"), 0, 1)

    assert np.isfinite(found).all()
    assert level(found[8_000:]) == pytest.approx(level(sweep(1, SAMPLE_RATE)[0][8_000:]), rel=0.02)


def test_a_video_without_sound_says_so() -> None:
    with pytest.raises(Unreadable) as caught:
        decoded(clips.video())

    assert caught.value.reason == "mute"


def test_damage_costs_an_error_or_some_silence_and_nothing_else() -> None:
    for kind in ("mp3", "flac", "m4a", "webm", "ogg", "wav"):
        for damaged in clips.mutations(clips.sound(kind, sweep(0.5)), 5, seed=7):
            try:
                found = decoded(damaged, 0.1, 0.4)
            except Unreadable:
                continue
            assert np.isfinite(found).all()


@pytest.fixture
async def pool() -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(1, 512, 30)
    await pool.start()
    yield pool
    await pool.stop()


async def test_a_worker_does_the_same(pool: WorkerPool) -> None:
    data = clips.sound("m4a", sweep())

    found = await pool.do(Sounds(blob(data, "audio/m4a"), 1.5, 4.25))

    assert_close(np.asarray(found), decoded(data, 1.5, 4.25), 1e-6)


async def test_a_worker_refuses_what_has_no_sound(pool: WorkerPool) -> None:
    with pytest.raises(BadMedia) as caught:
        await pool.do(Sounds(blob(clips.video(), "video/mp4"), 0, 1))

    assert caught.value.message == "The recording holds no audio. Send one that does."
    assert caught.value.violations[0].field == "contents[0].parts[0].inline_data"


def blob(data: bytes, mime_type: str) -> Blob:
    return to_file(Blob(data, mime_type, "contents[0].parts[0].inline_data"))


def broadcast(*tracks: tuple[float, float]) -> bytes:
    """Make a piece of a transport stream with tones, each with its start and its length in seconds."""
    body = io.BytesIO()
    tables = {"tables_version": str(round(tracks[0][0]) % 32)}
    with av.open(body, "w", format="mpegts", options=tables) as output:
        streams = [output.add_stream("mp2", 48_000, layout="mono") for _ in tracks]
        for stream, (start, seconds) in zip(streams, tracks, strict=True):
            stream.bit_rate = 64_000
            clips.write_audio(output, stream, seconds, start)
    return body.getvalue()


def film(sound_from: float, seconds: float, gap: tuple[float, float] = (0, 0)) -> bytes:
    """Make a video of four seconds with a sweep that begins at another time than the pictures do."""
    body, rate = io.BytesIO(), 48_000
    with av.open(body, "w", format="matroska") as output:
        pictures = output.add_stream("mpeg4", 10)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        tones = output.add_stream("pcm_s16le", rate, layout="mono")
        for number in range(40):
            picture = av.VideoFrame.from_ndarray(clips.picture(number, 64, 48), "rgb24")
            picture.pts, picture.time_base = 20 + number, Fraction(1, 10)
            output.mux(pictures.encode(picture))
        wave = sweep(seconds, rate, 1)
        for at in range(0, wave.shape[1], rate // 10):
            if gap[0] <= at / rate < gap[1]:
                continue
            frame = av.AudioFrame.from_ndarray(wave[:, at : at + rate // 10].copy(), "fltp", "mono")
            frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
            frame.pts = round((2 + sound_from) * rate) + at
            output.mux(tones.encode(frame))
        for stream in (pictures, tones):
            output.mux(stream.encode(None))
    return body.getvalue()
