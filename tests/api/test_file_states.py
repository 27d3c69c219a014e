"""What becomes of a file: looked into, used, expired. The numbers are the contract's conformance cases."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

import clips
import images
from resumable import failure

MODEL = "/v1beta/models/gemini-3-flash-preview"
FilesApp = Callable[..., Awaitable[httpx.AsyncClient]]


async def upload(http: httpx.AsyncClient, data: bytes, mime_type: str) -> dict[str, Any]:
    headers = {"x-goog-upload-protocol": "raw", "x-goog-upload-header-content-type": mime_type}
    answer = await http.post("/upload/v1beta/files", headers=headers, content=data)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["file"]
    return found


async def polled(http: httpx.AsyncClient, file: dict[str, Any]) -> dict[str, Any]:
    """Ask for a file as clients do until it is PROCESSING no more."""
    while file["state"] == "PROCESSING":
        await asyncio.sleep(0.05)
        file = (await http.get(f"/v1beta/{file['name']}")).json()
    return file


async def ask(
    http: httpx.AsyncClient, uri: str, mime_type: str | None = None, count: bool = False
) -> httpx.Response:
    file = {"fileUri": uri} | ({"mimeType": mime_type} if mime_type else {})
    contents = {"contents": [{"parts": [{"fileData": file}, {"text": "What is this?"}]}]}
    return await http.post(f"{MODEL}:{'countTokens' if count else 'generateContent'}", json=contents)


@contextmanager
def workers_standing_still() -> Iterator[None]:
    """Stop the decoding processes of this process's apps, and let them go on afterwards."""
    stopped = [int(path.name) for path in Path("/proc").glob("[0-9]*") if _is_own_worker(path)]
    assert stopped
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _is_own_worker(process: Path) -> bool:
    try:
        parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
        return (
            int(parent) == os.getpid() and b"twinlens.media.worker.main" in (process / "cmdline").read_bytes()
        )
    except OSError:
        return False


@pytest.mark.parametrize(
    ("container", "mime_type"), [("mp4", "video/mp4"), ("webm", "video/webm"), ("mov", "video/quicktime")]
)
async def test_f20_a_video_is_active_with_its_duration(
    files_app: FilesApp, container: str, mime_type: str
) -> None:
    http = await files_app()

    file = await polled(http, await upload(http, clips.video(container=container, seconds=2), mime_type))

    assert file["state"] == "ACTIVE"
    seconds = file["videoMetadata"]["videoDuration"]
    assert re.fullmatch(r"\d+(\.\d+)?s", seconds)
    assert float(seconds[:-1]) == pytest.approx(2, abs=0.15)


@pytest.mark.parametrize("mime_type", [None, "audio/l16", "audio/wav"])
async def test_bare_samples_keep_what_their_label_told(files_app: FilesApp, mime_type: str | None) -> None:
    http = await files_app()

    sent = await upload(http, bytes(96_000), "Audio/L16; channels=2; rate=24000; title=x")
    file = await polled(http, sent)
    counted = await ask(http, file["uri"], mime_type, count=True)

    assert (file["state"], file["mimeType"]) == ("ACTIVE", "audio/l16;rate=24000;channels=2")
    assert file["videoMetadata"] == {"videoDuration": "1s"}
    assert {"modality": "AUDIO", "tokenCount": 25} in counted.json()["promptTokensDetails"]


async def test_bare_samples_without_a_rate_are_refused_at_the_start(files_app: FilesApp) -> None:
    http = await files_app()
    headers = {"x-goog-upload-protocol": "raw", "x-goog-upload-header-content-type": "audio/L16"}

    answer = await http.post("/upload/v1beta/files", headers=headers, content=bytes(4))

    code, status, message = failure(answer)
    assert (code, status) == (400, "INVALID_ARGUMENT")
    assert "Write audio/l16;rate=16000" in message


async def test_bare_samples_that_end_within_one_are_failed(files_app: FilesApp) -> None:
    http = await files_app()

    file = await polled(http, await upload(http, bytes(5), "audio/L16;rate=24000"))

    assert file["state"] == "FAILED"
    assert file["error"]["message"].startswith("The audio data ends within a sample")


