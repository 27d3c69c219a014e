"""Everything in one data folder, opened in order and closed together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from obstore.store import LocalStore

from ..domain.clock import Clock, now
from .blobs import Blobs
from .contents import Contents
from .files import FileStore
from .folder import DataFolder
from .records import Records
from .sqlite.records import SqliteRecords

if TYPE_CHECKING:
    from obstore.store import ObjectStore

PARTS = "uploads"
"""The folder of temporary files."""


@dataclass(frozen=True, slots=True)
class Storage:
    """The parts, for whoever builds a server of them: each gets those that it needs, and nobody the whole."""

    folder: DataFolder
    records: Records
    contents: Contents
    files: FileStore
    clock: Clock

    @property
    def parts(self) -> Path:
        """Where uploads put their bytes until these are files."""
        return self.folder.path / PARTS

    async def close(self) -> None:
        """Close the records and the folder. Called once, when no request is in progress."""
        try:
            await self.records.close()
        finally:
            self.folder.close()


def open_storage(data_dir: Path, clock: Clock = now, blobs: ObjectStore | None = None) -> Storage:
    """Open a data folder: records in `twinlens.db`, bytes in `blobs/`, or in another object store.

    Raises `DataFolderError` where the folder cannot be used; from then on it, and `blobs` with it, belong to
    this server alone, until `close`: bytes that none of its records names are swept away.
    """
    folder = DataFolder(data_dir)
    try:
        records = SqliteRecords.open(folder.path / "twinlens.db", folder.reserve, check=folder.check)
    except BaseException:
        folder.close()
        raise
    stored = Blobs(blobs or LocalStore(folder.path), folder.path, folder.check)
    contents = Contents(records.references, stored, folder.path / PARTS)
    return Storage(folder, records, contents, FileStore(records.files, contents, clock), clock)
