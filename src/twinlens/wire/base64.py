"""Base64 at memory speed, in every spelling clients send.

Standard and URL-safe letters, also mixed, with or without padding, in one piece or with spaces and line
breaks between them, as `base64` and MIME write it. Letters of neither alphabet are refused. Nothing
larger than the result is ever allocated.
"""

from __future__ import annotations

import binascii
import io

import pybase64

CHUNK = 1 << 18
"""Letters decoded at a time on the slower path; a multiple of four, small enough for the CPU's cache."""

_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_SPACES = b" \t\r\n"


def decode(letters: str | bytes | memoryview) -> bytes | None:
    """Decode; None when it is not base64."""
    try:
        # Standard letters and padding: one pass, and random URL-safe data fails in its first bytes.
        return pybase64.b64decode(letters, validate=True)
    except ValueError:  # binascii.Error is one; plain for a str that is not ASCII
        pass
    try:
        return _decode_any(memoryview(letters.encode("ascii") if isinstance(letters, str) else letters))
    except ValueError:
        return None


def _decode_any(letters: memoryview) -> bytes:
    """Decode either alphabet; white space is looked for only where there is something besides letters."""
    letters = _trimmed(letters)
    try:
        return _decode_chunks(letters)
    except ValueError:
        return _decode_chunks(letters, spaced=True)


def _decode_chunks(letters: memoryview, *, spaced: bool = False) -> bytes:
    """Decode chunk by chunk, padding what needs it, into one growing buffer."""
    out = io.BytesIO()
    rest = b""
    for start in range(0, len(letters), CHUNK):
        chunk = bytes(letters[start : start + CHUNK])
        last = start + CHUNK >= len(letters)
        if spaced:
            chunk = rest + chunk.translate(None, _SPACES)
            whole = len(chunk) if last else len(chunk) // 4 * 4
            chunk, rest = chunk[:whole], chunk[whole:]
        if last and len(chunk) % 4:
            chunk = chunk.rstrip(b"=")
            chunk += b"=" * (-len(chunk) % 4)
        piece = _decode_chunk(chunk)
        if not last and len(piece) != len(chunk) // 4 * 3:
            raise binascii.Error("padding before the end")
        out.write(piece)
    return out.getvalue()


def _trimmed(letters: memoryview) -> memoryview:
    """Leave out white space at the end, so that the last letters are in the last chunk."""
    while letters:
        tail = bytes(letters[-CHUNK:])
        kept = len(tail.rstrip(_SPACES))
        letters = letters[: len(letters) - len(tail) + kept]
        if kept:
            break
    return letters


def _decode_chunk(chunk: bytes) -> bytes:
    if b"-" not in chunk and b"_" not in chunk:
        return pybase64.b64decode(chunk, validate=True)
    if b"+" not in chunk and b"/" not in chunk:
        return pybase64.b64decode(chunk, altchars=b"-_", validate=True)
    return pybase64.b64decode(chunk.translate(_TO_STANDARD), validate=True)
