"""Errors as responses, whatever went wrong and wherever."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ..domain.errors import Cancelled, DeadlineExceeded, Internal, NotFound, TwinlensError, Unimplemented
from ..pipeline.failures import drop_tracebacks, report, to_api_error
from ..wire import status
from ..wire.encoding import JSON
from .refusals import write_refusal
from .unsupported import MAX_ECHO, unserved_path


async def on_api_error(http: Request, failure: Exception) -> Response:
    """Answer an error with its status and its message; its cause goes to the log."""
    assert isinstance(failure, TwinlensError)
    report(failure, f"{http.method} {http.url.path}")
    drop_tracebacks(failure)
    return _response(http, failure)


async def on_os_error(http: Request, failure: Exception) -> Response:
    """Answer what the system refuses us: where it has run out of something, that can be told."""
    return await on_api_error(http, to_api_error(failure))


async def on_http_error(http: Request, failure: Exception) -> Response:
    """Answer a path or a method that does not exist."""
    assert isinstance(failure, HTTPException)
    known = unserved_path(http.method, http.url.path)
    if known is not None:
        return _response(http, known)
    asked = f"{http.method} {http.url.path[:MAX_ECHO]}"
    if failure.status_code == 405:
        return _response(http, Unimplemented(f"{asked}: this method is not served here."))
    return _response(http, NotFound(f"{asked} was not found on this server."))


async def on_disconnect(http: Request, _: Exception) -> Response:
    """Answer nobody: the client left while it was sending."""
    return _response(http, Cancelled("The client closed the connection."))


async def on_bug(http: Request, failure: Exception) -> Response:
    """Answer a fault of ours, telling nothing of its inside."""
    report(to_api_error(failure), f"{http.method} {http.url.path}")
    answer = _response(http, Internal())
    # The failure goes on to uvicorn, which hangs up: the client must not ask its next question here.
    answer.headers["Connection"] = "close"
    return answer


HANDLERS: Mapping[Any, Any] = {
    TwinlensError: on_api_error,
    HTTPException: on_http_error,
    ClientDisconnect: on_disconnect,
    OSError: on_os_error,
    Exception: on_bug,
}


def _response(http: Request, error: TwinlensError) -> Response:
    body = write_refusal(error, http.url.path)
    alternative = http.query_params.get("alt") or http.query_params.get("$alt")
    if http.url.path.endswith(":streamGenerateContent") and alternative != "sse":
        # The array form of a stream is an array even where it holds an error only.
        body = b"[" + body + b"]"
    headers = {}
    if isinstance(error, DeadlineExceeded):
        # The rest of the request may never come: uvicorn would wait for it.
        headers["Connection"] = "close"
    retry_after = status.retry_after(error)
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return Response(
        body,
        status_code=status.http_status(error),
        media_type=JSON,
        headers=headers,
    )
