"""Videos and sound from the wire to the engine: what they cost, and what the caller is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

import api_requests
import clips
import images
from api_requests import Fields, count, field_of, refusal

G25, G20, G3 = (f"/v1beta/models/gemini-{name}" for name in ("2.5-flash", "2.0-flash", "3-pro-preview"))


@pytest.fixture(scope="module")
def minute() -> bytes:
    """Make a minute of video with sound."""
    return clips.video(seconds=60, fps=2, sound=True)


def part(data: bytes, mime_type: str = "video/mp4", **fields: Any) -> Fields:
    return api_requests.part(data, mime_type, **fields)


@pytest.mark.parametrize(
    ("model", "config", "video", "audio"),
    [
        (G25, {}, 15_480, 1_920),
        (G25, {"mediaResolution": "MEDIA_RESOLUTION_LOW"}, 3_960, 1_920),
        (G3, {}, 4_200, 1_500),
        (G3, {"mediaResolution": "MEDIA_RESOLUTION_LOW"}, 4_200, 1_500),
        (G3, {"mediaResolution": "MEDIA_RESOLUTION_MEDIUM"}, 4_200, 1_500),
        (G3, {"mediaResolution": "MEDIA_RESOLUTION_HIGH"}, 16_800, 1_500),
    ],
)
def test_i1_i2_a_minute_with_sound_costs_what_the_documents_say(
    client: TestClient, minute: bytes, model: str, config: Fields, video: int, audio: int
) -> None:
    assert count(client, model, part(minute), **config) == {"VIDEO": video, "AUDIO": audio}


def test_i3_a_clip_is_counted_by_its_length_and_rate(client: TestClient, minute: bytes) -> None:
    clip = {"startOffset": "10s", "endOffset": "20s", "fps": 2}

    assert count(client, G3, part(minute, videoMetadata=clip)) == {"VIDEO": 1400, "AUDIO": 250}


def test_a_part_has_a_resolution_of_its_own(client: TestClient, minute: bytes) -> None:
    high = {"level": "MEDIA_RESOLUTION_HIGH"}
    clip = {"endOffset": "10s"}

    tokens = count(
        client,
        G3,
        part(minute, videoMetadata=clip, mediaResolution=high),
        part(minute, videoMetadata=clip),
        mediaResolution="MEDIA_RESOLUTION_LOW",
    )

    assert tokens == {"VIDEO": 2800 + 700, "AUDIO": 500}


def test_i4_a_clip_after_the_end_is_refused(client: TestClient, minute: bytes) -> None:
    error = refusal(client, G25, part(minute, videoMetadata={"startOffset": "1250s", "endOffset": "1570s"}))

    assert "start_offset (1250s) must be before the end of the recording" in error["message"]
    assert field_of(error) == "contents[0].parts[0].video_metadata.start_offset"


@pytest.mark.parametrize("fps", [24, 0.1])
def test_i5_any_rate_up_to_24_is_sampled(client: TestClient, minute: bytes, fps: float) -> None:
    clip = {"endOffset": "10s", "fps": fps}

    assert count(client, G3, part(minute, videoMetadata=clip))["VIDEO"] == 70 * 10 * fps


def test_h7_ultra_high_is_not_for_videos(client: TestClient, minute: bytes) -> None:
    level = {"level": "MEDIA_RESOLUTION_ULTRA_HIGH"}

    error = refusal(client, G3, part(minute, mediaResolution=level))

    assert "MEDIA_RESOLUTION_ULTRA_HIGH is only supported for image parts" in error["message"]
    assert field_of(error) == "contents[0].parts[0].media_resolution.level"


@pytest.mark.parametrize("name", clips.CONTAINERS)
def test_i9_each_kind_of_video_is_taken(client: TestClient, name: str) -> None:
    # Where its muxer waits for the sound, an AVI becomes a frame longer.
    sound = name != "avi"

    tokens = count(client, G3, part(clips.video(name, sound=sound), clips.CONTAINERS[name].mime_type))

    assert tokens == {"VIDEO": 140} | ({"AUDIO": 50} if sound else {})


@pytest.mark.parametrize(
    "mime_type",
    [
        *("video/mp4", "video/mpeg", "video/mov", "video/avi", "video/x-flv", "video/mpg", "video/webm"),
        *("video/wmv", "video/3gpp", "video/quicktime", "video/x-msvideo", "video/x-ms-wmv"),
        *("video/x-matroska", "application/octet-stream", "VIDEO/MP4; codecs=avc1"),
    ],
)
def test_i9_each_label_is_taken(client: TestClient, mime_type: str) -> None:
    assert count(client, G3, part(clips.video(), mime_type)) == {"VIDEO": 140}


def test_i11_sound_is_billed_by_the_second(client: TestClient, minute: bytes) -> None:
    sound = clips.audio("mp4", seconds=10)

    assert count(client, G25, part(sound, "audio/mp4")) == {"AUDIO": 320}
    assert count(client, G3, part(sound, "audio/mp4")) == {"AUDIO": 250}
    assert count(client, G3, part(sound, "audio/mp4"), part(minute))["AUDIO"] == 1750


def test_sound_is_clipped_too(client: TestClient) -> None:
    clip = {"startOffset": "2s", "endOffset": "4.5s"}

    sound = part(clips.audio("mp4", seconds=10), "audio/mp4", videoMetadata=clip)

    assert count(client, G25, sound) == {"AUDIO": 80}


@pytest.mark.parametrize(("model", "most"), [(G25, 10), (G3, 10), (G20, 1)])
def test_g7_there_is_a_limit_to_videos(client: TestClient, model: str, most: int) -> None:
    small = part(clips.video(seconds=0.2), "application/octet-stream")

    assert count(client, model, *[small] * most)
    error = refusal(client, model, *[small] * (most + 1))

    videos = f"{most} videos" if most > 1 else "one video"
    assert error["message"].startswith(f"Please use at most {videos} in your request to models/")


def test_g10_a_video_that_is_too_long_is_refused_by_its_tokens(client: TestClient) -> None:
    long = clips.video(seconds=9000, fps=1, size=(16, 16))

    error = refusal(client, G25, part(long, videoMetadata={"fps": 1}))

    assert "The input token count (2322000) exceeds the maximum number of tokens allowed" in error["message"]
    assert count(client, G25, part(long, videoMetadata={"fps": 0.1}))["VIDEO"] == 900 * 258


@pytest.mark.parametrize(
    ("model", "resolution", "hours", "frame"),
    [(G25, "MEDIUM", 1, 258), (G25, "LOW", 3, 66), (G20, "LOW", 3, 66), (G3, "LOW", 3, 70)],
)
def test_g10_as_many_hours_of_video_with_sound_fit_as_the_documents_promise(
    client: TestClient, model: str, resolution: str, hours: int, frame: int
) -> None:
    seconds, config = 3600 * hours, {"mediaResolution": f"MEDIA_RESOLUTION_{resolution}"}
    # Pictures stand still for minutes, and the sound is silent after a second.
    film = clips.video(times=(*range(0, seconds, 300), seconds - 0.1), seconds=1, sound=True)

    tokens = count(client, model, part(film), **config)

    assert tokens["VIDEO"] == frame * seconds
    assert tokens["AUDIO"] >= 25 * seconds


@pytest.mark.parametrize("fps", [1, 24])
def test_i1_a_part_of_a_second_is_a_frame(client: TestClient, fps: int) -> None:
    film = clips.video(times=[number * 1001 / 30_000 for number in range(120)])

    tokens = count(client, G3, part(film, videoMetadata={"fps": fps}))

    assert tokens == {"VIDEO": 70 * {1: 5, 24: 97}[fps]}


@pytest.mark.parametrize("damaged", [b"no video at all", clips.video()[:500], b""])
def test_what_is_no_video_is_refused(client: TestClient, damaged: bytes) -> None:
    error = refusal(client, G3, part(damaged or b"\0"))

    assert error["status"] == "INVALID_ARGUMENT"
    assert field_of(error).startswith("contents[0].parts[0].inline_data")


def test_a_picture_that_is_called_a_video_is_told(client: TestClient) -> None:
    png = images.encode(images.quarters(64, 48), "png")

    assert "labelled video/mp4 but looks like a PNG image" in refusal(client, G3, part(png))["message"]


@pytest.mark.parametrize("name", clips.SOUNDS)
def test_i11_each_kind_of_sound_is_taken(client: TestClient, name: str) -> None:
    sound = clips.sound(name, np.sin([np.arange(96_000) / 50] * 2) / 2)

    assert count(client, G3, part(sound, clips.SOUNDS[name].mime_type)) == {"AUDIO": 50}


@pytest.mark.parametrize(
    ("label", "frame_bytes"),
    [
        ("audio/L16;rate=16000", 2),
        ("audio/l16; rate=16000; channels=3", 6),
        ("AUDIO/L16;CODEC=PCM;RATE=16000", 2),
    ],
)
def test_bare_samples_cost_what_their_label_makes_of_them(
    client: TestClient, label: str, frame_bytes: int
) -> None:
    samples = bytes(16_000 * frame_bytes * 4)
    clip = {"startOffset": "1s", "endOffset": "2.5s"}

    assert count(client, G25, part(samples, label)) == {"AUDIO": 128}
    assert count(client, G25, part(samples, label, videoMetadata=clip)) == {"AUDIO": 48}


@pytest.mark.parametrize(
    ("label", "size", "sentence"),
    [
        ("audio/L16", 2, "audio/l16 has no header, so its MIME type must tell the rate"),
        ("audio/L16;rate=4000", 2, "The rate of audio/l16 must be a whole number from 8000 to 192000"),
        (
            "audio/L16;rate=8000;channels=9",
            18,
            "The channels of audio/l16 must be a whole number from 1 to 8",
        ),
        ("audio/L16;rate=8000", 3, "The audio data ends within a sample"),
        ("audio/L16;rate=8000;channels=2", 6, "The audio data ends within a sample"),
    ],
)
def test_bare_samples_that_cannot_be_read_say_what_to_change(
    client: TestClient, label: str, size: int, sentence: str
) -> None:
    error = refusal(client, G3, part(bytes(size), label))

    assert error["message"].startswith(sentence)
    assert field_of(error) == "contents[0].parts[0].inline_data"


def test_sound_has_no_resolution_of_its_own(client: TestClient) -> None:
    sound = clips.audio("mp4", seconds=1)
    level, tokens = {"level": "MEDIA_RESOLUTION_ULTRA_HIGH"}, {"numTokens": 10}

    ultra = refusal(client, G3, part(sound, "audio/mp4", mediaResolution=level))
    capped = refusal(client, G3, part(sound, "audio/mp4", mediaResolution=tokens))

    assert "only supported for image parts" in ultra["message"]
    assert capped["message"] == "num_tokens is for images, videos and PDFs; sound is billed by the second."
    low = {"level": "MEDIA_RESOLUTION_LOW"}
    assert count(client, G3, part(sound, "audio/mp4", mediaResolution=low)) == {"AUDIO": 25}


def test_there_is_a_limit_to_sound(client: TestClient) -> None:
    long = part(clips.sound("flac", np.zeros((1, 8000 * 3600 * 2)), 8000), "audio/flac")

    error = refusal(client, G3, *[long] * 5)

    assert error["message"].startswith("The audio of this request lasts 10.0 hours; the limit is 9.5.")
