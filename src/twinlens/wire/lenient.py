"""JSON as people write it, put into strict form.

Google's parser takes single quotes, a comma after the last element and bare keys, and published
samples use all three. `repair` rewrites just these, token by token, in one pass over the text; what
is wrong beyond them stays for the strict parser to refuse.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..domain.errors import InvalidArgument

# Nothing is read twice, so the time grows with the text and no faster. Repeats of one character class are
# possessive; repeats of an alternation are not, since Python before 3.11.5 gets those wrong: they come in
# runs of bounded length instead, which keeps the matcher's stack small.
_DOUBLE = rb'"(?!%(mark)s)[^"\\]*+(?:\\[^\'][^"\\]*+)*+"'
_WORD = rb"[A-Za-z_$][\w$]*+"
_FINE = rb'(?:[^"\',\w$.+-]++|,(?!\s*+[}\]])|[-+.0-9][-+.0-9eE]*+|%s(?!\s*+:)|%s){1,200}' % (_WORD, _DOUBLE)
_TOKENS = (
    rb"(?P<fine>%s)" % _FINE
    + rb'|(?P<mark>"%(mark)s\w*+")'
    + rb'|(?P<double>"[^"\\]*+(?:\\.[^"\\]*+)*+")'
    + rb"|(?P<single>'[^'\\]*+(?:\\.[^'\\]*+)*+')"
    + rb"|(?P<key>%s)" % _WORD
    + rb"|(?P<comma>,)"
    + rb"|(?P<open>[\"'])"
)
_REQUOTED = re.compile(rb"([^\"\\]*+(?:\\[^'][^\"\\]*+)*+)(\\'|\")", re.DOTALL)
MAX_REPAIRS = 100_000
"""Far more than anyone writes by hand; each costs a thousand times what reading a byte costs."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """Text in strict form; `marks` counts the marked strings met, each a whole string by itself."""

    text: bytes | bytearray
    marks: int


def repair(text: bytes | bytearray, mark: bytes) -> Repaired | None:
    """Rewrite lenient JSON as strict; None where a string never ends.

    Strings that begin with `mark` are counted, so that a caller who put them there can tell whether
    each is still a string of its own.
    """
    pattern = re.compile(_TOKENS.replace(b"%(mark)s", re.escape(mark)), re.DOTALL)
    out = bytearray()
    marks = 0
    at = 0
    repairs = 0
    for token in pattern.finditer(text):
        repairs += token.lastgroup != "fine"
        if repairs > MAX_REPAIRS:
            raise _too_many()
        out += text[at : token.start()]
        at = token.end()
        match token.lastgroup:
            case "open":
                return None
            case "single" | "double":
                out += _requoted(token[0][1:-1])
            case "key":
                out += b'"' + token[0] + b'"'
            case "comma":
                pass
            case kind:
                marks += kind == "mark"
                out += token[0]
    out += text[at:]
    return Repaired(out, marks)


def _requoted(content: bytes) -> bytes:
    if b'"' in content or b"\\'" in content:
        content, count = _REQUOTED.subn(_reescaped, content, MAX_REPAIRS)
        if count == MAX_REPAIRS:
            raise _too_many()
    return b'"' + content + b'"'


def _reescaped(match: re.Match[bytes]) -> bytes:
    return match[1] + (b'\\"' if match[2] == b'"' else b"'")


def _too_many() -> InvalidArgument:
    return InvalidArgument(
        "Invalid JSON payload received. Too many single quotes, bare keys or trailing commas: "
        "please send strict JSON."
    )
