"""JSON in: strict first, lenient when that fails, and large media never copied as text.

The values of keys named `data` that are large and hold no backslash are cut out of the body before
it is parsed; a placeholder stands in the small skeleton that is left. This is safe because of what
JSON is: in a valid text the bytes `"data" :` followed by a quote can only be the end of a key and the
beginning of its value, since a quote within a string is escaped; and up to the next quote, without a
backslash, is then the whole value. A text is valid exactly when its skeleton is, but for what the cut
strings hold, which is checked where they are read. In lenient texts, where a quote may stand inside
single quotes, each placeholder must still be met as a string of its own; or nothing is cut.
"""

from __future__ import annotations

import codecs
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ..domain.errors import InvalidArgument
from ..domain.media import Json
from .lenient import repair

MAX_DEPTH = 100
MAX_VALUES = 100_000
"""Of one body, counted by the brackets that open and the commas. The parser lets nobody else work until it
has read all of it: so many take it a twentieth of a second, what a large body could hold two seconds."""
MIN_CUT_BYTES = 4096
MAX_CUTS = 8192
"""More strings than any legal request has images; the rest stay in the skeleton."""

_KEY = b'"data"'
_OPENING = re.compile(rb'"data"[ \t\r\n]*+:[ \t\r\n]*+"')
_MARK = f"cut_{secrets.token_hex(16)}_"
"""No caller can guess it, so no text of theirs is ever taken for a placeholder."""
_MARKED = re.compile(re.escape(_MARK.encode()) + rb"\d+")
_BOM = b"\xef\xbb\xbf"
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_VALUES = re.compile(rb'(?:[^"{\[,]*+(?:%s[^"{\[,]*+)*+[{\[,]){1,1000}' % _STRING, re.DOTALL)
"""Up to a thousand values at a time: between two matches others may work."""
_CONTROL = re.compile(rb"[\x00-\x1f]")
_LONE_SURROGATE = re.compile(rb"\\u[dD][89abAB]\w\w(?!\\u[dD][c-fC-F])")
_POSITION = re.compile(r"\(byte (\d+)\)$")
_TOO_DEEP = f"Invalid JSON payload received. Message too deep. Max recursion depth is {MAX_DEPTH}."
_TOO_MANY = (
    f"Invalid JSON payload received. There are more than {MAX_VALUES} values in it: "
    "send fewer parts, turns or items."
)
_SNIPPET = 20
_STEP = 64 * 1024

_REASONS: Mapping[str, str] = {
    "truncated": "Unexpected end of string. Expected a value, or the end of one.",
    "expected ',' or '}'": "Expected , or } after key:value pair.",
    "expected ',' or ']'": "Expected , or ] after array value.",
    "expected ':'": "Expected : between key:value pair.",
    "object keys": "Expected an object key or }.",
    "trailing comma": "Expected a value after the comma.",
    "trailing characters": "Parsing terminated before end of input.",
    "escape": "Invalid escape sequence.",
    "surrogate": "Illegal unicode code point.",
    "out of range": "Number exceeds the range of double.",
    "invalid number": "Unable to parse number.",
}


@dataclass(frozen=True, slots=True)
class JsonText:
    """Parsed JSON. Strings in `value` may be placeholders: read them through the methods here."""

    value: Any
    cut: Mapping[str, memoryview] = field(default_factory=dict)

    def text(self, value: str) -> str:
        """Return a string as it was sent."""
        content = self.cut.get(value)
        if content is None:
            return value
        if _CONTROL.search(content):
            raise InvalidArgument("Invalid JSON payload received. Control characters must be escaped.")
        try:
            return str(content, "utf-8")
        except UnicodeDecodeError as error:
            raise _not_utf8() from error

    def letters(self, value: str) -> str | memoryview:
        """Return a string that is to be decoded, without copying it."""
        return self.cut.get(value, value)

    def plain(self, value: Any) -> Json:
        """Return a value that belongs to the caller as it was sent, at every depth."""
        if not self.cut:
            return value
        match value:
            case str():
                return self.text(value)
            case list():
                return [self.plain(item) for item in value]
            case dict():
                return {key: self.plain(item) for key, item in value.items()}
            case _:
                return value


