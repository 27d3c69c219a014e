"""What a disk has to be asked for, and what it may answer: names that survive a crash, errors told apart."""

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
"""Room does not come back within a second: files have to be deleted or expire."""


def make_folder(folder: Path, *, within: Path | None = None) -> None:
    """Create a folder that is there after a crash as well, and that nobody else on the machine reads.

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
    """Put the names in a folder on the disk; syncing a file does not do that."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Put a file's bytes on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def probe(folder: Path) -> None:
    """Write a small file, sync and remove it: raise what the disk has against it."""
    path = folder / ".probe"
    try:
        with path.open("wb", buffering=0) as file:
            # What fits is taken without a complaint: only what does not says that the disk is full.
            write_all(file.fileno(), bytes(65_536))
            os.fsync(file.fileno())
    finally:
        path.unlink(missing_ok=True)


def public_error(number: int | None) -> TwinlensError:
    """Tell the caller what an error number of the disk means; one that we do not know is our fault."""
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
    """Tell the caller what an error number means that came while something below the data folder was used."""
    return gone() if number in GONE else public_error(number)


def gone() -> Unavailable:
    """Say that there is no folder to store anything in."""
    return Unavailable("The server cannot store anything now: its data folder is gone.")


@contextmanager
def disk_errors() -> Iterator[None]:
    """Translate what the disk says into an error for the caller."""
    try:
        yield
    except OSError as cause:
        raise storing_error(cause.errno) from cause
