"""What the server does, in numbers for Prometheus: GET /metrics, for those who may see them.

Nothing here names a file, a key or a project, and the number of series is bounded: a label is a route's
template, never a path. The counters are prometheus_client's, in a registry of each app's own. Where
PROMETHEUS_MULTIPROC_DIR names a folder, processes that share it answer with the sums of all of them.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from ..domain.engine import Usage
from ..domain.errors import PermissionDenied, Unauthenticated
from ..domain.media import Modality
from ..pipeline.decoder import Decoder
from ..store.cache import PixelCache
from ..store.files import FileStore
from ..store.interactions import InteractionStore
from ..store.records import InteractionUsage, StorageUsage
from .prometheus import Series, SharedFolder
from .traffic import Traffic


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
        """Raise where the caller may not read the metrics."""
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


@dataclass(frozen=True, slots=True)
class _Figure:
    """A number that a part of the server keeps itself; `read` gives None where that part is not there."""

    kind: type[Counter | Gauge]
    name: str
    text: str
    read: Callable[[MetricSources], float | None]
    labels: tuple[tuple[str, str], ...] = ()


_FIGURES = (
    _Figure(Gauge, "twinlens_requests_running", "Model requests worked on.", lambda of: of.load.running),
    _Figure(
        Gauge,
        "twinlens_requests_waiting",
        "Model requests that wait for their turn.",
        lambda of: of.load.waiting,
    ),
    _Figure(
        Counter,
        "twinlens_decoder_restarts_total",
        "Decoder processes that were replaced.",
        lambda of: of.restarts(),
    ),
    _Figure(
        Counter,
        "twinlens_decoded_requests_total",
        "Pictures asked for.",
        lambda of: of.decoded.hits,
        (("result", "hit"),),
    ),
    _Figure(
        Counter,
        "twinlens_decoded_requests_total",
        "Pictures asked for.",
        lambda of: of.decoded.joined,
        (("result", "joined"),),
    ),
    _Figure(
        Counter,
        "twinlens_decoded_requests_total",
        "Pictures asked for.",
        lambda of: of.decoded.misses,
        (("result", "miss"),),
    ),
    _Figure(
        Gauge,
        "twinlens_cache_entries",
        "Decoded pictures on disk.",
        lambda of: None if of.cache is None else of.cache.entries,
    ),
    _Figure(
        Gauge,
        "twinlens_cache_bytes",
        "Disk space of decoded pictures.",
        lambda of: None if of.cache is None else of.cache.bytes,
    ),
    _Figure(
        Counter,
        "twinlens_cache_evictions_total",
        "Decoded pictures that made room.",
        lambda of: None if of.cache is None else of.cache.evictions,
    ),
)
"""The numbers that the parts of a server keep themselves: a row shows one more."""


class Metrics:
    """The numbers of one app.

    Raises OSError where the folder that PROMETHEUS_MULTIPROC_DIR names cannot be made.
    """

    def __init__(self, parts: MetricSources, door: MetricsAccess | None = None) -> None:
        self._parts = parts
        self._door = door or MetricsAccess()
        self._folder = SharedFolder.of_environment()
        own = self._registry = CollectorRegistry()
        self.traffic = Traffic(own)
        self._background = Counter(
            "twinlens_background_interactions_total",
            "Interactions in the background that are over.",
            ("result",),
            registry=own,
        )
        self._tokens = Series(
            Counter("twinlens_tokens_total", "Tokens billed.", ("kind", "modality"), registry=own)
        )
        self._engine_media_tokens = Counter(
            "twinlens_engine_media_tokens_total", "Tokens the engine really spent on media.", registry=own
        )
        self._mirrors = list(_mirrors(parts, own))

    def spend(self, usage: Usage) -> None:
        """Count the tokens of one answer, when it is over."""
        for modality, tokens in usage.prompt.items():
            _add(self._tokens["prompt", modality.value], tokens)
        _add(self._tokens["candidates", _TEXT], usage.candidates)
        _add(self._tokens["thoughts", _TEXT], usage.thoughts)
        _add(self._engine_media_tokens, usage.engine_media)

    def end(self, result: str) -> None:
        """Count an interaction in the background that is over."""
        self._background.labels(result).inc()

    async def show(self, request: Request) -> Response:
        """Answer with all numbers, in the format that is asked for; raise where they are not to be seen."""
        self._door.check(request)
        stored, kept = await self._parts.files.usage(), await self._parts.interactions.usage()
        self._refresh()
        write, media_type = choose_encoder(request.headers.get("accept", ""))
        body = write(self._answer(_Stored(stored, kept)))
        return Response(body, headers={"content-type": media_type, "cache-control": "no-store"})

    @asynccontextmanager
    async def published(self) -> AsyncIterator[None]:
        """Keep this process's figures current in the shared folder, if there is one, until the block ends."""
        if self._folder is None:
            yield
            return
        async with self._folder.published(self._refresh):
            yield

    def _refresh(self) -> None:
        """Read what the parts of the server count themselves."""
        for mirror in self._mirrors:
            mirror.refresh()

    def _answer(self, stored: _Stored) -> CollectorRegistry:
        """Put together what one answer shows: the sums of all processes where several share a folder."""
        shown = CollectorRegistry()
        if self._folder is not None:
            self._folder.collect_into(shown)
            shown.register(stored)
            return shown
        shown.register(self._registry)
        shown.register(stored)
        # Of several processes one alone answers: its memory and CPU would be taken for all of theirs.
        ProcessCollector(registry=shown)
        return shown


