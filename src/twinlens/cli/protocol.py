"""What uvicorn leaves to its users: bounds on what comes before a request and on who does not take its
answer, and a last word at the end."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ..api.refusals import write_refusal
from ..app import HANG_UP
from ..domain.errors import InvalidArgument, TwinlensError, Unavailable
from ..wire import status
from ..wire.encoding import JSON

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger(__name__)

_FRAMING = (b"content-length", b"transfer-encoding")
"""The headers that say where a request's body ends."""

_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")

MAX_HEAD_BYTES = 64 * 1024
"""Of a request line and its headers, or of what comes between two pieces of a body and after the last one.
What comes in one piece with them is not counted."""

PIECE_BYTES = 16 * 1024
"""Are read as requests before it is looked whether the connection may go on."""
MAX_PIPELINED = 16
"""Requests of a connection may wait for the answer to one before them."""

MIN_TAKEN_BYTES = 16 * 1024
"""Of an answer must be taken within the send limit, where there is so much of it."""


def bounded(head_timeout_s: float, send_timeout_s: float) -> type[asyncio.Protocol]:
    """Give the protocol for connections on which a request's head may take so long, and a reader's pause."""
    own = {"head_timeout_s": head_timeout_s, "send_timeout_s": send_timeout_s}
    return type("BoundedProtocol", (_Bounded,), own)


_FAILED = ("lifespan.startup.failed", "lifespan.shutdown.failed")


class Interrupted:
    """An app around another that answers requests which the end of the server cuts off.

    uvicorn cancels what is still under way when the time for stopping is over, and nothing else; it takes
    a cancelled request for a fault.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; where it is cut off before its answer began, answer 503."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except asyncio.CancelledError:
            if scope["type"] != "http":
                raise
            if not begun:
                await _refuse(Unavailable("The server is stopping. Try again later."), scope["path"], send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the server's start and end. Where Ctrl-C cuts that off, nothing has failed."""
        failed: list[Message] = []

        async def holding(message: Message) -> None:
            if message["type"] in _FAILED:
                failed.append(message)
            else:
                await send(message)

        try:
            await self._app(scope, receive, holding)
        except asyncio.CancelledError:
            # What is said then is where the program was.
            failed = [{**message, "message": ""} for message in failed]
            raise
        finally:
            for message in failed:
                await send(message)


async def _refuse(error: TwinlensError, path: str, send: Send) -> None:
    body = write_refusal(error, path)
    headers = [
        (b"content-type", JSON.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    retry_after = status.retry_after(error)
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode()))
    await send({"type": "http.response.start", "status": status.http_status(error), "headers": headers})
    await send({"type": "http.response.body", "body": body})


LEANT_ON: Mapping[str, frozenset[str]] = {
    "methods": frozenset(
        (
            *("connection_made", "connection_lost", "pause_writing", "resume_writing", "data_received"),
            *("on_message_begin", "on_url", "on_header", "on_headers_complete", "on_body"),
            *("on_message_complete", "on_response_complete", "send_400_response"),
            "_unset_keepalive_if_required",
        )
    ),
    "attributes": frozenset(
        ("cycle", "headers", "loop", "parser", "pipeline", "scope", "transport", "url"),
    ),
    "cycle": frozenset(("response_started", "response_complete")),
}
"""What the class below uses of uvicorn's HttpToolsProtocol and of its requests' cycles, undocumented.

Tests look for all of it in the installed uvicorn, and hold the class to it. The bound in pyproject.toml is
the newest uvicorn that they passed with.
"""


class _TooManyRequests(Exception):
    """Tells the parser to stop."""


