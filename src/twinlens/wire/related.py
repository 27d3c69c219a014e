"""`multipart/related`: metadata and bytes of an upload in one body, split while it comes in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..domain.errors import InvalidArgument

MAX_HEAD_BYTES = 64 * 1024
"""What may stand before the bytes of the file: it is searched again with each piece that comes."""

_BOUNDARY = re.compile(r"""boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))""", re.IGNORECASE)
_CONTENT_TYPE = re.compile(rb"^content-type:\s*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_ENCODING = re.compile(rb"^content-transfer-encoding:\s*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_PLAIN = frozenset({b"binary", b"8bit", b"7bit"})
_BLANK = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class PartHead:
    """What stands before the file's bytes; `mime_type` is their part's Content-Type."""

    metadata: bytes = b""
    mime_type: str = ""


class Related:
    """Splits a body of two parts, fed piece by piece: the head is stored, the file's bytes pass through.

    Once it has `begun`, the head is known and the file's bytes come.
    """

    def __init__(self, content_type: str) -> None:
        boundary = _BOUNDARY.search(content_type)
        if not content_type.lower().startswith("multipart/related") or boundary is None:
            raise InvalidArgument("A multipart upload needs the Content-Type multipart/related; boundary=….")
        mark = re.escape(b"\r\n--" + (boundary[1] or boundary[2]).encode())
        # A line that only begins like the boundary is part of the file.
        self._mark = re.compile(mark + rb"(--|[ \t]{0,9}\r\n)")
        self._longest_mark = len(boundary[0]) + 16
        # The first boundary may be the very first bytes.
        self._held = b"\r\n"
        self._ended = False
        self.begun = False
        self.head = PartHead()

    def feed(self, piece: bytes) -> bytes:
        """Add the next piece of the body; return the bytes that are certainly the file's."""
        if self._ended:
            # Whatever stands behind the end does not count.
            return b""
        self._held += piece
        if not self.begun:
            self._read_head()
        return self._pass_on() if self.begun else b""

    def finish(self) -> None:
        """Finish the body; raise where it may not end yet."""
        if not self._ended:
            raise _wrong()

    def _read_head(self) -> None:
        """Parse the metadata's part and the second part's headers, from the beginning each time."""
        first = self._mark.search(self._held)
        second = self._mark.search(self._held, first.end()) if first else None
        # The boundary's line break may be the first half of the blank line.
        blank = self._held.find(_BLANK, second.end() - 2) if second else -1
        if first is None or second is None or blank < 0:
            if len(self._held) > MAX_HEAD_BYTES:
                raise InvalidArgument("The metadata of a multipart upload must not be longer than 64 KiB.")
            return
        if b"--" in (first[1], second[1]):
            raise _wrong()
        headers = self._held[second.end() : blank]
        encoding = _ENCODING.search(headers)
        if encoding and encoding[1].strip().lower() not in _PLAIN:
            raise InvalidArgument(
                "Send the bytes of a multipart upload as they are, in no transfer encoding."
            )
        declared = _CONTENT_TYPE.search(headers)
        metadata = self._held[first.end() - 2 : second.start()].partition(_BLANK)[2]
        self.begun = True
        self.head = PartHead(metadata, declared[1].decode("latin-1") if declared else "")
        # An empty file's end follows its headers at once.
        self._held = self._held[blank + len(_BLANK) :]

    def _pass_on(self) -> bytes:
        mark = self._mark.search(self._held)
        if mark is None:
            # The end of what came may be the beginning of the boundary.
            kept = max(len(self._held) - self._longest_mark, 0)
            content, self._held = self._held[:kept], self._held[kept:]
            return content
        if mark[1] != b"--":
            raise _wrong()
        content, self._held = self._held[: mark.start()], b""
        self._ended = True
        return content


def _wrong() -> InvalidArgument:
    return InvalidArgument("A multipart upload has two parts: the file's metadata and its bytes.")
