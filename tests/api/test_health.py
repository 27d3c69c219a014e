"""Alive and ready."""

from __future__ import annotations

import time

from starlette.testclient import TestClient


def test_a_started_server_is_alive_and_soon_ready(client: TestClient) -> None:
    assert client.get("/healthz").text == "ok\n"
    for _ in range(6000):
        if client.get("/readyz").status_code == 200:
            break
        time.sleep(0.01)
    assert client.get("/readyz").text == "ready\n"
