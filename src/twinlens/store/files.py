"""Files of a project: records with an expiry, and their bytes.

A file that is missing, expired, or another project's looks the same from outside: permission denied.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from ..domain.errors import AlreadyExists, FailedPrecondition, PermissionDenied
from ..domain.media import Data
from .blobs import Blobs, disk_errors, make_folder
from .database import Database

FileState = Literal["PROCESSING", "ACTIVE", "FAILED"]
Clock = Callable[[], datetime]

LIFETIME = timedelta(hours=48)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = "project, id, display_name, mime_type, size, sha256, state, created_us, updated_us, expires_us"


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What is known of a file. `sha256` is in hexadecimal, times are in UTC."""

    project: str
    id: str
    display_name: str | None
    mime_type: str
    size: int
    sha256: str
    state: FileState
    created: datetime
    updated: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Some files of a project, newest first. `next` continues after the last one; None is the end."""

    files: tuple[FileRecord, ...]
    next: int | None


def now() -> datetime:
    """Tell the time in UTC."""
    return datetime.now(UTC)


class FileStore:
    """Keeps files under `data_dir`: records in `twinlens.db`, bytes in `blobs/`.

    Uploads share its database, its blobs and its clock.
    """

    def __init__(self, data_dir: Path, *, clock: Clock = now) -> None:
        with disk_errors():
            make_folder(data_dir)
            self.blobs = Blobs(data_dir / "blobs")
        self.database = Database(data_dir / "twinlens.db")
        self.data_dir = data_dir
        self.clock = clock

    async def close(self) -> None:
        """Let go of the database. Called once, when no request is under way."""
        await self.database.close()

    async def get(self, project: str, file_id: str) -> FileRecord:
        """Find a file of the project; raise where it may not exist."""
        record = await self.database.read(lambda connection: self.find(connection, project, file_id))
        if record is None:
            raise _denied(file_id)
        return record

    async def read(self, project: str, file_id: str) -> tuple[Data, str]:
        """Give a file's bytes, mapped rather than copied, and its MIME type."""
        record = await self.get(project, file_id)
        if record.state != "ACTIVE":
            raise FailedPrecondition(
                f"The File {file_id} is not in an ACTIVE state and usage is not allowed."
            )
        data = await asyncio.to_thread(_mapped, self.blobs.path_of(record.sha256))
        if data is None:
            # Deleted since the record was read.
            raise _denied(file_id)
        return data, record.mime_type

    async def list(self, project: str, limit: int, before: int | None = None) -> Page:
        """Give up to `limit` files of the project, newest first, older than `before`."""
        query = (
            f"SELECT seq, {_COLUMNS} FROM files WHERE project = ? AND expires_us > ? AND seq < ? "  # noqa: S608
            "ORDER BY seq DESC LIMIT ?"
        )
        values = (project, in_us(self.clock()), 2**63 - 1 if before is None else before, limit + 1)
        rows = await self.database.read(lambda connection: connection.execute(query, values).fetchall())
        # The one row too many is how we know that another page is not empty.
        shown = rows[:limit]
        return Page(tuple(_record(row[1:]) for row in shown), shown[-1][0] if len(rows) > limit else None)

    async def delete(self, project: str, file_id: str) -> None:
        """Delete a file, and its bytes unless another file has the same; raise where it may not exist."""

        def work(connection: sqlite3.Connection) -> FileRecord | None:
            record = self.find(connection, project, file_id)
            connection.execute("DELETE FROM files WHERE project = ? AND id = ?", (project, file_id))
            return record

        record = await self.database.write(work)
        if record is None:
            raise _denied(file_id)
        # In a second transaction: bytes go only after it is certain that the record is gone.
        await self.database.write(lambda connection: self._drop_unused(connection, record.sha256))

    def find(self, connection: sqlite3.Connection, project: str, file_id: str) -> FileRecord | None:
        """Find a file that has not expired, within a transaction."""
        query = f"SELECT {_COLUMNS} FROM files WHERE project = ? AND id = ? AND expires_us > ?"  # noqa: S608
        row = connection.execute(query, (project, file_id, in_us(self.clock()))).fetchone()
        return None if row is None else _record(row)

    def add(self, connection: sqlite3.Connection, record: FileRecord) -> None:
        """Add a file within a transaction; raise where its name is taken by one that has not expired."""
        if self.find(connection, record.project, record.id):
            raise AlreadyExists(f"The File {record.id} already exists.")
        # An expired file may still be in the way.
        connection.execute("DELETE FROM files WHERE project = ? AND id = ?", (record.project, record.id))
        connection.execute(
            f"INSERT INTO files ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
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
            ),
        )

    def _drop_unused(self, connection: sqlite3.Connection, sha256: str) -> None:
        if connection.execute("SELECT 1 FROM files WHERE sha256 = ? LIMIT 1", (sha256,)).fetchone() is None:
            self.blobs.drop(sha256)


def in_us(time: datetime) -> int:
    """Write a time as the database keeps it."""
    return (time - _EPOCH) // timedelta(microseconds=1)


def _time(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


def _record(row: tuple[str, str, str | None, str, int, str, FileState, int, int, int]) -> FileRecord:
    return FileRecord(*row[:7], _time(row[7]), _time(row[8]), _time(row[9]))


def _mapped(path: Path) -> Data | None:
    with disk_errors():
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return None
        with file:
            size = file.seek(0, os.SEEK_END)
            # An empty file cannot be mapped.
            return memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)) if size else b""


def _denied(file_id: str) -> PermissionDenied:
    return PermissionDenied(f"You do not have permission to access the File {file_id} or it may not exist.")
