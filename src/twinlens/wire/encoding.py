"""JSON out: the one way in which a value becomes bytes that leave the server.

What Google's JSON writer escapes is escaped here too. Clients lean on it: some split a stream of events at
whatever Unicode calls the end of a line, and a raw U+2028 in a text would tear an event apart for them.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

import msgspec

JSON = "application/json; charset=UTF-8"
"""The type of all that is sent but streams of events."""

_LEADS = (b"\xe2", b"\xc2", b"\xef", b"\x7f")
"""The first byte of the UTF-8 of every character below: many texts have none of them."""
_SPELLED = {
    code: f"\\u{code:04x}"
    for code in (
        *range(0x7F, 0xA0),  # control characters, U+0085 (next line) among them
        *range(0x2028, 0x202F),  # ends of lines, and directions
        *range(0x2060, 0x2070),  # joiners, directions, and deprecated formats
        0xFEFF,  # the byte order mark
    )
}
_ESCAPED = re.compile(f"[{''.join(map(chr, _SPELLED))}]")
MAX_PASSES = 8
"""Over a text, one for each character that occurs: so many cost less than a look at every place."""
_HALF = re.compile("[\ud800-\udfff]")
_HALF_MARK = f"half_{secrets.token_hex(16)}_"
"""No caller can guess it, so no text of theirs is ever taken for one."""


def write(value: Any, enc_hook: Callable[[Any], Any] | None = None) -> bytes:
    """Write a value as JSON in UTF-8; `enc_hook` converts what is none of JSON's types, as in msgspec."""
    try:
        return escaped(msgspec.json.encode(value, enc_hook=enc_hook))
    except UnicodeEncodeError:
        # UTF-8 has no halves of surrogate pairs; JSON has, spelled out.
        marked = msgspec.json.encode(_with_marks(value), enc_hook=enc_hook)
        return escaped(marked.replace(_HALF_MARK.encode(), b"\\u"))


def escaped(text: bytes) -> bytes:
    """Escape what must not stand raw in a JSON text; mostly that is nothing, and found out at memory speed.

    Such bytes can stand within strings only, and never behind the backslash of another escape.
    """
    if text.isascii() and b"\x7f" not in text:
        return text
    if not any(lead in text for lead in _LEADS):
        return text
    letters = text.decode()
    if not _ESCAPED.search(letters):
        return text
    found = _SPELLED.keys() & map(ord, set(letters))
    if len(found) > MAX_PASSES:
        return letters.translate(_SPELLED).encode()
    for code in found:
        letters = letters.replace(chr(code), _SPELLED[code])
    return letters.encode()


def _with_marks(value: Any) -> Any:
    """Replace each unpaired surrogate by a mark and its digits, at every depth."""
    match value:
        case str():
            return _HALF.sub(lambda half: f"{_HALF_MARK}{ord(half[0]):04x}", value)
        case dict():
            return {_with_marks(key): _with_marks(item) for key, item in value.items()}
        case list() | tuple():
            return [_with_marks(item) for item in value]
        case _:
            return value
