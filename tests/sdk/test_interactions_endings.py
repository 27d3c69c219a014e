"""Streams end in order, whatever becomes of the interaction that they tell of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

KEY = {"x-goog-api-key": "any"}


@contextmanager
def followed(server: str, **fields: Any) -> Iterator[tuple[httpx.Client, str, Iterator[str]]]:
    """Have an interaction worked on for ever; give its address and the lines of a stream that follows it."""
    asked = {"model": "gemini-3-flash-preview", "input": "for ever", "background": True, **fields}
    with httpx.Client(base_url=f"{server}/v1beta", headers=KEY, timeout=120) as http:
        address = f"/interactions/{http.post('/interactions', json=asked).json()['id']}"
        with http.stream("GET", f"{address}?stream=true") as stream:
            lines = filter(None, stream.iter_lines())
            while "At once." not in next(lines):
                pass
            yield http, address, lines


def test_a_stream_ends_in_order_where_the_interaction_is_deleted(script_server: str) -> None:
    with followed(script_server) as (http, address, lines):
        assert http.delete(address).status_code == 200

        assert list(lines)[-2:] == ["event: done", "data: [DONE]"]
        assert http.get(address).status_code == 404


def test_a_stream_ends_in_order_where_the_interaction_is_cancelled(script_server: str) -> None:
    with followed(script_server) as (http, address, lines):
        assert http.post(f"{address}/cancel").json()["status"] == "cancelled"

        told = list(lines)
        assert told[-2:] == ["event: done", "data: [DONE]"]
        assert '"status":"cancelled"' in told[-3]
        http.delete(address)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_address_that_holds_more_than_an_id_leads_nowhere(script_server: str, method: str) -> None:
    answer = httpx.request(method, f"{script_server}/v1beta/interactions/a/b", headers=KEY)

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