def read(body: bytes | bytearray | memoryview) -> JsonText:
    """Parse a request body; an empty one is an empty object."""
    if isinstance(body, memoryview):
        body = body.tobytes()
    if body.startswith(_BOM):
        body = body[len(_BOM) :]
    if len(body) < MIN_CUT_BYTES and not body.strip():
        return JsonText({})
    skeleton, cut = _cut(body)
    try:
        document = JsonText(_decode(skeleton), cut)
    except ValueError:
        document = _read_lenient(body, skeleton, cut)
    _check_depth(document.value, skeleton)
    return document


def _cut(body: bytes | bytearray) -> tuple[bytes | bytearray, dict[str, memoryview]]:
    """Cut large `data` strings out of a body, leaving placeholders."""
    cut: dict[str, memoryview] = {}
    pieces: list[bytes | bytearray] = []
    whole = memoryview(body)
    kept = at = 0
    for _ in range(MAX_CUTS):
        at = body.find(_KEY, at)
        if at < 0 or len(body) - at < MIN_CUT_BYTES:
            break
        opening = _OPENING.match(body, at)
        if opening is None:
            at += len(_KEY)
            continue
        start = opening.end()
        at = body.find(b'"', start)
        if at < 0:
            break
        if at - start >= MIN_CUT_BYTES and body.find(b"\\", start, at) < 0:
            mark = f"{_MARK}{len(cut)}"
            cut[mark] = whole[start:at]
            pieces += (body[kept:start], mark.encode())
            kept = at
    if not cut:
        return body, cut
    pieces.append(body[kept:])
    return b"".join(pieces), cut


def _decode(text: bytes | bytearray) -> Any:
    """Parse strictly. A ValueError is about syntax; depth, too many values and what is no text are errors of
    their own.
    """
    _check_values(text)
    _check_utf8(text)
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    except RecursionError as error:
        raise InvalidArgument(_TOO_DEEP) from error


def _check_utf8(text: bytes | bytearray) -> None:
    """Refuse what is not UTF-8, a piece at a time. Parsers differ in when they report it, and in how."""
    if text.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    whole = memoryview(text)
    try:
        for at in range(0, len(whole), _STEP):
            decoder.decode(whole[at : at + _STEP])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _not_utf8() from error


def _read_lenient(
    body: bytes | bytearray, skeleton: bytes | bytearray, cut: dict[str, memoryview]
) -> JsonText:
    repaired = repair(skeleton, _MARK.encode())
    if cut and (repaired is None or repaired.marks != len(cut)):
        skeleton, cut = body, {}
        repaired = repair(body, _MARK.encode())
    if repaired is None:
        raise _malformed(skeleton, "truncated")
    try:
        return JsonText(_decode(repaired.text), cut)
    except ValueError as error:
        raise _malformed(repaired.text, str(error)) from error


def _check_values(text: bytes | bytearray) -> None:
    """Refuse what would take long to parse. Where the text is no JSON, the parser stops there too."""
    if sum(map(text.count, (b"{", b"[", b","))) <= MAX_VALUES:
        return
    found = at = 0
    while piece := _VALUES.match(text, at):
        found, at = found + 1000, piece.end()
        if found > MAX_VALUES:
            raise InvalidArgument(_TOO_MANY)


def _check_depth(value: Any, skeleton: bytes | bytearray) -> None:
    """Refuse what later stages could not walk. Few brackets cannot be deep: the usual case ends here."""
    if skeleton.count(b"{") + skeleton.count(b"[") <= MAX_DEPTH:
        return
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise InvalidArgument(_TOO_DEEP)


def _malformed(text: bytes | bytearray, why: str) -> InvalidArgument:
    """Return the error that says what was expected, and where."""
    found = _POSITION.search(why)
    position = int(found[1]) if found else len(text)
    # The parser takes half a character for half a text.
    if not found and (half := _LONE_SURROGATE.search(text)):
        why, position = "surrogate", half.start()
    before = _shown(text[max(0, position - 200) : position])[-_SNIPPET:]
    after = _shown(text[position : position + 200])[:_SNIPPET]
    reason = next((said for key, said in _REASONS.items() if key in why), "Expected a value.")
    return InvalidArgument(f"Invalid JSON payload received. {reason}\n{before}{after}\n{' ' * len(before)}^")


def _shown(text: bytes | bytearray) -> str:
    return re.sub(r"\s", " ", _MARKED.sub(b"...", text).decode(errors="replace"))


def _not_utf8() -> InvalidArgument:
    return InvalidArgument("Invalid JSON payload received. Encountered non UTF-8 code points.")
