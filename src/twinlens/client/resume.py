"""One upload from beginning to end, going on with what an earlier command has left."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar

from .connection import Connection
from .errors import ClientError, Gone, Refused, SourceChanged, Unreachable
from .files import File
from .retry import Patience, Tries
from .upload_records import Sessions, Subject, subject_of
from .upload_source import Source
from .uploads import Label, Session, Standing, Uploads, Witness

Found = TypeVar("Found")


class Audience(Witness, Protocol):
    """Told how an upload goes, and how it began."""

    def resumes(self, received: int) -> None:
        """Take note that so many bytes were sent by an earlier command."""

    def cannot_remember(self, error: OSError) -> None:
        """Take note that the upload cannot be resumed by another command."""


def can_go_on(error: ClientError) -> bool:
    """Tell whether the same command can go on after this error, rather than fail by it again."""
    if isinstance(error, Refused):
        return error.passing or error.code == 429
    return not isinstance(error, (Gone, SourceChanged))


class Resumable:
    """Uploads that the same command takes up again where it was interrupted."""

    def __init__(self, connection: Connection, sessions: Sessions, patience: Patience = Patience()) -> None:  # noqa: B008
        self._connection = connection
        self._sessions = sessions
        self._patience = patience
        self._uploads = Uploads(connection, patience)

    def upload(self, source: Source, label: Label, audience: Audience, *, restart: bool = False) -> File:
        """Upload a file and give its File; what an interrupted command sent is not sent again."""
        subject = subject_of(self._connection.server, self._connection.key, source, label)
        self._clear(subject, also_this=restart)
        known = self._found(subject, audience)
        session, standing = known or self._begun(subject, source, label, audience)
        try:
            file = self._uploads.send(session, source, standing, audience)
        except ClientError as error:
            if not can_go_on(error):
                self._drop(subject, session)
            if isinstance(error, Refused) and standing.state == "final":
                # It was finished long ago, and its File is no more: that is not what was asked for now.
                return self.upload(source, label, audience)
            raise
        self._forget(subject)
        return file

    def _found(self, subject: Subject, audience: Audience) -> tuple[Session, Standing] | None:
        """Find what an earlier command has begun and the server still knows."""
        known = self._sessions.find(subject)
        if known is None:
            return None
        try:
            standing = self._insist(lambda: self._uploads.query(known.session), audience)
        except Gone:
            self._forget(subject)
            return None
        if standing.received > subject.size:
            return None
        if known.subject != subject:
            self._remember(subject, known.session, audience)
            self._forget(known.subject)
        audience.resumes(standing.received)
        return known.session, standing

    def _begun(
        self, subject: Subject, source: Source, label: Label, audience: Audience
    ) -> tuple[Session, Standing]:
        session = self._insist(lambda: self._uploads.start(source, label), audience)
        self._remember(subject, session, audience)
        return session, Standing("active", 0)

    def _insist(self, ask: Callable[[], Found], audience: Audience) -> Found:
        """Ask again where the server is busy; where nobody answers at all, waiting is for the user."""
        tries = Tries(self._patience, audience.waits)
        while True:
            try:
                return ask()
            except Unreachable:
                raise
            except ClientError as error:
                tries.wait(error)

    def _remember(self, subject: Subject, session: Session, audience: Audience) -> None:
        try:
            self._sessions.remember(subject, session)
        except OSError as error:
            audience.cannot_remember(error)

    def _clear(self, subject: Subject, *, also_this: bool) -> None:
        """Cancel uploads of what the file used to be: nobody will go on with them."""
        stale = self._sessions.outdated(subject)
        this = self._sessions.find(subject) if also_this else None
        for known in [*stale, *([this] if this else [])]:
            self._drop(known.subject, known.session)

    def _drop(self, subject: Subject, session: Session) -> None:
        self._uploads.cancel(session)
        self._forget(subject)

    def _forget(self, subject: Subject) -> None:
        # Where it cannot be forgotten, the server will not know it, and that is found out then.
        with suppress(OSError):
            self._sessions.forget(subject)
