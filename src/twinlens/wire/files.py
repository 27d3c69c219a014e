"""The File resource and the headers of the upload protocol."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from ..domain import media_types as labels
from ..domain.errors import InvalidArgument
from . import encoding, json
from .proto import Field, Message, Reading, anything, int64, string

COMMANDS = frozenset({"start", "upload", "finalize", "query", "cancel"})
MAX_DISPLAY_NAME = 512
DEFAULT_PAGE_SIZE = 10
MAX_PAGE_SIZE = 100

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_INVALID_ARGUMENT = 3
"""The number of this status among google.rpc's codes: a file that cannot be read is the caller's."""

_OUTPUT_ONLY = (
    "createTime updateTime expirationTime sha256Hash uri downloadUri state source error videoMetadata"
)
_FILE = Message(
    "File",
    Field("name", string),
    Field("displayName", string),
    Field("mimeType", string),
    Field("sizeBytes", int64),
    *(Field(name, anything, status="ignored") for name in _OUTPUT_ONLY.split()),
)
_START = Message("CreateFileRequest", Field("file", _FILE))
MESSAGES = (_START, _FILE)
"""Every message of this dialect, for docs/api-coverage.md."""


class FileResource(Protocol):
    """What is written of a file. `sha256` is in hexadecimal, times are in UTC.

    `duration` is a video's, `error` says why the file is FAILED.
    """

    @property
    def id(self) -> str: ...
    @property
    def display_name(self) -> str | None: ...
    @property
    def mime_type(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def sha256(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def created(self) -> datetime: ...
    @property
    def updated(self) -> datetime: ...
    @property
    def expires(self) -> datetime: ...
    @property
    def duration(self) -> timedelta | None: ...
    @property
    def error(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a client says of a file it is going to send."""

    file_id: str | None = None
    display_name: str | None = None
    mime_type: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """How many files to list, and which one they are to be older than."""

    size: int
    before: int | None


def read_commands(headers: Mapping[str, str]) -> frozenset[str]:
    """Parse `X-Goog-Upload-Command`: a list with commas, in any case and spacing."""
    words = headers.get("x-goog-upload-command", "").split(",")
    commands = frozenset(word.strip().lower() for word in words) - {""}
    if not commands:
        raise InvalidArgument("The X-Goog-Upload-Command header is missing.")
    for unknown in sorted(commands - COMMANDS):
        raise InvalidArgument(
            f"X-Goog-Upload-Command cannot be {unknown[:40]!r}: use start, upload, finalize, query or cancel."
        )
    return commands


def read_offset(headers: Mapping[str, str]) -> int:
    """Parse `X-Goog-Upload-Offset`, which is required."""
    offset = _number(headers, "X-Goog-Upload-Offset")
    if offset is None:
        raise InvalidArgument("The X-Goog-Upload-Offset header is missing.")
    return offset


def read_metadata(body: bytes | bytearray, headers: Mapping[str, str]) -> Metadata:
    """Parse the start of an upload: `{"file": {…}}` or nothing, and the headers; the body wins."""
    file = _read_file(body)
    name, display_name = file.get("name"), file.get("display_name")
    size = _number(headers, "X-Goog-Upload-Header-Content-Length")
    if display_name is not None and len(display_name) > MAX_DISPLAY_NAME:
        raise InvalidArgument(
            f"The display name must not be longer than {MAX_DISPLAY_NAME} characters.",
            field="file.display_name",
        )
    told = file.get("size_bytes")
    if size is not None and told not in (None, size):
        raise InvalidArgument(
            f"The header X-Goog-Upload-Header-Content-Length says {size} bytes, and size_bytes says {told}.",
            field="file.size_bytes",
        )
    if size is None:
        size = told
    if size is not None and size < 0:
        raise InvalidArgument("A file's size cannot be negative.", field="file.size_bytes")
    return Metadata(
        file_id=_new_id(name) if name else None,
        display_name=display_name or None,
        mime_type=_supported(file.get("mime_type", ""))
        or _supported(headers.get("x-goog-upload-header-content-type", "")),
        size=size,
    )


def read_at_once(headers: Mapping[str, str]) -> Metadata:
    """Parse the metadata of a request that carries a whole file; its own type counts where it is a file's."""
    if _number(headers, "X-Goog-Upload-Offset"):
        raise InvalidArgument("A file that is sent in one request begins at X-Goog-Upload-Offset 0.")
    said = read_metadata(b"", headers)
    own = headers.get("content-type", "")
    bare = labels.essence(own)
    if said.mime_type is None and bare not in labels.BODIES and labels.is_file(bare):
        return replace(said, mime_type=_supported(own))
    return said


def read_empty(body: bytes | bytearray) -> Metadata:
    """Parse the request for a file without bytes: `{"file": {…}}`, which must name its type."""
    said = read_metadata(body, {})
    if said.size:
        raise InvalidArgument(
            "This makes a file without bytes. Send a file's bytes to /upload/v1beta/files.",
            field="file.size_bytes",
        )
    if said.mime_type is None:
        raise InvalidArgument("A file without bytes needs a MIME type.", field="file.mime_type")
    return said