async def test_a_document_is_active_without_video_metadata(files_app: FilesApp) -> None:
    http = await files_app()

    file = await polled(http, await upload(http, clips.pdf(pages=3), "application/pdf"))

    assert file["state"] == "ACTIVE"
    assert "videoMetadata" not in file


async def test_text_is_active_at_once(files_app: FilesApp) -> None:
    http = await files_app()

    with workers_standing_still():
        file = await upload(http, b"Some words.", "text/plain")

    assert file["state"] == "ACTIVE"


@pytest.mark.parametrize("name", images.FORMATS)
async def test_an_image_is_active_when_its_upload_is_answered(files_app: FilesApp, name: str) -> None:
    http = await files_app()

    file = await upload(http, images.make(name, 300, 200), images.MIME_TYPES[name])

    assert file["state"] == "ACTIVE"
    assert (await ask(http, file["uri"])).status_code == 200


async def test_text_does_not_wait_for_an_image_that_is_being_tried(files_app: FilesApp) -> None:
    http = await files_app()

    with workers_standing_still():
        uploading = asyncio.create_task(upload(http, images.make("png"), "image/png"))
        text = await upload(http, b"Some words.", "text/plain")
        assert not uploading.done()

    assert (text["state"], (await uploading)["state"]) == ("ACTIVE", "ACTIVE")


@pytest.mark.parametrize("name", ["png", "jpeg", "webp", "heif", "gif", "bmp", "tiff"])
async def test_an_image_that_breaks_off_is_failed_when_its_upload_is_answered(
    files_app: FilesApp, name: str
) -> None:
    http = await files_app()
    # Noise does not become small, so that there are pixels to be missing.
    noise = images.noise(300, 200)
    whole = images.encode(noise, name)

    file = await upload(http, whole[: len(whole) * 2 // 3], images.MIME_TYPES[name])

    assert file["state"] == "FAILED"
    assert file["error"]["message"].startswith("Unable to process input image. ")
    assert failure(await ask(http, file["uri"]))[:2] == (400, "FAILED_PRECONDITION")


@pytest.mark.parametrize(
    ("data", "mime_type", "message"),
    [
        (
            b"Dear Sir or Madam,",
            "image/png",
            "The data is labelled image/png but looks like plain text. Send",
        ),
        (clips.pdf(), "image/jpeg", "The data is labelled image/jpeg but looks like a PDF document. Send"),
        (images.heif_of(b"jpeg"), "image/heif", "The HEIF file holds a JPEG image, which is not read"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avif", "image/png", "The AVIF header lacks its meta box."),
        (images.avif_that_says(20_000, 20_000), "image/avif", "The image has 20000 x 20000 pixels"),
        (images.png(20_000, 20_000, iter([])), "image/png", "The image has 20000 x 20000 pixels"),
    ],
)
async def test_an_image_that_is_none_or_is_not_read_says_so_when_it_is_uploaded(
    files_app: FilesApp, data: bytes, mime_type: str, message: str
) -> None:
    http = await files_app()

    file = await upload(http, data, mime_type)

    assert file["state"] == "FAILED"
    assert message in file["error"]["message"]


async def test_an_upload_without_a_label_is_told_to_be_avif(files_app: FilesApp) -> None:
    http = await files_app()
    headers = {"x-goog-upload-protocol": "raw"}

    answer = await http.post("/upload/v1beta/files", headers=headers, content=images.make("avif"))

    file = answer.json()["file"]
    assert (file["mimeType"], file["state"]) == ("image/avif", "ACTIVE")


@pytest.mark.parametrize("mime_type", ["image/png", "application/pdf", "video/mp4", "audio/wav"])
async def test_nothing_is_no_image_no_pdf_and_no_recording(files_app: FilesApp, mime_type: str) -> None:
    http = await files_app()
    headers = {"x-goog-upload-protocol": "raw", "x-goog-upload-header-content-type": mime_type}

    answer = await http.post("/upload/v1beta/files", headers=headers, content=b"")

    message = f"The file is empty (0 bytes), so it is no {mime_type}."
    assert failure(answer) == (400, "INVALID_ARGUMENT", message)
    assert (await http.get("/v1beta/files")).json() == {}


async def test_who_asks_about_a_failed_file_is_told_why_it_failed(files_app: FilesApp) -> None:
    http = await files_app()
    file = await upload(http, b"Dear Sir or Madam,", "image/png")

    refused = await ask(http, file["uri"], count=False)

    file_id = file["name"].removeprefix("files/")
    assert failure(refused)[2] == (
        f"The File {file_id} is not in an ACTIVE state and usage is not allowed. "
        f"It is FAILED: {file['error']['message']}"
    )


async def test_an_empty_text_is_a_text(files_app: FilesApp) -> None:
    http = await files_app()

    file = await upload(http, b"", "text/plain")

    assert (file["state"], file["sizeBytes"]) == ("ACTIVE", "0")


async def test_a_broken_picture_in_a_request_is_counted_and_not_answered(files_app: FilesApp) -> None:
    http = await files_app()
    data = base64.b64encode(images.encode(images.noise(300, 200), "png")[:20_000]).decode()
    body = {"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": data}}]}]}

    counted = await http.post(f"{MODEL}:countTokens", json=body)
    answered = await http.post(f"{MODEL}:generateContent", json=body)

    assert counted.json()["totalTokens"] == 1120
    assert "damaged or incomplete" in failure(answered)[2]


