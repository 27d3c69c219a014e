r"""The text of an RTF document. Runs in a worker process.

RTF is text with control words (`\par`), groups in braces, and characters as bytes of some code page
(`\'e4`) or as numbers (`\u228`). It is read in one go from left to right; what is not known is passed
over, so a damaged document gives what it can.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from .charsets import codec_of

_DEFAULT = "cp1252"


def is_rtf(data: bytes) -> bool:
    """Whether it starts like RTF."""
    return data[:64].lstrip().startswith(b"{\\rtf")


def read(data: bytes) -> str:
    """Return the text that a reader of the document sees."""
    reader, at = _Reader(), 0
    while token := _TOKEN.match(data, at):
        at = token.end()
        kind = str(token.lastgroup)
        if kind in _TOKENS:
            _TOKENS[kind](reader, token[kind])
        elif token["word"] == b"bin":
            at += max(int(token["number"] or 0), 0)
        elif token["word"]:
            reader.obey(token["word"].decode(), int(token["number"] or -1))
    return reader.text()


_TOKEN = re.compile(
    rb"\\(?P<word>[A-Za-z]{1,32}+)(?:(?P<number>-?[0-9]{1,10}))? ?"
    rb"|\\'(?P<hex>[0-9A-Fa-f]{2})"
    rb"|\\(?P<symbol>[^A-Za-z])"
    rb"|(?P<open>\{)|(?P<close>\})"
    rb"|(?P<plain>[^\\{}\r\n\0]+)"
    rb"|(?P<nothing>[\r\n\0]+|\\)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _State:
    """What holds until the end of the group. `stand_ins` follow a `\\u` for readers that do not know it."""

    hidden: bool = False
    codec: str = _DEFAULT
    stand_ins: int = 1


class _Reader:
    """Where reading has come to."""

    def __init__(self) -> None:
        self.state = _State()
        self._outer: list[_State] = []
        self._pieces: list[str] = []
        self._waiting = bytearray()  # Not decoded yet: some characters take two bytes.
        self._passing = 0
        self._default = _DEFAULT
        self._font = 0
        self._fonts: dict[int, str] = {}

    def text(self) -> str:
        """Return what has been read, with surrogate pairs joined."""
        self._decode()
        return "".join(self._pieces).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def open(self, _: bytes) -> None:
        """Begin a group."""
        self._change(self.state)
        self._outer.append(self.state)

    def close(self, _: bytes) -> None:
        """End a group, if there is one."""
        self._change(self._outer.pop() if self._outer else self.state)

    def bytes_(self, data: bytes) -> None:
        """Add characters of the code page."""
        passed = min(self._passing, len(data))
        self._passing -= passed
        if not self.state.hidden:
            self._waiting += data[passed:]

    def symbol(self, char: bytes) -> None:
        """Apply a control symbol; a star says that what follows may be skipped."""
        if char == b"*":
            self._change(replace(self.state, hidden=True))
        elif char in _SYMBOLS:
            self._add(_SYMBOLS[char])

    def obey(self, word: str, value: int) -> None:
        """Apply a control word."""
        if word in _WORDS:
            self._add(_WORDS[word])
        elif word in _HIDDEN:
            self._change(replace(self.state, hidden=True))
        elif word in _SETTINGS:
            _SETTINGS[word](self, value)

    def code(self, value: int) -> None:
        """Add a character by its number, which may be written as a negative one."""
        self._passing = 0
        self._add(chr(value % 0x10000))
        self._passing = self.state.stand_ins

    def code_page(self, number: int) -> None:
        """Set the document's code page."""
        codec = codec_of("utf-8" if number == 65001 else f"cp{number}")
        self._default = codec.name if codec else _DEFAULT
        self._change(replace(self.state, codec=self._default))

    def font(self, number: int) -> None:
        """Switch to a font, and so to its code page."""
        self._font = number
        self._change(replace(self.state, codec=self._fonts.get(number, self._default)))

    def charset(self, number: int) -> None:
        """Set a font's code page."""
        if number in _CHARSETS:
            self._fonts[self._font] = _CHARSETS[number]

    def stand_ins(self, count: int) -> None:
        """Set how many substitute characters follow one given by its number."""
        self._change(replace(self.state, stand_ins=min(max(count, 0), 9)))

    def _add(self, text: str) -> None:
        if self._passing:
            self._passing -= 1
            return
        self._decode()
        if not self.state.hidden:
            self._pieces.append(text)

    def _change(self, state: _State) -> None:
        self._decode()
        self._passing = 0
        self.state = state

    def _decode(self) -> None:
        if self._waiting:
            self._pieces.append(self._waiting.decode(self.state.codec, "replace"))
            self._waiting.clear()


_TOKENS: Mapping[str, Callable[[_Reader, bytes], None]] = {
    "hex": lambda reader, digits: reader.bytes_(bytes((int(digits, 16),))),
    "symbol": _Reader.symbol,
    "open": _Reader.open,
    "close": _Reader.close,
    "plain": _Reader.bytes_,
}

_SETTINGS: Mapping[str, Callable[[_Reader, int], None]] = {
    "u": _Reader.code,
    "ansicpg": _Reader.code_page,
    "f": _Reader.font,
    "fcharset": _Reader.charset,
    "uc": _Reader.stand_ins,
    "plain": lambda reader, _: reader.font(-1),
    "mac": lambda reader, _: reader.code_page(10000),
    "pc": lambda reader, _: reader.code_page(437),
    "pca": lambda reader, _: reader.code_page(850),
}

_SYMBOLS: Mapping[bytes, str] = {
    b"\\": "\\",
    b"{": "{",
    b"}": "}",
    b"~": "\u00a0",
    b"_": "-",
    b"\n": "\n",
    b"\r": "\n",
    b"\t": "\t",
}

_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("par", "line", "row", "nestrow", "sect", "page", "column"), "\n"),
    **dict.fromkeys(("tab", "cell", "nestcell"), "\t"),
    **dict.fromkeys(("emspace", "enspace", "qmspace"), " "),
    "emdash": "—",
    "endash": "–",
    "bullet": "•",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
}

_HIDDEN = frozenset(
    (
        *("fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "filetbl", "revtbl", "fldinst"),
        *("listtable", "listoverridetable", "rsidtbl", "generator", "themedata", "datastore", "xmlnstbl"),
        *("header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf"),
        *("bkmkstart", "bkmkend", "xe", "tc", "template", "v", "nonshppict", "latentstyles", "mmathPr"),
    )
)
"""Groups whose content is not part of the text."""

_CHARSETS: Mapping[int, str] = {
    0: "cp1252",
    77: "mac-roman",
    128: "cp932",
    129: "cp949",
    134: "cp936",
    136: "cp950",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
    254: "cp437",
    255: "cp850",
}
"""Code pages by the numbers that Windows gives character sets of fonts."""
