"""What is known of files, uploads and interactions: values, and the contracts of those who keep them.

Bytes lie elsewhere (`store/blobs.py`); records name them by SHA-256. `store/sqlite/` keeps records in one
file; whoever else keeps them passes `tests/contract/test_records.py`.

What holds for every method of every protocol here:

- It is one transaction: where it raises, nothing of it has happened. What it wrote outlives a crash and a
  power cut from the moment it returns.
- It reads one consistent state, and sees all that returned before it was called.
- Calls may overlap, also from several `Records` on one database. A method that reads, decides and writes
  does so while nobody else writes: of two that want the same name or the same room, one gets it.
- A caller that is cancelled meanwhile learns of it when the transaction has ended, one way or the other.
- Projects never cross: what belongs to another project is treated as if it were not there.
- Times are in UTC and kept to the microsecond. No method looks at a clock: `now` and `oldest` are the
  caller's. What expires at `now` has expired; so has what was begun at `oldest`.
- A row that has expired is there until it is removed. Until then its references count; nothing else does.
- It raises `ResourceExhausted` where there is no room on the disk, `Unavailable` where the database cannot
  be had at the moment, `Internal` where it is damaged. What removes rows succeeds on a full disk too.

Nobody outside the implementation holds a lock or a transaction: what must change together is one method.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

from ..domain.errors import AlreadyExists, NotFound
from ..domain.interaction import Interaction, Outcome
from ..domain.request import BlobRef
from .blobs import StoredBlob
from .quota import Quota

FileState = Literal["PROCESSING", "ACTIVE", "FAILED"]
UploadState = Literal["active", "final", "cancelled"]
OwnerKind = Literal["file", "interaction"]
"""What can keep a blob. One more is a word here and a call of `refer` beside its rows."""

SHOWN_CHARACTERS = 100


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


@dataclass(frozen=True, slots=True)
class Limits:
    """What a project may keep at one moment, `now`, in bytes. What was begun at `oldest` has expired."""

    max_bytes: int
    now: datetime
    oldest: datetime


@dataclass(frozen=True, slots=True)
class StorageUsage:
    """What is kept, of all projects together.

    `bytes` are what the files say they have, `blob_bytes` what everything that is referenced takes: the
    same bytes count once.
    """

    files: int
    bytes: int
    blobs: int
    blob_bytes: int
    uploads: int
    upload_bytes: int


@dataclass(frozen=True, slots=True)
class InteractionUsage:
    """What is kept, of all projects together: interactions that can be read, and what everything takes.

    The same content counts once for each project.
    """

    interactions: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Cleared:
    """What went for good: rows, and the contents that these named, which others may name as well."""

    removed: int
    blobs: set[StoredBlob] = field(default_factory=set)


class Records(Protocol):
    """All records of one data folder or database."""

    @property
    def files(self) -> FileRecords:
        """The files."""

    @property
    def uploads(self) -> UploadRecords:
        """The uploads."""

    @property
    def interactions(self) -> InteractionRecords:
        """The interactions."""

    @property
    def references(self) -> References:
        """What of all these keeps a blob."""

    async def close(self) -> None:
        """Wait for what is in progress, and close the database. Called once; no call follows."""


class References(Protocol):
    """Which contents are named by a record: a blob that is referenced by none may be dropped.

    A reference says that a record of some kind (`OwnerKind`), of a project, names a content. It is added and
    removed in the transaction that adds, changes or removes that record; so here they are only read. A record
    that names a content twice has one reference to it.
    """

    async def unreferenced(self, hashes: Iterable[str]) -> set[str]:
        """Return those of these contents that no record of any project names."""

    async def projects_of(self, sha256: str) -> frozenset[str]:
        """Return the projects that have a record which names a content."""


class FileRecords(Protocol):
    """The files of all projects. New ones come out of uploads: `UploadRecords.finish`."""

    async def get(self, project: str, file_id: str, now: datetime) -> FileRecord | None:
        """Return a file as it was written; None where there is none, or it has expired."""

    async def list(self, project: str, limit: int, now: datetime, before: int | None = None) -> Page:
        """Return up to `limit` files of a project, the newest first, that were not there at page `before`.

        `Page.next` goes on after the last of them, and is None where nothing follows. Going on never returns
        a file twice, whatever was added or removed in between.
        """

    async def pending(self, now: datetime) -> Sequence[FileRecord]:
        """Return the files of all projects that are PROCESSING, oldest first."""

    async def settle(self, settled: FileRecord) -> bool:
        """Write down the state, duration, error and time of change of a file that was PROCESSING.

        Nothing is written, and False returned, where that file has been settled or removed, or another
        content or type has taken its name.
        """

    async def remove(self, project: str, file_id: str, now: datetime) -> FileRecord | None:
        """Remove a file and its reference, and return what it was.

        Of one that has expired nothing is returned, but it is gone all the same.
        """

    async def remove_expired(self, limit: int, now: datetime) -> Sequence[FileRecord]:
        """Remove up to `limit` files that have expired, those of longest ago first, and their references.

        Returns what was removed; nothing where none is left.
        """

    async def usage(self, now: datetime) -> StorageUsage:
        """Count files that have not expired, referenced contents, and active uploads."""


class UploadRecords(Protocol):
    """The uploads of all projects, and the room there is for them.

    The room of a project is what its files that have not expired, and its active uploads, leave of
    `Limits.max_bytes`; an upload's own received bytes are left out where its room is looked at.
    """

    async def get(self, upload_id: str, oldest: datetime) -> Upload:
        """Return an upload in whatever state; raise `NotFound` where there is none, or it has expired."""

    async def get_with_room(self, upload_id: str, limits: Limits) -> tuple[Upload, Quota]:
        """Return an upload as `get` does, and the room there is for it from its first byte on."""

    async def admit(self, upload: Upload, limits: Limits) -> Quota:
        """Return the room for an upload to be; nothing is written.

        Raises `AlreadyExists` where a file that has not expired has its name, `ResourceExhausted` where its
        declared size does not fit.
        """

    async def add(self, upload: Upload, limits: Limits) -> None:
        """Admit an upload as `admit` does, and write it down as begun at `Limits.now`."""

    async def advance(
        self, upload: Upload, received: int, limits: Limits, *, listed: bool = True
    ) -> tuple[int, Quota]:
        """Count `received` bytes of an upload as safe, or as many of them as there is room for.

        Returns how many count now, never fewer than before, and the room. One that is not `listed` is added
        first, as `add` does. Raises `NotFound` where it is no longer active.
        """

    async def finish(
        self, upload: Upload, record: FileRecord, limits: Limits, *, listed: bool = True
    ) -> None:
        """Make an upload a file: the file with its reference is added, and a `listed` upload is final.

        Bytes that were counted as safe have their room; raises `ResourceExhausted` where the file has more
        of them, and does not fit. Raises `NotFound` where a listed upload is no longer active, and
        `AlreadyExists` where a file that has not expired has its name. One that has expired makes way.
        """

    async def cancel(self, upload_id: str) -> None:
        """Mark an active upload as cancelled, with no bytes; others stay as they are."""

    async def expired(self, limit: int, oldest: datetime) -> Sequence[Upload]:
        """Return up to `limit` uploads in any state that have expired, oldest first."""

    async def remove(self, upload_ids: Iterable[str]) -> None:
        """Remove uploads, those that are there."""

    async def active(self) -> set[str]:
        """Return the ids of all active uploads, expired or not."""


class InteractionRecords(Protocol):
    """The interactions of all projects.

    One that is deleted or has expired cannot be found, but stays a part of the history of what was built on
    it, until the last of that goes. Ids may be any text at all. What cannot be found raises `NotFound`.

    What a project uses is the requests and outcomes of its rows, in bytes, and each content that they name
    once, those of deleted rows that are still there included.
    """

    async def add(self, project: str, interaction: Interaction, limits: Limits) -> None:
        """Add an interaction and the references to its media.

        Raises `NotFound` where what it is built on cannot be found, `ResourceExhausted` where the project
        then uses more than it may.
        """

    async def used(self, project: str) -> int:
        """Return what a project uses."""

    async def get(self, project: str, interaction_id: str, oldest: datetime) -> Interaction:
        """Return an interaction as it was written."""

    async def history(self, project: str, interaction_id: str, oldest: datetime) -> tuple[Interaction, ...]:
        """Return an interaction and all that it was built on, deleted, expired or not, oldest first."""

    async def update(
        self,
        project: str,
        interaction_id: str,
        outcome: Outcome,
        media: tuple[BlobRef | None, ...] | None,
        limits: Limits,
    ) -> bool:
        """Write down the outcome of one that is unfinished, changed at `Limits.now`, and its media.

        The references to its media become those of `media`, where that is given. Nothing is written, and
        False returned, where it cannot be found or is finished. Raises `ResourceExhausted` where media take
        the project above what it may use; an outcome is always written.
        """

    async def retry(self, project: str, interaction_id: str, limits: Limits) -> Interaction:
        """Queue an unfinished one again, empty, with one more attempt; return it with `sent` left out.

        Raises `FailedPrecondition` where it is finished.
        """

    async def unfinished(self, oldest: datetime) -> Sequence[tuple[str, Interaction]]:
        """Return the unfinished ones of all projects that can be found, oldest first, each with its project.

        `sent` is left out.
        """

    async def delete(self, project: str, interaction_id: str, limit: int, oldest: datetime) -> Cleared:
        """Delete one; remove up to `limit` rows that nothing continues, as below."""

    async def remove_dead(self, limit: int) -> Cleared:
        """Remove up to `limit` rows that are deleted and that nothing is built on, with their references.

        One that only these were built on goes with them.
        """

    async def remove_expired(self, limit: int, oldest: datetime) -> Cleared | None:
        """Remove up to `limit` as `remove_dead` does, of those that have expired too; None is the end.

        Nothing may have been removed although there is more to come.
        """

    async def usage(self, oldest: datetime) -> InteractionUsage:
        """Count what can be found, and what all projects use."""


def file_exists(file_id: str) -> AlreadyExists:
    """Return the error that a file's name is taken."""
    return AlreadyExists(f"The File {file_id} already exists.")


def upload_missing() -> NotFound:
    """Return the error that there is no such upload."""
    return NotFound("The upload session does not exist or has expired.")


def interaction_missing(interaction_id: str) -> NotFound:
    """Return the error that there is no such interaction."""
    return NotFound(
        f"Interaction {shown(interaction_id)} was not found: it does not exist, was deleted, or has expired."
    )


def shown(interaction_id: str) -> str:
    """Write an id into a sentence; who asks may send any text at all."""
    return encodable(interaction_id[:SHOWN_CHARACTERS])


def encodable(text: str) -> str:
    """Replace what no database takes: halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode()
