"""What the server does, in numbers for Prometheus: GET /metrics, for those who may see them.

Nothing here names a file, a key or a project, and the number of series is bounded: a label is a route's
template, never a path. What the parts of the server count themselves is read when it is asked for.
"""

from __future__ import annotations

import asyncio
import hmac
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from time import perf_counter
from typing import Protocol

from prometheus_client import ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..domain.engine import Usage
from ..domain.errors import Cancelled, DeadlineExceeded, PermissionDenied, Unauthenticated
from ..domain.media import Modality
from ..pipeline.decoder import Decoder
from ..store.cache import PixelCache
from ..store.files import FileStore
from ..store.interactions import InteractionStore
from ..store.records import InteractionUsage, StorageUsage

BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""The upper bounds of the latency histogram. The last bucket holds whatever takes longer."""

OTHER = "other"
"""The label of all that is not known: there is no end to what may be sent."""

_VERBS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_MODEL_METHODS = frozenset({"generateContent", "streamGenerateContent", "countTokens"})


_CUT = "twinlens.cut"
"""Where a request's scope says why its stream broke off."""
_CUT_BY = {Cancelled.status: "client", DeadlineExceeded.status: "deadline"}


class Load(Protocol):
    """How many requests are worked on, and how many wait."""

    @property
    def running(self) -> int: ...

    @property
    def waiting(self) -> int: ...


@dataclass(frozen=True, slots=True)
class MetricSources:
    """The parts of the server whose own counters are shown; `restarts` counts decoders that were lost."""

    load: Load
    decoded: Decoder
    cache: PixelCache | None
    files: FileStore
    interactions: InteractionStore
    restarts: Callable[[], int]


@dataclass(frozen=True, slots=True)
class MetricsAccess:
    """Who may see the numbers: who has `key`, or where there is none, everybody if it is `open`."""

    key: str | None = None
    open: bool = True

    def check(self, request: Request) -> None:
        """Raise where the numbers are not for whoever asks."""
        if self.key is not None:
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not hmac.compare_digest(
                self.key.encode(), token.strip().encode()
            ):
                raise Unauthenticated("/metrics needs the server's --metrics-key as a bearer token.")
        elif not self.open:
            raise PermissionDenied(
                "/metrics tells of all projects, so API keys do not open it. Start the server with "
                "--metrics-key (TWINLENS_METRICS_KEY), or with --open-metrics to show it to everybody."
            )


class Metrics:
    """The numbers of one app."""

    def __init__(self, parts: MetricSources, door: MetricsAccess | None = None) -> None:
        self._parts = parts
        self._door = door or MetricsAccess()
        self._background: Counter[tuple[str]] = Counter()
        self._process = ProcessCollector(registry=None)
        self._tokens: Counter[tuple[str, str]] = Counter()
        self._engine_media_tokens = 0
        self.traffic = Traffic()

    def spend(self, usage: Usage) -> None:
        """Count the tokens of one answer, when it is over."""
        for modality, tokens in usage.prompt.items():
            self._tokens["prompt", modality.value] += tokens
        self._tokens["candidates", Modality.TEXT.value] += usage.candidates
        self._tokens["thoughts", Modality.TEXT.value] += usage.thoughts
        self._engine_media_tokens += usage.engine_media

    def end(self, result: str) -> None:
        """Count an interaction in the background that is over."""
        self._background[(result,)] += 1

    async def show(self, request: Request) -> Response:
        """Answer with all numbers, in the format that is asked for; raise where they are not to be seen."""
        self._door.check(request)
        usage, kept = await self._parts.files.usage(), await self._parts.interactions.usage()
        write, media_type = choose_encoder(request.headers.get("accept", ""))
        body = write(_Families([*self._families(), *_stored(usage), *_kept(kept), *self._process.collect()]))
        return Response(body, headers={"content-type": media_type, "cache-control": "no-store"})

    def _families(self) -> Iterator[Metric]:
        parts = self._parts
        yield from self.traffic.families()
        yield _counter(
            "twinlens_background_interactions_total",
            "Interactions in the background that are over.",
            ("result",),
            sorted(self._background.items()),
        )
        yield _counter(
            "twinlens_tokens_total", "Tokens billed.", ("kind", "modality"), sorted(self._tokens.items())
        )
        yield CounterMetricFamily(
            "twinlens_engine_media_tokens_total",
            "Tokens the engine really spent on media.",
            value=self._engine_media_tokens,
        )
        yield GaugeMetricFamily(
            "twinlens_requests_running", "Model requests worked on.", value=parts.load.running
        )
        yield GaugeMetricFamily(
            "twinlens_requests_waiting", "Model requests that wait for their turn.", value=parts.load.waiting
        )
        yield CounterMetricFamily(
            "twinlens_decoder_restarts_total",
            "Decoder processes that were replaced.",
            value=parts.restarts(),
        )
        yield _counter("twinlens_decoded_requests_total", "Pictures asked for.", ("result",), _asked(parts))
        if parts.cache is not None:
            yield from _cached(parts.cache)


