"""Files and uploads in SQLite: what is asked of the database costs the same however many there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from twinlens.store.records import FileRecord, Limits, Records, Upload

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LIMITS = Limits(10_000_000, NOW, NOW - timedelta(days=7))
FILE = FileRecord(
    "p", "new", None, "video/mp4", 5, "ab" * 32, "PROCESSING", NOW, NOW, NOW + timedelta(days=2)
)
UPLOAD = Upload("u", "p", "new", None, "video/mp4", None, "active", 0)


class Watched(Protocol):
    records: Records
    begin: Callable[[Callable[[sqlite3.Connection], object]], Awaitable[None]]
    scans: Callable[[], Awaitable[dict[str, list[str]]]]


def many(connection: sqlite3.Connection) -> None:
    """Fill the tables with files and uploads of many projects."""
    time = int(NOW.timestamp() * 1_000_000)
    numbers = range(5_000)
    connection.executemany(
        "INSERT INTO files (project, id, mime_type, size, sha256, state, created_us, updated_us, expires_us) "
        "VALUES (?, ?, 'image/png', 3, ?, 'ACTIVE', ?, ?, ?)",
        [(f"p{n % 50}", f"f{n}", f"{n:064}", time, time, time + 10**9 + n) for n in numbers],
    )
    connection.executemany(
        "INSERT INTO blob_references (sha256, project, kind, owner, size) VALUES (?, ?, 'file', ?, 3)",
        [(f"{n:064}", f"p{n % 50}", f"f{n}") for n in numbers],
    )
    connection.executemany(
        "INSERT INTO uploads (id, project, file_id, state, received, created_us) "
        "VALUES (?, ?, ?, 'final', 3, ?)",
        [(f"u{n}", f"p{n % 50}", f"f{n}", time + n) for n in numbers],
    )


async def test_no_question_about_files_reads_all_rows(watched: Watched) -> None:
    files, references = watched.records.files, watched.records.references
    await watched.begin(many)

    await watched.records.uploads.finish(UPLOAD, FILE, LIMITS, listed=False)
    assert await files.get("p", "new", NOW) == FILE
    assert len((await files.list("p", 9, NOW)).files) == 1
    assert await files.pending(NOW) == [FILE]
    assert await files.settle(replace(FILE, state="ACTIVE"))
    assert await references.projects_of(FILE.sha256) == {"p"}
    assert await references.unreferenced([FILE.sha256]) == set()
    assert await files.remove("p", "new", NOW)
    await files.remove_expired(100, NOW)

    assert await watched.scans() == {}


async def test_no_question_about_uploads_reads_all_rows(watched: Watched) -> None:
    uploads = watched.records.uploads
    await watched.begin(many)

    await uploads.admit(UPLOAD, LIMITS)
    await uploads.add(UPLOAD, LIMITS)
    assert await uploads.get("u", LIMITS.oldest) == UPLOAD
    await uploads.get_with_room("u", LIMITS)
    assert (await uploads.advance(UPLOAD, 3, LIMITS))[0] == 3
    await uploads.expired(100, LIMITS.oldest)
    await uploads.cancel("u")
    await uploads.remove(["u"])

    assert await watched.scans() == {}
