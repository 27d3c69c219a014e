"""Uploads in the database, and the room there is for them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime

from ..quota import Quota
from ..records import FileRecord, Limits, Upload, file_exists, upload_missing
from .database import Database
from .files import add_file, find_file
from .times import in_us

_COLUMNS = "id, project, file_id, display_name, mime_type, size, state, received, sha256"
_GET = f"SELECT {_COLUMNS} FROM uploads WHERE id = ? AND created_us > ?"  # noqa: S608
_ADD = f"INSERT INTO uploads ({_COLUMNS}, created_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_ADVANCE = "UPDATE uploads SET received = ? WHERE id = ? AND state = 'active'"
_END = "UPDATE uploads SET state = 'final', received = ?, sha256 = ? WHERE id = ? AND state = 'active'"
_CANCEL = "UPDATE uploads SET state = 'cancelled', received = 0 WHERE id = ? AND state = 'active'"
_EXPIRED = f"SELECT {_COLUMNS} FROM uploads WHERE created_us <= ? ORDER BY created_us LIMIT ?"  # noqa: S608
_USED = """SELECT
    (SELECT coalesce(sum(size), 0) FROM files WHERE project = :project AND expires_us > :now)
    + (SELECT coalesce(sum(received), 0) FROM uploads
        WHERE project = :project AND state = 'active' AND created_us > :oldest AND id <> :id)"""


class SqliteUploadRecords:
    """`twinlens.store.records.UploadRecords`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, upload_id: str, oldest: datetime) -> Upload:
        """Return an upload in whatever state; raise where there is none, or it has expired."""
        return await self._database.read(lambda connection: _find(connection, upload_id, oldest))

    async def get_with_room(self, upload_id: str, limits: Limits) -> tuple[Upload, Quota]:
        """Return an upload, and the room there is for it from its first byte on."""

        def work(connection: sqlite3.Connection) -> tuple[Upload, Quota]:
            upload = _find(connection, upload_id, limits.oldest)
            return upload, _room(connection, upload, limits)

        return await self._database.read(work)

    async def admit(self, upload: Upload, limits: Limits) -> Quota:
        """Return the room; raise where the name is taken or the declared size does not fit."""
        return await self._database.read(lambda connection: _admit(connection, upload, limits))

    async def add(self, upload: Upload, limits: Limits) -> None:
        """Admit an upload and write it down."""
        await self._database.write(lambda connection: _add(connection, upload, limits))

    async def advance(
        self, upload: Upload, received: int, limits: Limits, *, listed: bool = True
    ) -> tuple[int, Quota]:
        """Count bytes of an upload as safe, as far as there is room; return how many, and the room."""

        def work(connection: sqlite3.Connection) -> tuple[int, Quota]:
            if not listed:
                _add(connection, upload, limits)
            quota = _room(connection, upload, limits)
            safe = max(upload.received, min(received, quota.left))
            if not connection.execute(_ADVANCE, (safe, upload.id)).rowcount:
                raise upload_missing()
            return safe, quota

        return await self._database.write(work)

    async def finish(
        self, upload: Upload, record: FileRecord, limits: Limits, *, listed: bool = True
    ) -> None:
        """Make an upload a file: the file with its reference is added, and a `listed` upload is final."""

        def work(connection: sqlite3.Connection) -> None:
            is_more = record.size > upload.received
            if is_more and record.size > (quota := _room(connection, upload, limits)).left:
                raise quota.exhausted()
            ended = (record.size, record.sha256, upload.id)
            if listed and not connection.execute(_END, ended).rowcount:
                raise upload_missing()
            add_file(connection, record, limits.now)

        await self._database.write(work)

    async def cancel(self, upload_id: str) -> None:
        """Mark an active upload as cancelled, with no bytes."""
        await self._database.free(lambda connection: connection.execute(_CANCEL, (upload_id,)))

    async def expired(self, limit: int, oldest: datetime) -> Sequence[Upload]:
        """Return up to `limit` uploads in any state that have expired, oldest first."""
        values = (in_us(oldest), limit)
        rows = await self._database.read(lambda connection: connection.execute(_EXPIRED, values).fetchall())
        return [Upload(*row) for row in rows]

    async def remove(self, upload_ids: Iterable[str]) -> None:
        """Remove uploads, those that are there."""
        rows = [(upload_id,) for upload_id in upload_ids]
        await self._database.free(
            lambda connection: connection.executemany("DELETE FROM uploads WHERE id = ?", rows)
        )

    async def active(self) -> set[str]:
        """Return the ids of all active uploads, expired or not."""
        query = "SELECT id FROM uploads WHERE state = 'active'"
        return await self._database.read(lambda connection: {row[0] for row in connection.execute(query)})


def _find(connection: sqlite3.Connection, upload_id: str, oldest: datetime) -> Upload:
    row = connection.execute(_GET, (upload_id, in_us(oldest))).fetchone()
    if row is None:
        raise upload_missing()
    return Upload(*row)


def _room(connection: sqlite3.Connection, upload: Upload, limits: Limits) -> Quota:
    """Add up what the project of an upload uses beside it."""
    values = {
        "project": upload.project,
        "now": in_us(limits.now),
        "oldest": in_us(limits.oldest),
        "id": upload.id,
    }
    (used,) = connection.execute(_USED, values).fetchone()
    return Quota(used, limits.max_bytes)


def _admit(connection: sqlite3.Connection, upload: Upload, limits: Limits) -> Quota:
    if find_file(connection, upload.project, upload.file_id, limits.now):
        raise file_exists(upload.file_id)
    quota = _room(connection, upload, limits)
    if upload.size is not None and upload.size > quota.left:
        raise quota.exhausted()
    return quota


def _add(connection: sqlite3.Connection, upload: Upload, limits: Limits) -> None:
    _admit(connection, upload, limits)
    connection.execute(
        _ADD,
        (
            upload.id,
            upload.project,
            upload.file_id,
            upload.display_name,
            upload.mime_type,
            upload.size,
            upload.state,
            upload.received,
            upload.sha256,
            in_us(limits.now),
        ),
    )
