"""Which uploads are under way, remembered on disk so that the same command goes on after an interruption.

One small JSON file of the user's. It holds session paths, which are capabilities, so nobody else may
read it; of keys it holds fingerprints. What cannot be read there counts as not remembered.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from .errors import ClientError
from .upload_source import UploadSource
from .uploads import Label, Session

LIFETIME_S = 7 * 24 * 3600
"""The server forgets sessions after a week at the latest."""

Row = TypeVar("Row", "UploadKey", "Session")


@dataclass(frozen=True, slots=True)
class UploadKey:
    """What an upload is of: which file, as which File, for whom, and where to."""

    server: str
    key: str
    path: str
    size: int
    mtime_ns: int
    label: str


@dataclass(frozen=True, slots=True)
class SavedUpload:
    """An upload that was begun."""

    key: UploadKey
    session: Session
    begun_s: float


def key_of(server: str, key: str, source: UploadSource, label: Label) -> UploadKey:
    """Describe an upload so that the same command finds it again, and no other does."""
    said = json.dumps(asdict(label), sort_keys=True)
    return UploadKey(
        server, _fingerprint(key), str(source.path), source.size, source.mtime_ns, _fingerprint(said)
    )


def state_file() -> Path:
    """Give the place of the file: below `XDG_STATE_HOME`, or where that is by default."""
    home = os.environ.get("XDG_STATE_HOME", "")
    try:
        # The specification has relative paths ignored.
        folder = Path(home) if os.path.isabs(home) else Path.home() / ".local" / "state"
    except RuntimeError as cause:
        raise ClientError(
            "There is no home folder to remember uploads in: set HOME or XDG_STATE_HOME."
        ) from cause
    return folder / "twinlens" / "uploads.json"


class SavedUploads:
    """The uploads under way. Several commands may use the file at once."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock

    def find(self, key: UploadKey) -> SavedUpload | None:
        """Look up an upload that was started; one to another port of the same host counts, if need be."""
        same = [one for one in self._read() if _elsewhere(one.key) == _elsewhere(key)]
        same.sort(key=lambda one: (one.key == key, one.begun_s))
        return same[-1] if same else None

    def outdated(self, key: UploadKey) -> list[SavedUpload]:
        """List the uploads of what this file was before it changed."""

        def place(one: UploadKey) -> UploadKey:
            return replace(one, size=0, mtime_ns=0)

        same_place = [one for one in self._read() if place(one.key) == place(key)]
        return [one for one in same_place if one.key != key]

    def remember(self, key: UploadKey, session: Session) -> None:
        """Keep an upload, in place of one of the same key; raise OSError where that fails."""
        with self._changing() as (known, write):
            kept = [one for one in known if one.key != key]
            write([*kept, SavedUpload(key, session, self._clock())])

    def forget(self, key: UploadKey) -> None:
        """Drop an upload; raise OSError where that fails."""
        with self._changing() as (known, write):
            kept = [one for one in known if one.key != key]
            if len(kept) < len(known):
                write(kept)

    @contextmanager
    def _changing(self) -> Iterator[tuple[list[SavedUpload], Callable[[list[SavedUpload]], None]]]:
        """Hold the file against other commands, from reading to writing."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self._read(), self._write
        finally:
            os.close(lock)

    def _read(self) -> list[SavedUpload]:
        try:
            rows = json.loads(self._path.read_bytes())["uploads"]
            known = [_remembered(row) for row in rows]
        except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return []
        return [one for one in known if one.begun_s > self._clock() - LIFETIME_S]

    def _write(self, uploads: list[SavedUpload]) -> None:
        """Replace the file in one step; whoever reads it sees the old one or the new one."""
        new = self._path.with_suffix(".new")
        text = json.dumps({"uploads": list(map(_row, uploads))}, indent=1)
        with open(os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)


def _row(one: SavedUpload) -> dict[str, Any]:
    # The names are those of the file: what an earlier version wrote is read.
    return {"subject": asdict(one.key), "session": asdict(one.session), "begun_s": one.begun_s}


def _remembered(row: Any) -> SavedUpload:
    key, session = _typed(UploadKey, row["subject"]), _typed(Session, row["session"])
    _elsewhere(key)
    if not session.path.startswith("/") or session.chunk_bytes < 1:
        raise ValueError
    return SavedUpload(key, session, float(row["begun_s"]))


def _typed(kind: type[Row], values: Any) -> Row:
    row = kind(**values)
    for each in fields(row):
        if type(getattr(row, each.name)).__name__ != each.type:
            raise TypeError
    return row


def _elsewhere(key: UploadKey) -> UploadKey:
    """Leave the port out: a server that was started again may have another."""
    return replace(key, server=urlsplit(key.server).hostname or "")


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