def read_id(path: str) -> str:
    """Extract the id from what follows `files/` in a path, even where that is the file's whole URI."""
    return path.rpartition("files/")[2]


def read_page(query: Mapping[str, str]) -> PageRequest:
    """Parse `pageSize` and `pageToken`, in either spelling."""
    size = query.get("pageSize") or query.get("page_size") or "0"
    token = query.get("pageToken") or query.get("page_token")
    if not re.fullmatch(r"\d{1,9}", size, re.ASCII):
        raise InvalidArgument(
            f"Invalid value at 'page_size' (TYPE_INT32), \"{size[:40]}\"", field="page_size"
        )
    limit = min(int(size) or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    return PageRequest(limit, None if not token else _read_token(token))


def write_file(file: FileResource, base: str, progress: float | None = None) -> bytes:
    """Write one file; `base` is what its URI begins with: an address and a version.

    `progress` is how far the inspection of a file is that is PROCESSING, from 0 to 1.
    """
    return encoding.write(_resource(file, base, progress))


def write_upload(file: FileResource, base: str, progress: float | None = None) -> bytes:
    """Write the answer to a finished upload."""
    return encoding.write({"file": _resource(file, base, progress)})


def write_page(files: Iterable[tuple[FileResource, float | None]], following: int | None, base: str) -> bytes:
    """Write a page of the list, of files with their progress; where there is nothing, an empty object."""
    page: dict[str, object] = {}
    if resources := [_resource(file, base, progress) for file, progress in files]:
        page["files"] = resources
    if following is not None:
        page["nextPageToken"] = base64.urlsafe_b64encode(f"f{following}".encode()).decode().rstrip("=")
    return encoding.write(page)


def _resource(file: FileResource, base: str, progress: float | None) -> dict[str, object]:
    resource: dict[str, object] = {
        "name": f"files/{file.id}",
        "displayName": file.display_name or "",
        "mimeType": file.mime_type,
        "sizeBytes": str(file.size),
        "createTime": _time(file.created) + "Z",
        "updateTime": _time(file.updated) + "Z",
        "expirationTime": _time(file.expires) + "000Z",
        # Base64 of the hexadecimal text, not of the hash: what clients have always been given.
        "sha256Hash": base64.b64encode(file.sha256.encode()).decode(),
        "uri": f"{base}/files/{file.id}",
        "state": file.state,
        # Not of the contract, and nothing to clients that do not know it.
        "progressPercent": file.state == "PROCESSING" and progress and round(100 * progress),
        "source": "UPLOADED",
        "error": file.error and {"code": _INVALID_ARGUMENT, "message": file.error},
        "videoMetadata": file.duration is not None and {"videoDuration": _duration(file.duration)},
    }
    return {key: value for key, value in resource.items() if value}


def _duration(duration: timedelta) -> str:
    """Write seconds with no more digits than they need: `184.4s`."""
    seconds, microseconds = divmod(duration // timedelta(microseconds=1), 1_000_000)
    return f"{seconds}.{microseconds:06d}".rstrip("0").rstrip(".") + "s"


def _time(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%f")


def _read_file(body: bytes | bytearray) -> dict[str, Any]:
    reading = Reading(json.read(body), "CreateFileRequest")
    request = _START(reading, reading.document.value, "")
    reading.check()
    return (request or {}).get("file") or {}


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name.lower(), "").strip()
    if not text:
        return None
    if not re.fullmatch(r"\d{1,40}", text, re.ASCII):
        raise InvalidArgument(f"{name} must be a number of bytes, not {text[:40]!r}.")
    return int(text)


def _new_id(name: str) -> str:
    file_id = name.removeprefix("files/")
    if not _ID.fullmatch(file_id):
        raise InvalidArgument(
            "A file's name is files/ and up to 40 lower-case letters, digits and dashes, "
            "with no dash at either end.",
            field="file.name",
        )
    return file_id


def _supported(mime_type: str) -> str | None:
    """Check a type; keep of its parameters those that reading it takes. None where nothing was said."""
    bare = labels.essence(mime_type)
    if bare in labels.NO_LABELS:
        return None
    if not labels.is_file(bare):
        raise InvalidArgument(labels.unsupported(bare[:100]), field="file.mime_type")
    if flaw := labels.flaw_of(mime_type):
        raise InvalidArgument(flaw, field="file.mime_type")
    return labels.stored_as(mime_type)


def _read_token(token: str) -> int:
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("ascii")
    except (ValueError, binascii.Error):
        text = ""
    match = re.fullmatch(r"f(\d{1,18})", text, re.ASCII)
    if match is None:
        raise InvalidArgument("Invalid page token.", field="page_token")
    return int(match[1])
