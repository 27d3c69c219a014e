"""Asks an app about media, both ways: what it counts must be what it bills."""

from __future__ import annotations

import base64
from typing import Any

from starlette.testclient import TestClient

Fields = dict[str, Any]


def part(data: bytes, mime_type: str, **fields: Any) -> Fields:
    """Write a part with the media in it."""
    return {"inlineData": {"mimeType": mime_type, "data": base64.b64encode(data).decode()}, **fields}


def count(client: TestClient, model: str, *parts: Fields, **config: Any) -> dict[str, int]:
    """Ask both for the tokens and for an answer; they must agree. Give the tokens by modality."""
    asked = {"contents": [{"parts": list(parts)}], "generationConfig": config}
    whole = {"generateContentRequest": {"model": model.removeprefix("/v1beta/"), **asked}}
    counted = client.post(f"{model}:countTokens", json=whole)
    answered = client.post(f"{model}:generateContent", json=asked)
    assert counted.status_code == answered.status_code == 200, answered.text
    usage = answered.json()["usageMetadata"]
    assert usage["promptTokenCount"] == counted.json()["totalTokens"]
    assert usage["promptTokensDetails"] == counted.json()["promptTokensDetails"]
    return {one["modality"]: one["tokenCount"] for one in usage["promptTokensDetails"]}


def refusal(client: TestClient, model: str, *parts: Fields, **config: Any) -> Fields:
    """Ask what must be refused as a bad request; give the error."""
    asked = {"contents": [{"parts": list(parts)}], "generationConfig": config}
    answer = client.post(f"{model}:generateContent", json=asked)
    assert answer.status_code == 400, answer.text
    error: Fields = answer.json()["error"]
    return error


def field_of(error: Fields) -> str:
    """Give the one field that an error is about."""
    (violation,) = error["details"][0]["fieldViolations"]
    field: str = violation["field"]
    return field
