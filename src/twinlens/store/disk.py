"""Disk operations that survive a crash, and their errors for callers."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..descriptors import write_all
from ..domain.errors import Internal, ResourceExhausted, TwinlensError, Unavailable

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
READ_ONLY = frozenset({errno.EROFS})
GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ESTALE})
TOO_MANY_OPEN = frozenset({errno.EMFILE, errno.ENFILE})
RETRY_AFTER_S = 60
"""Chosen: space does not come back within a second, since files have to be deleted or expire."""


def make_folder(folder: Path, *, within: Path | None = None) -> None:
    """Create a folder that survives a crash, and that other users of the machine cannot read.

    `within`, where it is given, must be there: it is not created, and nothing above it is.
    """
    if folder.is_dir():
        return
    if folder == within:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
    make_folder(folder.parent, within=within)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder, which syncing a file does not do."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Sync a file's bytes."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def probe(folder: Path) -> None:
    """Write, sync and remove a small file. Raises OSError where the disk refuses."""
    path = folder / ".probe"
    try:
        with path.open("wb", buffering=0) as file:
            # What fits is taken without a complaint: only what does not says that the disk is full.
            write_all(file.fileno(), bytes(65_536))
            os.fsync(file.fileno())
    finally:
        path.unlink(missing_ok=True)


def public_error(number: int | None) -> TwinlensError:
    """Return the API error for an error number of the disk; an unknown one is `Internal`."""
    if number in FULL:
        return ResourceExhausted(
            "Resource has been exhausted (e.g. check quota). The server's disk is full; what was "
            "acknowledged is kept: go on once there is room.",
            retry_after_s=RETRY_AFTER_S,
        )
    if number in READ_ONLY:
        return Unavailable("The server cannot store anything now: its data folder is read-only.")
    if number in TOO_MANY_OPEN:
        return Unavailable(
            "The server has as many files open as it may. Try again later, or send fewer media at once."
        )
    return Internal()


def storing_error(number: int | None) -> TwinlensError:
    """Return the API error for an error number from below the data folder."""
    return gone() if number in GONE else public_error(number)


def gone() -> Unavailable:
    """Return the error that the data folder is gone."""
    return Unavailable("The server cannot store anything now: its data folder is gone.")


@contextmanager
def disk_errors() -> Iterator[None]:
    """Translate the disk's errors into API errors."""
    try:
        yield
    except OSError as cause:
        raise storing_error(cause.errno) from cause
