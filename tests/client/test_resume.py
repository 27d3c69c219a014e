"""One upload from beginning to end, resumed where an earlier command was interrupted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from twinlens.client.connection import Connection
from twinlens.client.errors import ClientError, Gone, Refused, SourceChanged
from twinlens.client.resume import Resumable, can_go_on
from twinlens.client.retry import RetryPolicy
from twinlens.client.upload_records import SavedUploads
from twinlens.client.upload_source import UploadSource, open_source
from twinlens.client.uploads import Label

AT_ONCE = RetryPolicy(tries=1, first_s=0.0)
FILE = {"file": {"name": "files/x", "sizeBytes": "10"}}
PATH = "http://x/upload/v1beta/files?upload_id=x"


class Notes:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.resumed: list[int] = []
        self.forgetful: list[OSError] = []

    def moved(self, position: int) -> None:
        pass

    def waits(self, error: ClientError, seconds: float) -> None:
        pass

    def resumes(self, received: int) -> None:
        self.resumed.append(received)

    def cannot_remember(self, error: OSError) -> None:
        self.forgetful.append(error)


@pytest.fixture
def source(tmp_path: Path) -> UploadSource:
    (tmp_path / "ten.txt").write_bytes(b"0123456789")
    return open_source(tmp_path / "ten.txt")


@pytest.fixture
def sessions(tmp_path: Path) -> SavedUploads:
    return SavedUploads(tmp_path / "state" / "uploads.json")


@pytest.fixture
def uploads(connection: Connection, sessions: SavedUploads) -> Resumable:
    return Resumable(connection, sessions, AT_ONCE)


def interrupted(stub: Any, uploads: Resumable, source: UploadSource) -> None:
    """Begin an upload, and press Ctrl-C."""

    class Impatient(Notes):
        def moved(self, position: int) -> None:
            raise KeyboardInterrupt

    stub.answer(x_goog_upload_url=PATH)
    with pytest.raises(KeyboardInterrupt):
        uploads.upload(source, Label(), Impatient())
    stub.asked.clear()


def test_an_upload_that_succeeds_is_forgotten(
    stub: Any, uploads: Resumable, source: UploadSource, sessions: SavedUploads
) -> None:
    stub.answer(x_goog_upload_url=PATH)
    stub.answer(body=FILE)

    assert uploads.upload(source, Label(), Notes()).name == "files/x"

    stub.answer(x_goog_upload_url=PATH)
    stub.answer(body=FILE)
    uploads.upload(source, Label(), Notes())
    assert stub.commands == ["start", "upload, finalize"] * 2


def test_what_was_received_is_not_sent_again(stub: Any, uploads: Resumable, source: UploadSource) -> None:
    interrupted(stub, uploads, source)
    stub.answer(x_goog_upload_status="active", x_goog_upload_size_received="4")
    stub.answer(body=FILE)
    notes = Notes()

    uploads.upload(source, Label(), notes)

    assert notes.resumed == [4]
    assert stub.commands == ["query", "upload, finalize"]
    assert stub.asked[-1][3] == b"456789"


def test_an_upload_that_the_server_forgot_is_restarted(
    stub: Any, uploads: Resumable, source: UploadSource
) -> None:
    interrupted(stub, uploads, source)
    stub.answer(404)
    stub.answer(x_goog_upload_url=PATH)
    stub.answer(body=FILE)
    notes = Notes()

    uploads.upload(source, Label(), notes)

    assert notes.resumed == []
    assert stub.commands == ["query", "start", "upload, finalize"]


def test_who_asks_for_a_restart_cancels_what_was_begun(
    stub: Any, uploads: Resumable, source: UploadSource
) -> None:
    interrupted(stub, uploads, source)
    stub.answer()
    stub.answer(x_goog_upload_url=PATH)
    stub.answer(body=FILE)

    uploads.upload(source, Label(), Notes(), restart=True)

    assert stub.commands == ["cancel", "start", "upload, finalize"]


def test_an_upload_of_what_the_file_used_to_be_is_cancelled(
    stub: Any, uploads: Resumable, source: UploadSource
) -> None:
    interrupted(stub, uploads, source)
    source.path.write_bytes(b"something else")
    os.utime(source.path, ns=(1, 1))
    stub.answer()
    stub.answer(x_goog_upload_url=PATH)
    stub.answer(body=FILE)

    uploads.upload(open_source(source.path), Label(), Notes())

    assert stub.commands == ["cancel", "start", "upload, finalize"]


def test_an_upload_that_cannot_be_remembered_is_made_all_the_same(
    stub: Any, connection: Connection, source: UploadSource, tmp_path: Path
) -> None:
    (tmp_path / "blocked").write_text("no folder")
    uploads = Resumable(connection, SavedUploads(tmp_path / "blocked" / "uploads.json"), AT_ONCE)
    stub.answer(x_goog_upload_url=PATH)
    stub.answer(body=FILE)
    notes = Notes()

    assert uploads.upload(source, Label(), notes).name == "files/x"
    assert len(notes.forgetful) == 1


@pytest.mark.parametrize(
    ("error", "goes_on"),
    [
        (Refused(503, "Not now.", passing=True), True),
        (Refused(429, "The disk is full."), True),
        (Refused(400, "No."), False),
        (Gone(), False),
        (SourceChanged("It changed."), False),
        (ClientError("Something."), True),
    ],
)
def test_some_errors_leave_an_upload_that_can_go_on(error: ClientError, goes_on: bool) -> None:
    assert can_go_on(error) is goes_on
