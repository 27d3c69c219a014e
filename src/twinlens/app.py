"""The composition root: settings to stores, engine, services, routes. The route table is on one screen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Route
from starlette.types import Lifespan

from .api import error_handlers as failures
from .api import files, health, metrics, traffic
from .api.access import Allowed, OriginGuard
from .api.auth import Keys
from .api.deadline import HANG_UP
from .api.generate import Generate, GenerateRules
from .api.interactions import routes as interactions
from .api.models import Models
from .api.origin import Origins, Proxies
from .concurrency.admission import AdmissionQueue
from .concurrency.body_memory import BodyMemory
from .concurrency.fairness import FairSemaphore
from .concurrency.pixel_limiter import PixelLimiter
from .conversations.executor import Executor
from .conversations.scheduler import Scheduler
from .domain.clock import Clock, now
from .domain.errors import TwinlensError
from .domain.versions import VERSIONS
from .engines.backend import EngineConfig
from .engines.base import EngineSetupError
from .engines.engines_file import read as read_engines
from .engines.options import OptionError, parse_pairs
from .engines.registry import create, declared_options, load
from .engines.router import Engines
from .fetch.fetcher import Fetcher
from .fetch.youtube import YouTube
from .fetch.ytdlp import Lookup
from .media import file_type_of, is_inspected
from .media.worker.pool import WorkerPool
from .pipeline.decoder import Decoder
from .pipeline.inspection_cache import InspectionCache
from .pipeline.processing import Processing
from .pipeline.services import Services
from .pipeline.upload_checks import UploadChecks
from .settings import ENGINE_FLAGS, Settings, SettingsError, flag
from .store.cache import PixelCache
from .store.cleanup import CleanupJob
from .store.folder import DataFolderError
from .store.interactions import InteractionStore
from .store.storage import Storage, open_storage
from .store.uploads import Uploads

__all__ = ["HANG_UP", "DataFolderError", "EngineSetupError", "create_app"]

log = logging.getLogger(__name__)

UPLOAD_HEADERS = (
    "X-Goog-Upload-URL",
    "X-Goog-Upload-Control-URL",
    "X-Goog-Upload-Status",
    "X-Goog-Upload-Size-Received",
    "X-Goog-Upload-Chunk-Granularity",
)


class _Version(Convertor[str]):
    regex = "|".join(VERSIONS)

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("version", _Version())


@dataclass(frozen=True, slots=True)
class _Parts:
    """Everything that is made once, and what of it is started and stopped with the server."""

    keys: Keys
    proxies: Proxies
    services: Services
    storage: Storage
    uploads: Uploads
    interactions: InteractionStore
    sweeper: CleanupJob
    pool: WorkerPool
    cache: PixelCache | None


class App(Starlette):
    """The server as an ASGI app. Call `release` when it begins to stop, before what is in flight ends.

    `engines` are who answers, and how far they are.
    """

    def __init__(self, release: Callable[[], None], engines: Engines, **parts: Any) -> None:
        super().__init__(**parts)
        self.release = release
        self.engines = engines


def create_app(settings: Settings | None = None, *, clock: Clock = now) -> App:
    """Build the whole server as an ASGI app. The engine begins to load when the app starts.

    Files expire by `clock`. Raises SettingsError, EngineSetupError, and DataFolderError where the
    data folder cannot be used.
    """
    settings = settings or Settings()
    parts = _parts(settings, clock)
    alone = _is_alone(settings)
    admission = AdmissionQueue(settings.max_running, settings.max_waiting, alone=alone)
    body_memory = _room(settings)
    counts = _counts(parts, settings, admission)
    scheduler = _scheduler(parts, settings, admission, counts)
    app = App(
        scheduler.release,
        parts.services.engines,
        routes=[
            *_routes(parts, settings, admission, body_memory, counts),
            *_conversations(parts, settings, admission, body_memory, scheduler),
        ],
        middleware=[
            Middleware(traffic.Measured, counts.traffic),
            *_doors(parts.proxies, settings),
            Middleware(GZipMiddleware, minimum_size=1024, compresslevel=6),
        ],
        exception_handlers=failures.HANDLERS,
        lifespan=_lifespan(parts, scheduler, counts, settings.sweep_interval_s),
    )
    # A redirect would be no answer of this API, and name a host of its own finding.
    app.router.redirect_slashes = False
    return app


def _room(settings: Settings) -> BodyMemory:
    """Make room for as many of the largest requests as are worked on at a time."""
    return BodyMemory(settings.max_running * settings.max_request_bytes, alone=_is_alone(settings))


def _doors(proxies: Proxies, settings: Settings) -> list[Middleware]:
    """Say which web pages may call, and under which names: with keys, the key alone decides."""
    shared: dict[str, Any] = {
        "allow_methods": ["*"],
        "allow_headers": ["*"],
        "expose_headers": UPLOAD_HEADERS,
    }
    if settings.api_key:
        return [Middleware(CORSMiddleware, allow_origins=["*"], **shared)]
    allowed = Allowed.of(settings.allow_host, settings.allow_origin, settings.public_url)
    return [
        Middleware(OriginGuard, allowed, proxies),
        # What comes this far may ask: it is answered by its name.
        Middleware(CORSMiddleware, allow_origin_regex=".*", allow_private_network=True, **shared),
    ]


def _counts(parts: _Parts, settings: Settings, admission: AdmissionQueue) -> metrics.Metrics:
    sources = metrics.MetricSources(
        load=admission,
        decoded=parts.services.decoder,
        cache=parts.cache,
        files=parts.services.files,
        interactions=parts.interactions,
        restarts=lambda: parts.pool.restarts,
    )
    access = metrics.MetricsAccess(settings.metrics_key, open=settings.open_metrics or not settings.api_key)
    try:
        return metrics.Metrics(sources, access)
    except OSError as cause:
        raise SettingsError(
            f"PROMETHEUS_MULTIPROC_DIR must name a folder that can be written: {cause.strerror}."
        ) from cause


def _routes(
    parts: _Parts,
    settings: Settings,
    admission: AdmissionQueue,
    body_memory: BodyMemory,
    counts: metrics.Metrics,
) -> list[BaseRoute]:
    services, keys = parts.services, parts.keys
    pause_s = settings.receive_timeout_s
    rules = GenerateRules(
        settings.max_request_bytes, settings.request_timeout_s, pause_s, settings.engine_usage
    )
    generate = Generate(services, keys, admission, body_memory, rules, counts.spend)
    models = Models(services.engines, keys)
    base = (settings.file_uri_base or "").rstrip("/") or None
    origins = Origins(parts.proxies, settings.public_url)
    own = files.FileRules(keys.project_of, origins, pause_s, base)
    trouble = partial(asyncio.to_thread, parts.storage.folder.trouble)
    return [
        Route("/{version:version}/models/{target:path}", generate.__call__, methods=["POST"]),
        Route("/{version:version}/models", models.list, methods=["GET"]),
        Route("/{version:version}/models/{model:path}", models.get, methods=["GET"]),
        Route("/{version:version}/tunedModels", models.tuned, methods=["GET"]),
        *files.routes(services.files, parts.uploads, services.processing, own),
        Route("/metrics", counts.show, methods=["GET"]),
        Route("/", health.about, methods=["GET"]),
        Route("/healthz", health.alive, methods=["GET"]),
        Route("/readyz", health.ready(services.engines, trouble), methods=["GET"]),
    ]


def _scheduler(
    parts: _Parts, settings: Settings, admission: AdmissionQueue, counts: metrics.Metrics
) -> Scheduler:
    work = Executor(parts.services, parts.interactions, counts.spend, counts.end)
    return Scheduler(
        work, parts.interactions, parts.services.engines, admission, settings.background_timeout_s
    )


def _conversations(
    parts: _Parts,
    settings: Settings,
    admission: AdmissionQueue,
    body_memory: BodyMemory,
    scheduler: Scheduler,
) -> list[BaseRoute]:
    services = parts.services
    rules = interactions.InteractionRules(
        project_of=parts.keys.project_of,
        max_request_bytes=settings.max_request_bytes,
        request_timeout_s=settings.request_timeout_s,
        background_timeout_s=settings.background_timeout_s,
        pause_s=settings.receive_timeout_s,
    )
    own = interactions.InteractionServices(
        scheduler,
        parts.interactions,
        services.contents,
        services.clock,
        services.engines,
        admission,
        body_memory,
        reads=FairSemaphore(interactions.READS_AT_ONCE, _is_alone(settings)),
        outgoing=_room(settings),
    )
    return interactions.routes(own, rules)


def _parts(settings: Settings, clock: Clock) -> _Parts:
    engines, (fetcher, youtube) = _engines(settings), _fetchers(settings)
    pool = WorkerPool(settings.decode_workers, settings.decode_memory_mib, settings.decode_timeout_s)
    # Last of what can fail: it holds the folder until it is closed.
    storage = open_storage(settings.data_dir, clock)
    cache = _cache(settings, storage)
    uploads = _uploads(settings, storage, pool)
    inspected_at_once = max(1, settings.decode_workers // 2)
    services = Services(
        engines=engines,
        files=storage.files,
        contents=storage.contents,
        clock=clock,
        processing=Processing(
            storage.files, pool, at_once=inspected_at_once, patience_s=settings.processing_wait_s
        ),
        inspections=InspectionCache(pool),
        decoder=Decoder(pool, cache),
        fetcher=fetcher,
        youtube=youtube,
        pixel_limiter=PixelLimiter(settings.max_decoded_pixels),
        max_image_pixels=settings.max_image_pixels,
        max_fetched_bytes=settings.fetch_total_bytes,
        work_limit_s=settings.work_limit_s,
    )
    interactions = InteractionStore(
        storage.records.interactions,
        storage.contents,
        clock,
        lifetime=timedelta(seconds=settings.interaction_lifetime_s),
        max_bytes=settings.max_interaction_bytes,
    )
    return _Parts(
        keys=Keys(settings.api_key),
        proxies=Proxies(settings.trusted_proxies),
        services=services,
        storage=storage,
        uploads=uploads,
        interactions=interactions,
        sweeper=CleanupJob(storage.files, uploads, storage.contents, cache, interactions),
        pool=pool,
        cache=cache,
    )


def _cache(settings: Settings, storage: Storage) -> PixelCache | None:
    if not settings.cache_max_bytes:
        return None
    cache = PixelCache(settings.data_dir / "cache", settings.cache_max_bytes)
    storage.contents.on_drop(cache.forget)
    return cache


def _uploads(settings: Settings, storage: Storage, pool: WorkerPool) -> Uploads:
    checks = UploadChecks(
        pool,
        at_once=max(1, settings.decode_workers - 1),
        max_image_pixels=settings.max_image_pixels,
        alone=_is_alone(settings),
    )
    return Uploads(
        storage.records.uploads,
        storage.files,
        storage.contents,
        storage.parts,
        storage.clock,
        sniff=file_type_of,
        inspected=is_inspected,
        tried=checks.flaw,
        max_file_bytes=settings.max_file_bytes,
        max_project_bytes=settings.max_project_bytes,
        lifetime=timedelta(seconds=settings.upload_lifetime_s),
    )


def _is_alone(settings: Settings) -> bool:
    """Whether all callers are one project."""
    return len(set(settings.api_key)) <= 1


def _engines(settings: Settings) -> Engines:
    configs = read_engines(settings.engines) if settings.engines else (_engine(settings),)
    return Engines(configs, strict=settings.strict_models, alone=_is_alone(settings))


def _engine(settings: Settings) -> EngineConfig:
    """Build the one engine that flags describe: those of its options, and `--engine-option`."""
    name = settings.engine
    flags = {option: each for each, option in ENGINE_FLAGS.items() if settings.is_given(each)}
    try:
        pairs = parse_pairs(declared_options(load(name)), settings.engine_option)
        for option in pairs.keys() & flags.keys():
            raise OptionError(option, "stands in --engine-option too")
        given = {option: getattr(settings, each) for option, each in flags.items()}
        return EngineConfig(name, name, create(name, pairs | given))
    except OptionError as wrong:
        given_by = flag(flags[wrong.option]) if wrong.option in flags else f"--engine-option {wrong.option}"
        raise SettingsError(f"{given_by}, engine {name}: {wrong.why}") from wrong


def _fetchers(settings: Settings) -> tuple[Fetcher, YouTube]:
    own, patience_s = settings.youtube_resolver, settings.youtube_timeout_s
    try:
        return (
            Fetcher(
                enabled=settings.fetch,
                allow=settings.fetch_allow,
                max_bytes=settings.fetch_max_bytes,
                timeout_s=settings.fetch_timeout_s,
            ),
            YouTube(
                enabled=settings.fetch,
                allow=settings.fetch_allow,
                max_bytes=settings.youtube_max_bytes,
                timeout_s=patience_s,
                look_up=Lookup(patience_s, (str(own.resolve()),)) if own else None,
            ),
        )
    except ValueError as cause:
        raise SettingsError(f"--fetch-allow: {cause}.") from cause


def _lifespan(
    parts: _Parts, scheduler: Scheduler, counts: metrics.Metrics, sweep_interval_s: float
) -> Lifespan[Starlette]:
    services = parts.services

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(parts.storage.close)
            stack.push_async_callback(services.fetcher.close)
            stack.push_async_callback(services.youtube.close)
            if parts.cache:
                stack.push_async_callback(parts.cache.close)
            await parts.pool.start()
            stack.push_async_callback(parts.pool.stop)
            services.engines.start()
            stack.push_async_callback(services.engines.stop)
            await stack.enter_async_context(counts.published())
            await _recover(parts, scheduler)
            stack.push_async_callback(services.processing.stop)
            stack.push_async_callback(scheduler.stop)
            stack.push_async_callback(_ended, asyncio.create_task(parts.sweeper.run(sweep_interval_s)))
            yield

    return lifespan


async def _recover(parts: _Parts, scheduler: Scheduler) -> None:
    """Clear away what a crash left, and go on with it. A server that cannot is of use all the same."""
    for step in (parts.sweeper.recover, parts.services.processing.start):
        try:
            await step()
        except TwinlensError as error:
            log.error(
                "What the last stop left in the data folder could not be cleared: %s",
                error.__cause__ or error,
            )
    await scheduler.recover()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
