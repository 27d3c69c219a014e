"""The upload protocol over HTTP. The numbers are the conformance cases of the wire contract."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from PIL import Image

from resumable import PNG, START, failure, send, session, start, upload

MIB = 1024 * 1024
FilesApp = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def http(files_app: FilesApp) -> httpx.AsyncClient:
    """A client with the key `k` of an app that also knows the key `other`."""
    return await files_app()


async def test_f3_f5_chunks_are_answered_active_until_the_last(http: httpx.AsyncClient) -> None:
    data = bytes(range(256)) * 4096 * 20
    url = await session(http, len(data))

    states = []
    for offset in range(0, len(data), 8 * MIB):
        chunk = data[offset : offset + 8 * MIB]
        command = "upload, finalize" if offset + len(chunk) == len(data) else "upload"
        answer = await send(http, url, command, chunk, offset)
        states.append((answer.status_code, answer.headers["x-goog-upload-status"]))

    assert states == [(200, "active"), (200, "active"), (200, "final")]
    assert answer.json()["file"]["sizeBytes"] == str(20 * MIB)
    assert base64.b64decode(answer.json()["file"]["sha256Hash"]).decode() == hashlib.sha256(data).hexdigest()


async def test_f4_garbage_in_place_of_a_session_is_not_found(http: httpx.AsyncClient) -> None:
    answer = await send(http, "/upload/v1beta/files?upload_id=garbage", "upload", PNG, 0)

    assert failure(answer)[:2] == (404, "NOT_FOUND")


async def test_f6_a_query_tells_how_far_it_got(http: httpx.AsyncClient) -> None:
    url = await session(http, 20 * MIB)
    await send(http, url, "upload", bytes(8 * MIB), 0)

    answer = await send(http, url, "query")

    assert answer.status_code == 200
    assert answer.headers["x-goog-upload-status"] == "active"
    assert answer.headers["x-goog-upload-size-received"] == "8388608"


async def test_f7_a_cancelled_upload_refuses_later_chunks(http: httpx.AsyncClient) -> None:
    url = await session(http, 100)

    cancelled = await send(http, url, "cancel")
    later = await send(http, url, "upload, finalize", PNG, 0)

    assert (cancelled.status_code, cancelled.headers["x-goog-upload-status"]) == (200, "cancelled")
    assert failure(later)[0] == 404
    assert later.headers["x-goog-upload-status"] == "cancelled"


async def test_f8_a_gap_is_refused_with_the_size_received_and_can_be_mended(http: httpx.AsyncClient) -> None:
    url = await session(http, 100)
    await send(http, url, "upload", PNG[:10], 0)

    gap = await send(http, url, "upload, finalize", PNG[20:], 20)

    assert failure(gap)[:2] == (400, "INVALID_ARGUMENT")
    assert gap.headers["x-goog-upload-size-received"] == "10"
    # Google's clients would go on with the next chunk if they read that the upload is active.
    assert "x-goog-upload-status" not in gap.headers
    mended = await send(http, url, "upload, finalize", PNG[10:], 10)
    assert mended.json()["file"]["sizeBytes"] == "100"


async def test_f9_a_chunk_sent_twice_counts_once(http: httpx.AsyncClient) -> None:
    url = await session(http, 100)

    await send(http, url, "upload", PNG[:60], 0)
    again = await send(http, url, "upload", PNG[:60], 0)
    final = await send(http, url, "upload, finalize", PNG[60:], 60)

    assert (again.status_code, again.headers["x-goog-upload-size-received"]) == (200, "60")
    assert final.json()["file"]["sizeBytes"] == "100"


async def test_a_last_chunk_sent_twice_gives_the_same_file(http: httpx.AsyncClient) -> None:
    url = await session(http, 100)

    first = await send(http, url, "upload, finalize", PNG, 0)
    again = await send(http, url, "upload, finalize", PNG, 0)

    assert (again.status_code, again.json()) == (200, first.json())


async def test_f10_fewer_bytes_than_declared_are_refused(http: httpx.AsyncClient) -> None:
    url = await session(http, 101)

    answer = await send(http, url, "upload, finalize", PNG, 0)

    assert failure(answer)[:2] == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("command", ["upload,finalize", "UPLOAD , Finalize", "finalize, upload,"])
async def test_commands_are_read_in_any_case_spacing_and_order(http: httpx.AsyncClient, command: str) -> None:
    url = await session(http, 100)

    answer = await send(http, url, command, PNG, 0)

    assert answer.headers["x-goog-upload-status"] == "final"


async def test_a_finalize_of_its_own_ends_an_upload(http: httpx.AsyncClient) -> None:
    url = await session(http)
    await send(http, url, "upload", PNG, 0)

    answer = await send(http, url, "finalize")

    assert answer.json()["file"]["sizeBytes"] == "100"


async def test_start_upload_and_finalize_may_be_one_request(http: httpx.AsyncClient) -> None:
    headers = START | {
        "x-goog-upload-command": "start, upload, finalize",
        "x-goog-upload-header-content-type": "image/png",
        "content-type": "application/x-www-form-urlencoded",
    }

    answer = await http.post("/upload/v1/files", headers=headers, content=PNG)

    assert answer.headers["x-goog-upload-status"] == "final"
    assert answer.json()["file"]["sizeBytes"] == "100"


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({}, "X-Goog-Upload-Command header is missing"),
        ({"x-goog-upload-command": "explode"}, "explode"),
        ({"x-goog-upload-command": "start"}, "start"),
        ({"x-goog-upload-command": "upload"}, "X-Goog-Upload-Offset header is missing"),
        ({"x-goog-upload-command": "upload", "x-goog-upload-offset": "-1"}, "X-Goog-Upload-Offset"),
    ],
)
async def test_what_a_session_cannot_do_is_refused_by_name(
    http: httpx.AsyncClient, headers: dict[str, str], says: str
) -> None:
    url = await session(http, 100)

    answer = await http.put(url, headers=headers, content=PNG)

    code, name, message = failure(answer)
    assert (code, name) == (400, "INVALID_ARGUMENT")
    assert says in message


async def test_f12_an_unknown_type_is_refused(http: httpx.AsyncClient) -> None:
    answer = await start(http, 100, mime_type="bad/mime_type")

    assert failure(answer) == (400, "INVALID_ARGUMENT", "Unsupported MIME type: bad/mime_type")


async def test_a_type_nobody_told_is_found_or_refused_at_the_end(http: httpx.AsyncClient) -> None:
    picture, junk = await session(http, 100, mime_type=""), await session(http, 4, mime_type="")

    found = await send(http, picture, "upload, finalize", PNG, 0)
    refused = await send(http, junk, "upload, finalize", b"\0\1\2\3", 0)

    assert found.json()["file"]["mimeType"] == "image/png"
    assert failure(refused)[0] == 400
    assert "Unsupported MIME" in failure(refused)[2]
    assert refused.headers["x-goog-upload-status"] == "cancelled"


@pytest.mark.parametrize("mark", [{"x-goog-upload-protocol": "multipart"}, {}], ids=["by header", "by query"])
async def test_f13_metadata_and_bytes_may_come_in_one_body(
    http: httpx.AsyncClient, mark: dict[str, str]
) -> None:
    body = (
        b"--b0und\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"
        b'{"file": {"displayName": "Both"}}'
        b"\r\n--b0und\r\nContent-Type: image/png\r\n\r\n" + PNG + b"\r\n--b0und--"
    )

    answer = await http.post(
        "/upload/v1beta/files" + ("" if mark else "?uploadType=multipart"),
        headers=mark | {"content-type": "multipart/related; boundary=b0und"},
        content=body,
    )

    file = answer.json()["file"]
    assert (file["displayName"], file["mimeType"], file["sizeBytes"]) == ("Both", "image/png", "100")
    assert base64.b64decode(file["sha256Hash"]).decode() == hashlib.sha256(PNG).hexdigest()


async def test_f25_three_gigabytes_are_refused_at_the_start(http: httpx.AsyncClient) -> None:
    answer = await start(http, 3_000_000_000)

    assert failure(answer)[0] == 400
    assert "File size exceeds the limit: 2147483648 bytes." in failure(answer)[2]


@pytest.mark.parametrize(
    ("headers", "begins"),
    [
        ({}, "http://twin.test/"),
        ({"host": "elsewhere:81"}, "http://elsewhere:81/"),
        ({"x-forwarded-host": "out.test", "x-forwarded-proto": "https"}, "https://out.test/"),
        ({"x-forwarded-host": "a.test, b.test", "x-forwarded-prefix": "/gemini/"}, "http://a.test/gemini/"),
        ({"x-forwarded-host": "two words", "x-forwarded-proto": "gopher"}, "http://twin.test/"),
    ],
)
async def test_f29_urls_begin_where_the_client_came_in(
    http: httpx.AsyncClient, headers: dict[str, str], begins: str
) -> None:
    url = (await start(http, 100, **headers)).headers["x-goog-upload-url"]

    assert re.fullmatch(
        re.escape(begins) + r"upload/v1beta/files\?upload_id=[\w-]+&upload_protocol=resumable", url
    )


async def test_a_start_needs_a_key(http: httpx.AsyncClient) -> None:
    del http.headers["x-goog-api-key"]

    answer = await start(http, 100)

    assert failure(answer)[:2] == (403, "PERMISSION_DENIED")


async def test_a_start_without_a_protocol_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.post("/upload/v1beta/files", content=PNG)

    assert failure(answer)[0] == 400
    assert "X-Goog-Upload-Protocol" in failure(answer)[2]


async def test_a_configured_address_wins_over_what_proxies_say(files_app: FilesApp) -> None:
    http = await files_app(public_url="https://twin.example/gemini/")

    url = (await start(http, 100, **{"x-forwarded-host": "evil.test"})).headers["x-goog-upload-url"]
    raw = START | {"x-goog-upload-protocol": "raw", "x-goog-upload-header-content-type": "image/png"}
    file = (await http.post("/upload/v1beta/files", headers=raw, content=PNG)).json()["file"]

    assert url.startswith("https://twin.example/gemini/upload/v1beta/files?upload_id=")
    assert file["uri"] == f"https://twin.example/gemini/v1beta/{file['name']}"


GOOGLE = "https://generativelanguage.googleapis.com/v1beta"


@pytest.mark.parametrize("base", [GOOGLE, f"{GOOGLE}/"])
async def test_files_may_be_named_by_another_host_than_uploads_go_to(files_app: FilesApp, base: str) -> None:
    http = await files_app(file_uri_base=base)

    url = (await start(http, 100)).headers["x-goog-upload-url"]
    file = await upload(http)
    listed = (await http.get("/v1beta/files")).json()["files"]

    assert url.startswith("http://twin.test/upload/v1beta/files?")
    assert file["uri"] == f"{GOOGLE}/{file['name']}"
    assert (await http.get(f"/v1beta/{file['name']}")).json()["uri"] == listed[0]["uri"] == file["uri"]
    assert (await http.get(f"/v1beta/files/{file['uri']}")).json() == listed[0]


async def test_a_file_that_another_host_names_is_found_here(files_app: FilesApp) -> None:
    http = await files_app(file_uri_base=GOOGLE, fetch=False)
    picture = io.BytesIO()
    Image.new("RGB", (9, 9)).save(picture, "PNG")
    uri = (await upload(http, picture.getvalue()))["uri"]
    parts = [{"text": "Hello"}, {"fileData": {"fileUri": uri, "mimeType": "image/png"}}]
    contents = [{"type": "text", "text": "Hello"}, {"type": "image", "uri": uri}]

    model = "gemini-3-flash-preview"
    answer = await http.post(f"/v1beta/models/{model}:generateContent", json={"contents": [{"parts": parts}]})
    interaction = await http.post("/v1beta/interactions", json={"model": model, "input": contents})

    assert (answer.status_code, interaction.status_code) == (200, 200), answer.text + interaction.text
    assert answer.json()["usageMetadata"]["promptTokensDetails"][1] == {
        "modality": "IMAGE",
        "tokenCount": 1120,
    }


async def test_f26_a_full_project_is_refused_at_the_start(files_app: FilesApp) -> None:
    http = await files_app(max_project_bytes=250)
    kept = [await upload(http) for _ in range(2)]

    refused = await start(http, 100)

    assert failure(refused)[:2] == (429, "RESOURCE_EXHAUSTED")
    assert failure(refused)[2].startswith("Resource has been exhausted (e.g. check quota).")
    assert (await start(http, 100, **{"x-goog-api-key": "other"})).status_code == 200
    await http.delete(f"/v1beta/{kept[0]['name']}")
    assert (await start(http, 100)).status_code == 200


async def test_f26_a_size_nobody_declared_is_measured(files_app: FilesApp) -> None:
    http = await files_app(max_project_bytes=250)
    url = await session(http)
    await send(http, url, "upload", PNG, 0)

    refused = await send(http, url, "upload", bytes(200), 100)

    assert failure(refused)[:2] == (429, "RESOURCE_EXHAUSTED")
    assert (await send(http, url, "finalize")).json()["file"]["sizeBytes"] == "100"


async def test_the_limit_of_a_file_is_a_setting(files_app: FilesApp) -> None:
    http = await files_app(max_file_bytes=99)

    assert failure(await start(http, 100))[2] == "File size exceeds the limit: 99 bytes."


GONE = "The server cannot store anything now: its data folder is gone."


async def started(http: httpx.AsyncClient, _: str) -> httpx.Response:
    return await start(http, len(PNG))


async def finished(http: httpx.AsyncClient, url: str) -> httpx.Response:
    return await send(http, url, "upload, finalize", PNG, 0)


async def continued(http: httpx.AsyncClient, url: str) -> httpx.Response:
    return await send(http, url, "upload", PNG[:1], 0)


async def sent_whole(http: httpx.AsyncClient, _: str) -> httpx.Response:
    headers = {"x-goog-upload-protocol": "raw", "content-type": "image/png"}
    return await http.post("/upload/v1beta/files", headers=headers, content=PNG)


async def only_described(http: httpx.AsyncClient, _: str) -> httpx.Response:
    return await http.post("/v1beta/files", json={"file": {"mimeType": "text/plain"}})


def removed(data: Path) -> None:
    shutil.rmtree(data)


def moved(data: Path) -> None:
    data.rename(data.with_name("elsewhere"))


def replaced(data: Path) -> None:
    moved(data)
    data.mkdir()


@pytest.mark.parametrize("how", [removed, moved, replaced])
@pytest.mark.parametrize("store", [started, continued, finished, sent_whole, only_described])
async def test_nothing_is_stored_or_made_anew_where_the_data_folder_is_gone(
    http: httpx.AsyncClient,
    tmp_path: Path,
    how: Callable[[Path], None],
    store: Callable[[httpx.AsyncClient, str], Awaitable[httpx.Response]],
) -> None:
    url = await session(http, len(PNG))
    data = tmp_path / "data"
    how(data)

    answer = await store(http, url)

    assert failure(answer) == (503, "UNAVAILABLE", GONE)
    assert "retry-after" in answer.headers
    assert list(data.rglob("*")) == []
    assert data.exists() == (how is replaced)


async def test_bytes_that_came_before_the_data_folder_went_are_not_acknowledged_as_a_file(
    http: httpx.AsyncClient, tmp_path: Path
) -> None:
    url = await session(http, len(PNG))
    await send(http, url, "upload", PNG, 0)
    shutil.rmtree(tmp_path / "data")

    answer = await send(http, url, "finalize", b"", len(PNG))

    assert failure(answer) == (503, "UNAVAILABLE", GONE)
    assert not (tmp_path / "data").exists()
