"""Engines by name: the table of those that come with twinlens, and the entry points of others.

Nothing is imported until an engine is picked, so the libraries of the rest need not be installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from .base import Engine, EngineFactory, EngineSetupError
from .options import NoOptions, build

GROUP = "twinlens.engines"
"""The entry point group in which another package registers its engines."""

ENGINES: dict[str, str] = {
    "builtin": "twinlens.engines.builtin:BuiltinEngine",
    "script": "twinlens.engines.script:ScriptEngine",
}
"""Import strings by engine name, in the form of an entry point: `module:factory [extra]`."""


def names() -> list[str]:
    """List all engines that can be picked: our own first, then those of installed packages."""
    return list(ENGINES) + sorted(entry_points(group=GROUP).names - ENGINES.keys())


def create(name: str, values: Mapping[str, object] | None = None) -> Engine:
    """Build the engine of that name with the given options. It still has to be started.

    Raises `OptionError` for an option that is wrong, and `EngineSetupError`.
    """
    factory = load(name)
    return factory(build(declared_options(factory), values or {}))


def load(name: str) -> EngineFactory:
    """Import the engine of that name, which is not built by that."""
    entry = _find(name)
    try:
        factory: EngineFactory = entry.load()
    except ModuleNotFoundError as cause:
        raise EngineSetupError(_missing(entry, cause.name or "")) from cause
    except (ImportError, AttributeError) as cause:
        raise EngineSetupError(f"The engine {name!r} cannot be loaded from {entry.value!r}.") from cause
    return factory


def declared_options(factory: EngineFactory) -> type[Any]:
    """Return the class in which an engine declares its options."""
    declared: type[Any] = getattr(factory, "Options", NoOptions)
    return declared


def _find(name: str) -> EntryPoint:
    if name in ENGINES:
        return EntryPoint(name, ENGINES[name], GROUP)
    for entry in entry_points(group=GROUP, name=name):
        return entry
    raise EngineSetupError(f"There is no engine {name!r}; there are: {', '.join(names())}.")


def _missing(entry: EntryPoint, library: str) -> str:
    package = entry.dist.name if entry.dist else "twinlens"
    extras = f"[{','.join(entry.extras)}]" if entry.extras else ""
    return (
        f"The engine {entry.name!r} needs the library {library!r}, which is not installed: "
        f"pip install '{package}{extras}'"
    )
