"""JSON as people write it, put into strict form.

Google's parser takes single quotes, a comma after the last element and bare keys, and published
samples use all three. `repair` rewrites just these, token by token, in one pass over the text; what
is wrong beyond them stays for the strict parser to refuse.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..domain.errors import InvalidArgument

# Nothing is read twice, so the time grows with the text and no faster; and no match is long, so that other
# threads get the interpreter in between. Repeats of one character class are possessive; repeats of an
# alternation are not, since Python before 3.11.5 gets those wrong: they come in runs of bounded length
# instead, which keeps the matcher's stack small.
_SHORT = rb'"(?!%(mark)s)[^"\\]{0,256}+(?:\\[^\'][^"\\]{0,256}+){0,16}+"'
_WORD = rb"[A-Za-z_$][\w$]{0,1000}+"
_FINE = rb'(?:[^"\',\w$.+-]{1,65536}+|,(?!\s*+[}\]])|[-+.0-9][-+.0-9eE]*+|%s(?!\s*+:)|%s){1,200}' % (
    _WORD,
    _SHORT,
)
_TOKENS = (
    rb"(?P<fine>%s)" % _FINE
    + rb'|(?P<mark>"%(mark)s\w*+")'
    + rb"|(?P<key>%s)" % _WORD
    + rb"|(?P<comma>,)"
    + rb"|(?P<quote>[\"'])"
)
_WITHIN = {
    quote: re.compile(rb"(?:[^%b\\]{1,16384}+|\\.){1,64}" % quote, re.DOTALL) for quote in (b'"', b"'")
}
"""What a string goes on with, by its quote; no piece ends within an escape."""

_REQUOTED = re.compile(rb"((?:[^\"\\]++|\\[^'])+)|\\'|\"", re.DOTALL)
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
    marks = at = repairs = 0
    while at < len(text):
        token = pattern.match(text, at)
        # Each byte begins a token.
        assert token is not None
        at = token.end()
        repairs += token.lastgroup != "fine"
        match token.lastgroup:
            case "quote":
                within = _WITHIN[quote := token[0]]
                out += b'"'
                while piece := within.match(text, at):
                    content, count = _requoted(piece[0], quote)
                    out += content
                    at, repairs = piece.end(), repairs + count
                    _check(repairs)
                if text[at : at + 1] != quote:
                    return None
                out += b'"'
                at += 1
            case "key":
                out += b'"' + token[0] + b'"'
            case "comma":
                pass
            case kind:
                marks += kind == "mark"
                out += token[0]
        _check(repairs)
    return Repaired(out, marks)


def _check(repairs: int) -> None:
    if repairs > MAX_REPAIRS:
        raise InvalidArgument(
            "Invalid JSON payload received. Too many single quotes, bare keys or trailing commas: "
            "please send strict JSON."
        )


def _requoted(content: bytes, quote: bytes) -> tuple[bytes, int]:
    """Rewrite a piece of a string's content for double quotes; count the changes."""
    if b"\\'" in content or (quote == b"'" and b'"' in content):
        return _REQUOTED.subn(_reescaped, content)
    return content, 0


def _reescaped(match: re.Match[bytes]) -> bytes:
    return match[1] or (b'\\"' if match[0] == b'"' else b"'")