class Traffic:
    """Requests by route, and how long they took."""

    def __init__(self) -> None:
        self._codes: Counter[tuple[str, str, str]] = Counter()
        self._times: dict[str, _Times] = {}
        self._cut: Counter[tuple[str, str]] = Counter()

    def cut(self, scope: Scope, reason: str) -> None:
        """Count an answer that began and did not come to its end."""
        self._cut[_route(scope), reason] += 1

    def record(self, scope: Scope, code: int, seconds: float) -> None:
        """Count one request that is over."""
        method, route = scope["method"], _route(scope)
        self._codes[method if method in _VERBS else OTHER, route, str(code)] += 1
        times = self._times.get(route)
        if times is None:
            times = self._times[route] = _Times()
        times.counts[bisect_left(BOUNDS_S, seconds)] += 1
        times.seconds += seconds

    def families(self) -> Iterator[Metric]:
        """Give what was counted until now."""
        labels = ("method", "route", "code")
        yield _counter("twinlens_http_requests_total", "HTTP requests.", labels, sorted(self._codes.items()))
        seconds = HistogramMetricFamily(
            "twinlens_http_request_seconds", "Time until the last byte was sent.", labels=("route",)
        )
        bounds = (*map(str, BOUNDS_S), "+Inf")
        for route, times in sorted(self._times.items()):
            buckets = list(zip(bounds, accumulate(times.counts), strict=True))
            seconds.add_metric([route], buckets, sum_value=times.seconds)
        yield seconds
        yield _counter(
            "twinlens_streams_cut_total",
            "Answers that began and were cut off.",
            ("route", "reason"),
            sorted(self._cut.items()),
        )


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


@dataclass(slots=True)
class _Times:
    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Families:
    """What an encoder wants: something to collect from."""

    families: list[Metric]

    def collect(self) -> list[Metric]:
        return self.families


def _route(scope: Scope) -> str:
    """Name the route a request took, with a model's method in it."""
    template = getattr(scope.get("route"), "path_format", OTHER)
    target = scope.get("path_params", {}).get("target")
    if target is None:
        return str(template)
    method = target.rpartition(":")[2]
    return str(template).replace("{target}", f"{{model}}:{method if method in _MODEL_METHODS else OTHER}")


def _counter(
    name: str, text: str, labels: tuple[str, ...], counts: Iterable[tuple[tuple[str, ...], int]]
) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, count in counts:
        family.add_metric(values, count)
    return family


def _asked(parts: MetricSources) -> Iterator[tuple[tuple[str], int]]:
    decoded = parts.decoded
    yield ("hit",), decoded.hits
    yield ("joined",), decoded.joined
    yield ("miss",), decoded.misses


def _cached(cache: PixelCache) -> Iterator[Metric]:
    yield GaugeMetricFamily("twinlens_cache_entries", "Decoded pictures on disk.", value=cache.entries)
    yield GaugeMetricFamily("twinlens_cache_bytes", "Disk space of decoded pictures.", value=cache.bytes)
    yield CounterMetricFamily(
        "twinlens_cache_evictions_total", "Decoded pictures that made room.", value=cache.evictions
    )


def _stored(usage: StorageUsage) -> Iterator[Metric]:
    yield GaugeMetricFamily("twinlens_files", "Uploaded files.", value=usage.files)
    yield GaugeMetricFamily("twinlens_files_bytes", "Size of all files together.", value=usage.bytes)
    yield GaugeMetricFamily("twinlens_blobs", "Different contents that are stored.", value=usage.blobs)
    yield GaugeMetricFamily("twinlens_blobs_bytes", "Disk space of these contents.", value=usage.blob_bytes)
    yield GaugeMetricFamily("twinlens_uploads_active", "Uploads that have begun.", value=usage.uploads)
    yield GaugeMetricFamily(
        "twinlens_uploads_active_bytes", "Bytes received by these uploads.", value=usage.upload_bytes
    )


def _kept(totals: InteractionUsage) -> Iterator[Metric]:
    yield GaugeMetricFamily("twinlens_interactions", "Stored interactions.", value=totals.interactions)
    yield GaugeMetricFamily(
        "twinlens_interactions_bytes", "Size of all interactions, with their media.", value=totals.bytes
    )
