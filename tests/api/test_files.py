"""The File resource over HTTP. The numbers are the conformance cases of the wire contract."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import httpx
import pytest

from resumable import PNG, failure, start, upload

FilesApp = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def http(files_app: FilesApp) -> httpx.AsyncClient:
    """A client with the key `k` of an app that also knows the key `other`."""
    return await files_app()


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


async def test_f28_an_uploaded_file_cannot_be_downloaded(http: httpx.AsyncClient) -> None:
    file = await upload(http)

    answer = await http.get(f"/v1beta/{file['name']}:download?alt=media")

    assert failure(answer)[0] == 403


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
