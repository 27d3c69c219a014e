"""The engines file: TOML in, an `EngineConfig` for each engine out. Mistakes have line and path.

`docs/engines.md` describes the format; `_KEYS` are the keys of an engine, all others are its own options.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ..domain.generations import LINES, LineName, family_of
from .backend import DEFAULT_QUEUE, EngineConfig
from .base import EngineSetupError
from .options import OptionError, not_known, options_of
from .registry import create, declared_options, load
from .router import is_name

_KEYS = ("name", "kind", "options", "answers", "generation", "concurrency", "queue")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_GENERATIONS: Mapping[str, LineName] = {name: name for name in LINES}
_MOST = 1_000_000
"""More requests at a time than any server holds: a larger number was mistyped."""


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    text: str

    def line_of(self, path: Sequence[str | int]) -> int:
        """Return the line, from 1, on which what stands at a path begins.

        TOML has one statement after the other: the first lines are parsed, one more each time, until the path
        is there. That is quadratic, and done for the one mistake that is reported.
        """
        lines, begin = self.text.splitlines(keepends=True), 1
        for count in range(1, len(lines) + 1):
            try:
                parsed = tomllib.loads("".join(lines[:count]))
            except tomllib.TOMLDecodeError:
                # A statement goes on over the next line.
                continue
            if _holds(parsed, path):
                break
            begin = count + 1
        return begin


@dataclass(frozen=True, slots=True)
class _Node:
    """A value, where it stands: read as what it must be, or an error that says where."""

    file: _File
    path: tuple[str | int, ...]
    value: Any

    def wrong(self, why: str) -> EngineSetupError:
        """Make the error that points here."""
        name = self.file.path.name
        where = f"{name}:{self.file.line_of(self.path)}" if self.path else name
        written = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return EngineSetupError(": ".join(filter(None, (where, written.lstrip("."), why))))

    def table(self) -> dict[str, _Node]:
        """Return a table's values by key."""
        if not isinstance(self.value, dict):
            raise self.wrong("must be a table")
        return {key: _Node(self.file, (*self.path, key), value) for key, value in self.value.items()}

    def items(self, expected: str) -> list[_Node]:
        """Return the values of a list."""
        if not isinstance(self.value, list):
            raise self.wrong(f"must be {expected}")
        return [_Node(self.file, (*self.path, index), value) for index, value in enumerate(self.value)]

    def text(self) -> str:
        """Return a text that is not empty."""
        if not isinstance(self.value, str) or not self.value:
            raise self.wrong("must be a text that is not empty")
        return self.value

    def integer(self, least: int) -> int:
        """Return a whole number from `least`."""
        value = self.value
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _MOST:
            raise self.wrong(f"must be a whole number from {least} to {_MOST}")
        return value

    def known(self, key: str, names: Collection[str]) -> EngineSetupError:
        """Make the error about a key that means nothing here."""
        return _Node(self.file, (*self.path, key), None).wrong(not_known(key, names))


def read(path: Path) -> tuple[EngineConfig, ...]:
    """Parse an engines file, check every key and value of it, and build the engines. None is started."""
    whole = _parsed(path)
    tables = whole.table()
    for key in tables:
        if key != "engine":
            raise whole.known(key, ("engine",))
    if "engine" not in tables or tables["engine"].value == []:
        raise whole.wrong("it describes no engine: add one with [[engine]]")
    configs: list[EngineConfig] = []
    for node in tables["engine"].items("a list of tables, each begun by [[engine]]"):
        configs.append(_engine(node, configs))
    return tuple(configs)


def _engine(node: _Node, before: Sequence[EngineConfig]) -> EngineConfig:
    fields = node.table()
    if "kind" not in fields:
        raise node.wrong("a 'kind' is missing: builtin, script, or an installed engine's name")
    kind = fields["kind"].text()
    name = _name(fields.get("name", fields["kind"]), before)
    if "queue" in fields and "concurrency" not in fields:
        raise fields["queue"].wrong("nobody waits without a 'concurrency'")
    return EngineConfig(
        name=name,
        kind=kind,
        engine=_built(node, fields),
        answers=_answers(fields["answers"], before) if "answers" in fields else (),
        generation=_generation(fields["generation"]) if "generation" in fields else "gemini-3",
        concurrency=fields["concurrency"].integer(1) if "concurrency" in fields else None,
        queue=fields["queue"].integer(0) if "queue" in fields else DEFAULT_QUEUE,
    )


