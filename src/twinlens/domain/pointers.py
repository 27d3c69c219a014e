"""References within a schema: JSON pointers (RFC 6901) in the form of a fragment, `#/$defs/Node`."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from .media import Json


def keys(ref: str) -> tuple[str, ...] | None:
    """Parse the keys that lead from the root to the place; None where it lies in another document."""
    start, *escaped = unquote(ref).split("/")
    if start != "#":
        return None
    return tuple(key.replace("~1", "/").replace("~0", "~") for key in escaped)


def at(root: Json, ref: str) -> Json:
    """Return what a reference leads to through objects; None where that is nothing."""
    steps, place = keys(ref), root
    if steps is None:
        return None
    for key in steps:
        place = place.get(key) if isinstance(place, Mapping) else None
    return place
