"""Every request that has a body, sent with its length and in chunks that only tell where they end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from resumable import PNG, START
from twinlens.app import create_app
from twinlens.settings import Settings

MODEL = "/v1beta/models/gemini-3-flash-preview"
UPLOAD = "/upload/v1beta/files"
HELLO = json.dumps({"contents": [{"parts": [{"text": "Hello"}]}]}).encode()
INPUT: dict[str, Any] = {"model": "gemini-3-flash-preview", "input": "Hello"}
METADATA = json.dumps({"file": {"displayName": "a note", "mimeType": "image/png"}}).encode()
RELATED = (
    b"--cut\r\ncontent-type: application/json\r\n\r\n" + METADATA + b"\r\n--cut\r\n"
    b"content-type: image/png\r\n\r\n" + PNG + b"\r\n--cut--\r\n"
)

Send = Callable[[TestClient, str, bytes, Mapping[str, str]], Any]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """One app for all of these: nothing that one leaves concerns another."""
    data: Path = tmp_path_factory.mktemp("data")
    app = create_app(Settings(engine="script", data_dir=data, decode_workers=1))
    with TestClient(app, "http://localhost", headers={"x-goog-api-key": "any"}) as started:
        yield started


def whole(client: TestClient, path: str, body: bytes, headers: Mapping[str, str]) -> Any:
    return client.post(path, content=body, headers=headers)


def in_chunks(client: TestClient, path: str, body: bytes, headers: Mapping[str, str]) -> Any:
    def chunks() -> Iterator[bytes]:
        yield body[:7]
        yield from (body[at : at + 1000] for at in range(7, len(body), 1000))

    return client.post(path, content=chunks(), headers=headers)


both = pytest.mark.parametrize("send", [whole, in_chunks])


def begun(client: TestClient, size: int, send: Send = whole) -> str:
    headers = START | {"X-Goog-Upload-Header-Content-Length": str(size)}
    return str(send(client, UPLOAD, METADATA, headers).headers["x-goog-upload-url"])


def command(what: str, offset: int = 0) -> dict[str, str]:
    return {"x-goog-upload-command": what, "x-goog-upload-offset": str(offset)}


@both
@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent", "countTokens"])
def test_a_models_methods_read_their_body(client: TestClient, method: str, send: Send) -> None:
    answer = send(client, f"{MODEL}:{method}", HELLO, {})

    assert answer.status_code == 200, answer.text


@both
def test_an_events_stream_reads_its_body(client: TestClient, send: Send) -> None:
    answer = send(client, f"{MODEL}:streamGenerateContent?alt=sse", HELLO, {})

    assert '"text":"ok"' in answer.text


@both
@pytest.mark.parametrize("extra", [{}, {"background": True}, {"stream": True}])
def test_an_interaction_reads_its_body(client: TestClient, extra: dict[str, Any], send: Send) -> None:
    answer = send(client, "/v1beta/interactions", json.dumps(INPUT | extra).encode(), {})

    assert answer.status_code == 200, answer.text


@both
@pytest.mark.parametrize("body", [b"", b"{}"])
def test_a_cancelling_does_not_mind_a_body(client: TestClient, body: bytes, send: Send) -> None:
    done = client.post("/v1beta/interactions", json=INPUT).json()["id"]

    answer = send(client, f"/v1beta/interactions/{done}/cancel", body, {})

    assert answer.status_code == 400
    assert "only one that runs in the background can be cancelled" in answer.json()["error"]["message"]


@both
def test_a_file_without_bytes_reads_its_metadata(client: TestClient, send: Send) -> None:
    answer = send(client, "/v1beta/files", METADATA.replace(b"image/png", b"text/plain"), {})

    assert answer.json()["file"]["displayName"] == "a note"


@both
def test_a_multipart_upload_reads_both_parts(client: TestClient, send: Send) -> None:
    headers = {"content-type": "multipart/related; boundary=cut", "X-Goog-Upload-Protocol": "multipart"}

    file = send(client, UPLOAD, RELATED, headers).json()["file"]

    assert (file["displayName"], file["sizeBytes"]) == ("a note", str(len(PNG)))


@both
def test_a_raw_upload_reads_its_bytes(client: TestClient, send: Send) -> None:
    headers = {"X-Goog-Upload-Protocol": "raw", "X-Goog-Upload-Header-Content-Type": "image/png"}

    file = send(client, UPLOAD, PNG, headers).json()["file"]

    assert file["sizeBytes"] == str(len(PNG))


@both
def test_an_upload_at_once_reads_its_bytes(client: TestClient, send: Send) -> None:
    headers = START | command("start, upload, finalize") | {"X-Goog-Upload-Header-Content-Type": "image/png"}

    file = send(client, UPLOAD, PNG, headers).json()["file"]

    assert file["sizeBytes"] == str(len(PNG))


@both
def test_the_start_of_an_upload_reads_its_metadata(client: TestClient, send: Send) -> None:
    url = begun(client, len(PNG), send)

    file = whole(client, url, PNG, command("upload, finalize")).json()["file"]

    assert file["displayName"] == "a note"


@both
def test_the_chunks_of_an_upload_are_read(client: TestClient, send: Send) -> None:
    url = begun(client, len(PNG))

    first = send(client, url, PNG[:60], command("upload"))
    last = send(client, url, PNG[60:], command("upload, finalize", 60))

    assert first.headers["x-goog-upload-size-received"] == "60"
    assert last.json()["file"]["sizeBytes"] == str(len(PNG))


@both
@pytest.mark.parametrize("body", [b"", b"{}"])
@pytest.mark.parametrize(("what", "state"), [("query", "active"), ("cancel", "cancelled")])
def test_the_commands_without_bytes_do_not_mind_a_body(
    client: TestClient, what: str, state: str, body: bytes, send: Send
) -> None:
    answer = send(client, begun(client, len(PNG)), body, command(what))

    assert answer.headers["x-goog-upload-status"] == state


@both
def test_the_end_of_an_upload_does_not_mind_a_body(client: TestClient, send: Send) -> None:
    url = begun(client, len(PNG))
    whole(client, url, PNG, command("upload"))

    answer = send(client, url, b"", command("finalize"))

    assert answer.json()["file"]["sizeBytes"] == str(len(PNG))


@both
def test_a_chunk_that_is_more_than_was_declared_is_refused(client: TestClient, send: Send) -> None:
    answer = send(client, begun(client, 50), PNG, command("upload, finalize"))

    assert answer.status_code == 400
    assert "declared with 50 bytes" in answer.json()["error"]["message"]
