"""Protobuf's JSON rules for input, as readers that tables are made of.

A reader takes a JSON value and gives what it means, or None after noting what is wrong with it. A
`Message` is a table of fields and a reader itself; it gives a dict from snake_case names to values,
holding only what was sent. Everything wrong in a request is noted, and refused together.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from ..domain.errors import InvalidArgument, Violation
from . import base64
from .json import JsonText

TYPES = "type.googleapis.com/"
PACKAGE = f"{TYPES}google.ai.generativelanguage.v1beta."
MAX_VIOLATIONS = 20
MAX_QUOTED = 100
MAX_ITEMS = 10_000
"""Of any list, and of all parts and turns together: as many images as any model takes, with texts."""

Status = Literal["done", "ignored", "refused"]


@dataclass(slots=True)
class Reading:
    """One request while it is read: its document, what was found wrong so far, and what was counted."""

    document: JsonText
    root: str
    violations: list[Violation] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def refuse(self, path: str, message: str) -> None:
        """Note that a field is wrong."""
        if len(self.violations) < MAX_VIOLATIONS:
            self.violations.append(Violation(path, message))

    def invalid(self, path: str, type_name: str, value: Any) -> None:
        """Note that a value is not of its field's type."""
        self.refuse(path, f"Invalid value at '{path}' ({type_name}), {self.quoted(value)}")

    def unknown(self, path: str, key: str, message: str) -> None:
        """Note that a message, here named, has a field that it does not know: the message is wrong."""
        where = f" at '{path}'" if path else ""
        name = self.quoted(key)
        self.refuse(path, f"Invalid JSON payload received. Unknown name {name}{where}: Cannot find field.")

    def doubled(self, path: str) -> None:
        """Note that a field is there twice, in two spellings."""
        self.refuse(path, f"Invalid value at '{path}': the field is set twice.")

    def require(self, valid: bool, path: str, sentence: str) -> None:
        """Note a broken rule of a message, in the form the service uses for them."""
        if not valid:
            self.refuse(path, f"* {self.root}.{path}: {sentence}")

    def check(self) -> None:
        """Raise when anything was noted."""
        if self.violations:
            messages = [violation.description for violation in self.violations]
            ending = "\n" if messages[-1].startswith("* ") else ""
            raise InvalidArgument("\n".join(messages) + ending, violations=self.violations)

    def quoted(self, value: Any) -> str:
        """Show the beginning of a value as JSON."""
        if isinstance(value, str):
            value = beginning(self.document.letters(value), MAX_QUOTED)
        text = msgspec.json.encode(self.document.plain(value)).decode()
        return text if len(text) <= MAX_QUOTED + 2 else f"{text[:MAX_QUOTED]}..."


