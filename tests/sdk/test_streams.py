"""Streams as every client reads them: ends of lines in the text, the last chunk, and an error on the way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

HERE = Path(__file__).parent
MODULES = HERE / "js" / "node_modules"
OLDER = HERE.parent.parent / ".venv" / "genai2"
JAVASCRIPT = {
    "genai": "@google/genai",
    "legacy": "@google/generative-ai",
    "langchain": "@langchain/google-genai",
    "ai": "@ai-sdk/google",
}
LINES = "a\u2028b\u2029c\x85de\u2028"
GONE = "The teller is gone."
ERRORS = {
    "python": f"ServerError: 503 {GONE}",
    "python, older": f"ServerError: 503 {GONE}",
    "genai": GONE,
    # These two know of no errors within a stream. That they fail at all is what matters.
    "legacy": "Failed to parse stream",
    "langchain": "Failed to parse stream",
    "ai": GONE,
}

Seen = dict[str, Any]


@pytest.fixture(scope="module")
def seen(script_server: str) -> Callable[[str], Seen]:
    """Give what has a client read three streams, and tells what it read; each is asked once."""
    known: dict[str, Seen] = {}

    def read(client: str) -> Seen:
        if client not in known:
            known[client] = json.loads(_run(*_command(client), script_server))
        return known[client]

    return read


def _command(client: str) -> tuple[dict[str, str], list[str]]:
    """Give the environment and the program of a client, or skip where it is not installed."""
    if client == "python":
        return {}, [sys.executable, "streams.py"]
    if client == "python, older":
        if not OLDER.is_dir():
            pytest.skip(f"google-genai 2.34 is missing in {OLDER.relative_to(HERE.parent.parent)}")
        return {"PYTHONPATH": str(OLDER)}, [sys.executable, "streams.py"]
    node, package = shutil.which("node"), JAVASCRIPT[client]
    if node is None or not (MODULES / package).is_dir():
        pytest.skip(f"node or {package} is missing: run `npm install --prefix tests/sdk/js`")
    return {}, [node, "js/streams.mjs", client]


def _run(environment: dict[str, str], command: list[str], url: str) -> str:
    done = subprocess.run(
        [*command, url],
        cwd=HERE,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


every_client = pytest.mark.parametrize("client", list(ERRORS))


@every_client
def test_ends_of_lines_within_a_text_do_not_end_an_event(seen: Callable[[str], Seen], client: str) -> None:
    lines = seen(client)["lines"]

    assert ("".join(lines["pieces"]), lines["error"]) == (LINES, None)


@every_client
def test_the_last_chunk_has_a_text(seen: Callable[[str], Seen], client: str) -> None:
    whole = seen(client)["whole"]["pieces"]

    assert "".join(whole) == "Once upon a time."
    assert whole[-1]


@every_client
def test_an_error_on_the_way_is_an_error(seen: Callable[[str], Seen], client: str) -> None:
    broken = seen(client)["broken"]

    assert "".join(broken["pieces"]) == "Once "
    assert ERRORS[client] in (broken["error"] or "no error")


def test_the_older_client_is_the_older_one(seen: Callable[[str], Seen]) -> None:
    assert seen("python, older")["version"].startswith("2.")


def as_go_reads(stream: str) -> tuple[list[Seen], Seen | None]:
    """Read a stream by the rules of Google's Go client, where there is no Go to do it.

    It parts events at blank lines. What stands before an event's first colon is its prefix: after `data` a
    chunk follows, of which it looks at no `error`; any other event must be an object with an `error`, as a
    whole, and ends the stream.
    """
    chunks = []
    for event in stream.split("\r\n\r\n"):
        prefix, _, data = event.partition(":")
        if prefix == "data":
            chunks.append(json.loads(data))
        elif event:
            error: Seen = json.loads(event)["error"]
            return chunks, error
    return chunks, None


def test_an_error_on_the_way_is_an_error_in_go(script_server: str) -> None:
    chunks, error = as_go_reads(_stream(script_server, "break off"))

    assert [chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in chunks] == ["Once "]
    assert error == {"code": 503, "status": "UNAVAILABLE", "message": GONE}


def test_a_whole_stream_is_kept_in_gos_history(script_server: str) -> None:
    """The client leaves a turn out of a chat's history if any part of it is an empty text."""
    chunks, error = as_go_reads(_stream(script_server, "tell me a story"))

    parts = [part for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]
    assert all(part["text"] for part in parts)
    assert chunks[-1]["candidates"][0]["finishReason"] == "STOP"
    assert chunks[-1]["usageMetadata"]["candidatesTokenCount"] > 0
    assert error is None


def _stream(server: str, question: str) -> str:
    return httpx.post(
        f"{server}/v1beta/models/gemini-3-flash-preview:streamGenerateContent?alt=sse",
        headers={"x-goog-api-key": "any"},
        json={"contents": [{"parts": [{"text": question}]}]},
    ).text
