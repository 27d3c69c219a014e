"""The HTTP requests of one app, counted by route: how many, how they ended, how long they took.

A label is a route's template, never a path, so the number of series is bounded.
"""

from __future__ import annotations

import asyncio
from functools import cache
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..domain.errors import Cancelled, DeadlineExceeded
from .prometheus import Series

BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""The upper bounds of the latency histogram. The last bucket holds whatever takes longer."""

OTHER = "other"
"""The label of all that is not known: there is no end to what may be sent."""

_VERBS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_MODEL_METHODS = frozenset({"generateContent", "streamGenerateContent", "countTokens"})


_CUT = "twinlens.cut"
"""Where a request's scope says why its stream broke off."""
_CUT_BY = {Cancelled.status: "client", DeadlineExceeded.status: "deadline"}


class Traffic:
    """Requests by route, and how long they took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        requests = Counter(
            "twinlens_http_requests_total", "HTTP requests.", ("method", "route", "code"), registry=registry
        )
        seconds = Histogram(
            "twinlens_http_request_seconds",
            "Time until the last byte was sent.",
            ("route",),
            buckets=BOUNDS_S,
            registry=registry,
        )
        self._requests, self._seconds = Series(requests), Series(seconds)
        self._cut = Counter(
            "twinlens_streams_cut_total",
            "Answers that began and were cut off.",
            ("route", "reason"),
            registry=registry,
        )

    def cut(self, scope: Scope, reason: str) -> None:
        """Count an answer that began and did not come to its end."""
        self._cut.labels(_route(scope), reason).inc()

    def record(self, scope: Scope, code: int, seconds: float) -> None:
        """Count one request that is over."""
        method, route = scope["method"], _route(scope)
        self._requests[method if method in _VERBS else OTHER, route, str(code)].inc()
        self._seconds[(route,)].observe(seconds)


def note_cut(scope: Scope, status: str) -> None:
    """Note the status of the error with which an answer breaks off that has begun: 200 was sent already."""
    scope[_CUT] = _CUT_BY.get(status, "error")


class Measured:
    """An app around another that records each request when its last byte was sent. Bodies pass untouched."""

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        self._app = app
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and record what became of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        code, is_whole = 0, False

        async def noting(message: Message) -> None:
            nonlocal code, is_whole
            if not code:
                code = message.get("status", 0)
            elif not message.get("more_body"):
                is_whole = True
            await send(message)

        start = perf_counter()
        reason = "client"
        try:
            await self._app(scope, receive, noting)
        except asyncio.CancelledError:
            reason = "stop"
            raise
        except Exception:
            code, reason = code or 500, "error"
            raise
        finally:
            noted = scope.get(_CUT)
            if code and (noted or not is_whole):
                self._traffic.cut(scope, reason if reason == "stop" else noted or reason)
            # Without an answer and without a failure, the client has gone.
            self._traffic.record(scope, code or 499, perf_counter() - start)


def _route(scope: Scope) -> str:
    """Name the route a request took, with a model's method in it."""
    template = getattr(scope.get("route"), "path_format", OTHER)
    target = scope.get("path_params", {}).get("target")
    if target is None:
        return str(template)
    method = target.rpartition(":")[2]
    return _named(template, method if method in _MODEL_METHODS else OTHER)


@cache
def _named(template: str, method: str) -> str:
    """Put a model's method into a route's template; there are few of both."""
    return template.replace("{target}", f"{{model}}:{method}")
