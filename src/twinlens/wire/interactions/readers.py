"""What the tables of the Interactions API are made of, beside the readers of `proto.py`.

This dialect knows no protobuf types, and its errors carry no details beside their sentence: so every
sentence is in plain words, and has the field's path in it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...domain.request import BlobRef, Inline
from .. import base64
from ..proto import MAX_DURATION_S, Field, Message, Reader, Reading, beginning, member_path, string

TYPE = Field("type", string)
"""What says which of its kin a message is."""

_WORDS: Mapping[str, str] = {
    "TYPE_STRING": "a string",
    "TYPE_BOOL": "true or false",
    "TYPE_INT32": "a whole number of 32 bits",
    "TYPE_DOUBLE": "a number",
    "SECONDS": 'seconds, as a number or such as "10.5s"',
    "CONTENT": 'an object, for a text {"type": "text", "text": "..."}',
}
"""How types are called here; all others are objects."""
_SECONDS = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,9})?s?")


@dataclass(slots=True)
class PlainReading(Reading):
    """A request while it is parsed, its media apart: for each its inline bytes, or where they are stored.

    So the tables return JSON again, and small: this is what is stored.
    """

    media: deque[Inline | BlobRef | None] = field(default_factory=deque)

    def refuse(self, path: str, message: str) -> None:
        """Note that a field is wrong; the sentence gets the path and the full stop that it lacks."""
        sentence = message if path in message else f"{path}: {message}"
        # Not super(): a class with slots is made anew, and the old one would be asked.
        Reading.refuse(self, path, sentence if sentence.endswith(".") else f"{sentence}.")

    def invalid(self, path: str, type_name: str, value: Any) -> None:
        """Note that a value is not of its field's type."""
        self.refuse(path, f"{path} must be {_WORDS.get(type_name, 'an object')}, not {self.quoted(value)}")

    def unknown(self, path: str, key: str, message: str) -> None:
        """Note that a message has a field that it does not know."""
        self.refuse(path, f"{member_path(self, path, key)} is not a known field of {message}")

    def doubled(self, path: str) -> None:
        """Note that a field is there twice, in two spellings."""
        self.refuse(path, f"{path} is set twice")

    def require(self, valid: bool, path: str, sentence: str) -> None:
        """Note a broken rule; its sentence may begin with the field's name."""
        if not valid:
            said = sentence.removeprefix(f"{path.rpartition('.')[2]} ")
            self.refuse(path, f"{path} {said}" if said.startswith("must ") else f"{path}: {said}")


class PlainMessage(Message):
    """A table of fields, which gives of what was sent only that which counts."""

    def __call__(self, reading: Reading, value: Any, path: str) -> dict[str, Any] | None:
        """Parse a message, and drop ignored fields and empty unsupported ones."""
        found = Message.__call__(self, reading, value, path)
        return found and {name: one for name, one in found.items() if self._counts(name, one)}

    def _counts(self, name: str, value: Any) -> bool:
        status = self._by_name[name][0].status
        return status == "done" or (status == "refused" and value is not None)


def one_of(*names: str) -> Reader:
    """Return a reader for a choice of names, which are accepted in any case."""

    def read(reading: Reading, value: Any, path: str) -> str | None:
        if isinstance(value, str) and value.lower() in names:
            return value.lower()
        reading.refuse(path, _not_listed(reading, value, path, names))
        return None

    return read


def tagged(readers: Mapping[str, Reader], tag: str = "type", silent: Collection[str] = ()) -> Reader:
    """Return a reader for objects with a tag that names their kind; of `silent` kinds the tag is all."""

    def read(reading: Reading, value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            reading.invalid(path, "CONTENT" if "text" in readers else "", value)
            return None
        kind, where = value.get(tag), f"{path}.{tag}"
        if isinstance(kind, str) and kind in readers:
            return readers[kind](reading, value, path)
        if isinstance(kind, str) and kind in silent:
            return {tag: kind}
        reading.refuse(where, _not_listed(reading, kind, where, readers))
        return None

    return read


def requiring(message: Message, *names: str) -> Reader:
    """Return a reader for a message with required fields."""

    def read(reading: Reading, value: Any, path: str) -> dict[str, Any] | None:
        fields = message(reading, value, path)
        for name in names:
            if fields is not None and name not in fields:
                reading.refuse(f"{path}.{name}", f"{path}.{name} is missing")
        return fields

    return read


def unset(sentence: str) -> Reader:
    """Return a reader for an unsupported field: an empty value is accepted."""

    def read(reading: Reading, value: Any, path: str) -> None:
        if value not in ("", [], {}):
            reading.refuse(path, f"{path}: {sentence}")

    return read


def encoded(reading: Reading, value: Any, path: str) -> bytes | None:
    """Decode base64 straight from the body."""
    if not isinstance(value, str):
        reading.invalid(path, "TYPE_STRING", value)
        return None
    letters = reading.document.letters(value)
    decoded = base64.decode(letters)
    if decoded is None and beginning(letters, 5).lower() == "data:":
        reading.refuse(path, f"{path} must be the base64 alone, without what a data: URL has before it")
    elif decoded is None:
        reading.refuse(path, f"{path} must be base64, not {reading.quoted(beginning(letters, 32))}")
    return decoded


def seconds(reading: Reading, value: Any, path: str) -> str | None:
    """Parse a time, `"10.5s"` or a number of seconds, and return it as the former."""
    if isinstance(value, str) and _SECONDS.fullmatch(value):
        value = float(value.removesuffix("s"))
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and abs(value) <= MAX_DURATION_S:
        return f"{value:.9f}".rstrip("0").rstrip(".") + "s"
    reading.invalid(path, "SECONDS", value)
    return None


def _not_listed(reading: Reading, value: Any, path: str, names: Collection[str]) -> str:
    allowed = f"one of {', '.join(names)}" if len(names) > 1 else next(iter(names))
    if value is None:
        return f"{path} is missing: it must be {allowed}"
    return f"{path} must be {allowed}, not {reading.quoted(value)}"
