"""What this is, alive, and ready."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from twinlens import __version__
from twinlens.api.health import ready
from twinlens.engines.registry import create
from twinlens.engines.router import Engines

Serve = Callable[..., TestClient]


def told(client: TestClient, expected: str) -> Any:
    """Ask whether the server is ready until it says what is expected."""
    for _ in range(1000):
        answer = client.get("/readyz")
        if answer.text == expected:
            return answer
        time.sleep(0.02)
    pytest.fail(f"it goes on saying {answer.text!r}")


def test_a_started_server_is_alive_and_soon_ready(client: TestClient) -> None:
    assert client.get("/healthz").text == "ok\n"
    assert told(client, "ready\n").status_code == 200


def test_the_root_says_in_a_line_what_answers(serve: Serve) -> None:
    answer = serve(key=None, api_key=("secret",)).get("/")

    assert answer.status_code == 200
    assert answer.text.startswith(f"twinlens {__version__}: ")
    assert "docs" in answer.text
    assert answer.text.count("\n") == 1


def test_a_server_whose_folder_is_gone_is_alive_and_not_ready(client: TestClient, tmp_path: Path) -> None:
    told(client, "ready\n")
    (tmp_path / "data").rename(tmp_path / "elsewhere")

    answer = told(client, "the data folder is gone\n")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert client.get("/healthz").status_code == 200
    (tmp_path / "elsewhere").rename(tmp_path / "data")
    told(client, "ready\n")


def test_a_folder_that_was_put_in_the_place_of_ours_is_not_ours(client: TestClient, tmp_path: Path) -> None:
    told(client, "ready\n")
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    shutil.copytree(tmp_path / "elsewhere", tmp_path / "data")

    told(client, "the data folder is gone\n")

    shutil.rmtree(tmp_path / "data")
    (tmp_path / "elsewhere").rename(tmp_path / "data")


async def test_all_who_ask_at_once_cost_one_look() -> None:
    looks, begun, go_on = 0, asyncio.Event(), asyncio.Event()

    async def trouble() -> str | None:
        nonlocal looks
        looks += 1
        begun.set()
        await go_on.wait()
        return "the disk is full"

    engines = Engines.single(create("script"))
    engines.start()
    await engines.get("twinlens-script").backend.loaded()
    app = Starlette(routes=[Route("/readyz", ready(engines, trouble))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        asking = [asyncio.create_task(http.get("/readyz")) for _ in range(20)]
        await begun.wait()
        go_on.set()
        answers = await asyncio.gather(*asking)

    assert {(answer.status_code, answer.text) for answer in answers} == {(503, "the disk is full\n")}
    assert looks == 1
    await engines.stop()


def test_a_locked_database_is_503_and_says_when_to_come_back(client: TestClient, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "data" / "twinlens.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    start: dict[str, Any] = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}

    answer = client.post("/upload/v1beta/files", headers=start)
    other.close()

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert "Another program holds" in answer.json()["error"]["message"]
    assert client.post("/upload/v1beta/files", headers=start).status_code == 200