def _name(node: _Node, before: Sequence[EngineConfig]) -> str:
    name = node.text()
    if not _NAME.fullmatch(name):
        raise node.wrong("must have letters, digits and . _ - only, at most 64")
    for index, other in enumerate(before):
        if other.name == name:
            raise node.wrong(f"{name!r} is the name of engine[{index}] too; give each a 'name' of its own")
    return name


def _answers(node: _Node, before: Sequence[EngineConfig]) -> tuple[str, ...]:
    return tuple(_pattern(item, before) for item in node.items("a list of patterns of model names"))


def _pattern(node: _Node, before: Sequence[EngineConfig]) -> str:
    pattern = node.text()
    family = family_of(pattern) if is_name(pattern) else None
    if family and not family.line:
        raise node.wrong(f"{family.service} is not offered by twinlens")
    for other in before:
        # A star of ours is text to theirs: what covers it covers all that it stands for.
        covers = [each for each in other.answers if not set("?[") & set(each) and fnmatchcase(pattern, each)]
        if covers:
            raise node.wrong(f"is never reached: {covers[0]!r} of engine {other.name!r} comes first")
    return pattern


def _generation(node: _Node) -> LineName:
    name = node.text()
    if name not in _GENERATIONS:
        raise node.wrong(not_known(name, _GENERATIONS))
    return _GENERATIONS[name]


def _built(node: _Node, fields: Mapping[str, _Node]) -> Any:
    """Build an engine with the options that stand in its table and in that table's `options`."""
    kind = fields["kind"]
    try:
        declared = options_of(declared_options(load(kind.value)))
    except EngineSetupError as error:
        raise kind.wrong(str(error)) from error
    names, nodes = [option.name for option in declared], _options(fields)
    for key in fields.keys() - {*_KEYS, *names}:
        raise node.known(key, (*_KEYS, *names))
    paths = {option.name for option in declared if option.is_path}
    values = {
        key: _placed(each) if key in paths and isinstance(each.value, str) else each.value
        for key, each in nodes.items()
    }
    try:
        return create(kind.value, values)
    except OptionError as error:
        raise nodes.get(error.option, node).wrong(_why(error, nodes)) from error
    except EngineSetupError as error:
        raise node.wrong(str(error)) from error


def _options(fields: Mapping[str, _Node]) -> Mapping[str, _Node]:
    inline = {key: each for key, each in fields.items() if key not in _KEYS}
    table = fields["options"].table() if "options" in fields else {}
    for key in inline.keys() & table.keys():
        raise table[key].wrong(f"stands beside 'options' too, as {key!r}")
    return inline | table


def _why(error: OptionError, nodes: Mapping[str, _Node]) -> str:
    """Return why an option is wrong; a missing one, which has no line in the file, is named."""
    return error.why if error.option in nodes else f"the option {error.option!r} {error.why}"


def _placed(node: _Node) -> str:
    """Resolve a path against the file's folder. An empty text is left, and is refused later."""
    return str(node.file.path.parent / node.value) if node.value else ""


def _parsed(path: Path) -> _Node:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as cause:
        raise EngineSetupError(f"{path} cannot be read: {cause.strerror}.") from cause
    except UnicodeDecodeError as cause:
        raise EngineSetupError(f"{path.name} is not UTF-8 text.") from cause
    try:
        return _Node(_File(path, text), (), tomllib.loads(text))
    except tomllib.TOMLDecodeError as cause:
        # The library has no other way to say where; a mistake at the end has no line.
        found = re.search(r"line (\d+)", str(cause))
        line = found[1] if found else max(len(text.splitlines()), 1)
        raise EngineSetupError(
            f"{path.name}:{line}: this is not valid TOML. Texts need quotes, and each key stands once."
        ) from cause


def _holds(parsed: Any, path: Sequence[str | int]) -> bool:
    for step in path:
        try:
            parsed = parsed[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True