async def test_the_end_of_an_upload_waits_for_the_look_into_a_video(files_app: FilesApp) -> None:
    http = await files_app()
    # The first look also waits for the worker to load its libraries.
    await polled(http, await upload(http, clips.video(seconds=1), "video/mp4"))

    file = await upload(http, clips.video(seconds=2), "video/mp4")

    assert file["state"] == "ACTIVE"


async def test_f21_a_file_that_stays_processing_is_refused_after_a_while(files_app: FilesApp) -> None:
    http = await files_app(processing_wait_s=0.05)

    with workers_standing_still():
        file = await upload(http, clips.video(), "video/mp4")
        refused = [await ask(http, file["uri"], count=count) for count in (False, True)]

    assert file["state"] == "PROCESSING"
    file_id = file["name"].removeprefix("files/")
    for answer in refused:
        assert failure(answer) == (
            400,
            "FAILED_PRECONDITION",
            f"The File {file_id} is not in an ACTIVE state and usage is not allowed.",
        )
    assert (await polled(http, file))["state"] == "ACTIVE"


async def test_a_file_that_is_looked_into_for_long_says_how_far_that_is(files_app: FilesApp) -> None:
    http = await files_app()
    # This takes more than half a second to search.
    uploading = asyncio.create_task(upload(http, b"%PDF-1.4\n" + bytes(100 * 1024**2), "application/pdf"))
    listed: dict[str, Any] = {}
    async with asyncio.timeout(180):
        while "progressPercent" not in listed:
            await asyncio.sleep(0.01)
            (listed,) = (await http.get("/v1beta/files")).json().get("files", [{}])

    with workers_standing_still():
        file = (await http.get(f"/v1beta/{listed['name']}")).json()

    assert file["state"] == "PROCESSING"
    assert 1 <= listed["progressPercent"] <= file["progressPercent"] <= 100
    assert "progressPercent" not in await polled(http, await uploading)


async def test_a_request_waits_for_a_file_that_is_being_looked_into(files_app: FilesApp) -> None:
    http = await files_app(processing_wait_s=60)

    with workers_standing_still():
        file = await upload(http, b"%PDF-broken", "application/pdf")
        asked = asyncio.create_task(ask(http, file["uri"]))
        await asyncio.sleep(0.1)
        assert not asked.done()

    assert failure(await asked)[1] == "FAILED_PRECONDITION"
    assert (await http.get(f"/v1beta/{file['name']}")).json()["state"] == "FAILED"


