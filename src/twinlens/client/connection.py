"""One server and the key to it. Every failure comes out as one of `errors.py`."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from .errors import Broken, ClientError, Refused, Unreachable

CONNECT_TIMEOUT_S = 10
READ_TIMEOUT_S = 120
LONGEST_RETRY_AFTER_S = 60
"""A server that is busy asks for seconds; one that asks for this much has a quota that is used up."""

_LOCAL = ("127.0.0.1", "localhost", "[::1]")
_MOST_DIGITS = 20
_HTTPS = "Perhaps the server speaks https: then --server must begin with https://."
_ADVICE = {
    "API_KEY_INVALID": "Name the right one with --key or TWINLENS_KEY.",
    "UNSUPPORTED_MIME": "Say what the file is with --mime-type, if it is one of the supported types.",
}


class Connection:
    """A server and the key to it; `server` is its address without a slash at the end."""

    def __init__(self, server: str, key: str) -> None:
        self.server = server.rstrip("/")
        self.key = key
        self._has_answered = False
        try:
            self._http = httpx.Client(
                headers={"x-goog-api-key": key},
                timeout=httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
                # A proxy that the environment names for the rest of the world cannot reach this machine.
                mounts={f"all://{host}": None for host in _LOCAL},
            )
        except (httpx.InvalidURL, ValueError, OSError, ImportError) as cause:
            # Nothing is looked at yet but the environment.
            raise ClientError(
                "A proxy (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY) or the certificates (SSL_CERT_FILE, "
                "SSL_CERT_DIR) that the environment names cannot be used."
            ) from cause

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | Iterable[bytes] | None = None,
    ) -> httpx.Response:
        """Send a request and give its answer; anything but a good answer is raised."""
        with self._translated():
            answer = self._http.request(
                method, self.server + path, params=query, headers=headers, content=content
            )
        self._has_answered = True
        if not answer.is_success:
            raise _refused(answer, self.server)
        return answer

    def read(self, answer: httpx.Response) -> dict[str, Any]:
        """Parse the JSON object of a response."""
        found = _read_object(answer)
        if found is None:
            raise self.strange()
        return found

    def strange(self) -> ClientError:
        """Return the error for a response that is not this API's."""
        return ClientError(f"{self.server} does not answer as this API does. Is --server right?")

    def path_of(self, url: str) -> str:
        """Find the path and query of a session's URL, as they follow this server's address.

        The server's name for itself may not be ours: a proxy stands between, or the port changed.
        """
        try:
            parts = urlsplit(url)
        except ValueError as cause:
            raise self.strange() from cause
        _, found, rest = parts.path.partition("/upload/")
        path = found + rest if found else parts.path
        if not path.startswith("/"):
            # It would become a part of the server's name.
            raise self.strange()
        return f"{path}?{parts.query}" if parts.query else path

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (httpx.InvalidURL, UnicodeError) as cause:
            raise ClientError(
                f"{self.server} is not an address that can be asked. Is --server right?"
            ) from cause
        except (httpx.ConnectError, httpx.ConnectTimeout) as cause:
            why = "no answer" if isinstance(cause, httpx.ConnectTimeout) else _reason(cause)
            raise Unreachable(self.server, why) from cause
        except httpx.TimeoutException as cause:
            raise Broken(f"{self.server} did not answer within {READ_TIMEOUT_S} seconds.") from cause
        except httpx.LocalProtocolError as cause:
            raise ClientError(f"What was to be sent to {self.server} is not a valid request.") from cause
        except (httpx.TransportError, httpx.DecodingError) as cause:
            hint = f" {_HTTPS}" if _is_plain(self.server) and not self._has_answered else ""
            raise Broken(f"The connection to {self.server} broke.{hint}") from cause


def number(answer: httpx.Response, header: str) -> int | None:
    """Parse a header that is a whole number; None where it is missing or odd."""
    text = answer.headers.get(header, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < _MOST_DIGITS else None


def _read_object(answer: httpx.Response) -> dict[str, Any] | None:
    """Parse a JSON object; None where the answer is anything else."""
    try:
        found = json.loads(answer.content)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _is_plain(server: str) -> bool:
    return server.lower().startswith("http://")


def _reason(error: BaseException) -> str:
    """Find what the system said of a connection that failed: it lies under the libraries' own errors."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return f"TLS fails: {(cause.reason or 'unknown error').replace('_', ' ').lower()}"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
        cause = cause.__cause__ or cause.__context__
    return "no connection"


def _refused(answer: httpx.Response, server: str) -> Refused:
    error = (_read_object(answer) or {}).get("error")
    said = error if isinstance(error, dict) else {}
    message = said.get("message")
    if not isinstance(message, str) or not message:
        message = _unsaid(answer, server)
    unnamed = "Unsupported MIME" in message and "Convert" not in message
    reason = "UNSUPPORTED_MIME" if unnamed else _reason_said(said.get("details"))
    retry_after_s = number(answer, "retry-after") or 0
    return Refused(
        answer.status_code,
        message,
        advice=_ADVICE.get(reason, ""),
        passing=_is_passing(answer.status_code) and retry_after_s < LONGEST_RETRY_AFTER_S,
        retry_after_s=retry_after_s,
        received=number(answer, "x-goog-upload-size-received"),
    )


def _reason_said(details: Any) -> str:
    """Find the reason among the details of an error."""
    listed = details if isinstance(details, list) else []
    return next((str(one["reason"]) for one in listed if isinstance(one, dict) and "reason" in one), "")


def _unsaid(answer: httpx.Response, server: str) -> str:
    """Say what is known of a refusal that has no message of this API."""
    begins = f"{server} answered {answer.status_code}"
    if answer.has_redirect_location:
        return f"{begins} and points to {answer.headers['location'][:200]}. Is --server right?"
    if answer.status_code == 400 and _is_plain(server) and b"HTTPS" in answer.content:
        return f"{begins}, and did not say why. {_HTTPS}"
    return f"{begins}, and did not say why."


def _is_passing(code: int) -> bool:
    """Whether a status is temporary: the server is busy or failing."""
    return code in (408, 429) or (code >= 500 and code != 501)
