"""A whole app with several engines from a file: who answers, who refuses, and what is shown of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from twinlens.app import create_app
from twinlens.settings import Settings

HELLO: dict[str, Any] = {"contents": [{"parts": [{"text": "Hello"}]}]}
KEY = {"x-goog-api-key": "k"}

FILE = """
[[engine]]
name = "fast"
kind = "script"
model = "fast-1"
script = "fast.yaml"
answers = ["gemini-*-flash*"]
concurrency = 1
queue = 0

[[engine]]
name = "broken"
kind = "broken"
answers = ["gemini-*-pro*"]

[[engine]]
name = "other"
kind = "script"
model = "other-1"
script = "other.yaml"
answers = ["*"]
"""

BROKEN = """
from twinlens.domain.geometry import area32
from twinlens.domain.engine import Capabilities


class Broken:
    capabilities = Capabilities(name="broken", model="broken-1", geometry=area32)

    def __init__(self, options):
        pass

    async def start(self):
        raise RuntimeError("no weights in /secret/folder")

    async def stop(self):
        pass

    def count_text(self, text):
        return len(text)

    def generate(self, request):
        raise AssertionError("it was never loaded")
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    (tmp_path / "broken_engine.py").write_text(BROKEN)
    info = tmp_path / "broken-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[twinlens.engines]\nbroken = broken_engine:Broken\n")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "fast.yaml").write_text(
        "rules:\n"
        "  - match: {text: slowly}\n"
        "    answer: {chunks: [Begun., {text: ' Done.', delay: 0.2}]}\n"
        "  - match: {text: for ever}\n"
        "    answer: {text: Late., delay: 3600}\n"
        "default: {text: From the fast one.}\n"
    )
    (tmp_path / "other.yaml").write_text("default: {text: From the other one.}\n")
    path = tmp_path / "engines.toml"
    path.write_text(FILE)
    return Settings(engines=path, data_dir=tmp_path / "data", decode_workers=1)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with ExitStack() as stack:
        client = TestClient(create_app(settings), "http://localhost", False, client=("127.0.0.1", 1))
        client.headers.update(KEY)
        yield stack.enter_context(client)


@pytest.fixture
async def http(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Many requests at a time; each is answered whole."""
    async with AsyncExitStack() as stack:
        app = create_app(settings)
        await stack.enter_async_context(app.router.lifespan_context(app))
        transport = httpx.ASGITransport(app)
        yield await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://localhost/v1beta", headers=KEY)
        )


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ("gemini-3-flash-preview", "From the fast one."),
        ("fast-1", "From the fast one."),
        ("gemma-4-31b-it", "From the other one."),
        ("other-1", "From the other one."),
    ],
)
def test_the_models_name_decides_who_answers(client: TestClient, model: str, text: str) -> None:
    answer = client.post(f"/v1beta/models/{model}:generateContent", json=HELLO).json()

    assert answer["candidates"][0]["content"]["parts"] == [{"text": text}]
    assert answer["modelVersion"] == model


def test_an_interaction_is_answered_by_the_engine_of_its_model(client: TestClient) -> None:
    for model, text in (("gemini-3-flash-preview", "fast"), ("gemma-4-31b-it", "other")):
        answer = client.post("/v1beta/interactions", json={"model": model, "input": "Hello"}).json()

        assert f"From the {text} one." in str(answer)


@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent"])
def test_requests_to_an_engine_that_could_not_be_loaded_are_503_without_its_reason(
    client: TestClient, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.post(f"/v1beta/models/gemini-2.5-pro:{method}", json=HELLO)

    assert answer.status_code == 503
    assert '"UNAVAILABLE"' in answer.text
    assert "could not be loaded" in answer.text
    assert "secret" not in answer.text
    logged = [*caplog.get_records("setup"), *caplog.records]
    assert "no weights in /secret/folder" in str([record.exc_info for record in logged])


def test_what_an_engine_that_could_not_be_loaded_answers_stays_listed_and_counted(
    client: TestClient,
) -> None:
    listed = client.get("/v1beta/models?pageSize=1000").json()["models"]
    names = [model["name"] for model in listed]

    assert names[-3:] == ["models/fast-1", "models/broken-1", "models/other-1"]
    assert client.get("/v1beta/models/gemini-2.5-pro").json() in listed
    assert client.post("/v1beta/models/broken-1:countTokens", json=HELLO).json()["totalTokens"] == 5


def test_readyz_shows_each_engine_and_is_ready_although_one_failed(client: TestClient) -> None:
    answer = client.get("/readyz")
    for _ in range(1000):
        if answer.status_code == 200:
            break
        time.sleep(0.02)
        answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.text.splitlines() == [
        "ready",
        "fast (script, fast-1) answers gemini-*-flash* fast-1: ready",
        "broken (broken-1) answers gemini-*-pro* broken-1: failed",
        "other (script, other-1) answers *: ready",
    ]


async def test_an_engine_with_enough_to_do_refuses_more_and_holds_up_no_other(
    http: httpx.AsyncClient,
) -> None:
    fast, other = (f"/models/{name}:generateContent" for name in ("gemini-3-flash", "gemma-4-31b-it"))
    busy = {"model": "gemini-3-flash", "input": "for ever", "background": True}
    begun = (await http.post("/interactions", json=busy)).json()["id"]
    refused = await http.post(fast, json=HELLO)
    while refused.status_code == 200:
        await asyncio.sleep(0.01)
        refused = await http.post(fast, json=HELLO)

    others = await asyncio.gather(*(http.post(other, json=HELLO) for _ in range(8)))

    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert {answer.status_code for answer in others} == {200}
    assert (await http.post(f"/interactions/{begun}/cancel")).json()["status"] == "cancelled"


async def test_work_in_the_background_waits_where_the_queue_is_full(http: httpx.AsyncClient) -> None:
    begun = [
        (
            await http.post(
                "/interactions", json={"model": "gemini-3-flash", "input": "slowly", "background": True}
            )
        ).json()["id"]
        for _ in range(3)
    ]

    waiting = set(begun)
    while waiting:
        for each in tuple(waiting):
            state = (await http.get(f"/interactions/{each}")).json()
            assert state["status"] in ("queued", "in_progress", "completed"), state
            waiting -= {each} if state["status"] == "completed" else set()
        await asyncio.sleep(0.05)


def test_flags_and_a_file_exclude_each_other(settings: Settings) -> None:
    both = Settings(engines=settings.engines, engine="script", model="x", engine_option=("a=b",))

    assert both.problems() == [
        "--engines and --engine exclude each other: the file describes each engine whole.",
        "--engines and --engine-option exclude each other: the file describes each engine whole.",
        "--engines and --model exclude each other: the file describes each engine whole.",
    ]
