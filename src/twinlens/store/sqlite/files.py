"""Files in the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from ..blobs import StoredBlob
from ..records import FileRecord, FileState, Page, StorageUsage, file_exists
from .contents import Owner, refer, release
from .database import Database
from .times import US, from_us, in_us

_COLUMNS = (
    "project, id, display_name, mime_type, size, sha256, state, created_us, updated_us, expires_us, "
    "duration_us, error"
)
_GET = f"SELECT {_COLUMNS} FROM files WHERE project = ? AND id = ? AND expires_us > ?"  # noqa: S608
_LIST = (
    f"SELECT seq, {_COLUMNS} FROM files WHERE project = ? AND expires_us > ? AND seq < ? "  # noqa: S608
    "ORDER BY seq DESC LIMIT ?"
)
_PENDING = f"SELECT {_COLUMNS} FROM files WHERE state = 'PROCESSING' AND expires_us > ? ORDER BY seq"  # noqa: S608
_ADD = f"INSERT INTO files ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_SETTLE = (
    "UPDATE files SET state = ?, duration_us = ?, error = ?, updated_us = ? WHERE project = ? "
    "AND id = ? AND sha256 = ? AND mime_type = ? AND state = 'PROCESSING'"
)
_REMOVE = f"DELETE FROM files WHERE project = ? AND id = ? RETURNING {_COLUMNS}"  # noqa: S608
_OLD = "SELECT seq FROM files WHERE expires_us <= ? ORDER BY expires_us LIMIT ?"
_REMOVE_OLD = f"DELETE FROM files WHERE seq IN ({_OLD}) RETURNING {_COLUMNS}"  # noqa: S608
_COUNT_FILES = "SELECT count(*), coalesce(sum(size), 0) FROM files WHERE expires_us > ?"
_COUNT_BLOBS = (
    "SELECT count(*), coalesce(sum(size), 0) FROM (SELECT size FROM blob_references GROUP BY sha256)"
)
_COUNT_UPLOADS = "SELECT count(*), coalesce(sum(received), 0) FROM uploads WHERE state = 'active'"
_LAST_SEQ = 2**63 - 1
_Row = tuple[str, str, str | None, str, int, str, FileState, int, int, int, int | None, str | None]


class SqliteFileRecords:
    """`twinlens.store.records.FileRecords`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, project: str, file_id: str, now: datetime) -> FileRecord | None:
        """Return a file as it was written; None where there is none, or it has expired."""
        return await self._database.read(lambda connection: find_file(connection, project, file_id, now))

    async def list(self, project: str, limit: int, now: datetime, before: int | None = None) -> Page:
        """Return up to `limit` files of a project, the newest first, older than `before`."""
        values = (project, in_us(now), _LAST_SEQ if before is None else before, limit + 1)
        rows = await self._database.read(lambda connection: connection.execute(_LIST, values).fetchall())
        # The one row too many is how we know that another page is not empty.
        shown = rows[:limit]
        return Page(tuple(_record(row[1:]) for row in shown), shown[-1][0] if len(rows) > limit else None)

    async def pending(self, now: datetime) -> Sequence[FileRecord]:
        """Return the files of all projects that are PROCESSING, oldest first."""
        values = (in_us(now),)
        rows = await self._database.read(lambda connection: connection.execute(_PENDING, values).fetchall())
        return [_record(row) for row in rows]

    async def settle(self, settled: FileRecord) -> bool:
        """Write down what became of a file, unless it was settled, removed or replaced; return whether."""
        found = (settled.state, _duration_us(settled), settled.error, in_us(settled.updated))
        values = (*found, settled.project, settled.id, settled.sha256, settled.mime_type)
        return await self._database.write(lambda connection: connection.execute(_SETTLE, values).rowcount > 0)

    async def remove(self, project: str, file_id: str, now: datetime) -> FileRecord | None:
        """Remove a file and its reference, and return what it was, unless it had expired."""
        removed = await self._database.free(lambda connection: _remove(connection, project, file_id))
        return removed if removed and removed.expires > now else None

    async def remove_expired(self, limit: int, now: datetime) -> Sequence[FileRecord]:
        """Remove up to `limit` files that have expired, and their references; return what was removed."""
        values = (in_us(now), limit)

        def work(connection: sqlite3.Connection) -> list[FileRecord]:
            removed = [_record(row) for row in connection.execute(_REMOVE_OLD, values).fetchall()]
            for record in removed:
                release(connection, _owner(record))
            return removed

        return await self._database.free(work)

    async def usage(self, now: datetime) -> StorageUsage:
        """Count files that have not expired, referenced contents, and active uploads."""

        def work(connection: sqlite3.Connection) -> StorageUsage:
            files = connection.execute(_COUNT_FILES, (in_us(now),)).fetchone()
            blobs = connection.execute(_COUNT_BLOBS).fetchone()
            uploads = connection.execute(_COUNT_UPLOADS).fetchone()
            return StorageUsage(*files, *blobs, *uploads)

        return await self._database.read(work)


def find_file(connection: sqlite3.Connection, project: str, file_id: str, now: datetime) -> FileRecord | None:
    """Return a file that has not expired, within a transaction."""
    row = connection.execute(_GET, (project, file_id, in_us(now))).fetchone()
    return None if row is None else _record(row)


def add_file(connection: sqlite3.Connection, record: FileRecord, now: datetime) -> None:
    """Add a file and its reference within a transaction; raise where its name is taken."""
    if find_file(connection, record.project, record.id, now):
        raise file_exists(record.id)
    # An expired file may still be in the way.
    _remove(connection, record.project, record.id)
    connection.execute(
        _ADD,
        (
            record.project,
            record.id,
            record.display_name,
            record.mime_type,
            record.size,
            record.sha256,
            record.state,
            in_us(record.created),
            in_us(record.updated),
            in_us(record.expires),
            _duration_us(record),
            record.error,
        ),
    )
    refer(connection, _owner(record), [StoredBlob(record.sha256, record.size)])


def _remove(connection: sqlite3.Connection, project: str, file_id: str) -> FileRecord | None:
    rows = connection.execute(_REMOVE, (project, file_id)).fetchall()
    if not rows:
        return None
    removed = _record(rows[0])
    release(connection, _owner(removed))
    return removed


def _owner(record: FileRecord) -> Owner:
    return Owner(record.project, "file", record.id)


def _duration_us(record: FileRecord) -> int | None:
    return None if record.duration is None else record.duration // US


def _record(row: _Row) -> FileRecord:
    duration = None if row[10] is None else row[10] * US
    return FileRecord(*row[:7], from_us(row[7]), from_us(row[8]), from_us(row[9]), duration, row[11])