class _Bounded(HttpToolsProtocol):
    """Closes a connection whose next request does not begin in time, or begins with too much.

    Between requests uvicorn's keep-alive holds; here it is from the first byte of a head to its end.
    A connection on which answers wait and are not taken is cut off: what waits lies in memory, and whoever
    writes it waits too.
    """

    head_timeout_s: float
    send_timeout_s: float

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._barren_bytes = self._body_bytes_left = 0
        self._bore = self._in_head = self._is_framing = False
        self._patience: asyncio.TimerHandle | None = None
        self._sending: asyncio.TimerHandle | None = None
        self._most_left = 0
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._end_head()
        if self._sending is not None:
            self._sending.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Look from now on whether the reader takes anything."""
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        """Take note that the reader has taken much."""
        super().resume_writing()
        self._most_left = sys.maxsize

    def on_response_complete(self) -> None:
        """Look whether the reader takes what is left of an answer that is written."""
        super().on_response_complete()
        self._await_reader()

    def on_message_begin(self) -> None:
        """Begin to wait for the end of a head, unless that is under way; hang up on whoever asks too much."""
        if self._is_framing:
            return
        if len(self.pipeline) >= MAX_PIPELINED:
            self.transport.close()
            raise _TooManyRequests
        super().on_message_begin()
        self.scope["state"][HANG_UP] = self.transport.abort
        self._in_head = True
        self._await_head()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the request's target."""
        if not self._is_framing:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Drop what comes after a body: nothing there may say who asks for what (RFC 9110, 6.5.1)."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Let the request take over."""
        if self._is_framing:
            return
        self._end_head()
        self._bore, self._in_head = True, False
        self._body_bytes_left = int(dict(self.headers).get(b"content-length", 0))
        self._take_authority()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take note that a body goes on."""
        self._bore = True
        self._body_bytes_left -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Take note that a request has come, unless its body is yet to be looked for."""
        self._bore = True
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Read what came, piece by piece for as long as the connection is open."""
        self._unset_keepalive_if_required()
        at = 0
        while at < len(data) and not self.transport.is_closing():
            # What is left of a body is no request, and large.
            end = at + max(PIECE_BYTES, self._body_bytes_left)
            self._read(data[at:end])
            at = end

    def _read(self, piece: bytes) -> None:
        """Read a piece, and count it where it brings neither a head's end nor anything of a body."""
        self._bore = False
        try:
            self._feed(piece)
        except HttpParserError:
            # Not a warning: any stranger could fill the log.
            log.debug("what came is no request")
            self.send_400_response("Invalid HTTP request received.")
        self._barren_bytes = 0 if self._bore else self._barren_bytes + len(piece)
        if self._barren_bytes > MAX_HEAD_BYTES:
            self.send_400_response(f"The headers or trailers are longer than {MAX_HEAD_BYTES} bytes.")

    def _feed(self, piece: bytes) -> None:
        """Give the parser a piece; have it read on where a request asks to go over to another protocol."""
        while True:
            try:
                return self.parser.feed_data(piece)
            except HttpParserUpgrade as upgrade:
                self._ignore_upgrade()
                piece = piece[upgrade.args[0] :]

    def _ignore_upgrade(self) -> None:
        """Let the request go on as though it had not asked for an upgrade (RFC 9110, 7.8).

        The parser takes it for ended, and cannot be told otherwise: another one goes on behind a head that
        frames the same body, and nobody else sees.
        """
        framing = [b"%s: %s\r\n" % header for header in self.headers if header[0] in _FRAMING]
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._is_framing = True
        try:
            self.parser.feed_data(b"POST / HTTP/1.1\r\n%s\r\n" % b"".join(framing))
        finally:
            self._is_framing = False

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, in the form of every other refusal; amid an answer, only hang up."""
        if self._is_answering():
            self._end_head()
            self.transport.close()
        if self.transport.is_closing():
            return
        body = write_refusal(InvalidArgument(msg), self._address())
        head = (
            "HTTP/1.1 400 Bad Request\r\n"
            f"content-type: {JSON}\r\n"
            f"content-length: {len(body)}\r\n"
            "connection: close\r\n\r\n"
        )
        self._end_head()
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _is_answering(self) -> bool:
        cycle = self.cycle
        # Of requests that wait, the first one's answer may have begun.
        return bool(self.pipeline) or bool(cycle and cycle.response_started and not cycle.response_complete)

    def _take_authority(self) -> None:
        """Take the host that the request's target names, whatever Host says (RFC 9112, 3.2.2)."""
        target = _ABSOLUTE.match(self.url)
        if target:
            # In place: the request has this list already.
            self.headers[:] = [header for header in self.headers if header[0] != b"host"]
            self.headers.append((b"host", target[1]))

    def _address(self) -> str:
        """Give what has come of the address of the request under way."""
        return getattr(self, "url", b"").decode("latin-1")

    def _await_head(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(self.head_timeout_s, self.transport.close)

    def _await_reader(self) -> None:
        left = self.transport.get_write_buffer_size()
        if self._sending is None and left:
            self._most_left = left - MIN_TAKEN_BYTES
            self._sending = self.loop.call_later(self.send_timeout_s, self._check_reader)

    def _check_reader(self) -> None:
        self._sending = None
        if self.transport.get_write_buffer_size() > max(self._most_left, 0):
            log.info("a client did not take its answer, and was cut off")
            self.transport.abort()
        else:
            self._await_reader()

    def _end_head(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
