"""Query parameters."""

from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient

GENERATE = "/v1beta/models/gemini-3-flash-preview:generateContent"
HELLO: dict[str, Any] = {"contents": [{"parts": [{"text": "Hello"}]}]}


def test_a15_an_unknown_parameter_is_refused_by_name(client: TestClient) -> None:
    answer = client.post(f"{GENERATE}?zzz=1", json=HELLO)

    assert answer.status_code == 400
    assert 'Unknown name "zzz"' in answer.json()["error"]["message"]


def test_a15_system_parameters_are_tolerated(client: TestClient) -> None:
    assert client.post(f"{GENERATE}?prettyPrint=false&alt=json&$.xgafv=2", json=HELLO).status_code == 200
