"""Errors as Google's envelope. The only table of HTTP codes in twinlens."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..domain.errors import InvalidApiKey, ResourceExhausted, TwinlensError
from . import encoding

HTTP: Mapping[str, int] = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "UNKNOWN": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
RETRY_AFTER_S = {"RESOURCE_EXHAUSTED": 1, "UNAVAILABLE": 1}
"""When to come back where the error does not say."""

_RPC = "type.googleapis.com/google.rpc."
_SERVICE = "generativelanguage.googleapis.com"


def http_status(error: TwinlensError) -> int:
    """Return the HTTP code of an error."""
    return HTTP[error.status]


def write_error(error: TwinlensError) -> bytes:
    """Write the envelope. `error` is its only key: clients recognise a stream's failure by it."""
    body: dict[str, Any] = {"code": http_status(error), "message": error.message, "status": error.status}
    details = _details(error)
    if details:
        body["details"] = details
    return encoding.write({"error": body})


def retry_after(error: TwinlensError) -> int | None:
    """Return the seconds for a `Retry-After` header; None where retrying does not help."""
    if isinstance(error, ResourceExhausted) and error.retry_after_s is not None:
        return max(1, math.ceil(error.retry_after_s))
    return RETRY_AFTER_S.get(error.status)


def _details(error: TwinlensError) -> list[dict[str, Any]]:
    details: list[dict[str, Any]] = []
    if isinstance(error, InvalidApiKey):
        details += (
            {
                "@type": f"{_RPC}ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
                "metadata": {"service": _SERVICE},
            },
            {"@type": f"{_RPC}LocalizedMessage", "locale": "en-US", "message": error.message},
        )
    if error.violations:
        violations = [
            ({"field": one.field} if one.field else {}) | {"description": one.description}
            for one in error.violations
        ]
        details.append({"@type": f"{_RPC}BadRequest", "fieldViolations": violations})
    if isinstance(error, ResourceExhausted) and error.retry_after_s is not None:
        details.append({"@type": f"{_RPC}RetryInfo", "retryDelay": f"{error.retry_after_s:.9g}s"})
    return details
