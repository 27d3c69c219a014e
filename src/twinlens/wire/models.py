"""The Model resource, and the pages of its list."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from ..domain.errors import InvalidArgument
from ..domain.generations import Generation
from . import encoding

DEFAULT_PAGE = 50
MAX_PAGE = 1000
METHODS = ("generateContent", "countTokens")


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model of the list, `name` without `models/`; the generation decides where `thinks` is None."""

    name: str
    generation: Generation
    display_name: str = ""
    description: str = ""
    version: str = "001"
    thinks: bool | None = None


def write_model(entry: ModelEntry) -> bytes:
    """Write one Model."""
    return encoding.write(_model(entry))


def write_models(
    entries: Sequence[ModelEntry], page_size: str | None = None, page_token: str | None = None
) -> bytes:
    """Write the page of the list that the query asks for. Names must be unique."""
    size = _size(page_size)
    start = _start(entries, page_token)
    page = entries[start : start + size]
    out: dict[str, Any] = {}
    if page:
        out["models"] = [_model(entry) for entry in page]
    if start + size < len(entries):
        out["nextPageToken"] = urlsafe_b64encode(page[-1].name.encode()).decode().rstrip("=")
    return encoding.write(out)


def _model(entry: ModelEntry) -> dict[str, Any]:
    generation = entry.generation
    out = {
        "name": f"models/{entry.name}",
        "baseModelId": entry.name,
        "version": entry.version,
        "displayName": entry.display_name or entry.name,
        "description": entry.description,
        "inputTokenLimit": generation.input_token_limit,
        "outputTokenLimit": generation.output_token_limit,
        "supportedGenerationMethods": METHODS,
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
        "thinking": generation.thinks if entry.thinks is None else entry.thinks,
    }
    return {name: value for name, value in out.items() if value}


def _size(page_size: str | None) -> int:
    """Parse the page size; 0 and nothing mean the default, and it is clamped to the maximum."""
    if not page_size:
        return DEFAULT_PAGE
    if not (page_size.isascii() and page_size.isdigit() and len(page_size) <= 10):
        shown = msgspec.json.encode(page_size[:100]).decode()
        raise InvalidArgument(f"Invalid value at 'page_size' (TYPE_INT32), {shown}", field="page_size")
    return min(int(page_size) or DEFAULT_PAGE, MAX_PAGE)


def _start(entries: Sequence[ModelEntry], page_token: str | None) -> int:
    """Return the index of the entry after the one a token names."""
    if not page_token:
        return 0
    try:
        name = urlsafe_b64decode(page_token + "=" * (-len(page_token) % 4)).decode()
    except (binascii.Error, ValueError):
        name = ""
    for index, entry in enumerate(entries):
        if entry.name == name:
            return index + 1
    raise InvalidArgument("Invalid page token.", field="page_token")
