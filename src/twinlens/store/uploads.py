"""Resumable uploads: start, receive at an offset, finish; or ask how far it got, or cancel.

What was acknowledged is on the disk: the bytes are synced before the count of them is, and both
before the caller hears of it. Bytes that have been acknowledged never change: sending them again is
a retry, and they are compared. The file is made of one part file.

An upload's id is a capability: whoever has it may write, and nobody else can guess it.
"""

from __future__ import annotations

import asyncio
import secrets
import string
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from ..concurrency.locks import in_thread, uncancelled
from ..domain.clock import Clock
from ..domain.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from ..domain.media_types import UNKNOWN, unsupported
from .chunks import chunks
from .contents import Contents
from .files import LIFETIME, FileStore
from .part_files import PartFile, PartFiles, StoredPart
from .quota import Quota
from .records import FileRecord, FileState, Limits, Upload, UploadRecords
from .upload_takeover import UploadTakeover, WriteClaim

Sniff = Callable[[bytes], str | None]
"""Returns the MIME type for the first bytes of a file; None where they are of no known type."""

Try = Callable[[str, Path, str, int], Awaitable[str | None]]
"""From a project, a file that was received, its MIME type and its size to what is wrong with it, or None.

Raises `InvalidArgument` for what is not to become a file at all.
"""

SESSION_LIFETIME = timedelta(days=7)
MAX_FILE_BYTES = 2 * 1024**3
MAX_PROJECT_BYTES = 20 * 1024**3
SYNC_BYTES = 64 * 1024 * 1024
"""Acknowledged at the latest after so many bytes: a crash costs a long request no more than that."""

_ID_LETTERS = string.ascii_lowercase + string.digits


@dataclass(frozen=True, slots=True)
class Draft:
    """A file to be: what its owner says of it. What is None is chosen, sniffed or counted here."""

    project: str
    file_id: str | None = None
    display_name: str | None = None
    mime_type: str | None = None
    size: int | None = None


@dataclass(slots=True)
class _Receipt:
    """One request's bytes: where they go, how far they came, and how much room there was.

    An upload that nobody can come back to is `listed` only once some of it is acknowledged.
    """

    turn: WriteClaim
    upload: Upload
    part: PartFile
    quota: Quota
    position: int
    listed: bool = True

    @property
    def new(self) -> bool:
        """Whether bytes came that are not acknowledged yet."""
        return self.position > self.upload.received


async def _untried(_project: str, _path: Path, _mime_type: str, _size: int) -> str | None:
    return None


