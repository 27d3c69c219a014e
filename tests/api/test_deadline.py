"""A client that goes away ends the work, whichever form of answer it asked for."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from twinlens.api.deadline import seconds_of
from twinlens.app import create_app
from twinlens.settings import Settings

SCRIPT = "default: {chunks: [first, {text: second, delay: 60}]}\n"
BODY = json.dumps({"contents": [{"parts": [{"text": "Hello"}]}]}).encode()


@pytest.fixture
def app(tmp_path: Path) -> Starlette:
    """One place for one request, and an answer that takes a minute."""
    script = tmp_path / "answers.yaml"
    script.write_text(SCRIPT)
    return create_app(
        Settings(
            engine="script",
            script=script,
            data_dir=tmp_path / "data",
            decode_workers=1,
            max_running=1,
            max_waiting=0,
        )
    )


async def call(app: Starlette, method: str, query: bytes = b"", leave_after_s: float = 0.3) -> list[Any]:
    """Call the app as a server would, and go away after some time and any first event; give all it sent."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": f"/v1beta/models/gemini-3-flash-preview:{method}",
        "raw_path": b"",
        "query_string": query,
        "root_path": "",
        "headers": [
            (b"host", b"localhost"),
            (b"x-goog-api-key", b"k"),
            (b"content-length", str(len(BODY)).encode()),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    body = iter([{"type": "http.request", "body": BODY, "more_body": False}])
    sent: list[Any] = []
    begun = asyncio.Event()
    if method == "generateContent":
        begun.set()

    async def receive() -> Any:
        for message in body:
            return message
        await begun.wait()
        await asyncio.sleep(leave_after_s)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if message.get("body"):
            begun.set()

    async with asyncio.timeout(120):
        await app(scope, receive, send)
    return sent


@pytest.mark.parametrize(
    ("method", "query"),
    [("generateContent", b""), ("streamGenerateContent", b"alt=sse"), ("streamGenerateContent", b"")],
)
async def test_e7_when_the_client_goes_away_the_engine_stops_and_the_place_is_free(
    app: Starlette, method: str, query: bytes
) -> None:
    async with app.router.lifespan_context(app):
        await call(app, method, query)

        again = await call(app, "streamGenerateContent", b"alt=sse")

    assert again[0]["status"] == 200
    assert b'"text":"firs' in again[1]["body"]


async def test_e14_the_first_event_is_sent_before_the_last_is_made(app: Starlette) -> None:
    async with app.router.lifespan_context(app):
        sent = await call(app, "streamGenerateContent", b"alt=sse")

    assert b'"text":"firs' in sent[1]["body"]
    assert not any(b"second" in message.get("body", b"") for message in sent)


async def test_cancelling_the_server_is_not_swallowed(app: Starlette) -> None:
    async with app.router.lifespan_context(app):
        task = asyncio.create_task(call(app, "generateContent", leave_after_s=60))
        await asyncio.sleep(0.3)
        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    ("wish", "seconds"),
    [
        ("5", 5.0),
        ("007", 7.0),
        ("61", 60.0),
        ("9" * 5000, 60.0),
        ("0" * 5000 + "5", 5.0),
        ("0", 60.0),
        ("-1", 60.0),
        ("1.5", 60.0),
        ("nan", 60.0),
        ("\u0665", 60.0),
        ("", 60.0),
    ],
)
def test_the_wish_for_time_is_granted_up_to_the_servers_limit(wish: str, seconds: float) -> None:
    header = (b"x-server-timeout", wish.encode("latin-1", "replace"))

    assert seconds_of(Request({"type": "http", "headers": [header]}), 60.0) == seconds
