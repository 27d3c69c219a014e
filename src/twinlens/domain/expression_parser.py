"""Regular expressions in ECMA-262's syntax, parsed to what RE2 has for them.

Read with the u flag's meaning (code points rather than halves of them) and, where that would be an
error, as the web's older syntax has it (a `{` that begins no repeat, `[\\d-x]`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .expressions import (
    Alternation,
    Concatenation,
    Expression,
    One,
    Part,
    Position,
    Repetition,
    UnreadablePattern,
)

MAX_CHARACTERS = 4_000
MAX_DEPTH = 50
MAX_REPEATS = 1_000

_LINEAR = "patterns are matched in time linear in the text"
MANY = f"must not repeat anything more than {MAX_REPEATS} times, repeats within repeats multiplied: {_LINEAR}"
_LOOK_AROUND = f"must not have look-arounds such as (?=...) and (?<!...): {_LINEAR}"
_BACK = f"must not refer back to a group as \\1 and \\k<name> do: {_LINEAR}"
_LONG = f"must have at most {MAX_CHARACTERS} characters"
_DEEP = f"must have at most {MAX_DEPTH} groups within one another"

_LAST = 0x10FFFF
_SPACES = (
    *((0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029)),
    *((0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF)),
)
_WORD = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_SETS: Mapping[str, Sequence[tuple[int, int]]] = {"d": ((0x30, 0x39),), "w": _WORD, "s": _SPACES}
_DOT = r"[^\n\r\x{2028}\x{2029}]"
_ANY = r"[\x{0}-\x{10FFFF}]"
_NONE = r"[^\x{0}-\x{10FFFF}]"
_CONTROLS: Mapping[str, int] = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
_ENDS: Mapping[str, str] = {"b": r"\b", "B": r"\B", "A": r"\A", "z": r"\z", "Z": r"\z"}
_QUANTIFIER = re.compile(r"([*+?]|\{(\d{1,4000})(?:(,)(\d{0,4000}))?\})\??")
_GROUP = re.compile(r"\?(?::|P?<(?![=!])([^>]{1,100})>|([ims]{0,3})(?:-([ims]{1,3}))?([:)]))")
_HEX = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}")
_LOW_HALF = re.compile(r"\\u(D[C-Fc-f][0-9A-Fa-f]{2})", re.IGNORECASE)
_PROPERTY = re.compile(r"([pP])(?:\{(?:(?:gc|General_Category|(sc|Script))=)?(\w{1,40})\}|([A-Z]))", re.ASCII)
_NAMES = """
Letter=L Uppercase_Letter=Lu Lowercase_Letter=Ll Titlecase_Letter=Lt Modifier_Letter=Lm Other_Letter=Lo
Mark=M Nonspacing_Mark=Mn Spacing_Mark=Mc Enclosing_Mark=Me Number=N Decimal_Number=Nd Letter_Number=Nl
Other_Number=No Punctuation=P Connector_Punctuation=Pc Dash_Punctuation=Pd Open_Punctuation=Ps
Close_Punctuation=Pe Initial_Punctuation=Pi Final_Punctuation=Pf Other_Punctuation=Po Symbol=S
Math_Symbol=Sm Currency_Symbol=Sc Modifier_Symbol=Sk Other_Symbol=So Separator=Z Space_Separator=Zs
Line_Separator=Zl Paragraph_Separator=Zp Other=C Control=Cc Format=Cf Private_Use=Co
"""
_CATEGORIES: Mapping[str, str] = dict(name.split("=") for name in _NAMES.split())
"""What RE2 has by its short name only."""


def parse(text: str) -> Expression:
    """Parse a pattern; UnreadablePattern says what is wrong."""
    if len(text) > MAX_CHARACTERS:
        raise UnreadablePattern(_LONG)
    return _Parser(text).whole()


class _Parser:
    """Reads from left to right; `at` is how far it has come."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._dot = _DOT

    def whole(self) -> Alternation:
        found = self._choice()
        if self._at < len(self._text):
            raise self._wrong("there is a ) too many")
        return found

    def _choice(self, opening: str = "(?:") -> Alternation:
        options = [self._run()]
        while self._took("|"):
            options.append(self._run())
        return Alternation(tuple(options), opening)

    def _run(self) -> Concatenation:
        parts: list[Part] = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            parts.append(self._repeated(self._one()))
        return Concatenation(tuple(parts))

    def _repeated(self, part: Part) -> Part:
        found = _QUANTIFIER.match(self._text, self._at)
        if found is None:
            return part
        if isinstance(part, Position):
            raise self._wrong("there is nothing to repeat")
        self._at = found.end()
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(found[1], (0, 0))
        if found[2] is not None:
            least = int(found[2])
            most = int(found[4]) if found[4] else None if found[3] else least
        if max(least, most or 0) > MAX_REPEATS:
            raise UnreadablePattern(MANY)
        if most is not None and most < least:
            raise self._wrong("a repeat ends before it begins")
        if _QUANTIFIER.match(self._text, self._at):
            raise self._wrong("there is nothing to repeat")
        return Repetition(part, least, most)

    def _one(self) -> Part:
        letter = self._next()
        match letter:
            case "(":
                return self._group()
            case "[":
                return One(self._class())
            case "\\":
                return self._escape()
            case ".":
                return One(self._dot)
            case "^" | "$":
                return Position(letter)
            case "*" | "+" | "?":
                raise self._wrong("there is nothing to repeat")
            case _:
                return One(_escaped(self._point(letter)))

    def _group(self) -> Part:
        if self._depth == MAX_DEPTH:
            raise UnreadablePattern(_DEEP)
        opening, dot, scoped = "(?:", self._dot, True
        if self._text.startswith("?", self._at):
            if self._text.startswith(("?=", "?!", "?<=", "?<!"), self._at):
                raise UnreadablePattern(_LOOK_AROUND)
            if self._text.startswith("?P=", self._at):
                raise UnreadablePattern(_BACK)
            found = _GROUP.match(self._text, self._at)
            if found is None:
                raise self._wrong("a group begins with what is not known here")
            self._at = found.end()
            opening, scoped = self._flags(found), found[4] != ")"
        if not scoped:
            return Position(opening)
        self._depth += 1
        inner = self._choice(opening)
        self._depth -= 1
        self._dot = dot
        if not self._took(")"):
            raise self._wrong("a group has no end")
        return inner

    def _flags(self, found: re.Match[str]) -> str:
        """Return the opening of a group with flags; `s` is about the dot alone, which is written out."""
        on, off = found[2] or "", found[3] or ""
        if "s" in on + off:
            self._dot = _ANY if "s" in on else _DOT
        on, off = on.replace("s", ""), off.replace("s", "")
        return f"(?{on}{'-' + off if off else ''}{':' if found[4] != ')' else ')' if on + off else ':)'}"

    def _escape(self) -> Part:
        if self._at == len(self._text):
            raise self._wrong("it ends with a backslash")
        letter = self._text[self._at]
        if letter in _ENDS:
            self._at += 1
            return Position(_ENDS[letter])
        if letter in "123456789k":
            raise UnreadablePattern(_BACK)
        known = self._set()
        return One(f"[{known}]" if known is not None else _escaped(self._character()))

    def _class(self) -> str:
        negated = self._took("^")
        items: list[str] = []
        while not self._took("]"):
            first = self._member()
            if isinstance(first, int) and self._is_range():
                self._at += 1
                last = self._member()
                if isinstance(last, str):
                    items += (_escaped(first), r"\-", last)
                    continue
                if last < first:
                    raise self._wrong("a range in a class ends before it begins")
                items.append(f"{_escaped(first)}-{_escaped(last)}")
            else:
                items.append(first if isinstance(first, str) else _escaped(first))
        if not items:
            return _ANY if negated else _NONE
        return f"[{'^' if negated else ''}{''.join(items)}]"

    def _is_range(self) -> bool:
        after = self._text[self._at : self._at + 2]
        return after[:1] == "-" and after[1:] not in ("", "]")

    def _member(self) -> str | int:
        """Parse one character of a class, or a set of them as RE2 has it."""
        if self._at == len(self._text):
            raise self._wrong("a class has no end")
        letter = self._next()
        if letter != "\\":
            return self._point(letter)
        if self._took("b"):
            return 8
        if self._took("-"):
            return ord("-")
        known = self._set()
        return known if known is not None else self._character()

    def _set(self) -> str | None:
        """Parse the rest of an escape that means many characters, as the inside of a class."""
        letter = self._text[self._at : self._at + 1]
        if letter.lower() in _SETS and letter:
            self._at += 1
            ranges = _SETS[letter.lower()]
            return _ranges(ranges if letter.islower() else _others(ranges))
        if letter not in ("p", "P"):
            return None
        found = _PROPERTY.match(self._text, self._at)
        if found is None:
            raise self._wrong("a property is not known here")
        self._at = found.end()
        name = found[3] or found[4]
        if name in ("Any", "ASCII") and not found[2]:
            ranges = ((0, _LAST if name == "Any" else 0x7F),)
            return _ranges(ranges if found[1] == "p" else _others(ranges))
        return f"\\{found[1]}{{{name if found[2] else _CATEGORIES.get(name, name)}}}"

    def _character(self) -> int:
        """Parse the rest of an escape that means one character."""
        if found := _HEX.match(self._text, self._at):
            self._at = found.end()
            return self._whole(int(found[1] or found[2] or found[3], 16))
        letter = self._next() if self._at < len(self._text) else ""
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if letter == "0" and not self._text[self._at : self._at + 1].isdecimal():
            return 0
        after = self._text[self._at : self._at + 1]
        if letter == "c" and after.isascii() and after.isalpha():
            self._at += 1
            return ord(after) % 32
        if not letter or letter.isalnum():
            raise self._wrong(f"\\{letter} is no escape")
        return self._point(letter)

    def _whole(self, point: int) -> int:
        """Join the second half of a character that does not fit into 16 bits."""
        low = _LOW_HALF.match(self._text, self._at) if 0xD800 <= point < 0xDC00 else None
        if low:
            self._at = low.end()
            return 0x10000 + (point - 0xD800) * 0x400 + int(low[1], 16) - 0xDC00
        if 0xD800 <= point < 0xE000 or point > _LAST:
            raise self._wrong("an escape means no character")
        return point

    def _point(self, letter: str) -> int:
        if "\ud800" <= letter < "\ue000":
            raise self._wrong("there is half a character")
        return ord(letter)

    def _next(self) -> str:
        self._at += 1
        return self._text[self._at - 1]

    def _took(self, letter: str) -> bool:
        took = self._text.startswith(letter, self._at)
        self._at += took
        return took

    def _wrong(self, why: str) -> UnreadablePattern:
        return UnreadablePattern(f"must be a regular expression: {why} at character {self._at}")


def _escaped(point: int) -> str:
    return f"\\x{{{point:X}}}"


def _ranges(ranges: Sequence[tuple[int, int]]) -> str:
    return "".join(f"{_escaped(first)}-{_escaped(last)}" for first, last in ranges)


def _others(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return all characters that are in none of the ranges, which are in order."""
    begins = [0, *(last + 1 for _, last in ranges)]
    ends = [*(first - 1 for first, _ in ranges), _LAST]
    return [(first, last) for first, last in zip(begins, ends, strict=True) if first <= last]
