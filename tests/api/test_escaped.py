"""Characters that break clients' streams stand escaped in whatever the server sends."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from resumable import PNG, START

MODEL = "/v1beta/models/gemini-3-flash-preview"
NASTY = "a\u2028b\u2029c\x85d\x7fe\u202ef\u2060g\ufeffh"
HELLO = {"contents": [{"parts": [{"text": NASTY}]}]}
SCRIPT = f"""
rules:
  - match: {{text: fail}}
    answer: {{chunks: [{json.dumps(NASTY)}], error: {{code: 503, message: {json.dumps(NASTY)}}}}}
  - match: {{text: call}}
    answer: {{call: {{name: f, args: {{{json.dumps(NASTY)}: {json.dumps(NASTY)}}}}}}}
default: {{thoughts: {json.dumps(NASTY)}, chunks: [{json.dumps(NASTY)}, "{{text}}"]}}
"""


@pytest.fixture
def client(serve: Callable[..., TestClient]) -> TestClient:
    return serve(SCRIPT)


def clean(answer: Any) -> str:
    """Give the body, in which nothing of it may stand raw."""
    body: str = answer.content.decode()
    assert not set(NASTY[1::2]) & set(body), body
    return body


def question(text: str) -> dict[str, Any]:
    return {
        "contents": [{"parts": [{"text": text}]}],
        "generationConfig": {"thinkingConfig": {"includeThoughts": True}},
    }


@pytest.mark.parametrize(
    "method", ["generateContent", "streamGenerateContent", "streamGenerateContent?alt=sse"]
)
@pytest.mark.parametrize("text", [NASTY, "call", "fail"])
def test_answers_and_streams_and_their_failures(client: TestClient, method: str, text: str) -> None:
    body = clean(client.post(f"{MODEL}:{method}", json=question(text)))

    assert "a\\u2028b\\u2029c\\u0085d\\u007fe\\u202ef\\u2060g\\ufeffh" in body


def test_refusals_of_what_was_sent(client: TestClient) -> None:
    clean(client.post(f"{MODEL}:generateContent", json={NASTY: 1}))
    clean(client.post(f"{MODEL}{quote(NASTY)}:generateContent", json=HELLO))
    clean(client.get(f"/v1beta/models?pageSize={quote(NASTY)}"))
    clean(client.get(f"/v1beta/nowhere/{quote(NASTY)}"))


def test_files_and_the_answers_to_uploads(client: TestClient) -> None:
    metadata = {"file": {"displayName": NASTY, "mimeType": "image/png"}}
    begun = client.post("/upload/v1beta/files", json=metadata, headers=START)
    ended = client.post(
        begun.headers["x-goog-upload-url"],
        content=PNG,
        headers={"x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0"},
    )

    clean(ended)
    assert ended.json()["file"]["displayName"] == NASTY
    clean(client.get("/v1beta/files"))
    clean(client.get(f"/v1beta/{ended.json()['file']['name']}"))


@pytest.mark.parametrize("text", [NASTY, "call", "fail"])
@pytest.mark.parametrize("stream", [False, True])
def test_interactions_and_their_streams(client: TestClient, text: str, stream: bool) -> None:
    asked = {"model": "gemini-3-flash-preview", "input": text, "stream": stream}

    clean(client.post("/v1beta/interactions", json=asked))


def test_stored_interactions_with_their_input(client: TestClient) -> None:
    asked = {"model": "gemini-3-flash-preview", "input": NASTY}
    made = client.post("/v1beta/interactions", json=asked).json()["id"]

    told = client.get(f"/v1beta/interactions/{made}?include_input=true")

    clean(told)
    assert told.json()["input"] == NASTY
    clean(client.get(f"/v1beta/interactions/{made}?stream=true"))
    clean(client.get(f"/v1beta/interactions/{made}?stream=true&last_event_id={quote(NASTY)}"))
    clean(client.get(f"/v1beta/interactions/{quote(NASTY)}"))
