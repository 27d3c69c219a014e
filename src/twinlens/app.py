"""The composition root: settings to stores, engine, services, routes. The route table is on one screen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Route
from starlette.types import Lifespan

from .api import failures, files, health
from .api.auth import Keys
from .api.generate import Generate, Rules
from .api.limits import Gate
from .api.models import Models
from .engines.base import EngineOptions, EngineSetupError
from .engines.pool import Engines
from .engines.registry import create
from .media import file_type_of
from .media.worker import DecodePool
from .pipeline.fetch import Fetcher
from .pipeline.room import Room
from .pipeline.services import Services
from .settings import Settings, SettingsError
from .store.files import FileStore
from .store.uploads import Uploads

__all__ = ["EngineSetupError", "create_app"]

UPLOAD_HEADERS = (
    "X-Goog-Upload-URL",
    "X-Goog-Upload-Control-URL",
    "X-Goog-Upload-Status",
    "X-Goog-Upload-Size-Received",
    "X-Goog-Upload-Chunk-Granularity",
)


class _Version(Convertor[str]):
    regex = "v1beta|v1alpha|v1"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("version", _Version())


def create_app(settings: Settings | None = None) -> Starlette:
    """Build the whole server as an ASGI app. The engine begins to load when the app starts."""
    settings = settings or Settings()
    services = _services(settings)
    keys = Keys(settings.api_key)
    return Starlette(
        routes=_routes(services, keys, settings),
        middleware=[
            Middleware(
                CORSMiddleware,
                allow_origins=["*"],
                allow_methods=["*"],
                allow_headers=["*"],
                expose_headers=UPLOAD_HEADERS,
            ),
            Middleware(GZipMiddleware, minimum_size=1024, compresslevel=6),
        ],
        exception_handlers=failures.HANDLERS,
        lifespan=_lifespan(services),
    )


def _routes(services: Services, keys: Keys, settings: Settings) -> list[BaseRoute]:
    gate = Gate(settings.max_running, settings.max_waiting)
    rules = Rules(settings.max_request_bytes, settings.request_timeout_s, settings.engine_usage)
    generate = Generate(services, keys, gate, rules)
    models = Models(services.engines, keys)
    return [
        Route("/{version:version}/models/{target:path}", generate.__call__, methods=["POST"]),
        Route("/{version:version}/models", models.list, methods=["GET"]),
        Route("/{version:version}/models/{model:path}", models.get, methods=["GET"]),
        *files.routes(services.files, Uploads(services.files, sniff=file_type_of), keys.project_of),
        Route("/healthz", health.alive, methods=["GET"]),
        Route("/readyz", health.ready(services.engines), methods=["GET"]),
    ]


def _services(settings: Settings) -> Services:
    options = EngineOptions(model=settings.model, script=settings.script, processes=settings.engine_processes)
    return Services(
        engines=Engines(create(settings.engine, options)),
        decoder=DecodePool(settings.decode_workers, settings.decode_memory_mib, settings.decode_timeout_s),
        files=FileStore(settings.data_dir),
        fetcher=_fetcher(settings),
        room=Room(settings.max_decoded_pixels),
        max_image_pixels=settings.max_image_pixels,
    )


def _fetcher(settings: Settings) -> Fetcher:
    try:
        return Fetcher(
            enabled=settings.fetch,
            allow=settings.fetch_allow,
            max_bytes=settings.fetch_max_bytes,
            timeout_s=settings.fetch_timeout_s,
        )
    except ValueError as cause:
        raise SettingsError(f"--fetch-allow: {cause}.") from cause


def _lifespan(services: Services) -> Lifespan[Starlette]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(services.files.close)
            stack.push_async_callback(services.fetcher.close)
            await services.decoder.start()
            stack.push_async_callback(services.decoder.stop)
            services.engines.start()
            stack.push_async_callback(services.engines.stop)
            yield

    return lifespan
