"""A whole app around the script engine: everything but the answers is real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from twinlens.app import create_app
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
            client = TestClient(app, raise_server_exceptions=False)
            if key:
                client.headers["x-goog-api-key"] = key
            return stack.enter_context(client)

        yield start


@pytest.fixture
def client(serve: Serve) -> TestClient:
    """An app that answers "ok" to everything."""
    return serve()
