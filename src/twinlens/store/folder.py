"""The data folder: it can be written, and one server alone uses it."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from .disk import FULL, GONE, READ_ONLY, disk_errors, gone, make_folder, probe
from .reserve import Reserve

LOCK = "twinlens.lock"

_GONE = "the data folder is gone"
_TROUBLES = (
    dict.fromkeys(FULL, "the disk is full")
    | dict.fromkeys(READ_ONLY, "the data folder is read-only")
    | dict.fromkeys(GONE, _GONE)
)


class DataFolderError(Exception):
    """The data folder cannot be used: the sentence names it, says what is wrong and what to do."""


class DataFolder:
    """Holds the data folder for this process, from construction to `close`.

    The kernel lets go of the lock when the process ends, however it ends. The lock's descriptor is
    closed in programs that this one starts, so none of them holds the folder on.
    """

    def __init__(self, path: Path) -> None:
        try:
            make_folder(path)
            self.path = path.resolve(strict=True)
            self.reserve = Reserve(self.path / "twinlens.reserve")
            self._lock = _locked(self.path)
            try:
                probe(self.path)
                self.reserve.take()
            except BaseException:
                self.close()
                raise
        except OSError as cause:
            raise DataFolderError(_sentence(path, cause)) from cause

    def trouble(self) -> str | None:
        """Write to the folder, and return in a few words what is wrong with it; None where nothing is."""
        try:
            if not self._is_here():
                return _GONE
            probe(self.path)
        except OSError as cause:
            return _TROUBLES.get(cause.errno or 0, "the data folder cannot be used")
        return None

    def check(self) -> None:
        """Raise `Unavailable` where the folder is gone, or another one stands in its place; write nothing."""
        with disk_errors():
            if not self._is_here():
                raise gone()

    def _is_here(self) -> bool:
        """Whether the folder of this name is the one that this process has locked."""
        try:
            found = (self.path / LOCK).stat()
        except OSError as cause:
            if cause.errno in GONE:
                return False
            raise
        mine = os.fstat(self._lock)
        return (mine.st_dev, mine.st_ino) == (found.st_dev, found.st_ino)

    def close(self) -> None:
        """Unlock the folder for another server."""
        os.close(self._lock)


def _locked(path: Path) -> int:
    lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(lock)
        raise
    return lock


def _sentence(path: Path, cause: OSError) -> str:
    another = "or name another folder with --data-dir"
    match cause.errno:
        case errno.EWOULDBLOCK:
            return f"The data folder {path} is in use by another twinlens server. Stop that one, {another}."
        case errno.ENOTDIR | errno.EEXIST:
            return f"The data folder {path} is not a folder. Move that file away, {another}."
        case errno.EACCES | errno.EPERM:
            return f"The data folder {path} may not be written by this user. Change its rights, {another}."
        case number if number in READ_ONLY:
            return f"The data folder {path} is read-only. Make it writable, {another}."
        case number if number in FULL:
            return f"The disk of the data folder {path} is full. Make room on it, {another}."
        case _:
            return f"The data folder {path} cannot be used: {cause.strerror}. Repair it, {another}."
