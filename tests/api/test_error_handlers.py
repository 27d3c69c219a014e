"""Errors are answered in one form, wherever they come from."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from twinlens.api import error_handlers as failures

MODEL = "/v1beta/models/gemini-3-flash-preview"
HELLO: dict[str, Any] = {"contents": [{"parts": [{"text": "Hello"}]}]}


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/v1beta/nothing", 404),
        ("GET", "/v2/models", 404),
        ("GET", "/nothing", 404),
        ("PUT", f"{MODEL}:generateContent", 501),
        ("DELETE", "/v1beta/models", 501),
        ("POST", f"{MODEL}:generateContent", 400),
        ("GET", "/v1beta/models/nope", 404),
    ],
)
def test_a13_a16_every_error_is_json_with_its_code(
    client: TestClient, method: str, path: str, code: int
) -> None:
    answer = client.request(method, path)

    assert answer.status_code == code
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"]["message"]


def test_an_engines_error_keeps_its_status_and_its_hint(serve: Any) -> None:
    client = serve("default: {error: {status: RESOURCE_EXHAUSTED, message: slow down, retry_after: 7}}\n")

    answer = client.post(f"{MODEL}:generateContent", json=HELLO)

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json()["error"]["details"][0]["retryDelay"] == "7s"


async def test_a_fault_of_ours_ends_the_connection_and_says_so() -> None:
    """The failure goes on to uvicorn, which hangs up."""
    http = Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []})

    answer = await failures.HANDLERS[Exception](http, ValueError("inside"))

    assert (answer.status_code, answer.headers["connection"]) == (500, "close")
    assert b"inside" not in answer.body