class Uploads:
    """The uploads into a file store. Their bytes lie in the folder `parts` until they are files.

    A file is `tried` before it is finished, and FAILED where something is wrong with it. One whose MIME type
    is `inspected` is PROCESSING then; somebody has to look into it.
    """

    def __init__(
        self,
        records: UploadRecords,
        files: FileStore,
        contents: Contents,
        parts: Path,
        clock: Clock,
        *,
        sniff: Sniff = lambda _head: None,
        inspected: Callable[[str], bool] = lambda _mime_type: False,
        tried: Try = _untried,
        max_file_bytes: int = MAX_FILE_BYTES,
        max_project_bytes: int = MAX_PROJECT_BYTES,
        lifetime: timedelta = SESSION_LIFETIME,
    ) -> None:
        self._records = records
        self._files = files
        self._contents = contents
        self._parts = PartFiles(parts)
        self._clock = clock
        self._sniff = sniff
        self._inspected = inspected
        self._tried = tried
        self._max_file_bytes = max_file_bytes
        self._max_project_bytes = max_project_bytes
        self._lifetime = lifetime
        self._turns = UploadTakeover()

    async def start(self, draft: Draft) -> Upload:
        """Start an upload. Raises at once for a name that is taken or a size over a limit."""
        upload = self._drafted(draft)
        await self._records.add(upload, self._limits())
        return upload

    async def query(self, upload_id: str) -> Upload:
        """Return how many bytes of an upload are received."""
        # The client may have lost a request whose bytes are being acknowledged at this moment.
        await self._turns.pause(upload_id)
        return await self._records.get(upload_id, self._limits().oldest)

    async def receive(
        self, upload_id: str, offset: int, stream: AsyncIterable[bytes], length: int | None = None
    ) -> Upload:
        """Write the stream from `offset` on, and return once it is synced.

        An offset beyond what was received is refused: there would be a gap. `length`, where it is
        known, lets a stream that is too long be refused unread. Where the stream breaks, what came is
        kept, and the upload can go on from there.
        """
        async with self._receiving(upload_id, offset, length) as receipt:
            await self._write(receipt, stream)
        return receipt.upload

    async def complete(
        self, upload_id: str, offset: int, stream: AsyncIterable[bytes], length: int | None = None
    ) -> FileRecord:
        """Write as `receive` does, and finish. Where that fails, what was received stays."""
        async with self._receiving(upload_id, offset, length) as receipt:
            await self._write(receipt, stream)
            async with receipt.turn.step():
                return await self._finish(receipt)

    async def finish(self, upload_id: str) -> FileRecord:
        """Turn the received bytes into a file. Finishing again returns the same file."""
        async with self._turns.take(upload_id) as turn, turn.step():
            upload, quota = await self._look(upload_id)
            with closing(self._parts.open(upload.id, upload.received)) as part:
                return await self._finish(_Receipt(turn, upload, part, quota, upload.received))

    async def put(self, draft: Draft, stream: AsyncIterable[bytes]) -> FileRecord:
        """Store a whole stream as a file, for a client without a session: all of it or nothing."""
        upload = self._drafted(draft)
        quota = await self._records.admit(upload, self._limits())
        async with self._turns.take(upload.id) as turn:
            try:
                with closing(self._parts.open(upload.id, 0)) as part:
                    receipt = _Receipt(turn, upload, part, quota, 0, listed=False)
                    await self._write(receipt, stream)
                    async with turn.step():
                        return await self._finish(receipt)
            except BaseException:
                await uncancelled(self._give_up(upload))
                raise

    async def cancel(self, upload_id: str) -> None:
        """Cancel an upload and delete its bytes."""
        async with self._turns.take(upload_id) as turn, turn.step():
            upload, _ = await self._look(upload_id)
            if upload.state == "final":
                raise FailedPrecondition("The upload is finished; delete its file instead.")
            await uncancelled(self._give_up(upload))

    async def remove_expired(self, limit: int) -> Sequence[Upload]:
        """Delete up to `limit` expired uploads, with the bytes of those never finished."""
        found = await self._records.expired(limit, self._limits().oldest)
        await self._forget([upload for upload in found if upload.state != "active"])
        for upload in found:
            if upload.state == "active":
                # A request that still writes to it is told at its next step.
                async with self._turns.take(upload.id) as turn, turn.step():
                    await uncancelled(self._forget([upload]))
        return found

    async def remove_orphans(self) -> list[StoredPart]:
        """Remove the part files that no active upload owns: a crash left them.

        Called before anything is received: `put` lists its uploads late or never.
        """
        parts = await in_thread(self._parts.list)
        active = await self._records.active()
        orphans = [part for part in parts if part.upload_id not in active]
        for part in orphans:
            await in_thread(self._parts.remove, part.upload_id)
        return orphans

    def _drafted(self, draft: Draft) -> Upload:
        if draft.size is not None and draft.size > self._max_file_bytes:
            raise self._too_large()
        return Upload(
            id=secrets.token_urlsafe(24),
            project=draft.project,
            file_id=draft.file_id or "".join(secrets.choice(_ID_LETTERS) for _ in range(12)),
            display_name=draft.display_name,
            mime_type=draft.mime_type,
            size=draft.size,
            state="active",
            received=0,
        )

    async def _look(self, upload_id: str) -> tuple[Upload, Quota]:
        """Return an upload that was not cancelled, and the bytes that still fit its quota."""
        upload, quota = await self._records.get_with_room(upload_id, self._limits())
        if upload.state == "cancelled":
            raise NotFound("The upload session was cancelled.")
        return upload, quota

    @asynccontextmanager
    async def _receiving(self, upload_id: str, offset: int, length: int | None) -> AsyncIterator[_Receipt]:
        """Open an upload for more bytes; at the end those received are synced."""
        async with self._turns.take(upload_id) as turn:
            async with turn.step():
                receipt = await self._begin(turn, upload_id, offset, length or 0)
            with closing(receipt.part):
                try:
                    yield receipt
                finally:
                    await self._acknowledge(receipt)

    async def _begin(self, turn: WriteClaim, upload_id: str, offset: int, length: int) -> _Receipt:
        upload, quota = await self._look(upload_id)
        if offset > upload.received:
            raise InvalidArgument(
                f"The upload has received {upload.received} bytes; it cannot go on at {offset}."
            )
        self._check_room(upload, quota, offset + length)
        return _Receipt(turn, upload, await self._open(upload), quota, offset)

    async def _open(self, upload: Upload) -> PartFile:
        if upload.state == "final":
            # A retry after a lost answer; its bytes can be compared only while the file is here.
            record = await self._files.get(upload.project, upload.file_id)
            return PartFile(await self._files.open(record), upload.received)
        return self._parts.open(upload.id, upload.received)

    def _check_room(self, upload: Upload, quota: Quota, end: int) -> None:
        if end <= upload.received:
            return
        if upload.state == "final":
            raise InvalidArgument(f"The upload is finished at {upload.received} bytes.")
        if upload.size is not None and end > upload.size:
            raise InvalidArgument(f"The upload was declared with {upload.size} bytes; this is more.")
        if end > self._max_file_bytes:
            raise self._too_large()
        if end > quota.left:
            raise quota.exhausted()

    def _too_large(self) -> InvalidArgument:
        return InvalidArgument(f"File size exceeds the limit: {self._max_file_bytes} bytes.")

    async def _write(self, receipt: _Receipt, stream: AsyncIterable[bytes]) -> None:
        async with aclosing(chunks(stream)) as coming:
            async for block in coming:
                self._check_room(receipt.upload, receipt.quota, receipt.position + len(block))
                async with receipt.turn.step():
                    await in_thread(receipt.part.write, receipt.position, block)
                receipt.position += len(block)
                if receipt.position - receipt.upload.received >= SYNC_BYTES:
                    await self._acknowledge(receipt)

    async def _acknowledge(self, receipt: _Receipt) -> None:
        """Sync everything up to the position, and only then acknowledge it.

        Other uploads of the project may have used the room meanwhile: what does not fit is not kept.
        """
        upload, part, position = receipt.upload, receipt.part, receipt.position
        if upload.state != "active" or not receipt.new:
            return
        async with receipt.turn.step():
            await in_thread(self._parts.sync, part)
            safe, receipt.quota = await self._records.advance(
                upload, position, self._limits(), listed=receipt.listed
            )
            self._parts.acknowledged(upload.id, part, safe)
            if safe < position:
                # Nobody counts these bytes, so they may not lie there.
                await in_thread(part.cut, safe)
        receipt.upload, receipt.listed = replace(upload, received=safe), True
        if safe < position:
            receipt.position = safe
            raise receipt.quota.exhausted()

    async def _finish(self, receipt: _Receipt) -> FileRecord:
        """Turn what was received into a file, within a step. New bytes are acknowledged with the file."""
        upload = receipt.upload
        if upload.state == "final":
            return await self._files.get(upload.project, upload.file_id)
        received = max(upload.received, receipt.position)
        if upload.size is not None and received != upload.size:
            raise InvalidArgument(f"The upload has received {received} of the {upload.size} bytes declared.")
        return await uncancelled(self._keep(receipt, received))

    async def _keep(self, receipt: _Receipt, received: int) -> FileRecord:
        upload = receipt.upload

        async def finish() -> None:
            await self._records.finish(upload, record, self._limits(), listed=receipt.listed)

        try:
            record = await self._sealed(receipt, received)
            await self._contents.adopt(self._parts.path(upload.id), record.sha256, finish)
        except (InvalidArgument, AlreadyExists):
            await self._give_up(upload)
            receipt.upload = replace(upload, state="cancelled", received=0)
            raise
        receipt.upload = replace(upload, state="final", received=received)
        await in_thread(self._parts.remove, upload.id)
        return record

    async def _sealed(self, receipt: _Receipt, received: int) -> FileRecord:
        """Sync the bytes, and check them meanwhile if their type is known."""
        upload, part = receipt.upload, receipt.part
        await in_thread(part.trim, received)
        path = self._parts.path(upload.id)
        project, said = upload.project, upload.mime_type
        trial = asyncio.ensure_future(self._tried(project, path, said, received)) if said else None
        try:
            sealed = await in_thread(part.seal, received)
            mime_type = upload.mime_type or self._sniff(sealed.head)
            if mime_type is None:
                raise InvalidArgument(unsupported(UNKNOWN), field="file.mime_type")
        except BaseException:
            if trial:
                await asyncio.gather(trial, return_exceptions=True)
            raise
        flaw = await (trial or self._tried(project, path, mime_type, received))
        return self._record(upload, mime_type, received, sealed.sha256, flaw)

    def _record(self, upload: Upload, mime_type: str, size: int, sha256: str, flaw: str | None) -> FileRecord:
        state: FileState = "PROCESSING" if self._inspected(mime_type) else "ACTIVE"
        time = self._clock()
        return FileRecord(
            project=upload.project,
            id=upload.file_id,
            display_name=upload.display_name,
            mime_type=mime_type,
            size=size,
            sha256=sha256,
            state="FAILED" if flaw else state,
            error=flaw,
            created=time,
            updated=time,
            expires=time + LIFETIME,
        )

    async def _give_up(self, upload: Upload) -> None:
        await self._records.cancel(upload.id)
        await in_thread(self._parts.remove, upload.id)

    async def _forget(self, uploads: Sequence[Upload]) -> None:
        await self._records.remove(upload.id for upload in uploads)
        for upload in uploads:
            await in_thread(self._parts.remove, upload.id)

    def _limits(self) -> Limits:
        time = self._clock()
        return Limits(self._max_project_bytes, time, time - self._lifetime)
