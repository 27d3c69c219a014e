"""The resumable upload protocol, from the side of the one who sends.

A session outlives the connection, this process and the server's: `query` tells how far it got.
Chunks are acknowledged one by one; a lost answer is made up for by asking, never by guessing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import httpx

from .connection import Connection, number
from .errors import ClientError, Gone, OutOfStep, Refused
from .files import File, read_file
from .retry import RetryPolicy, Tries
from .upload_source import UploadSource

CHUNK_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Label:
    """What the user says of a file; what is None is chosen by the server."""

    name: str | None = None
    display_name: str | None = None
    mime_type: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """An upload the server knows. Its path is a capability: who has it can write to the upload."""

    path: str
    chunk_bytes: int = CHUNK_BYTES


@dataclass(frozen=True, slots=True)
class UploadStatus:
    """How far a session got: `received` bytes are safe."""

    state: Literal["active", "final"]
    received: int


class UploadListener(Protocol):
    """Told how an upload goes."""

    def moved(self, position: int) -> None:
        """Take note that the bytes before `position` are under way; it may go back."""

    def waits(self, error: ClientError, seconds: float) -> None:
        """Take note that something went wrong and is tried again after so many seconds."""


class UploadClient:
    """Uploads into the key's project."""

    def __init__(self, connection: Connection, retry_policy: RetryPolicy = RetryPolicy()) -> None:  # noqa: B008
        self._connection = connection
        self._retry_policy = retry_policy

    def start(self, source: UploadSource, label: Label) -> Session:
        """Open a session for a file."""
        headers = {
            "X-Goog-Upload-Protocol": "resumable",
            "X-Goog-Upload-Header-Content-Length": str(source.size),
        }
        if label.mime_type:
            headers["X-Goog-Upload-Header-Content-Type"] = label.mime_type
        said = {"name": label.name, "displayName": label.display_name, "mimeType": label.mime_type}
        file = {key: value for key, value in said.items() if value}
        answer = self._command("/upload/v1beta/files", "start", headers, json.dumps({"file": file}).encode())
        url = answer.headers.get("x-goog-upload-url", "")
        if not url:
            raise ClientError(f"{self._connection.server} does not speak the upload protocol.")
        return Session(self._connection.path_of(url), _chunk_bytes(answer))

    def query(self, session: Session) -> UploadStatus:
        """Ask how far a session got; raise `Gone` where the server does not know it, or not any more."""
        try:
            answer = self._command(session.path, "query")
        except Refused as refused:
            if refused.code in (404, 410):
                raise Gone from refused
            raise
        state = answer.headers.get("x-goog-upload-status", "")
        received = number(answer, "x-goog-upload-size-received")
        if state == "final":
            return UploadStatus("final", received or 0)
        if state != "active" or received is None:
            raise Gone
        return UploadStatus("active", received)

    def cancel(self, session: Session) -> None:
        """Give up a session, as far as the server can still be told."""
        try:
            self._command(session.path, "cancel")
        except ClientError:
            return  # The server forgets it by itself, later.

    def send(
        self, session: Session, source: UploadSource, status: UploadStatus, listener: UploadListener
    ) -> File:
        """Send what is missing and give the finished file.

        Where the connection breaks or the server stumbles, the session is asked how far it got, and the
        upload goes on from there; it is given up after some tries that brought nothing.
        """
        tries = Tries(self._retry_policy, listener.waits)
        best = status.received
        while True:
            listener.moved(status.received)
            try:
                return self._send_rest(session, source, status, listener)
            except ClientError as error:
                status = self._find_out(session, error, tries)
            if status.received > best:
                best = status.received
                tries.progressed()

    def _find_out(self, session: Session, error: ClientError, tries: Tries) -> UploadStatus:
        """Wait, and ask how far the session got, until there is an answer."""
        while True:
            tries.wait(error)
            try:
                return self.query(session)
            except ClientError as another:
                error = another

    def _send_rest(
        self, session: Session, source: UploadSource, status: UploadStatus, listener: UploadListener
    ) -> File:
        if status.state == "final":
            return self._finished(self._command(session.path, "finalize"))
        position = status.received
        if position > source.size:
            raise Gone
        with source.open() as file:
            while True:
                source.check(file)
                end = min(position + session.chunk_bytes, source.size)
                is_last = end == source.size
                headers = {"X-Goog-Upload-Offset": str(position), "Content-Length": str(end - position)}
                blocks = source.blocks(file, position, end, listener.moved)
                try:
                    answer = self._command(
                        session.path, "upload, finalize" if is_last else "upload", headers, blocks
                    )
                except Refused as refused:
                    raise _told_apart(refused, position) from refused
                if is_last:
                    return self._finished(answer)
                position = end

    def _finished(self, answer: httpx.Response) -> File:
        return read_file(self._connection.read(answer).get("file"))

    def _command(
        self,
        path: str,
        command: str,
        headers: Mapping[str, str] | None = None,
        content: bytes | Iterable[bytes] | None = None,
    ) -> httpx.Response:
        said = {"X-Goog-Upload-Command": command, "Content-Type": "application/json"}
        return self._connection.ask("POST", path, headers=said | dict(headers or {}), content=content)


def _told_apart(refused: Refused, offset: int) -> ClientError:
    """Tell what a refused chunk means: a session that is gone, one that is elsewhere, or a plain no."""
    if refused.code in (404, 410):
        return Gone()
    if refused.code == 400 and refused.received not in (None, offset):
        return OutOfStep(str(refused))
    return refused


def _chunk_bytes(answer: httpx.Response) -> int:
    """Choose the size of chunks: about ours, and a multiple of what the server asks for."""
    granularity = number(answer, "x-goog-upload-chunk-granularity")
    if not granularity:
        return CHUNK_BYTES
    return max(CHUNK_BYTES // granularity, 1) * granularity
