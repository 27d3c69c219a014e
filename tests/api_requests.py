"""Requests with media to an app: what countTokens counts must be what generateContent bills."""

from __future__ import annotations

import base64
from typing import Any

from starlette.testclient import TestClient

Fields = dict[str, Any]


def part(data: bytes, mime_type: str, **fields: Any) -> Fields:
    """Return a part with inline media."""
    return {"inlineData": {"mimeType": mime_type, "data": base64.b64encode(data).decode()}, **fields}


def count(client: TestClient, model: str, *parts: Fields, **config: Any) -> dict[str, int]:
    """Return the tokens by modality, after checking that countTokens and generateContent agree."""
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
    """Send a request that must be refused with 400, and return its error."""
    asked = {"contents": [{"parts": list(parts)}], "generationConfig": config}
    answer = client.post(f"{model}:generateContent", json=asked)
    assert answer.status_code == 400, answer.text
    error: Fields = answer.json()["error"]
    return error


def field_of(error: Fields) -> str:
    """Return the one field that an error names."""
    (violation,) = error["details"][0]["fieldViolations"]
    field: str = violation["field"]
    return field
