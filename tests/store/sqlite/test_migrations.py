"""Databases of earlier versions: they are brought up to date, and nothing of them is lost."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storing import cleanup_of, interactions_of, uploads_of
from twinlens.domain.errors import PermissionDenied
from twinlens.store.cleanup import CleanupReport
from twinlens.store.folder import DataFolderError
from twinlens.store.records import InteractionUsage, StorageUsage
from twinlens.store.sqlite.database import Database
from twinlens.store.sqlite.migrations import MIGRATIONS
from twinlens.store.storage import open_storage

WRITTEN = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
VERSION_3 = (Path(__file__).parent / "version_3.sql").read_text()
"""What was written before there was a table of references: files of two projects, two of them
expired, an upload under way, and interactions: a deleted one that another is built on, one that waits."""
CONTENTS = (b"expired", b"shared", b"of a file", b"film", b"picture", b"other", b"waiting")


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def blobs(folder: Path) -> set[str]:
    return {path.name for path in (folder / "blobs").rglob("*") if path.is_file()}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Lay out a data folder of version 3."""
    with closing(sqlite3.connect(tmp_path / "twinlens.db")) as connection:
        connection.executescript(VERSION_3)
        (half,) = connection.execute("SELECT id FROM uploads WHERE state = 'active'").fetchone()
    for data in CONTENTS:
        path = tmp_path / "blobs" / sha256_of(data)[:2] / sha256_of(data)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / half).write_bytes(b"half of it")
    return tmp_path


async def test_all_that_version_3_kept_is_there(old: Path) -> None:
    storage = open_storage(old, lambda: WRITTEN)
    interactions = interactions_of(storage)

    found = {(file.project, file.id) for name in "ab" for file in (await storage.files.list(name, 9)).files}
    history = await interactions.history("a", "second")

    assert found == {("a", "mine"), ("b", "shared"), ("b", "film")}
    assert bytes(await storage.files.map(await storage.files.get("b", "shared"))) == b"shared"
    assert [file.id for file in await storage.files.pending()] == ["film"]
    assert [turn.id for turn in history] == ["first", "second"]
    assert [media and media.sha256 for media in history[1].media] == [
        None,
        sha256_of(b"other"),
        sha256_of(b"picture"),
    ]
    assert [name for name, _ in await interactions.unfinished()] == ["a"]
    assert await interactions.usage() == InteractionUsage(3, 410 + 162)
    assert await storage.files.usage() == StorageUsage(
        files=3, bytes=19, blobs=7, blob_bytes=sum(map(len, CONTENTS)), uploads=1, upload_bytes=10
    )
    await storage.close()


async def test_what_the_records_of_version_3_name_is_kept_and_nothing_else(old: Path) -> None:
    storage = open_storage(old, lambda: WRITTEN)
    orphan = old / "blobs" / "00" / ("0" * 64)
    orphan.parent.mkdir()
    orphan.write_bytes(b"nobody's")

    assert await cleanup_of(storage).recover() == CleanupReport(blobs=1, bytes=8)

    assert blobs(old) == {sha256_of(data) for data in CONTENTS}
    projects = {data: await storage.records.references.projects_of(sha256_of(data)) for data in CONTENTS}
    assert projects == {
        b"expired": {"a"},
        b"shared": {"a", "b"},
        b"of a file": {"a"},
        b"film": {"b"},
        b"picture": {"a", "b"},
        b"other": {"a"},
        b"waiting": {"a"},
    }
    await storage.close()


async def test_what_version_3_kept_goes_when_its_last_record_goes(old: Path) -> None:
    storage = open_storage(old, lambda: WRITTEN)
    interactions = interactions_of(storage)

    assert await cleanup_of(storage).sweep() == CleanupReport(files=2, blobs=1, bytes=7)
    await storage.files.delete("b", "shared")
    assert sha256_of(b"shared") in blobs(old)
    await interactions.delete("a", "second")
    assert blobs(old) == {sha256_of(data) for data in (b"of a file", b"film", b"picture", b"waiting")}
    for project, name in (("a", "waiting"), ("b", "theirs")):
        await interactions.delete(project, name)
    for project, name in (("a", "mine"), ("b", "film")):
        await storage.files.delete(project, name)

    assert blobs(old) == set()
    assert await interactions.usage() == InteractionUsage(0, 0)
    assert (await storage.files.usage()).blobs == 0
    await storage.close()


async def test_an_upload_of_version_3_goes_on(old: Path) -> None:
    with closing(sqlite3.connect(old / "twinlens.db")) as connection:
        (half,) = connection.execute("SELECT id FROM uploads WHERE state = 'active'").fetchone()
    storage = open_storage(old, lambda: WRITTEN)
    uploads = uploads_of(storage, sniff=lambda _: "text/plain")

    made = await uploads.finish(half)

    assert bytes(await storage.files.map(made)) == b"half of it"
    await storage.close()


async def test_what_was_migrated_opens_again(old: Path) -> None:
    await open_storage(old, lambda: WRITTEN).close()

    later = open_storage(old, lambda: WRITTEN + timedelta(hours=48))

    with pytest.raises(PermissionDenied):
        await later.files.get("a", "mine")
    assert (await later.files.usage()).blobs == len(CONTENTS)
    await later.close()


async def test_a_database_of_the_first_version_keeps_its_rows(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "twinlens.db")) as connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute(
            "INSERT INTO files VALUES "
            "(7, 'p', 'old', NULL, 'image/png', 5, 'ab', 'ACTIVE', 1, 2, 9000000000000000)"
        )
        connection.execute(
            "INSERT INTO uploads (id, project, file_id, state, received, created_us) "
            "VALUES ('u', 'p', 'f', 'active', 0, 0)"
        )
        connection.execute("PRAGMA user_version = 1")
        connection.commit()

    storage = open_storage(tmp_path)

    found = await storage.files.get("p", "old")
    assert (found.id, found.size, found.duration, found.error) == ("old", 5, None, None)
    assert await storage.records.references.projects_of("ab") == {"p"}
    assert await storage.records.uploads.active() == {"u"}
    await storage.close()


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "twinlens.db")) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")

    with pytest.raises(DataFolderError, match="newer twinlens"):
        Database(tmp_path / "twinlens.db")


def test_a_database_that_cannot_be_brought_up_to_date_stays_as_it_was(old: Path) -> None:
    with closing(sqlite3.connect(old / "twinlens.db")) as connection:
        connection.execute("CREATE TABLE blob_references (in_the_way INTEGER)")

    with pytest.raises(DataFolderError, match="Nothing was lost"):
        Database(old / "twinlens.db")

    with closing(sqlite3.connect(old / "twinlens.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
        assert connection.execute("SELECT count(*) FROM interaction_contents").fetchone() == (5,)
