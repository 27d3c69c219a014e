"""Files of a project: records with an expiry, and their bytes.

A file that is missing, expired, or another project's looks the same from outside: permission denied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import IO, TypeVar

from ..concurrency.locks import uncancelled
from ..domain.clock import Clock
from ..domain.errors import PermissionDenied
from ..domain.media import Data, Descriptor
from .contents import Contents
from .records import FileRecord, FileRecords, Page, StorageUsage

LIFETIME = timedelta(hours=48)

T = TypeVar("T")


class FileStore:
    """The files of all projects: their records and their bytes. `Uploads` creates them."""

    def __init__(self, records: FileRecords, contents: Contents, clock: Clock) -> None:
        self._records = records
        self._contents = contents
        self._clock = clock

    async def get(self, project: str, file_id: str) -> FileRecord:
        """Return a file of the project; raise where it may not exist."""
        return _granted(await self._records.get(project, file_id, self._clock()), file_id)

    async def map(self, record: FileRecord) -> Data:
        """Map a file's bytes rather than copy them, whatever its state; raise where they are gone."""
        data: Data | None = await self._contents.map(record.sha256)
        if data is None:
            # Deleted since the record was read.
            raise _denied(record.id)
        return data

    async def open(self, record: FileRecord) -> IO[bytes]:
        """Open a file's bytes for reading, as a real file; raise where they are gone."""
        return _granted(await self._contents.open(record.sha256), record.id)

    async def open_descriptor(self, record: FileRecord) -> Descriptor:
        """Open a file's bytes for as long as the descriptor is referenced. Raises where they are gone."""
        return _granted(await self._contents.open_descriptor(record.sha256), record.id)

    async def list(self, project: str, limit: int, before: int | None = None) -> Page:
        """Return up to `limit` files of the project, newest first, older than `before`."""
        return await self._records.list(project, limit, self._clock(), before)

    async def delete(self, project: str, file_id: str) -> None:
        """Delete a file, and its bytes unless they are in use elsewhere. Raises where it may not exist."""
        record = _granted(await self._records.remove(project, file_id, self._clock()), file_id)
        # Bytes go only after it is certain that the record is gone.
        await uncancelled(self._contents.drop_unused(record.sha256))

    async def activate(self, record: FileRecord, duration: timedelta | None) -> None:
        """Mark an inspected file as ACTIVE. One that is no longer PROCESSING stays as it is."""
        settled = replace(record, state="ACTIVE", duration=duration, error=None, updated=self._clock())
        await self._records.settle(settled)

    async def fail(self, record: FileRecord, message: str) -> None:
        """Mark a file as FAILED, and store why. One that is no longer PROCESSING stays as it is."""
        settled = replace(record, state="FAILED", duration=None, error=message, updated=self._clock())
        await self._records.settle(settled)

    async def pending(self) -> Sequence[FileRecord]:
        """Return the files of all projects that wait for their inspection, oldest first."""
        return await self._records.pending(self._clock())

    async def usage(self) -> StorageUsage:
        """Count what is stored."""
        return await self._records.usage(self._clock())

    async def remove_expired(self, limit: int) -> Sequence[FileRecord]:
        """Delete up to `limit` expired files; the caller drops their bytes."""
        return await self._records.remove_expired(limit, self._clock())


def _granted(found: T | None, file_id: str) -> T:
    if found is None:
        raise _denied(file_id)
    return found


def _denied(file_id: str) -> PermissionDenied:
    return PermissionDenied(f"You do not have permission to access the File {file_id} or it may not exist.")
