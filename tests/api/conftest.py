"""A whole app around the script engine: everything but the answers is real."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from twinlens.app import create_app
from twinlens.domain.clock import Clock, now
from twinlens.settings import Settings

MODEL = "/v1beta/models/gemini-3-flash-preview"
HELLO: dict[str, Any] = {"contents": [{"parts": [{"text": "Hello"}]}]}

Serve = Callable[..., TestClient]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start apps with given settings; `script` is the text of an answers file."""
    with ExitStack() as stack:

        def start(script: str | None = None, key: str | None = "any", **settings: Any) -> TestClient:
            answers = tmp_path / "answers.yaml"
            if script is not None:
                answers.write_text(script)
                settings["script"] = answers
            app = create_app(
                Settings(engine="script", data_dir=tmp_path / "data", decode_workers=1, **settings)
            )
            client = TestClient(app, "http://localhost", False, client=("127.0.0.1", 1))
            if key:
                client.headers["x-goog-api-key"] = key
            return stack.enter_context(client)

        yield start


@pytest.fixture
def client(serve: Serve) -> TestClient:
    """An app that answers "ok" to everything."""
    return serve()


@pytest.fixture
async def files_app(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[httpx.AsyncClient]]]:
    """Start apps that know the keys `k` and `other`, one at a time on one data folder.

    Gives a client with the key `k`; `clock` is what files expire by.
    """
    async with AsyncExitStack() as stack:

        async def start(clock: Clock = now, **settings: Any) -> httpx.AsyncClient:
            await stack.aclose()
            chosen: dict[str, Any] = {
                "engine": "script",
                "data_dir": tmp_path / "data",
                "decode_workers": 1,
                "api_key": ("k", "other"),
                "open_metrics": True,
            } | settings
            app = create_app(Settings(**chosen), clock=clock)
            await stack.enter_async_context(app.router.lifespan_context(app))
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(app),
                base_url="http://twin.test",
                headers={"x-goog-api-key": "k"},
            )
            return await stack.enter_async_context(client)

        yield start
