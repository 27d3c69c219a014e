"""The list of models, and one model."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ..engines.router import Engines, Served
from ..wire.models import ModelEntry, write_model, write_models
from .auth import Keys
from .query import check_query
from .responses import answered


class Models:
    """GET `models`, GET `models/{model}` and GET `tunedModels`."""

    def __init__(self, engines: Engines, keys: Keys) -> None:
        self._engines = engines
        self._keys = keys

    async def list(self, http: Request) -> Response:
        """Answer a page of models."""
        self._keys.project_of(http)
        check_query(http, own=("pageSize", "page_size", "pageToken", "page_token"))
        query = http.query_params
        entries = [_entry(served) for served in self._engines.models]
        page = write_models(
            entries,
            query.get("pageSize") or query.get("page_size"),
            query.get("pageToken") or query.get("page_token"),
        )
        return answered(page)

    async def get(self, http: Request) -> Response:
        """Answer one model."""
        self._keys.project_of(http)
        check_query(http)
        served = self._engines.get(http.path_params["model"])
        return answered(write_model(_entry(served)))

    async def tuned(self, http: Request) -> Response:
        """Answer the list of tuned models: there are none."""
        self._keys.project_of(http)
        check_query(http, own=("pageSize", "page_size", "pageToken", "page_token", "filter"))
        return answered(b"{}")


def _entry(served: Served) -> ModelEntry:
    engine = served.engine.capabilities
    return ModelEntry(
        name=served.name,
        generation=served.generation,
        description=f"Answered by twinlens' {engine.name} engine, by the rules of {served.generation.name}.",
        thinks=engine.thinks and served.generation.thinks,
    )
