"""The upload protocol against a server that stumbles."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from twinlens.client.connection import Connection
from twinlens.client.errors import ClientError, Gone, Refused, SourceChanged
from twinlens.client.retry import RetryPolicy
from twinlens.client.upload_source import BLOCK_BYTES, UploadSource, open_source
from twinlens.client.uploads import Label, Session, UploadClient, UploadStatus

AT_ONCE = RetryPolicy(tries=3, first_s=0.0)
FILE = {"file": {"name": "files/x", "sizeBytes": "10"}}
FRESH = UploadStatus("active", 0)
SESSION = Session("/upload/v1beta/files?upload_id=x", chunk_bytes=4)


class Notes:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.positions: list[int] = []
        self.errors: list[str] = []

    def moved(self, position: int) -> None:
        self.positions.append(position)

    def waits(self, error: ClientError, seconds: float) -> None:
        self.errors.append(str(error))


@pytest.fixture
def source(tmp_path: Path) -> UploadSource:
    (tmp_path / "ten.txt").write_bytes(b"0123456789")
    return open_source(tmp_path / "ten.txt")


@pytest.fixture
def uploads(connection: Connection) -> UploadClient:
    return UploadClient(connection, AT_ONCE)


@pytest.mark.parametrize(
    ("granularity", "chunk"),
    [
        ("262144", 8388608),
        ("8388608", 8388608),
        ("3000000", 6000000),
        ("10000000", 10000000),
        ("", 8388608),
        ("0", 8388608),
        ("x", 8388608),
    ],
)
def test_chunks_are_about_8_mib_and_a_multiple_of_the_granularity(
    stub: Any, uploads: UploadClient, source: UploadSource, granularity: str, chunk: int
) -> None:
    url = f"{stub.url}/upload/v1beta/files?upload_id=x"
    stub.answer(x_goog_upload_url=url, x_goog_upload_chunk_granularity=granularity)

    assert uploads.start(source, Label()) == Session("/upload/v1beta/files?upload_id=x", chunk)


def test_a_start_says_what_is_known_of_the_file(
    stub: Any, uploads: UploadClient, source: UploadSource
) -> None:
    stub.answer(x_goog_upload_url="http://x/upload/v1beta/files?upload_id=x")

    uploads.start(source, Label("my-id", "Title", "text/plain"))

    _, path, headers, body = stub.asked[0]
    assert path == "/upload/v1beta/files"
    assert headers["x-goog-upload-protocol"] == "resumable"
    assert headers["x-goog-upload-header-content-length"] == "10"
    assert headers["x-goog-upload-header-content-type"] == "text/plain"
    assert json.loads(body) == {"file": {"name": "my-id", "displayName": "Title", "mimeType": "text/plain"}}


def test_a_server_without_the_protocol_is_named(
    stub: Any, uploads: UploadClient, source: UploadSource
) -> None:
    stub.answer()

    with pytest.raises(ClientError, match="does not speak the upload protocol"):
        uploads.start(source, Label())


def test_chunks_follow_one_another_and_the_last_one_ends_it(
    stub: Any, uploads: UploadClient, source: UploadSource
) -> None:
    notes = Notes()
    stub.answer()
    stub.answer()
    stub.answer(body=FILE)

    file = uploads.send(SESSION, source, FRESH, notes)

    assert file.name == "files/x"
    assert stub.commands == ["upload", "upload", "upload, finalize"]
    assert [body for *_, body in stub.asked] == [b"0123", b"4567", b"89"]
    assert [headers["x-goog-upload-offset"] for _, _, headers, _ in stub.asked] == ["0", "4", "8"]
    assert notes.positions == [0, 4, 8, 10]


@pytest.mark.parametrize("changed_at", [0, BLOCK_BYTES, 2 * BLOCK_BYTES])
def test_a_file_that_changes_during_its_last_chunk_is_not_finished(
    stub: Any, uploads: UploadClient, tmp_path: Path, changed_at: int
) -> None:
    path, size = tmp_path / "changing.txt", 2 * BLOCK_BYTES + 10
    path.write_bytes(b"a" * size)
    os.utime(path, (0, 0))
    source = open_source(path)

    class Meddler(Notes):
        def moved(self, position: int) -> None:
            if position == changed_at:
                path.write_bytes(b"b" * size)

    stub.answer(400)
    with pytest.raises(SourceChanged):
        uploads.send(Session(SESSION.path), source, FRESH, Meddler())

    assert all(len(body) < size for *_, body in stub.asked)


@pytest.mark.parametrize("received", ["11", "9" * 5000])
def test_a_server_that_has_more_than_there_is_has_another_upload(
    stub: Any, uploads: UploadClient, source: UploadSource, received: str
) -> None:
    stub.answer(500)
    stub.answer(x_goog_upload_status="active", x_goog_upload_size_received=received)

    with pytest.raises(Gone):
        uploads.send(SESSION, source, FRESH, Notes())


def test_an_offset_is_corrected_although_the_error_does_not_say_the_uploads_status(
    stub: Any, uploads: UploadClient, source: UploadSource
) -> None:
    stub.answer()
    stub.answer(503, {"error": {"message": "Busy."}}, x_goog_upload_size_received="4")
    stub.answer(x_goog_upload_status="active", x_goog_upload_size_received="4")
    stub.answer()
    stub.answer(body=FILE)

    uploads.send(SESSION, source, FRESH, Notes())

    assert [body for *_, body in stub.asked] == [b"0123", b"4567", b"", b"4567", b"89"]


def test_a_stumble_is_followed_by_a_query_and_the_rest(
    stub: Any, uploads: UploadClient, source: UploadSource
) -> None:
    notes = Notes()
    stub.answer(503, {"error": {"message": "Busy."}})
    stub.answer(x_goog_upload_status="active", x_goog_upload_size_received="7")
    stub.answer(body=FILE)

    uploads.send(SESSION, source, FRESH, notes)

    assert stub.commands == ["upload", "query", "upload, finalize"]
    assert stub.asked[-1][3] == b"789"
    assert notes.errors == ["Busy."]


def test_a_lost_last_answer_is_asked_for_by_finalize(
    stub: Any, uploads: UploadClient, source: UploadSource
) -> None:
    stub.answer(502)
    stub.answer(x_goog_upload_status="final", x_goog_upload_size_received="10")
    stub.answer(body=FILE)

    file = uploads.send(SESSION, source, UploadStatus("active", 8), Notes())

    assert file.name == "files/x"
    assert stub.commands == ["upload, finalize", "query", "finalize"]


def test_an_offset_that_the_server_corrects_is_taken_from_it(
    stub: Any, uploads: UploadClient, source: UploadSource
) -> None:
    stub.answer(400, {"error": {"message": "Wrong offset."}}, x_goog_upload_size_received="9")
    stub.answer(x_goog_upload_status="active", x_goog_upload_size_received="9")
    stub.answer(body=FILE)

    uploads.send(SESSION, source, FRESH, Notes())

    assert stub.asked[-1][3] == b"9"


def test_tries_without_progress_come_to_an_end(
    stub: Any, uploads: UploadClient, source: UploadSource
) -> None:
    notes = Notes()
    stub.answer(500, {"error": {"message": "Ill."}})
    for _ in range(3):
        stub.answer(x_goog_upload_status="active", x_goog_upload_size_received="0")
        stub.answer(500, {"error": {"message": "Still ill."}})

    with pytest.raises(Refused, match="Still ill"):
        uploads.send(SESSION, source, FRESH, notes)

    assert len(notes.errors) == AT_ONCE.tries
    assert stub.answers == []


def test_progress_gives_new_patience(stub: Any, uploads: UploadClient, source: UploadSource) -> None:
    stub.answer(500)
    for received in range(1, 10):
        stub.answer(x_goog_upload_status="active", x_goog_upload_size_received=str(received))
        stub.answer(500)
    stub.answer(x_goog_upload_status="final", x_goog_upload_size_received="10")
    stub.answer(body=FILE)

    assert uploads.send(SESSION, source, FRESH, Notes()).name == "files/x"


@pytest.mark.parametrize(("code", "status"), [(404, ""), (410, ""), (200, "cancelled")])
def test_a_session_the_server_does_not_know_is_gone(
    stub: Any, uploads: UploadClient, code: int, status: str
) -> None:
    stub.answer(code, x_goog_upload_status=status, x_goog_upload_size_received="0")

    with pytest.raises(Gone):
        uploads.query(SESSION)


def test_a_refusal_is_final(stub: Any, uploads: UploadClient, source: UploadSource) -> None:
    stub.answer(400, {"error": {"message": "Bytes differ."}}, x_goog_upload_size_received="0")

    with pytest.raises(Refused, match="Bytes differ"):
        uploads.send(SESSION, source, FRESH, Notes())
