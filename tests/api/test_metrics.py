"""GET /metrics: what is counted, under which labels, and what must not show."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

import images
from storing import interactions_of
from twinlens import media
from twinlens.api.metrics import Metrics, MetricSources
from twinlens.api.traffic import Measured
from twinlens.domain.engine import Usage
from twinlens.domain.media import Blob, Modality
from twinlens.media.worker.compute_quota import ComputeQuota
from twinlens.media.worker.pool import WorkerPool
from twinlens.pipeline.decoder import Decoder
from twinlens.store.cache import PixelCache
from twinlens.store.storage import open_storage

Serve = Callable[..., TestClient]

MODEL = "/v1beta/models/gemini-3-flash-preview"
PHOTO = images.encode(images.quarters(400, 300), "jpeg")


@dataclass
class Load:
    """A load that is said."""

    running: int = 2
    waiting: int = 3


@dataclass
class Server:
    """A tiny app whose work can be told beforehand, and the metrics it shows."""

    client: TestClient
    metrics: Metrics

    def value(self, name: str, **labels: str) -> float | None:
        """Read one number of /metrics."""
        text = self.client.get("/metrics").text
        samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
        return next((s.value for s in samples if s.name == name and s.labels == labels), None)

    def requests(self, method: str, route: str, code: int) -> float | None:
        return self.value("twinlens_http_requests_total", method=method, route=route, code=str(code))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    pool, cache = WorkerPool(1, 1024, 30), PixelCache(tmp_path / "cache", 1_000_000)
    decoded, store = Decoder(pool, cache), open_storage(tmp_path)
    kept = interactions_of(store)
    metrics = Metrics(MetricSources(Load(), decoded, cache, store.files, kept, lambda: pool.restarts))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await pool.start()
        yield
        await pool.stop()
        await cache.close()
        await store.close()

    async def echo(request: Request) -> Response:
        return Response(await request.body())

    async def decode(_: Request) -> Response:
        blob = Blob(PHOTO, None, "contents[0]")
        info = media.probe(blob, 1_000_000)
        await asyncio.gather(
            *(decoded.for_request(ComputeQuota("p")).image(blob, info, 80, 60) for _ in range(3))
        )
        return Response()

    async def stream(_: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"first"
            yield bytes((await metrics.show(Request({"type": "http", "headers": []}))).body)

        return StreamingResponse(pieces())

    async def broken(_: Request) -> Response:
        raise RuntimeError("a bug")

    app = Starlette(
        routes=[
            Route("/{version}/models/{target:path}", echo, methods=["POST"]),
            Route("/files/{id}", echo),
            Route("/decode", decode),
            Route("/stream", stream),
            Route("/broken", broken),
            Route("/metrics", metrics.show),
        ],
        middleware=[Middleware(Measured, metrics.traffic)],
        lifespan=lifespan,
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Server(client, metrics)


def test_requests_are_counted_by_their_route_and_never_by_their_path(server: Server) -> None:
    for name in ("secret-one", "secret-two"):
        server.client.get(f"/files/{name}")

    assert server.requests("GET", "/files/{id}", 200) == 2
    assert server.value("twinlens_http_request_seconds_count", route="/files/{id}") == 2
    assert "secret" not in server.client.get("/metrics").text


@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent", "countTokens"])
def test_a_models_method_is_part_of_its_route(server: Server, method: str) -> None:
    server.client.post(f"{MODEL}:{method}")

    assert server.requests("POST", f"/{{version}}/models/{{model}}:{method}", 200) == 1


@pytest.mark.parametrize("target", ["gemini:nonsense", "gemini", "a:b:c", "a/b:c"])
def test_a_method_that_is_not_known_has_no_label_of_its_own(server: Server, target: str) -> None:
    server.client.post(f"/v1beta/models/{target}")

    assert server.requests("POST", "/{version}/models/{model}:other", 200) == 1


def test_what_leads_nowhere_has_one_label(server: Server) -> None:
    server.client.get("/nowhere")
    server.client.request("BREW", "/else")

    assert server.requests("GET", "other", 404) == 1
    assert server.requests("other", "other", 404) == 1


def test_a_wrong_verb_is_counted_under_its_route(server: Server) -> None:
    server.client.put("/files/a")

    assert server.requests("PUT", "/files/{id}", 405) == 1


def test_a_bug_counts_as_500(server: Server) -> None:
    server.client.get("/broken")

    assert server.requests("GET", "/broken", 500) == 1


def test_a_stream_counts_when_it_has_ended(server: Server) -> None:
    during = server.client.get("/stream").text

    assert 'route="/stream"' not in during
    assert server.requests("GET", "/stream", 200) == 1


def test_bodies_pass_untouched(server: Server) -> None:
    body = bytes(range(256)) * 4096

    assert server.client.post(f"{MODEL}:generateContent", content=body).content == body


def test_tokens_are_counted_by_kind_and_modality(server: Server) -> None:
    usage = Usage({Modality.TEXT: 4, Modality.IMAGE: 1120}, candidates=7, thoughts=2, engine_media=900)
    server.metrics.spend(usage)
    server.metrics.spend(usage)

    name = "twinlens_tokens_total"
    assert server.value(name, kind="prompt", modality="TEXT") == 8
    assert server.value(name, kind="prompt", modality="IMAGE") == 2240
    assert server.value(name, kind="candidates", modality="TEXT") == 14
    assert server.value(name, kind="thoughts", modality="TEXT") == 4
    assert server.value("twinlens_engine_media_tokens_total") == 1800


def test_pictures_are_counted_by_where_they_came_from(server: Server) -> None:
    for _ in range(2):
        assert server.client.get("/decode").status_code == 200

    counts = {
        result: server.value("twinlens_decoded_requests_total", result=result)
        for result in ("hit", "joined", "miss")
    }
    assert counts == {"hit": 1, "joined": 4, "miss": 1}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("twinlens_requests_running", 2),
        ("twinlens_requests_waiting", 3),
        ("twinlens_decoder_restarts_total", 0),
        ("twinlens_cache_entries", 0),
        ("twinlens_cache_bytes", 0),
        ("twinlens_cache_evictions_total", 0),
        ("twinlens_files", 0),
        ("twinlens_files_bytes", 0),
        ("twinlens_blobs", 0),
        ("twinlens_blobs_bytes", 0),
        ("twinlens_uploads_active", 0),
        ("twinlens_uploads_active_bytes", 0),
        ("twinlens_interactions", 0),
        ("twinlens_interactions_bytes", 0),
    ],
)
def test_the_parts_are_shown(server: Server, name: str, expected: float) -> None:
    assert server.value(name) == expected


def test_the_process_is_shown(server: Server) -> None:
    assert (server.value("process_resident_memory_bytes") or 0) > 0


def test_every_number_is_explained_once(server: Server) -> None:
    server.client.get("/files/a")
    families = list(text_string_to_metric_families(server.client.get("/metrics").text))

    names = [family.name for family in families]
    assert len(names) == len(set(names))
    assert all(family.documentation for family in families)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text; version=1.0.0"),
    ],
)
def test_the_format_is_the_one_that_was_asked_for(server: Server, accept: str, expected: str) -> None:
    answer = server.client.get("/metrics", headers={"accept": accept})

    assert answer.headers["content-type"].startswith(expected)


OPEN = {"authorization": "Bearer figures"}


@pytest.mark.parametrize(
    ("settings", "headers", "status"),
    [
        ({"api_key": ("k",)}, {}, 403),
        ({"api_key": ("k",)}, {"x-goog-api-key": "k"}, 403),
        ({"api_key": ("k",)}, {"authorization": "Bearer k"}, 403),
        ({"api_key": ("k",), "open_metrics": True}, {}, 200),
        ({"api_key": ("k",), "metrics_key": "figures"}, OPEN, 200),
        ({"api_key": ("k",), "metrics_key": "figures"}, {"authorization": "bearer figures "}, 200),
        ({"api_key": ("k",), "metrics_key": "figures"}, {}, 401),
        ({"api_key": ("k",), "metrics_key": "figures"}, {"authorization": "Bearer k"}, 401),
        ({"api_key": ("k",), "metrics_key": "figures"}, {"authorization": "Basic figures"}, 401),
        ({"api_key": ("k",), "metrics_key": "figures"}, {"authorization": "Bearer "}, 401),
        ({"api_key": ("k",), "metrics_key": "figures"}, {"authorization": "figures"}, 401),
        ({"api_key": ("k",), "metrics_key": "figures"}, {"x-goog-api-key": "figures"}, 401),
        ({}, {}, 200),
        ({"metrics_key": "figures"}, {}, 401),
        ({"metrics_key": "figures"}, OPEN, 200),
    ],
)
def test_who_may_see_the_numbers(
    serve: Serve, settings: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    answer = serve(key=None, **settings).get("/metrics", headers=headers)

    assert answer.status_code == status
    assert status == 200 or "--metrics-key" in answer.json()["error"]["message"]


def test_the_key_of_the_numbers_opens_nothing_else(serve: Serve) -> None:
    server = serve(key=None, api_key=("k",), metrics_key="figures")

    assert server.get("/v1beta/models", headers=OPEN).status_code == 400


def test_the_numbers_are_not_in_a_query(serve: Serve) -> None:
    server = serve(key=None, api_key=("k",), metrics_key="figures")

    assert server.get("/metrics?key=figures").status_code == 401


STREAM = f"{MODEL}:streamGenerateContent?alt=sse"
LATE = "default: {chunks: [At once., {text: Late., delay: 600}]}\n"
BROKEN = "default: {chunks: [At once.], error: {code: 503}}\n"


def figures(client: TestClient, name: str) -> dict[tuple[str, ...], float]:
    """Read a counter by its labels' values."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    samples = (sample for family in families for sample in family.samples if sample.name == name)
    return {tuple(sample.labels.values()): sample.value for sample in samples}


