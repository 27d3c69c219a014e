"""The Files API over HTTP. The numbers F1 to F29 are the conformance cases of the wire contract."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(92))
MIB = 1024 * 1024
FilesApp = Callable[..., Awaitable[httpx.AsyncClient]]
START = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}


@pytest.fixture
async def http(files_app: FilesApp) -> httpx.AsyncClient:
    """A client with the key `k` of an app that also knows the key `other`."""
    return await files_app()


async def start(
    http: httpx.AsyncClient,
    size: int | None = None,
    mime_type: str = "image/png",
    body: str = "",
    **headers: str,
) -> httpx.Response:
    said = START | {"x-goog-upload-header-content-type": mime_type} | headers
    if size is not None:
        said["x-goog-upload-header-content-length"] = str(size)
    return await http.post("/upload/v1beta/files", headers=said, content=body)


async def send(
    http: httpx.AsyncClient, url: str, command: str, data: bytes = b"", offset: int | None = None
) -> httpx.Response:
    headers = {"x-goog-upload-command": command, "content-type": "application/json"}
    if offset is not None:
        headers["x-goog-upload-offset"] = str(offset)
    request = http.build_request("POST", url, headers=headers, content=data)
    # The URL itself is the credential.
    del request.headers["x-goog-api-key"]
    return await http.send(request)


async def session(http: httpx.AsyncClient, size: int | None = None, **known: str) -> str:
    answer = await start(http, size, **known)
    assert answer.status_code == 200, answer.text
    return str(answer.headers["x-goog-upload-url"])


async def upload(http: httpx.AsyncClient, data: bytes = PNG, **known: str) -> dict[str, Any]:
    url = await session(http, len(data), **known)
    answer = await send(http, url, "upload, finalize", data, 0)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["file"]
    return found


def failure(answer: httpx.Response) -> tuple[int, str, str]:
    error: Mapping[str, Any] = answer.json()["error"]
    assert error["code"] == answer.status_code
    return answer.status_code, error["status"], error["message"]


async def test_f1_an_uploaded_image_is_active_with_all_its_fields(http: httpx.AsyncClient) -> None:
    file = await upload(http)

    assert re.fullmatch(r"files/[a-z0-9]{12}", file["name"])
    assert file["uri"] == f"http://twin.test/v1beta/{file['name']}"
    assert (file["mimeType"], file["sizeBytes"]) == ("image/png", "100")
    assert (file["state"], file["source"]) == ("ACTIVE", "UPLOADED")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", file["createTime"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", file["expirationTime"])
    created = datetime.fromisoformat(file["createTime"])
    expires = datetime.fromisoformat(file["expirationTime"][:-4] + "Z")
    assert expires - created == timedelta(hours=48)


async def test_f2_the_hash_is_base64_of_its_hexadecimal_text(http: httpx.AsyncClient) -> None:
    file = await upload(http)

    assert base64.b64decode(file["sha256Hash"]) == hashlib.sha256(PNG).hexdigest().encode()


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


async def test_f14_a_file_may_be_named_once(http: httpx.AsyncClient) -> None:
    named = json.dumps({"file": {"name": "files/my-file"}})
    first = await upload(http, body=named)

    second = await start(http, 100, body=named)

    assert first["name"] == "files/my-file"
    assert failure(second)[:2] == (409, "ALREADY_EXISTS")


@pytest.mark.parametrize("name", ["-bad-", "a" * 41, "Capital", "a/b", "files/"])
async def test_f14_a_name_that_cannot_be_is_refused(http: httpx.AsyncClient, name: str) -> None:
    answer = await start(http, 100, body=json.dumps({"file": {"name": name}}))

    assert failure(answer)[:2] == (400, "INVALID_ARGUMENT")
    assert answer.json()["error"]["details"][0]["fieldViolations"][0]["field"] == "file.name"


async def test_f15_a_display_name_is_kept_and_otherwise_left_out(http: httpx.AsyncClient) -> None:
    named = await upload(http, body=json.dumps({"file": {"display_name": "Ein Bild"}}))
    plain = await upload(http)

    assert named["displayName"] == "Ein Bild"
    assert "displayName" not in plain


async def test_the_metadata_of_the_shell_samples_is_read(http: httpx.AsyncClient) -> None:
    file = await upload(http, body="{'file': {'display_name': 'IMAGE'}}")

    assert file["displayName"] == "IMAGE"


async def test_a_type_in_the_metadata_wins_over_the_header(http: httpx.AsyncClient) -> None:
    file = await upload(http, body=json.dumps({"file": {"mimeType": "image/webp", "sizeBytes": "100"}}))

    assert file["mimeType"] == "image/webp"


@pytest.mark.parametrize("body", ['{"fiel": {}}', '{"file": {"nam": "x"}}', '{"file": 3}', '{"file":'])
async def test_metadata_that_is_wrong_is_refused(http: httpx.AsyncClient, body: str) -> None:
    answer = await start(http, 100, body=body)

    assert failure(answer)[:2] == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
async def test_f16_a_file_is_found_by_name_and_by_uri(http: httpx.AsyncClient, version: str) -> None:
    file = await upload(http)

    by_name = await http.get(f"/{version}/{file['name']}")
    by_uri = await http.get(f"/{version}/files/{file['uri']}")

    assert by_name.json() == by_uri.json() == file
    assert by_name.headers["content-type"] == "application/json; charset=UTF-8"


async def test_f17_a_file_that_is_not_there_is_denied(http: httpx.AsyncClient) -> None:
    file = await upload(http)

    deleted = await http.request("DELETE", f"/v1beta/{file['name']}", json={})
    after = await http.get(f"/v1beta/{file['name']}")
    again = await http.delete(f"/v1beta/{file['name']}")
    never = await http.get("/v1beta/files/unknown")

    assert (deleted.status_code, deleted.json()) == (200, {})
    assert failure(after)[:2] == failure(again)[:2] == (403, "PERMISSION_DENIED")
    assert failure(never)[2] == ("You do not have permission to access the File unknown or it may not exist.")


async def test_the_files_of_another_project_are_not_seen(http: httpx.AsyncClient) -> None:
    file = await upload(http)

    theirs = {"x-goog-api-key": "other"}

    assert (await http.get("/v1beta/files", headers=theirs)).json() == {}
    assert failure(await http.get(f"/v1beta/{file['name']}", headers=theirs))[0] == 403
    assert failure(await http.delete(f"/v1beta/{file['name']}", headers=theirs))[0] == 403


async def test_f18_a_list_comes_in_pages_newest_first(http: httpx.AsyncClient) -> None:
    made = [(await upload(http, bytes([number])))["name"] for number in range(12)]

    pages: list[list[str]] = []
    query: dict[str, str] | None = {"pageSize": "5"}
    while query:
        page = (await http.get("/v1beta/files", params=query)).json()
        pages.append([file["name"] for file in page["files"]])
        token = page.get("nextPageToken")
        query = {"page_size": "5", "page_token": token} if token else None

    assert [len(page) for page in pages] == [5, 5, 2]
    assert [name for page in pages for name in page] == made[::-1]
    assert len((await http.get("/v1/files")).json()["files"]) == 10
    assert len((await http.get("/v1/files?pageSize=1000")).json()["files"]) == 12


@pytest.mark.parametrize("query", ["pageToken=junk", "pageSize=-1", "pageSize=many", "zzz=1"])
async def test_a_query_that_is_wrong_is_refused(http: httpx.AsyncClient, query: str) -> None:
    answer = await http.get(f"/v1beta/files?{query}")

    assert failure(answer)[:2] == (400, "INVALID_ARGUMENT")


async def test_f19_an_empty_project_is_an_empty_object(http: httpx.AsyncClient) -> None:
    answer = await http.get("/v1beta/files")

    assert (answer.status_code, answer.json()) == (200, {})


async def test_f24_an_empty_file_is_a_file(http: httpx.AsyncClient) -> None:
    file = await upload(http, b"", mime_type="text/plain")

    assert (file["sizeBytes"], file["mimeType"]) == ("0", "text/plain")


async def test_f25_three_gigabytes_are_refused_at_the_start(http: httpx.AsyncClient) -> None:
    answer = await start(http, 3_000_000_000)

    assert failure(answer)[0] == 400
    assert "File size exceeds the limit: 2147483648 bytes." in failure(answer)[2]


async def test_f28_an_uploaded_file_cannot_be_downloaded(http: httpx.AsyncClient) -> None:
    file = await upload(http)

    answer = await http.get(f"/v1beta/{file['name']}:download?alt=media")

    assert failure(answer)[0] == 403


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


async def test_a_file_may_be_made_of_metadata_alone(http: httpx.AsyncClient) -> None:
    answer = await http.post(
        "/v1beta/files", json={"file": {"name": "files/notes", "mimeType": "text/plain", "displayName": "N"}}
    )

    file = answer.json()["file"]
    assert (answer.status_code, file["name"], file["sizeBytes"]) == (200, "files/notes", "0")
    assert (await http.get("/v1beta/files/notes")).json() == file
    assert (
        failure(
            await http.post("/v1beta/files", json={"file": {"name": "files/notes", "mimeType": "text/plain"}})
        )[0]
        == 409
    )


@pytest.mark.parametrize(
    ("said", "field"),
    [({}, "file.mime_type"), ({"mimeType": "image/png", "sizeBytes": "4"}, "file.size_bytes")],
)
async def test_a_file_of_metadata_alone_has_a_type_and_no_bytes(
    http: httpx.AsyncClient, said: dict[str, str], field: str
) -> None:
    answer = await http.post("/v1beta/files", json={"file": said})

    assert failure(answer)[:2] == (400, "INVALID_ARGUMENT")
    assert answer.json()["error"]["details"][0]["fieldViolations"][0]["field"] == field


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
