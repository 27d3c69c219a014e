"""Inspects files before they may be used: recordings and PDFs, in the worker pool.

Whoever meets a file that is PROCESSING asks here: its inspection is started if it is not running, and
shared by all who wait for it. What a crash interrupts is restarted at the next start, or by the next request.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from functools import partial

from ..concurrency.single_flight import SingleFlight
from ..domain.errors import BadMedia, FailedPrecondition, PermissionDenied, TwinlensError
from ..domain.media import Blob, Inspected, PdfInfo
from ..media.worker.compute_quota import ComputeQuota
from ..media.worker.pool import WorkerPool
from ..store.files import FileStore
from ..store.records import FileRecord

log = logging.getLogger(__name__)

_Key = tuple[str, str, str]


class Processing:
    """The inspections in progress, `at_once` of them: the other workers are left to requests.

    `patience_s` is how long a request waits for a file that it names. Used from one event loop.
    """

    def __init__(self, files: FileStore, pool: WorkerPool, *, at_once: int, patience_s: float) -> None:
        self._files = files
        self._pool = pool
        self._places = asyncio.Semaphore(at_once)
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(at_once))
        self._patience_s = patience_s
        self._inspections: SingleFlight[None] = SingleFlight()
        self._progress: dict[_Key, float] = {}

    async def start(self) -> None:
        """Restart what the last stop interrupted."""
        for record in await self._files.pending():
            self.begin(record)

    async def stop(self) -> None:
        """Cancel what is in progress; the files stay PROCESSING until the next start."""
        await self._inspections.stop()

    def begin(self, record: FileRecord) -> asyncio.Task[None]:
        """Start the inspection of a file unless it is running; do not wait for it."""
        return self._inspections.start(_key(record), lambda: self._look(record))

    def progress_of(self, record: FileRecord) -> float | None:
        """Return how much of a file is inspected, from 0 to 1; None where that is not known."""
        return self._progress.get(_key(record))

    async def settled(self, record: FileRecord, timeout_s: float) -> FileRecord:
        """Wait up to `timeout_s` for the inspection of a file, and return its record as it is then."""
        if record.state != "PROCESSING":
            return record
        await asyncio.wait([self.begin(record)], timeout=timeout_s)
        return await self._files.get(record.project, record.id)

    async def ready(self, project: str, file_id: str) -> FileRecord:
        """Return a file that is ACTIVE, waiting up to `patience_s`. Raises `FailedPrecondition`."""
        record = await self.settled(await self._files.get(project, file_id), self._patience_s)
        if record.state != "ACTIVE":
            why = f" It is FAILED: {record.error}" if record.error else ""
            raise FailedPrecondition(
                f"The File {file_id} is not in an ACTIVE state and usage is not allowed.{why}"
            )
        return record

    async def _look(self, record: FileRecord) -> None:
        try:
            # Before the places, each project has a queue of its own: many files do not hold up another's few.
            async with self._turns[record.project], self._places:
                await self._record(record)
        except PermissionDenied:
            log.info("files/%s was deleted before it was inspected", record.id)
        except TwinlensError as error:
            # Nothing is wrong with the file: it stays PROCESSING, and the next who asks tries again.
            log.warning("files/%s could not be inspected: %s", record.id, error.message)
        except Exception:
            log.exception("files/%s could not be inspected", record.id)
        finally:
            self._progress.pop(_key(record), None)

    async def _record(self, record: FileRecord) -> None:
        try:
            found = await self._inspect(record)
        except BadMedia as error:
            await self._files.fail(record, error.message)
        else:
            duration = None if isinstance(found, PdfInfo) else found.duration
            await self._files.activate(record, duration)

    async def _inspect(self, record: FileRecord) -> Inspected:
        blob = Blob(b"", record.mime_type, "", record.sha256, await self._files.open_descriptor(record))
        note = partial(self._note, _key(record))
        return await self._pool.inspect(blob, record.mime_type, ComputeQuota(record.project), note)

    def _note(self, key: _Key, fraction: float) -> None:
        # A worker that was given up still talks.
        if key in self._inspections:
            self._progress[key] = fraction


def _key(record: FileRecord) -> _Key:
    return record.project, record.id, record.sha256