async def test_f23_a_video_that_cannot_be_read_is_failed_and_says_why(files_app: FilesApp) -> None:
    http = await files_app()
    whole = clips.video()

    file = await polled(http, await upload(http, whole[: len(whole) // 3], "video/mp4"))

    assert file["state"] == "FAILED"
    assert file["error"]["code"] == 3
    assert file["error"]["message"].endswith(".")
    assert failure(await ask(http, file["uri"]))[:2] == (400, "FAILED_PRECONDITION")


async def test_a_file_that_was_processing_at_a_stop_is_looked_into_at_the_next_start(
    files_app: FilesApp,
) -> None:
    http = await files_app()
    with workers_standing_still():
        file = await upload(http, clips.video(), "video/mp4")
        assert file["state"] == "PROCESSING"
        # Starting anew stops the app before, in the midst of its look.
        http = await files_app()

    assert (await polled(http, file))["state"] == "ACTIVE"


async def test_a_file_deleted_while_it_is_looked_into_stays_gone(files_app: FilesApp) -> None:
    http = await files_app()
    with workers_standing_still():
        file = await upload(http, clips.video(), "video/mp4")
        await http.delete(f"/v1beta/{file['name']}")

    assert failure(await http.get(f"/v1beta/{file['name']}"))[0] == 403
    assert (await polled(http, await upload(http, clips.video(), "video/mp4")))["state"] == "ACTIVE"


async def test_f22_an_expired_file_is_neither_found_listed_nor_used(files_app: FilesApp) -> None:
    time = datetime(2026, 1, 2, tzinfo=UTC)
    http = await files_app(clock=lambda: time)
    file = await upload(http, images.make("png"), "image/png")

    time += timedelta(hours=48) - timedelta(seconds=1)
    assert (await ask(http, file["uri"])).status_code == 200
    time += timedelta(seconds=2)

    assert failure(await http.get(f"/v1beta/{file['name']}"))[:2] == (403, "PERMISSION_DENIED")
    assert (await http.get("/v1beta/files")).json() == {}
    assert failure(await ask(http, file["uri"]))[:2] == (403, "PERMISSION_DENIED")


async def test_expired_files_are_cleared_from_the_disk_by_themselves(
    files_app: FilesApp, tmp_path: Path
) -> None:
    time = datetime(2026, 1, 2, tzinfo=UTC)
    http = await files_app(clock=lambda: time, sweep_interval_s=0.1)
    await upload(http, images.make("png"), "image/png")
    blobs = tmp_path / "data" / "blobs"
    assert [path for path in blobs.rglob("*") if path.is_file()]

    time += timedelta(hours=49)

    for _ in range(3600):
        if not [path for path in blobs.rglob("*") if path.is_file()]:
            return
        await asyncio.sleep(0.05)
    pytest.fail("the bytes of an expired file are still there")


async def test_f27_a_file_is_used_by_every_form_of_its_address(files_app: FilesApp) -> None:
    http = await files_app()
    file = await upload(http, images.make("png"), "image/png")
    name = file["name"]

    answers = [
        await ask(http, uri, mime_type)
        for uri in (
            file["uri"],
            name,
            f"https://elsewhere.example/v1/{name}",
            f"http://1.2.3.4:5/v1beta/{name}",
        )
        for mime_type in (None, "image/png", "image/jpeg", "${MIME_TYPE}")
    ]

    assert [answer.status_code for answer in answers] == [200] * 16
    counted = await ask(http, name, count=True)
    used = answers[0].json()["usageMetadata"]["promptTokenCount"]
    assert counted.json()["totalTokens"] == used


@pytest.mark.parametrize(
    ("data", "mime_type"),
    [
        (clips.video(), "video/mp4"),
        (clips.audio("mp4"), "audio/mp4"),
        (clips.pdf(1), "application/pdf"),
        (b"words", "text/plain"),
    ],
)
async def test_files_of_every_kind_can_be_asked_about(
    files_app: FilesApp, data: bytes, mime_type: str
) -> None:
    http = await files_app()
    file = await upload(http, data, mime_type)

    assert (await ask(http, file["uri"])).status_code == 200


async def test_a_label_of_another_kind_than_the_files_is_refused(files_app: FilesApp) -> None:
    http = await files_app()
    file = await upload(http, images.make("png"), "image/png")

    answer = await ask(http, file["uri"], "video/mp4")

    assert failure(answer)[:2] == (400, "INVALID_ARGUMENT")
    field = answer.json()["error"]["details"][0]["fieldViolations"][0]["field"]
    assert field == "contents[0].parts[0].file_data.mime_type"


async def test_a_file_of_another_project_cannot_be_used(files_app: FilesApp) -> None:
    http = await files_app()
    file = await upload(http, images.make("png"), "image/png")
    http.headers["x-goog-api-key"] = "other"

    for count in (False, True):
        code, status, message = failure(await ask(http, file["uri"], count=count))
        assert (code, status) == (403, "PERMISSION_DENIED")
        assert "or it may not exist" in message
