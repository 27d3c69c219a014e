"""Requests that end otherwise than with a whole answer, as the middleware counts them."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry
from starlette.types import Message, Receive, Scope, Send

from twinlens.api.traffic import Measured, Traffic

GET = {"type": "http", "method": "GET"}


def counted(registry: CollectorRegistry, name: str) -> dict[tuple[str, ...], float]:
    """Read a counter by its labels' values."""
    samples = (sample for family in registry.collect() for sample in family.samples)
    return {tuple(sample.labels.values()): sample.value for sample in samples if sample.name == name}


async def test_a_client_that_went_away_counts_as_499() -> None:
    registry = CollectorRegistry()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None: ...

    task = asyncio.ensure_future(Measured(endless, Traffic(registry))(GET, receive, send))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])

    assert counted(registry, "twinlens_http_requests_total") == {("GET", "other", "499"): 1}


@pytest.mark.parametrize(
    ("is_cancelled", "reason"),
    [pytest.param(False, "client", id="left"), pytest.param(True, "stop", id="stop")],
)
async def test_a_stream_whose_client_or_server_leaves_counts_as_cut(is_cancelled: bool, reason: str) -> None:
    registry, begun, gone = CollectorRegistry(), asyncio.Event(), asyncio.Event()

    async def streaming(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        begun.set()
        await gone.wait()

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None: ...

    app = Measured(streaming, Traffic(registry))
    task = asyncio.ensure_future(app(GET, receive, send))
    await begun.wait()
    if is_cancelled:
        task.cancel()
    gone.set()
    await asyncio.wait([task])

    assert counted(registry, "twinlens_streams_cut_total") == {("other", reason): 1}