Reader = Callable[[Reading, Any, str], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A field by its canonical name. Fields of one `oneof` exclude each other."""

    name: str
    read: Reader
    oneof: str | None = None
    status: Status = "done"
    aliases: tuple[str, ...] = ()

    @property
    def snake(self) -> str:
        """The field's name in paths, and in what a message is read to."""
        return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", self.name).lower()


class Message:
    """A table of fields, and the reader that it makes."""

    def __init__(self, name: str, *fields: Field) -> None:
        self.name = name
        self.fields: tuple[Field, ...] = ()
        self._by_name: dict[str, tuple[Field, str]] = {}
        self.add(*fields)

    def add(self, *fields: Field) -> None:
        """Add fields; for messages that contain themselves."""
        self.fields += fields
        for one in fields:
            for spelling in (one.name, one.snake, *one.aliases):
                self._by_name[spelling] = (one, one.snake)

    def __call__(self, reading: Reading, value: Any, path: str) -> dict[str, Any] | None:
        """Parse a message."""
        if not isinstance(value, dict):
            reading.invalid(path, PACKAGE + self.name, value)
            return None
        found: dict[str, Any] = {}
        taken: set[str] = set()
        for key, member in value.items():
            known = self._by_name.get(key)
            if known is None:
                reading.unknown(path, key, self.name)
                continue
            if member is None:
                continue
            one, snake = known
            if one.oneof in taken:
                reading.refuse(
                    path,
                    f"Invalid value (oneof), oneof field '{one.oneof}' is already set. "
                    f"Cannot set '{one.name}'",
                )
                continue
            if one.oneof is not None:
                taken.add(one.oneof)
            below = f"{path}.{snake}" if path else snake
            if snake in found:
                reading.doubled(below)
                continue
            found[snake] = one.read(reading, member, below)
        return found


def string(reading: Reading, value: Any, path: str) -> str | None:
    """Parse a string."""
    if isinstance(value, str):
        return reading.document.text(value)
    reading.invalid(path, "TYPE_STRING", value)
    return None


def binary(reading: Reading, value: Any, path: str) -> bytes | None:
    """Decode bytes sent as base64."""
    if not isinstance(value, str):
        reading.invalid(path, "TYPE_BYTES", value)
        return None
    letters = reading.document.letters(value)
    decoded = base64.decode(letters)
    if decoded is None:
        shown = reading.quoted(beginning(letters, 32))
        reading.refuse(path, f"Invalid value at '{path}' (TYPE_BYTES), Base64 decoding failed for {shown}")
    return decoded


def boolean(reading: Reading, value: Any, path: str) -> bool | None:
    """Parse a bool; its name in quotes is one too."""
    known = {True: True, False: False, "true": True, "false": False}
    if isinstance(value, bool | str) and value in known:
        return known[value]
    reading.invalid(path, "TYPE_BOOL", value)
    return None


def integer(bits: int) -> Reader:
    """Return a reader for signed integers, as `40`, `40.0` or `"40"`."""
    most = 1 << (bits - 1)

    def read(reading: Reading, value: Any, path: str) -> int | None:
        number = _number(value)
        if number is None or number != number // 1 or not -most <= number < most:
            reading.invalid(path, f"TYPE_INT{bits}", value)
            return None
        return int(number)

    return read


int32 = integer(32)
int64 = integer(64)


def double(reading: Reading, value: Any, path: str) -> float | None:
    """Parse a number, `"NaN"` and `"Infinity"` included."""
    if isinstance(value, str) and value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    number = _number(value)
    if number is None or math.isinf(number):
        reading.invalid(path, "TYPE_DOUBLE", value)
        return None
    return float(number)


_NUMERAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")


def _number(value: Any) -> int | float | None:
    """Return a number, also from its numeral; None for anything else, and for what no double holds."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and _NUMERAL.fullmatch(value):
        value = float(value) if set(value) & set(".eE") else int(value)
    if isinstance(value, int):
        return value if abs(value) < 1 << 1000 else None
    return value if isinstance(value, float) and math.isfinite(value) else None


def enumeration(name: str, prefix: str, members: Iterable[str]) -> Reader:
    """Return a reader for an enum: by full name in any case, or by number. It returns the short name.

    Members are numbered as they are listed; an empty name leaves its number out.
    """
    numbered = tuple(members)
    by_name = {f"{prefix}{member}": member for member in numbered if member}

    def read(reading: Reading, value: Any, path: str) -> str | None:
        if isinstance(value, str) and value.upper() in by_name:
            return by_name[value.upper()]
        number = None if isinstance(value, str) else _number(value)
        if number is not None and number in range(len(numbered)) and numbered[int(number)]:
            return numbered[int(number)]
        reading.invalid(path, PACKAGE + name, value)
        return None

    return read


_DURATION = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?s")
MAX_DURATION_S = 315_576_000_000


def duration(reading: Reading, value: Any, path: str) -> float | None:
    """Parse a time span as seconds: `"12.5s"`, or an object of seconds and nanos."""
    seconds: float | None = None
    if isinstance(value, dict) and value.keys() <= {"seconds", "nanos"}:
        whole, nanos = _number(value.get("seconds") or 0), _number(value.get("nanos") or 0)
        if whole is not None and nanos is not None and abs(nanos) < 1_000_000_000:
            seconds = whole + nanos / 1_000_000_000
    elif isinstance(value, str) and (match := _DURATION.fullmatch(value)):
        seconds = float(f"{match[1]}{match[2]}.{match[3] or 0}")
    if seconds is None or abs(seconds) > MAX_DURATION_S:
        reading.invalid(path, f"{TYPES}google.protobuf.Duration", value)
        return None
    return seconds


def anything(reading: Reading, value: Any, _path: str) -> Any:
    """Parse JSON that belongs to the caller, whatever it is."""
    return reading.document.plain(value)


def struct(reading: Reading, value: Any, path: str) -> dict[str, Any] | None:
    """Parse a JSON object that belongs to the caller."""
    if isinstance(value, dict):
        plain: dict[str, Any] = reading.document.plain(value)
        return plain
    reading.invalid(path, f"{TYPES}google.protobuf.Struct", value)
    return None


def repeated(read_one: Reader) -> Reader:
    """Return a reader for a list of limited length; a value alone is a list of one."""

    def read(reading: Reading, value: Any, path: str) -> list[Any] | None:
        values = value if isinstance(value, list) else [value]
        if len(values) > MAX_ITEMS:
            reading.refuse(path, f"{path} has {len(values)} items: at most {MAX_ITEMS} are allowed.")
            return None
        return [read_one(reading, one, f"{path}[{index}]") for index, one in enumerate(values)]

    return read


def mapping(read_one: Reader) -> Reader:
    """Return a reader for an object whose keys belong to the caller."""

    def read(reading: Reading, value: Any, path: str) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            reading.invalid(path, f"{TYPES}google.protobuf.Struct", value)
            return None
        entries = enumerate(value.items())
        return {key: read_one(reading, one, f"{path}[{index}].value") for index, (key, one) in entries}

    return read


def refused(sentence: str) -> Reader:
    """Return a reader that refuses an unsupported field."""

    def read(reading: Reading, _value: Any, path: str) -> None:
        reading.refuse(path, sentence)

    return read


def member_path(reading: Reading, path: str, key: str) -> str:
    """Return the path of an object's member, whatever its key."""
    shown = key if key.isidentifier() and len(key) <= MAX_QUOTED else reading.quoted(key)
    return f"{path}.{shown}" if path else shown


def beginning(letters: str | memoryview, most: int) -> str:
    """Return the first characters of a value that may be very long."""
    return letters[:most] if isinstance(letters, str) else str(letters[:most], "utf-8", "replace")
