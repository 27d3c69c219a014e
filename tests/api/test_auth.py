"""Who may call."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

GENERATE = "/v1beta/models/gemini-3-flash-preview:generateContent"
HELLO: dict[str, Any] = {"contents": [{"parts": [{"text": "Hello"}]}]}


def test_a3_without_a_key_a_caller_is_told_to_bring_one(serve: Any) -> None:
    answer = serve(key=None).post(GENERATE, json=HELLO)

    assert answer.status_code == 403
    assert answer.json()["error"]["status"] == "PERMISSION_DENIED"
    assert "unregistered callers" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"x-goog-api-key": "secret"}, ""),
        ({"X-Goog-Api-Key": "secret"}, ""),
        ({}, "?key=secret"),
        ({"authorization": "Bearer secret"}, ""),
    ],
)
def test_a2_a_key_is_found_wherever_clients_put_it(serve: Any, headers: dict[str, str], query: str) -> None:
    client = serve(key=None, api_key=("other", "secret"))

    assert client.post(GENERATE + query, json=HELLO, headers=headers).status_code == 200


def test_a4_a_wrong_key_is_called_invalid(serve: Any) -> None:
    answer = serve(key="wrong", api_key=("secret",)).post(GENERATE, json=HELLO)

    error = answer.json()["error"]
    assert (answer.status_code, error["status"]) == (400, "INVALID_ARGUMENT")
    assert "API key not valid" in error["message"]
    assert error["details"][0]["reason"] == "API_KEY_INVALID"


def test_health_needs_no_key(serve: Any) -> None:
    assert serve(key=None, api_key=("secret",)).get("/healthz").status_code == 200


def test_the_models_need_a_key_too(serve: Any) -> None:
    client: TestClient = serve(key=None, api_key=("secret",))

    assert client.get("/v1beta/models").status_code == 403
    assert client.get("/v1beta/models/gemini-3-flash-preview").status_code == 403
