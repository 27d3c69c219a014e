from __future__ import annotations

import json
from typing import Any

import pytest

from twinlens.domain import errors
from twinlens.domain.errors import (
    InvalidApiKey,
    InvalidArgument,
    PayloadTooLarge,
    ResourceExhausted,
    TwinlensError,
    Unavailable,
    Violation,
)
from twinlens.wire.status import http_status, retry_after, write_error

CODES = {
    "TwinlensError": 500,
    "InvalidArgument": 400,
    "BadMedia": 400,
    "InvalidApiKey": 400,
    "PayloadTooLarge": 400,
    "FailedPrecondition": 400,
    "Unauthenticated": 401,
    "PermissionDenied": 403,
    "NotFound": 404,
    "UnknownModel": 404,
    "AlreadyExists": 409,
    "ResourceExhausted": 429,
    "Cancelled": 499,
    "Internal": 500,
    "Unimplemented": 501,
    "Unavailable": 503,
    "DeadlineExceeded": 504,
}


def classes(root: type[TwinlensError]) -> list[type[TwinlensError]]:
    return [root] + [one for below in root.__subclasses__() for one in classes(below)]


def written(error: TwinlensError) -> dict[str, Any]:
    envelope = json.loads(write_error(error))
    assert list(envelope) == ["error"]
    out: dict[str, Any] = envelope["error"]
    return out


def test_a16_every_error_has_its_code() -> None:
    ours = {one.__name__ for one in classes(TwinlensError) if one.__module__ == errors.__name__}

    assert ours == set(CODES)
    for name, code in CODES.items():
        kind: Any = getattr(errors, name)
        assert http_status(kind.__new__(kind)) == code


def test_an_error_is_its_code_message_and_status() -> None:
    assert written(Unavailable("Busy.")) == {"code": 503, "message": "Busy.", "status": "UNAVAILABLE"}


def test_a9_violations_are_told_by_field() -> None:
    error = InvalidArgument("Two.", violations=[Violation("a.b", "Wrong."), Violation("", "Unknown.")])

    assert written(error)["details"] == [
        {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": "a.b", "description": "Wrong."}, {"description": "Unknown."}],
        }
    ]


def test_a4_an_unknown_key_has_its_reason() -> None:
    info, localized = written(InvalidApiKey())["details"]

    assert info["reason"] == "API_KEY_INVALID"
    assert info["metadata"] == {"service": "generativelanguage.googleapis.com"}
    assert localized["locale"] == "en-US"


def test_g8_a_large_body_is_an_invalid_argument() -> None:
    assert written(PayloadTooLarge(20_971_520)) == {
        "code": 400,
        "message": "Request payload size exceeds the limit: 20971520 bytes.",
        "status": "INVALID_ARGUMENT",
    }


def test_k5_a_full_queue_says_when_to_come_back() -> None:
    error = ResourceExhausted("Please retry in 1.5s.", retry_after_s=1.5)

    assert written(error)["details"] == [
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.5s"}
    ]
    assert retry_after(error) == 2


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (ResourceExhausted("Quota."), 1),
        (ResourceExhausted("Quota.", retry_after_s=0), 1),
        (Unavailable("Busy."), 1),
        (InvalidArgument("Wrong."), None),
    ],
)
def test_retry_after_is_sent_where_it_helps(error: TwinlensError, seconds: int | None) -> None:
    assert retry_after(error) == seconds
