"""`multipart/related`: metadata and bytes of an upload in one body."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..domain.errors import InvalidArgument

_BOUNDARY = re.compile(r"""boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))""", re.IGNORECASE)
_CONTENT_TYPE = re.compile(rb"^content-type:\s*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Related:
    """The two parts of such a body; `mime_type` is what the second says of itself."""

    metadata: bytes
    data: bytes
    mime_type: str


def read_related(body: bytes | bytearray, content_type: str) -> Related:
    """Split a body into its metadata and its bytes."""
    boundary = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/related") or boundary is None:
        raise InvalidArgument("A multipart upload needs the Content-Type multipart/related; boundary=….")
    mark = b"\r\n--" + (boundary[1] or boundary[2]).encode()
    pieces = bytes(b"\r\n" + body).split(mark)
    if len(pieces) != 4 or not pieces[3].startswith(b"--"):
        raise InvalidArgument("A multipart upload has two parts: the file's metadata and its bytes.")
    metadata, data = (piece.partition(b"\r\n\r\n") for piece in pieces[1:3])
    declared = _CONTENT_TYPE.search(data[0])
    return Related(metadata[2], data[2], declared[1].decode("latin-1") if declared else "")
