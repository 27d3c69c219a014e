"""Plain text from the bytes of a text file, whatever it is encoded in. Runs in a worker process.

Markup is kept as it is; only RTF is turned into the text that it stands for (`rtf.py`).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import IO

from ...descriptors import write_all
from ...domain.media_types import decoder_of, meant
from . import rtf
from .charsets import codec_of, likely_codec
from .unreadable import Unreadable


def write(file: IO[bytes], mime_type: str, buffer: int, max_bytes: int) -> dict[str, object]:
    """Write a file's text as UTF-8 to the buffer and return its length; nothing where it is too long."""
    text = read(file.read(), mime_type).encode()
    if len(text) <= max_bytes:
        write_all(buffer, text)
    return {"bytes": len(text)}


def read(data: bytes, mime_type: str) -> str:
    """Return the text of a file, its lines ended by a newline. Raises `Unreadable` for what is no text."""
    essence, _, parameters = mime_type.lower().partition(";")
    if data.startswith(_NO_TEXT):
        raise Unreadable("foreign", "the signature of another kind of file")
    if decoder_of(essence) == "rtf" and rtf.is_rtf(data):
        text = rtf.read(data)
    else:
        text = _decoded(data, _declared(data, essence, parameters))
    if not _is_text(text[:_LOOKED_AT]):
        raise Unreadable("foreign", "characters that nobody writes")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNSEEN.sub("", text if _is_records(essence.strip()) else _LINE_ENDS.sub("\n", text))


_NO_TEXT = (b"%PDF-", b"PK\x03\x04", b"\x89PNG\r", b"\x1f\x8b\x08")


def _is_records(essence: str) -> bool:
    """Whether records end at CR and LF alone: other line ends are within values there."""
    return essence.endswith("json") or meant(essence) in _RECORDS


_RECORDS = frozenset({"text/csv", "text/tab-separated-values", "application/jsonl", "application/x-ndjson"})

_LINE_ENDS = re.compile("[\x0b\x0c\x85\u2028\u2029]")
_UNSEEN = re.compile("[\0-\x08\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")

_LOOKED_AT = 65_536
_MAX_STRANGE = 0.02
"""The most control and unassigned characters, as a share of a text; compressed data has a tenth."""
_STRANGE = re.compile("[\0-\x07\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\ufff0-\uffff\ud800-\uf8ff]")


def _is_text(text: str) -> bool:
    return len(_STRANGE.findall(text)) <= max(_MAX_STRANGE * len(text), 1)


def _declared(data: bytes, essence: str, parameters: str) -> str | None:
    """Return the encoding that the label names, or else a web page or an XML document itself."""
    found = _CHARSET.search(parameters)
    if found is None and essence.strip().endswith(("html", "xml")):
        found = _CHARSET.search(data[:1024].decode("latin-1").lower())
    return found[1] if found else None


_CHARSET = re.compile(r"(?:charset|encoding)\s*=\s*[\"']?([a-z0-9_.:-]+)")


def _decoded(data: bytes, declared: str | None) -> str:
    """Decode by the mark at the start, as declared, as it looks, or at last as Windows-1252."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    return next(found for found in _attempts(data, declared) if found is not None)


_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def _attempts(data: bytes, declared: str | None) -> Iterator[str | None]:
    codec = codec_of(declared)
    if codec is not None and codec.name != "utf-8":
        yield _strictly(data, codec.name)
    for name, zeros in (("utf-16-le", data[1:_LOOKED_AT:2]), ("utf-16-be", data[:_LOOKED_AT:2])):
        # Western text in UTF-16 has a zero in nearly each second byte, and in no other.
        if zeros.count(0) * 10 > len(zeros) * 4 and zeros.count(0) * 10 > data[:_LOOKED_AT].count(0) * 9:
            yield _strictly(data[: len(data) // 2 * 2], name)
    yield _strictly(data, "utf-8")
    yield _mostly_utf_8(data)
    yield _likely(data)
    yield data.decode("cp1252", "replace")


def _strictly(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except UnicodeError:
        return None


def _mostly_utf_8(data: bytes) -> str | None:
    """Decode UTF-8 with some damage: a few bytes in another encoding do not make it that."""
    text = data.decode("utf-8", "replace")
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    return text if text.count("\ufffd") * 5 <= beyond_ascii else None


def _likely(data: bytes) -> str | None:
    """Decode by a guess, unless what lies behind the guessed-at part does not fit to it."""
    codec = likely_codec(data)
    if codec is None:
        return None
    text = data.decode(codec.name, "replace")
    return text if text.count("\ufffd") * 20 <= len(text) - len(text.encode("ascii", "ignore")) else None
