"""What is remembered of uploads under way."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from twinlens.client.upload_records import LIFETIME_S, SavedUploads, UploadKey, state_file
from twinlens.client.uploads import Session

SUBJECT = UploadKey("http://h:1", "key", "/a", 10, 20, "label")
SESSION = Session("/upload/v1beta/files?upload_id=x")


@pytest.fixture
def sessions(tmp_path: Path) -> SavedUploads:
    return SavedUploads(tmp_path / "state" / "uploads.json")


def found(sessions: SavedUploads, subject: UploadKey) -> Session | None:
    known = sessions.find(subject)
    return known.session if known else None


def test_an_upload_is_found_until_it_is_forgotten(sessions: SavedUploads) -> None:
    sessions.remember(SUBJECT, SESSION)
    before = found(sessions, SUBJECT)

    sessions.forget(SUBJECT)

    assert (before, found(sessions, SUBJECT)) == (SESSION, None)


@pytest.mark.parametrize(
    "other",
    [
        replace(SUBJECT, server="http://other:1"),
        replace(SUBJECT, key="other"),
        replace(SUBJECT, path="/b"),
        replace(SUBJECT, size=11),
        replace(SUBJECT, mtime_ns=21),
        replace(SUBJECT, label="other"),
    ],
)
def test_another_upload_is_not_found(sessions: SavedUploads, other: UploadKey) -> None:
    sessions.remember(SUBJECT, SESSION)

    assert found(sessions, other) is None


def test_a_server_on_another_port_may_be_the_same(sessions: SavedUploads) -> None:
    moved = replace(SUBJECT, server="http://h:2")
    sessions.remember(SUBJECT, SESSION)

    assert found(sessions, moved) == SESSION

    sessions.remember(moved, Session("/own"))
    sessions.remember(SUBJECT, SESSION)
    assert found(sessions, moved) == Session("/own")


def test_what_a_file_was_before_it_changed_is_outdated(sessions: SavedUploads) -> None:
    changed = replace(SUBJECT, size=11, mtime_ns=21)
    sessions.remember(SUBJECT, SESSION)
    sessions.remember(replace(SUBJECT, label="other"), SESSION)

    assert [known.key for known in sessions.outdated(changed)] == [SUBJECT]
    assert sessions.outdated(SUBJECT) == []


def test_after_a_week_an_upload_is_forgotten(tmp_path: Path) -> None:
    time = [1000.0]
    sessions = SavedUploads(tmp_path / "uploads.json", lambda: time[0])
    sessions.remember(SUBJECT, SESSION)

    time[0] += LIFETIME_S

    assert found(sessions, SUBJECT) is None


def kept(**changes: Any) -> str:
    subject, session = asdict(SUBJECT), asdict(SESSION)
    for row in (subject, session):
        row |= {name: value for name, value in changes.items() if name in row}
    begun_s = changes.get("begun_s", 1e12)
    return json.dumps({"uploads": [{"subject": subject, "session": session, "begun_s": begun_s}]})


def test_a_file_that_can_be_read_is_read(tmp_path: Path) -> None:
    path = tmp_path / "uploads.json"
    path.write_text(kept())

    assert found(SavedUploads(path), SUBJECT) == SESSION


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", '{"uploads": [1]}', '{"uploads": [{}]}', "\xff", "[" * 200_000),
        *(kept(server="http://[bad"), kept(server=5), kept(begun_s=10**400)),
        *(kept(chunk_bytes=0), kept(chunk_bytes="x"), kept(path=5), kept(path="@elsewhere.test/x")),
    ],
)
def test_a_file_that_cannot_be_read_is_one_that_holds_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "uploads.json"
    path.write_text(text, "latin-1")

    assert found(SavedUploads(path), SUBJECT) is None


def test_commands_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    subjects = [replace(SUBJECT, path=f"/{number}") for number in range(40)]
    path = tmp_path / "uploads.json"

    threads = [
        threading.Thread(target=SavedUploads(path).remember, args=(subject, SESSION)) for subject in subjects
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(found(SavedUploads(path), subject) for subject in subjects)


def test_the_file_lies_in_the_users_state_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    places = []
    for home in ("/state", "relative", ""):
        monkeypatch.setenv("XDG_STATE_HOME", home)
        places.append(str(state_file()))

    assert places[0] == "/state/twinlens/uploads.json"
    assert set(places[1:]) == {"/home/someone/.local/state/twinlens/uploads.json"}
