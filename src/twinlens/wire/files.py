"""The File resource and the headers of the upload protocol."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec

from ..domain.errors import InvalidArgument
from . import json
from .proto import Field, Message, Reading, anything, int64, string

COMMANDS = frozenset({"start", "upload", "finalize", "query", "cancel"})
MAX_DISPLAY_NAME = 512
DEFAULT_PAGE_SIZE = 10
MAX_PAGE_SIZE = 100

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_UNSAID = "application/octet-stream"
_MIME_TYPES = frozenset(
    f"{kind}/{name}"
    for kind, names in {
        "image": "png jpeg jpg webp heic heif gif bmp tiff",
        "video": "mp4 mpeg mpg mov quicktime avi x-msvideo x-flv webm wmv x-ms-wmv 3gpp x-matroska",
        "audio": "wav x-wav mp3 mpeg aiff x-aiff aac ogg flac x-flac mp4 m4a x-m4a mp4a-latm webm opus",
        "application": "pdf json xml rtf javascript x-javascript",
    }.items()
    for name in names.split()
)

_OUTPUT_ONLY = (
    "createTime updateTime expirationTime sha256Hash uri downloadUri state source error videoMetadata"
)
_START = Message(
    "CreateFileRequest",
    Field(
        "file",
        Message(
            "File",
            Field("name", string),
            Field("displayName", string),
            Field("mimeType", string),
            Field("sizeBytes", int64),
            *(Field(name, anything, status="ignored") for name in _OUTPUT_ONLY.split()),
        ),
    ),
)


class File(Protocol):
    """What is written of a file. `sha256` is in hexadecimal, times are in UTC."""

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
    """Read `X-Goog-Upload-Command`: a list with commas, in any case and spacing."""
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
    """Read `X-Goog-Upload-Offset`, which must be there."""
    offset = _number(headers, "X-Goog-Upload-Offset")
    if offset is None:
        raise InvalidArgument("The X-Goog-Upload-Offset header is missing.")
    return offset


def read_metadata(body: bytes | bytearray, headers: Mapping[str, str]) -> Metadata:
    """Read the start of an upload: `{"file": {…}}` or nothing, and the headers; the body wins."""
    file = _read_file(body)
    name, display_name = file.get("name"), file.get("display_name")
    size = _number(headers, "X-Goog-Upload-Header-Content-Length")
    if display_name is not None and len(display_name) > MAX_DISPLAY_NAME:
        raise InvalidArgument(
            f"The display name must not be longer than {MAX_DISPLAY_NAME} characters.",
            field="file.display_name",
        )
    if size is None:
        size = file.get("size_bytes")
    if size is not None and size < 0:
        raise InvalidArgument("A file's size cannot be negative.", field="file.size_bytes")
    return Metadata(
        file_id=_new_id(name) if name else None,
        display_name=display_name or None,
        mime_type=_supported(file.get("mime_type") or headers.get("x-goog-upload-header-content-type", "")),
        size=size,
    )


def read_id(path: str) -> str:
    """Find the id in what follows `files/` in a path, even where that is the file's whole URI."""
    return path.rpartition("files/")[2]


def read_page(query: Mapping[str, str]) -> PageRequest:
    """Read `pageSize` and `pageToken`, in either spelling."""
    size = query.get("pageSize") or query.get("page_size") or "0"
    token = query.get("pageToken") or query.get("page_token")
    if not re.fullmatch(r"\d{1,9}", size, re.ASCII):
        raise InvalidArgument(
            f"Invalid value at 'page_size' (TYPE_INT32), \"{size[:40]}\"", field="page_size"
        )
    limit = min(int(size) or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    return PageRequest(limit, None if not token else _read_token(token))


def write_file(file: File, origin: str) -> bytes:
    """Write one file; `origin` is how this client reaches the server."""
    return msgspec.json.encode(_resource(file, origin))


def write_upload(file: File, origin: str) -> bytes:
    """Write the answer to a finished upload."""
    return msgspec.json.encode({"file": _resource(file, origin)})


def write_page(files: Iterable[File], following: int | None, origin: str) -> bytes:
    """Write a page of the list; where there is nothing, an empty object."""
    page: dict[str, object] = {}
    if resources := [_resource(file, origin) for file in files]:
        page["files"] = resources
    if following is not None:
        page["nextPageToken"] = base64.urlsafe_b64encode(f"f{following}".encode()).decode().rstrip("=")
    return msgspec.json.encode(page)


def _resource(file: File, origin: str) -> dict[str, str]:
    resource = {
        "name": f"files/{file.id}",
        "displayName": file.display_name or "",
        "mimeType": file.mime_type,
        "sizeBytes": str(file.size),
        "createTime": _time(file.created) + "Z",
        "updateTime": _time(file.updated) + "Z",
        "expirationTime": _time(file.expires) + "000Z",
        # Base64 of the hexadecimal text, not of the hash: what clients have always been given.
        "sha256Hash": base64.b64encode(file.sha256.encode()).decode(),
        "uri": f"{origin}/v1beta/files/{file.id}",
        "state": file.state,
        "source": "UPLOADED",
    }
    return {key: value for key, value in resource.items() if value}


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
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
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
    """Check a type without its parameters; None where nothing was said."""
    bare = mime_type.partition(";")[0].strip().lower()
    if bare in ("", _UNSAID):
        return None
    if bare in _MIME_TYPES or re.fullmatch(r"text/[a-z0-9.+-]+", bare):
        return bare
    raise InvalidArgument(f"Unsupported MIME type: {bare[:100]}", field="file.mime_type")


def _read_token(token: str) -> int:
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("ascii")
    except (ValueError, binascii.Error):
        text = ""
    match = re.fullmatch(r"f(\d{1,18})", text, re.ASCII)
    if match is None:
        raise InvalidArgument("Invalid page token.", field="page_token")
    return int(match[1])
