"""Files of a project: records with an expiry, and their bytes.

The same bytes are kept once, for files and for stored interactions together.
A file that is missing, expired, or another project's looks the same from outside: permission denied.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from obstore.store import LocalStore

from ..concurrency.locks import uncancelled
from ..domain.clock import Clock, now
from ..domain.errors import AlreadyExists, PermissionDenied, TwinlensError
from ..domain.media import Data, Descriptor
from .blobs import Blobs
from .folder import DataFolder
from .sqlite.database import Database, Work
from .sqlite.times import from_us, in_us

if TYPE_CHECKING:
    from obstore.store import ObjectStore

FileState = Literal["PROCESSING", "ACTIVE", "FAILED"]

LIFETIME = timedelta(hours=48)

_US = timedelta(microseconds=1)
_COLUMNS = (
    "project, id, display_name, mime_type, size, sha256, state, created_us, updated_us, expires_us, "
    "duration_us, error"
)
_OLD = "SELECT seq FROM files WHERE expires_us <= ? ORDER BY expires_us LIMIT ?"
_Row = tuple[str, str, str | None, str, int, str, FileState, int, int, int, int | None, str | None]


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What is known of a file. `sha256` is in hexadecimal, times are in UTC.

    `duration` is a video's, once it was looked into; `error` says why a file is FAILED.
    """

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
    duration: timedelta | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some files of a project, newest first. `next` continues after the last one; None is the end."""

    files: tuple[FileRecord, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class StorageUsage:
    """What is kept, of all projects together.

    `bytes` are what the files say they have, `blob_bytes` what they take: the same bytes count once.
    """

    files: int
    bytes: int
    blobs: int
    blob_bytes: int
    uploads: int
    upload_bytes: int


class FileStore:
    """Keeps files under `data_dir`: records in `twinlens.db`, bytes in `blobs/` or in another store.

    Uploads share its database, its blobs and its clock. Raises `DataFolderError` where the folder cannot
    be used; from then on the folder, and `store` with it, is this file store's alone, until `close`:
    bytes that none of its records names are swept away.
    """

    def __init__(self, data_dir: Path, *, clock: Clock = now, store: ObjectStore | None = None) -> None:
        self._folder = DataFolder(data_dir)
        try:
            self.data_dir = self._folder.path
            self.database = Database(
                self.data_dir / "twinlens.db", self._folder.reserve, check=self._folder.check
            )
        except BaseException:
            self._folder.close()
            raise
        self.blobs = Blobs(store or LocalStore(self.data_dir), self.data_dir, self._folder.check)
        self.clock = clock
        self._hear_of_drop: Callable[[str, frozenset[str]], None] = lambda _sha256, _projects: None
        self._pins = Counter[str]()

    def on_drop(self, hear: Callable[[str, frozenset[str]], None]) -> None:
        """Have `hear` called with the hash of every content that something has ceased to name.

        It is told as well which projects still have it: what was made of it for others can go.
        """
        self._hear_of_drop = hear

    async def close(self) -> None:
        """Let go of the database and the folder. Called once, when no request is under way."""
        try:
            await self.database.close()
        finally:
            self._folder.close()

    async def get(self, project: str, file_id: str) -> FileRecord:
        """Find a file of the project; raise where it may not exist."""
        record = await self.database.read(lambda connection: self.find(connection, project, file_id))
        if record is None:
            raise _denied(file_id)
        return record

    async def map(self, record: FileRecord) -> Data:
        """Give a file's bytes, mapped rather than copied, whatever its state; raise where they are gone."""
        data = await self.blobs.map(record.sha256)
        if data is None:
            # Deleted since the record was read.
            raise _denied(record.id)
        return data

    async def open(self, record: FileRecord) -> IO[bytes]:
        """Open a file's bytes for reading, as a real file; raise where they are gone."""
        file = await self.blobs.open(record.sha256)
        if file is None:
            raise _denied(record.id)
        return file

    async def hold(self, record: FileRecord) -> Descriptor:
        """Open a file's bytes for as long as anybody holds what is given; raise where they are gone."""
        file = await self.blobs.lend(record.sha256)
        if file is None:
            raise _denied(record.id)
        return file

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
        """Delete a file, and its bytes unless somebody else wants them; raise where it may not exist."""

        def work(connection: sqlite3.Connection) -> FileRecord | None:
            record = self.find(connection, project, file_id)
            connection.execute("DELETE FROM files WHERE project = ? AND id = ?", (project, file_id))
            return record

        record = await self.database.free(work)
        if record is None:
            raise _denied(file_id)
        # Bytes go only after it is certain that the record is gone.
        await uncancelled(self.drop_unused(record.sha256))

    async def activate(self, record: FileRecord, duration: timedelta | None) -> None:
        """Let a file be used, now that it was looked into. One that is no longer waiting stays as it is."""
        await self._settle(record, "ACTIVE", None if duration is None else duration // _US, None)

    async def fail(self, record: FileRecord, message: str) -> None:
        """Say that a file cannot be used, and why. One that is no longer waiting stays as it is."""
        await self._settle(record, "FAILED", None, message)

    async def pending(self) -> Sequence[FileRecord]:
        """List the files of all projects that wait to be looked into, oldest first."""
        query = f"SELECT {_COLUMNS} FROM files WHERE state = 'PROCESSING' AND expires_us > ? ORDER BY seq"  # noqa: S608
        time = in_us(self.clock())
        rows = await self.database.read(lambda connection: connection.execute(query, (time,)).fetchall())
        return [_record(row) for row in rows]

    async def trouble(self) -> str | None:
        """Say in a few words what keeps files from being stored now; None where nothing does."""
        return await asyncio.to_thread(self._folder.trouble)

    async def usage(self) -> StorageUsage:
        """Count what is kept."""
        time = in_us(self.clock())

        def work(connection: sqlite3.Connection) -> StorageUsage:
            files = connection.execute(
                "SELECT count(*), coalesce(sum(size), 0) FROM files WHERE expires_us > ?", (time,)
            ).fetchone()
            blobs = connection.execute(
                # In the order of their indexes the two are merged; else all rows would be put into a tree.
                "SELECT count(*), coalesce(sum(size), 0) FROM (SELECT sha256, size FROM files "
                "UNION SELECT sha256, size FROM interaction_contents ORDER BY sha256, size)"
            ).fetchone()
            uploads = connection.execute(
                "SELECT count(*), coalesce(sum(received), 0) FROM uploads WHERE state = 'active'"
            ).fetchone()
            return StorageUsage(*files, *blobs, *uploads)

        return await self.database.read(work)

    async def remove_expired(self, limit: int) -> Sequence[FileRecord]:
        """Forget up to `limit` files whose time is over; their bytes are the caller's to drop."""
        query = f"DELETE FROM files WHERE seq IN ({_OLD}) RETURNING {_COLUMNS}"  # noqa: S608
        values = (in_us(self.clock()), limit)
        rows = await self.database.free(lambda connection: connection.execute(query, values).fetchall())
        return [_record(row) for row in rows]

    async def unnamed(self, hashes: Iterable[str]) -> set[str]:
        """Give those of these contents that nobody wants: not named by a record, not being kept."""
        return await self._unrecorded(hashes) - self._pins.keys()

    @asynccontextmanager
    async def keeping(self, hashes: Iterable[str]) -> AsyncIterator[None]:
        """Have these contents stay although no record names them yet; those that get none go in the end.

        Whoever enters sees to it that their bytes are here, with `keep_bytes`, and then writes the record.
        """
        kept = set(hashes)
        self._pins.update(kept)
        try:
            yield
        finally:
            self._pins -= Counter(kept)
            if kept:
                await uncancelled(self._drop_all_unused(kept))

    async def keep_bytes(self, data: Data, sha256: str) -> None:
        """See to it that bytes are in the store, as safe as it can make them; write only what is not there.

        A crash before a record names them leaves bytes that are swept at the next start.
        """
        part = self.data_dir / "uploads" / f"kept-{secrets.token_urlsafe(24)}"
        async with self.blobs.hold(sha256):
            await uncancelled(self.blobs.put(data, sha256, part))

    async def keep(self, record: FileRecord, part: Path, also: Work[object]) -> None:
        """Adopt the synced bytes of `part`, then do `also` and add the record in one transaction.

        A crash in between leaves bytes that no record names.
        """

        def work(connection: sqlite3.Connection) -> None:
            also(connection)
            self.add(connection, record)

        async with self.blobs.hold(record.sha256):
            try:
                await self.blobs.adopt(part, record.sha256)
                await self.database.write(work)
            except BaseException:
                with suppress(TwinlensError):
                    await self._undo(part, record.sha256)
                raise

    async def drop_unused(self, sha256: str) -> bool:
        """Drop the bytes unless somebody wants them; tell whether they went."""
        async with self.blobs.hold(sha256):
            unwanted = await self.unnamed([sha256])
            if unwanted:
                await self._drop(sha256)
            elif sha256 not in self._pins:
                self._hear_of_drop(sha256, await self._projects_of(sha256))
            return bool(unwanted)

    async def _drop_all_unused(self, hashes: Iterable[str]) -> None:
        # What cannot be dropped now is left to the sweeper.
        with suppress(TwinlensError):
            for sha256 in await self.unnamed(hashes):
                await self.drop_unused(sha256)

    async def _undo(self, part: Path, sha256: str) -> None:
        """Drop a blob whose record could not be written, unless somebody wants it, while it is held."""
        # More may be written to the part. Who is keeping this content has yet to ask for its bytes then.
        is_part = await self.blobs.is_part(part, sha256)
        if await (self._unrecorded([sha256]) if is_part else self.unnamed([sha256])):
            await self._drop(sha256)

    async def _drop(self, sha256: str) -> None:
        await self.blobs.drop(sha256)
        self._hear_of_drop(sha256, frozenset())

    async def _projects_of(self, sha256: str) -> frozenset[str]:
        """Give the projects whose records name a content."""
        query = (
            "SELECT project FROM files WHERE sha256 = :sha256 "
            "UNION SELECT project FROM interaction_contents WHERE sha256 = :sha256"
        )

        def work(connection: sqlite3.Connection) -> frozenset[str]:
            return frozenset(row[0] for row in connection.execute(query, {"sha256": sha256}))

        return await self.database.read(work)

    async def _unrecorded(self, hashes: Iterable[str]) -> set[str]:
        """Give those of these contents that no record names."""

        def work(connection: sqlite3.Connection) -> set[str]:
            return {sha256 for sha256 in hashes if not _is_named(connection, sha256)}

        return await self.database.read(work)

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
            f"INSERT INTO files ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
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
                None if record.duration is None else record.duration // _US,
                record.error,
            ),
        )

    async def _settle(
        self, record: FileRecord, state: FileState, duration_us: int | None, error: str | None
    ) -> None:
        """Write down what became of a file, unless it was deleted or replaced since `record` was read."""
        statement = (
            "UPDATE files SET state = ?, duration_us = ?, error = ?, updated_us = ? WHERE project = ? "
            "AND id = ? AND sha256 = ? AND mime_type = ? AND state = 'PROCESSING'"
        )
        found = (state, duration_us, error, in_us(self.clock()))
        values = (*found, record.project, record.id, record.sha256, record.mime_type)
        await self.database.write(lambda connection: connection.execute(statement, values))


def _record(row: _Row) -> FileRecord:
    duration = None if row[10] is None else row[10] * _US
    return FileRecord(*row[:7], from_us(row[7]), from_us(row[8]), from_us(row[9]), duration, row[11])


def _is_named(connection: sqlite3.Connection, sha256: str) -> bool:
    query = (
        "SELECT EXISTS (SELECT 1 FROM files WHERE sha256 = :sha256) "
        "OR EXISTS (SELECT 1 FROM interaction_contents WHERE sha256 = :sha256)"
    )
    return bool(connection.execute(query, {"sha256": sha256}).fetchone()[0])


def _denied(file_id: str) -> PermissionDenied:
    return PermissionDenied(f"You do not have permission to access the File {file_id} or it may not exist.")