@pytest.mark.parametrize(("script", "reason"), [(LATE, "deadline"), (BROKEN, "error")])
def test_a_stream_that_breaks_off_counts_as_cut(serve: Serve, script: str, reason: str) -> None:
    server = serve(script, request_timeout_s=0.5)

    answer = server.post(STREAM, json={"contents": [{"parts": [{"text": "x"}]}]})

    route = "/{version}/models/{model}:streamGenerateContent"
    assert answer.status_code == 200
    assert figures(server, "twinlens_streams_cut_total") == {(reason, route): 1}


def test_an_interactions_stream_that_breaks_off_counts_as_cut(serve: Serve) -> None:
    server = serve(LATE, request_timeout_s=2)

    answer = server.post(
        "/v1beta/interactions", json={"model": "gemini-3-flash-preview", "input": "x", "stream": True}
    )

    assert answer.status_code == 200
    assert figures(server, "twinlens_streams_cut_total") == {("deadline", "/{version}/interactions"): 1}


def test_a_stream_that_ends_well_does_not_count_as_cut(serve: Serve) -> None:
    server = serve()

    server.post(STREAM, json={"contents": [{"parts": [{"text": "x"}]}]})
    server.post(
        "/v1beta/interactions", json={"model": "gemini-3-flash-preview", "input": "x", "stream": True}
    )

    assert figures(server, "twinlens_streams_cut_total") == {}


@pytest.mark.parametrize(
    ("script", "result"),
    [
        ("default: {text: done}\n", "completed"),
        (LATE, "timed_out"),
        (BROKEN, "failed"),
    ],
)
def test_work_in_the_background_is_counted_by_how_it_ended(serve: Serve, script: str, result: str) -> None:
    server = serve(script, background_timeout_s=0.5)
    asked = {"model": "gemini-3-flash-preview", "input": "x", "background": True}

    begun = server.post("/v1beta/interactions", json=asked).json()["id"]
    while server.get(f"/v1beta/interactions/{begun}").json()["status"] in ("queued", "in_progress"):
        time.sleep(0.02)

    assert figures(server, "twinlens_background_interactions_total") == {(result,): 1}


def test_every_number_has_its_row_in_the_documentation(server: Server) -> None:
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()

    told = re.findall(r"^\| `(twinlens_\w+)` \|", page, re.MULTILINE)
    shown = re.findall(r"^# HELP (twinlens_\w+)", server.client.get("/metrics").text, re.MULTILINE)

    assert told == shown
