"""Uploads as the database keeps them, and the room there is for them.

Everything here happens within a transaction of the caller's, so that it can be one with what follows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from ..domain.errors import AlreadyExists, NotFound
from .files import FileStore
from .quota import Quota, measure
from .sqlite.times import in_us

UploadState = Literal["active", "final", "cancelled"]

_COLUMNS = "id, project, file_id, display_name, mime_type, size, state, received, sha256"


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload and how far it got: `received` bytes are safe. `sha256` is known once it is final."""

    id: str
    project: str
    file_id: str
    display_name: str | None
    mime_type: str | None
    size: int | None
    state: UploadState
    received: int
    sha256: str | None = None


class UploadRecords:
    """The uploads of all projects. One whose time is over is not found, and takes no room."""

    def __init__(self, files: FileStore, *, max_project_bytes: int, lifetime: timedelta) -> None:
        self._files = files
        self._max_project_bytes = max_project_bytes
        self._lifetime = lifetime

    def find(self, connection: sqlite3.Connection, upload_id: str) -> Upload:
        """Find an upload, whatever its state; raise where there is none."""
        query = f"SELECT {_COLUMNS} FROM uploads WHERE id = ? AND created_us > ?"  # noqa: S608
        row = connection.execute(query, (upload_id, self._oldest_us())).fetchone()
        if row is None:
            raise _unknown()
        return Upload(*row)

    def room(self, connection: sqlite3.Connection, upload: Upload) -> Quota:
        """Look how much room the project has for this upload, from its first byte on."""
        return measure(
            connection,
            upload.project,
            self._max_project_bytes,
            now_us=in_us(self._files.clock()),
            oldest_us=self._oldest_us(),
            besides=upload.id,
        )

    def admit(self, connection: sqlite3.Connection, upload: Upload) -> Quota:
        """Refuse a name that is taken and a size that does not fit; give the room."""
        if self._files.find(connection, upload.project, upload.file_id):
            raise AlreadyExists(f"The File {upload.file_id} already exists.")
        quota = self.room(connection, upload)
        if upload.size is not None and upload.size > quota.left:
            raise quota.exhausted()
        return quota

    def add(self, connection: sqlite3.Connection, upload: Upload) -> None:
        """Admit an upload and write it down."""
        self.admit(connection, upload)
        values = (
            upload.id,
            upload.project,
            upload.file_id,
            upload.display_name,
            upload.mime_type,
            upload.size,
            upload.state,
            upload.received,
            upload.sha256,
            in_us(self._files.clock()),
        )
        connection.execute(
            f"INSERT INTO uploads ({_COLUMNS}, created_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            values,
        )

    def advance(self, connection: sqlite3.Connection, upload: Upload, received: int) -> None:
        """Note that so many bytes are safe."""
        statement = "UPDATE uploads SET received = ? WHERE id = ? AND state = 'active'"
        if not connection.execute(statement, (received, upload.id)).rowcount:
            raise _unknown()

    def end(self, connection: sqlite3.Connection, upload: Upload, received: int, sha256: str) -> None:
        """Note that so many bytes have become a file."""
        statement = (
            "UPDATE uploads SET state = 'final', received = ?, sha256 = ? WHERE id = ? AND state = 'active'"
        )
        if not connection.execute(statement, (received, sha256, upload.id)).rowcount:
            raise _unknown()

    def cancel(self, connection: sqlite3.Connection, upload: Upload) -> None:
        """Note that an upload was given up, unless it has become a file."""
        statement = "UPDATE uploads SET state = 'cancelled', received = 0 WHERE id = ? AND state = 'active'"
        connection.execute(statement, (upload.id,))

    def expired(self, connection: sqlite3.Connection, limit: int) -> list[Upload]:
        """List up to `limit` uploads whose time is over, oldest first."""
        query = f"SELECT {_COLUMNS} FROM uploads WHERE created_us <= ? ORDER BY created_us LIMIT ?"  # noqa: S608
        return [Upload(*row) for row in connection.execute(query, (self._oldest_us(), limit))]

    def forget(self, connection: sqlite3.Connection, uploads: Iterable[Upload]) -> None:
        """Remove what is known of uploads."""
        connection.executemany("DELETE FROM uploads WHERE id = ?", [(upload.id,) for upload in uploads])

    def active(self, connection: sqlite3.Connection) -> set[str]:
        """List the ids of all uploads under way."""
        return {row[0] for row in connection.execute("SELECT id FROM uploads WHERE state = 'active'")}

    def _oldest_us(self) -> int:
        return in_us(self._files.clock() - self._lifetime)


def _unknown() -> NotFound:
    return NotFound("The upload session does not exist or has expired.")
