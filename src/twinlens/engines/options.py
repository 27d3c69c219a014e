"""An engine's options: declared once by the engine, read from flags and from files.

An engine has a frozen dataclass `Options`, whose fields are made by `option`. Their annotations say what
they take: `str`, `int`, `float`, `bool`, `Path` or a `Literal` of texts, each perhaps `| None`, or
`tuple[str, ...]`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from .base import EngineSetupError


def option(default: Any = MISSING, sentence: str = "", *, unit: str = "", least: float | None = None) -> Any:
    """Declare one option. One without a default must be given; `least` is the smallest number it may be."""
    return field(default=default, metadata={"sentence": sentence, "unit": unit, "least": least})


@dataclass(frozen=True, slots=True)
class NoOptions:
    """The options of an engine that has none."""


class OptionError(EngineSetupError):
    """An option is not the engine's, or its value is wrong: `why` says what to change."""

    def __init__(self, option: str, why: str) -> None:
        super().__init__(f"{option}: {why}")
        self.option = option
        self.why = why


@dataclass(frozen=True, slots=True)
class Option:
    """One option, as its engine declares it. `default` is None also where the engine finds one itself."""

    name: str
    sentence: str
    unit: str
    default: object
    required: bool
    choices: tuple[str, ...]
    least: float | None
    kind: _Kind

    @property
    def expects(self) -> str:
        """What a value must be: `a whole number from 1`, `one of: a, b`."""
        if self.choices:
            return f"one of: {', '.join(self.choices)}"
        return self.kind.words if self.least is None else f"{self.kind.words} from {self.least:g}"

    @property
    def is_path(self) -> bool:
        """Whether it is a file or a folder."""
        return self.kind is _PATH

    @property
    def repeats(self) -> bool:
        """Whether it takes several texts."""
        return self.kind is _TEXTS

    def parse(self, text: str) -> Any:
        """Parse a value as it stands on a command line."""
        try:
            value = self.kind.parse(text)
        except (KeyError, ValueError):
            raise self._wrong(text) from None
        return self.check(value)

    def check(self, value: object) -> Any:
        """Return a value of a file, or of a flag, as what the engine declares."""
        small = self.least is not None and isinstance(value, int | float) and value < self.least
        if small or not self.kind.fits(value) or (self.choices and value not in self.choices):
            raise self._wrong(value)
        return self.kind.convert(value)

    def _wrong(self, value: object) -> OptionError:
        return OptionError(self.name, f"must be {self.expects}, not {value!r}")


@dataclass(frozen=True, slots=True)
class _Kind:
    """What options of one annotation are: in words, from a text, and as a value."""

    words: str
    parse: Callable[[str], object]
    fits: Callable[[object], bool]
    convert: Callable[[Any], Any]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _are_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)


_FLAGS = dict.fromkeys(("true", "on", "yes", "1"), True) | dict.fromkeys(("false", "off", "no", "0"), False)
_FLAG = _Kind("true or false", lambda text: _FLAGS[text.lower()], lambda it: isinstance(it, bool), bool)
_TEXT = _Kind("a text", str, lambda value: isinstance(value, str), str)
_PATH = _Kind("a path", str, lambda value: isinstance(value, str | Path) and value != "", Path)
_TEXTS = _Kind("a list of texts", lambda text: (text,), _are_texts, tuple)
_KINDS: Mapping[Any, _Kind] = {
    str: _TEXT,
    int: _Kind("a whole number", int, lambda value: isinstance(value, int) and _is_number(value), int),
    float: _Kind("a number", float, _is_number, float),
    bool: _FLAG,
    Path: _PATH,
    tuple[str, ...]: _TEXTS,
}
"""By annotation."""


def options_of(declared: type[Any]) -> tuple[Option, ...]:
    """Return the options that a class declares, in their order. Imports nothing."""
    hints = get_type_hints(declared)
    return tuple(_option(each, hints[each.name]) for each in fields(declared) if each.init)


def build(declared: type[Any], values: Mapping[str, object]) -> Any:
    """Make an engine's options of values. Raises `OptionError`, and what the class itself refuses."""
    known = {each.name: each for each in options_of(declared)}
    checked = {name: _one_of(known, name).check(value) for name, value in values.items()}
    for each in known.values():
        if each.required and each.name not in values:
            raise OptionError(each.name, f"must be given. {each.sentence}".rstrip())
    try:
        return declared(**checked)
    except ValueError as cause:
        raise EngineSetupError(str(cause)) from cause


def parse_pairs(declared: type[Any], pairs: Iterable[str]) -> dict[str, Any]:
    """Parse options written as `KEY=VALUE`; a list of texts takes one from each."""
    known = {each.name: each for each in options_of(declared)}
    values: dict[str, Any] = {}
    for pair in pairs:
        key, is_pair, text = pair.partition("=")
        name = key.strip().replace("-", "_")
        if not is_pair:
            raise OptionError(pair, "must be KEY=VALUE")
        found = _one_of(known, name)
        value = found.parse(text)
        if name in values and not found.repeats:
            raise OptionError(name, "is given twice")
        values[name] = (*values.get(name, ()), *value) if found.repeats else value
    return values


def not_known(name: str, known: Collection[str]) -> str:
    """Write that a name is unknown, and which one may have been meant."""
    return f"{name!r} is not known here; {_hint(name, known)}"


def _hint(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.7)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"


def _one_of(known: Mapping[str, Option], name: str) -> Option:
    if name in known:
        return known[name]
    hint = _hint(name, known) if known else "the engine has none"
    raise OptionError(name, f"there is no such option; {hint}")


def _option(declared: Field[Any], annotation: Any) -> Option:
    kinds = [each for each in get_args(annotation) if each is not NoneType]
    inner = kinds[0] if NoneType in get_args(annotation) and len(kinds) == 1 else annotation
    choices = get_args(inner) if get_origin(inner) is Literal else ()
    kind = _TEXT if choices else _KINDS.get(inner)
    if kind is None or not all(isinstance(choice, str) for choice in choices):
        raise EngineSetupError(
            f"The option {declared.name!r} has an annotation that cannot be read from settings."
        )
    said = declared.metadata
    made = declared.default_factory() if declared.default_factory is not MISSING else declared.default
    return Option(
        name=declared.name,
        sentence=said.get("sentence", ""),
        unit=said.get("unit", ""),
        default=None if made is MISSING else made,
        required=made is MISSING,
        choices=choices,
        least=said.get("least"),
        kind=kind,
    )
