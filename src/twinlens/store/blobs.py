"""Bytes on disk, addressed by their SHA-256: the same bytes are kept once, and never change."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..domain.errors import Internal, ResourceExhausted

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Blobs:
    """A folder of blobs. All methods block on the disk; `adopt` and `drop` must not run side by side."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        make_folder(folder)

    def path_of(self, sha256: str) -> Path:
        """Say where the blob of this hash lies, if it is here."""
        return self._folder / sha256[:2] / sha256

    def adopt(self, part: Path, sha256: str) -> None:
        """Keep the bytes of a synced file under their hash. `part` stays: a crash now loses nothing."""
        target = self.path_of(sha256)
        with disk_errors():
            make_folder(target.parent)
            with suppress(FileExistsError):
                os.link(part, target)
            sync_folder(target.parent)

    def drop(self, sha256: str) -> None:
        """Forget a blob. Whoever has it open goes on reading."""
        with disk_errors():
            self.path_of(sha256).unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Create a folder that is there after a crash as well."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk; syncing a file does not do that."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def disk_errors() -> Iterator[None]:
    """Translate what the disk says: full is the operator's limit, anything else is our fault."""
    try:
        yield
    except OSError as cause:
        if cause.errno in FULL:
            raise ResourceExhausted("Resource has been exhausted (e.g. check quota).") from cause
        raise Internal from cause