_TEXT = Modality.TEXT.value


def _add(counter: Counter, amount: int) -> None:
    """Count so many; for none, a lock would be taken for nothing."""
    if amount:
        counter.inc(amount)


@dataclass(slots=True)
class _Mirror:
    """One series that follows a number which a part of the server keeps."""

    series: Counter | Gauge
    read: Callable[[], float | None]
    seen: float = field(default=0.0, init=False)

    def refresh(self) -> None:
        """Take over the number as it is now."""
        value = self.read() or 0.0
        if isinstance(self.series, Gauge):
            self.series.set(value)
        else:
            self.series.inc(value - self.seen)
        self.seen = value


def _mirrors(parts: MetricSources, registry: CollectorRegistry) -> Iterator[_Mirror]:
    families: dict[str, Counter | Gauge] = {}
    for figure in _FIGURES:
        if figure.read(parts) is None:
            continue
        if figure.name not in families:
            families[figure.name] = _family(figure, registry)
        family = families[figure.name]
        series = family.labels(**dict(figure.labels)) if figure.labels else family
        yield _Mirror(series, partial(figure.read, parts))


def _family(figure: _Figure, registry: CollectorRegistry) -> Counter | Gauge:
    names = [label for label, _ in figure.labels]
    if figure.kind is Counter:
        return Counter(figure.name, figure.text, names, registry=registry)
    # The sum of the processes that live: what one did that is gone is done no longer.
    return Gauge(figure.name, figure.text, names, registry=registry, multiprocess_mode="livesum")


@dataclass(frozen=True, slots=True)
class _Stored(Collector):
    """What is in the stores, read when it is asked for: processes that share them see the same."""

    files: StorageUsage
    kept: InteractionUsage

    def collect(self) -> Iterator[Metric]:
        """Return the figures as they were read."""
        for name, text, value in (
            ("twinlens_files", "Uploaded files.", self.files.files),
            ("twinlens_files_bytes", "Size of all files together.", self.files.bytes),
            ("twinlens_blobs", "Different contents that are stored.", self.files.blobs),
            ("twinlens_blobs_bytes", "Disk space of these contents.", self.files.blob_bytes),
            ("twinlens_uploads_active", "Uploads that have begun.", self.files.uploads),
            ("twinlens_uploads_active_bytes", "Bytes received by these uploads.", self.files.upload_bytes),
            ("twinlens_interactions", "Stored interactions.", self.kept.interactions),
            ("twinlens_interactions_bytes", "Size of all interactions, with their media.", self.kept.bytes),
        ):
            yield GaugeMetricFamily(name, text, value=value)
