"""One upload from beginning to end, going on with what an earlier command has left."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar

from .connection import Connection
from .errors import ClientError, Gone, Refused, SourceChanged, Unreachable
from .files import File
from .retry import RetryPolicy, Tries
from .upload_records import SavedUploads, UploadKey, key_of
from .upload_source import UploadSource
from .uploads import Label, Session, UploadClient, UploadListener, UploadStatus

Found = TypeVar("Found")


class ResumeListener(UploadListener, Protocol):
    """Told how an upload goes, and how it began."""

    def resumes(self, received: int) -> None:
        """Take note that so many bytes were sent by an earlier command."""

    def cannot_remember(self, error: OSError) -> None:
        """Take note that the upload cannot be resumed by another command."""


def can_go_on(error: ClientError) -> bool:
    """Whether the same command can resume after this error, rather than fail with it again."""
    if isinstance(error, Refused):
        return error.passing or error.code == 429
    return not isinstance(error, (Gone, SourceChanged))


class Resumable:
    """Uploads that the same command takes up again where it was interrupted."""

    def __init__(
        self,
        connection: Connection,
        sessions: SavedUploads,
        retry_policy: RetryPolicy = RetryPolicy(),  # noqa: B008
    ) -> None:
        self._connection = connection
        self._sessions = sessions
        self._retry_policy = retry_policy
        self._uploads = UploadClient(connection, retry_policy)

    def upload(
        self, source: UploadSource, label: Label, listener: ResumeListener, *, restart: bool = False
    ) -> File:
        """Upload a file and give its File; what an interrupted command sent is not sent again."""
        key = key_of(self._connection.server, self._connection.key, source, label)
        self._clear(key, also_this=restart)
        known = self._found(key, listener)
        session, status = known or self._begun(key, source, label, listener)
        try:
            file = self._uploads.send(session, source, status, listener)
        except ClientError as error:
            if not can_go_on(error):
                self._drop(key, session)
            if isinstance(error, Refused) and status.state == "final":
                # It was finished long ago, and its File is no more: that is not what was asked for now.
                return self.upload(source, label, listener)
            raise
        self._forget(key)
        return file

    def _found(self, key: UploadKey, listener: ResumeListener) -> tuple[Session, UploadStatus] | None:
        """Find what an earlier command has begun and the server still knows."""
        known = self._sessions.find(key)
        if known is None:
            return None
        try:
            status = self._with_retry(lambda: self._uploads.query(known.session), listener)
        except Gone:
            self._forget(key)
            return None
        if status.received > key.size:
            return None
        if known.key != key:
            self._remember(key, known.session, listener)
            self._forget(known.key)
        listener.resumes(status.received)
        return known.session, status

    def _begun(
        self, key: UploadKey, source: UploadSource, label: Label, listener: ResumeListener
    ) -> tuple[Session, UploadStatus]:
        session = self._with_retry(lambda: self._uploads.start(source, label), listener)
        self._remember(key, session, listener)
        return session, UploadStatus("active", 0)

    def _with_retry(self, ask: Callable[[], Found], listener: ResumeListener) -> Found:
        """Ask again where the server is busy; where nobody answers at all, waiting is for the user."""
        tries = Tries(self._retry_policy, listener.waits)
        while True:
            try:
                return ask()
            except Unreachable:
                raise
            except ClientError as error:
                tries.wait(error)

    def _remember(self, key: UploadKey, session: Session, listener: ResumeListener) -> None:
        try:
            self._sessions.remember(key, session)
        except OSError as error:
            listener.cannot_remember(error)

    def _clear(self, key: UploadKey, *, also_this: bool) -> None:
        """Cancel uploads of what the file used to be: nobody will go on with them."""
        stale = self._sessions.outdated(key)
        this = self._sessions.find(key) if also_this else None
        for known in [*stale, *([this] if this else [])]:
            self._drop(known.key, known.session)

    def _drop(self, key: UploadKey, session: Session) -> None:
        self._uploads.cancel(session)
        self._forget(key)

    def _forget(self, key: UploadKey) -> None:
        # Where it cannot be forgotten, the server will not know it, and that is found out then.
        with suppress(OSError):
            self._sessions.forget(key)
