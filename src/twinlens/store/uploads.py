"""Resumable uploads: start, receive at an offset, finish; or ask how far it got, or cancel.

What was acknowledged is on the disk: the bytes are synced before the count of them is, and both
before the caller hears of it. Bytes that have been acknowledged never change: sending them again is
a retry, and they are compared. The file is made of one part file in `data_dir/uploads/`.

An upload's id is a capability: whoever has it may write, and nobody else can guess it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import sqlite3
import string
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

from ..domain.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from .blobs import disk_errors, make_folder, sync_folder
from .files import LIFETIME, FileRecord, FileStore, in_us
from .turns import Turn, Turns

UploadState = Literal["active", "final", "cancelled"]
Sniff = Callable[[bytes], str | None]
"""From the first bytes of a file to its MIME type; None where they are of no known kind."""

SESSION_LIFETIME = timedelta(days=7)
MAX_FILE_BYTES = 2 * 1024**3
HEAD_BYTES = 4096
BLOCK_BYTES = 1024 * 1024
"""Written at a time: the memory an upload takes, twice over."""

_ID_LETTERS = string.ascii_lowercase + string.digits
_COLUMNS = "id, project, file_id, display_name, mime_type, size, state, received, sha256"


@dataclass(frozen=True, slots=True)
class Draft:
    """A file to be: what its owner says of it. What is None is chosen, sniffed or counted here."""

    project: str
    file_id: str | None = None
    display_name: str | None = None
    mime_type: str | None = None
    size: int | None = None


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


class Uploads:
    """The uploads into a file store."""

    def __init__(
        self,
        files: FileStore,
        *,
        sniff: Sniff = lambda _head: None,
        max_file_bytes: int = MAX_FILE_BYTES,
    ) -> None:
        self._files = files
        self._sniff = sniff
        self._max_file_bytes = max_file_bytes
        self._turns = Turns()
        self._folder = files.data_dir / "uploads"
        with disk_errors():
            make_folder(self._folder)

    async def start(self, draft: Draft) -> Upload:
        """Open an upload. A name that is taken and a size over the limit are refused at once."""
        if draft.size is not None and draft.size > self._max_file_bytes:
            raise self._too_large()
        upload = Upload(
            id=secrets.token_urlsafe(24),
            project=draft.project,
            file_id=draft.file_id or "".join(secrets.choice(_ID_LETTERS) for _ in range(12)),
            display_name=draft.display_name,
            mime_type=draft.mime_type,
            size=draft.size,
            state="active",
            received=0,
        )
        await asyncio.to_thread(self._create_part, upload)
        await self._files.database.write(lambda connection: self._insert(connection, upload))
        return upload

    async def query(self, upload_id: str) -> Upload:
        """Tell how far an upload got."""
        query = f"SELECT {_COLUMNS} FROM uploads WHERE id = ? AND created_us > ?"  # noqa: S608
        oldest = in_us(self._files.clock() - SESSION_LIFETIME)
        row = await self._files.database.read(
            lambda connection: connection.execute(query, (upload_id, oldest)).fetchone()
        )
        if row is None:
            raise NotFound("The upload session does not exist or has expired.")
        return Upload(*row)

    async def receive(
        self, upload_id: str, offset: int, stream: AsyncIterable[bytes], length: int | None = None
    ) -> Upload:
        """Write what the stream brings from `offset` on, and return once it is safe.

        An offset beyond what was received is refused: there would be a gap. `length`, where it is
        known, lets a stream that is too long be refused unread. Where the stream breaks, what came is
        kept, and the upload can go on from there.
        """
        async with self._turns.take(upload_id) as turn:
            async with turn.step():
                upload = await self._live(upload_id)
            if upload.state == "final":
                # A retry after a lost answer; its bytes can be compared only while the file is here.
                await self._files.get(upload.project, upload.file_id)
            if offset > upload.received:
                raise InvalidArgument(
                    f"The upload has received {upload.received} bytes; it cannot go on at {offset}."
                )
            self._check_room(upload, offset + (length or 0))
            position = offset
            try:
                async with aclosing(_gathered(stream)) as blocks:
                    async for block in blocks:
                        self._check_room(upload, position + len(block))
                        async with turn.step():
                            await asyncio.to_thread(self._write, upload, position, block)
                        position += len(block)
            finally:
                upload = await self._acknowledge(turn, upload, position)
            return upload

    async def finish(self, upload_id: str) -> FileRecord:
        """Turn the received bytes into a file. Finishing again gives the same file."""
        async with self._turns.take(upload_id) as turn, turn.step():
            upload = await self._live(upload_id)
            if upload.state == "final":
                return await self._files.get(upload.project, upload.file_id)
            if upload.size is not None and upload.received != upload.size:
                raise InvalidArgument(
                    f"The upload has received {upload.received} of the {upload.size} bytes declared."
                )
            try:
                return await self._keep(upload)
            except (InvalidArgument, AlreadyExists):
                await self._close(upload)
                raise

    async def cancel(self, upload_id: str) -> None:
        """Give up an upload and forget its bytes."""
        async with self._turns.take(upload_id) as turn, turn.step():
            upload = await self._live(upload_id)
            if upload.state == "final":
                raise FailedPrecondition("The upload is finished; delete its file instead.")
            await self._close(upload)

    async def _live(self, upload_id: str) -> Upload:
        upload = await self.query(upload_id)
        if upload.state == "cancelled":
            raise NotFound("The upload session was cancelled.")
        return upload

    def _insert(self, connection: sqlite3.Connection, upload: Upload) -> None:
        if self._files.find(connection, upload.project, upload.file_id):
            raise AlreadyExists(f"The File {upload.file_id} already exists.")
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

    def _check_room(self, upload: Upload, end: int) -> None:
        if upload.state == "final" and end > upload.received:
            raise InvalidArgument(f"The upload is finished at {upload.received} bytes.")
        if upload.size is not None and end > upload.size:
            raise InvalidArgument(f"The upload was declared with {upload.size} bytes; this is more.")
        if end > self._max_file_bytes:
            raise self._too_large()

    def _too_large(self) -> InvalidArgument:
        return InvalidArgument(f"File size exceeds the limit: {self._max_file_bytes} bytes.")

    async def _acknowledge(self, turn: Turn, upload: Upload, position: int) -> Upload:
        """Make everything up to `position` safe, and only then say so."""
        if position <= upload.received:
            return upload
        async with turn.step():
            await asyncio.to_thread(_sync, self._part(upload))
            await self._files.database.write(
                lambda connection: connection.execute(
                    "UPDATE uploads SET received = ? WHERE id = ?", (position, upload.id)
                )
            )
        return replace(upload, received=position)

    async def _keep(self, upload: Upload) -> FileRecord:
        sha256, head = await asyncio.to_thread(self._seal, upload)
        mime_type = upload.mime_type or self._sniff(head)
        if mime_type is None:
            raise InvalidArgument("Unsupported MIME type: application/octet-stream", field="file.mime_type")
        time = self._files.clock()
        record = FileRecord(
            project=upload.project,
            id=upload.file_id,
            display_name=upload.display_name,
            mime_type=mime_type,
            size=upload.received,
            sha256=sha256,
            state="ACTIVE",
            created=time,
            updated=time,
            expires=time + LIFETIME,
        )

        def work(connection: sqlite3.Connection) -> None:
            self._files.add(connection, record)
            connection.execute(
                "UPDATE uploads SET state = 'final', sha256 = ? WHERE id = ?", (sha256, upload.id)
            )
            self._files.blobs.adopt(self._part(upload), sha256)

        await self._files.database.write(work)
        await asyncio.to_thread(self._remove_part, upload)
        return record

    async def _close(self, upload: Upload) -> None:
        await self._files.database.write(
            lambda connection: connection.execute(
                "UPDATE uploads SET state = 'cancelled', received = 0 WHERE id = ?", (upload.id,)
            )
        )
        await asyncio.to_thread(self._remove_part, upload)

    def _part(self, upload: Upload) -> Path:
        return self._folder / upload.id

    def _create_part(self, upload: Upload) -> None:
        with disk_errors():
            self._part(upload).touch(mode=0o600, exist_ok=False)
            sync_folder(self._folder)

    def _remove_part(self, upload: Upload) -> None:
        with disk_errors():
            self._part(upload).unlink(missing_ok=True)

    def _write(self, upload: Upload, position: int, block: bytes) -> None:
        """Write a block; what has been acknowledged before is compared instead."""
        known = block[: max(upload.received - position, 0)]
        path = self._files.blobs.path_of(upload.sha256) if upload.sha256 else self._part(upload)
        with disk_errors(), path.open("rb" if len(known) == len(block) else "r+b") as file:
            file.seek(position)
            if file.read(len(known)) != known:
                raise InvalidArgument(
                    f"The bytes sent again from {position} on differ from those received before."
                )
            if len(known) < len(block):
                file.write(memoryview(block)[len(known) :])

    def _seal(self, upload: Upload) -> tuple[str, bytes]:
        """Cut off what was never acknowledged; give the hash and the first bytes of the rest."""
        with disk_errors(), self._part(upload).open("r+b") as file:
            if file.seek(0, os.SEEK_END) != upload.received:
                file.truncate(upload.received)
                os.fsync(file.fileno())
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            return sha256, file.read(HEAD_BYTES)


async def _gathered(stream: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """Join the small pieces of a stream into blocks worth a trip to another thread."""
    waiting = bytearray()
    async for piece in stream:
        waiting += piece
        if len(waiting) >= BLOCK_BYTES:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


def _sync(path: Path) -> None:
    with disk_errors(), path.open("rb") as file:
        os.fsync(file.fileno())
