"""Files on the server: look at them, wait for them, delete them."""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, datetime
from typing import Any

from .connection import Connection
from .errors import ClientError, NotFinished
from .retry import RetryPolicy, Tries

PAGE_SIZE = 100
FIRST_POLL_S = 0.25
LONGEST_POLL_S = 1.0
LONGEST_WAIT_S = 600.0

_ID = "[a-z0-9-]{1,40}"
_NAME = re.compile(rf"(?:files/)?({_ID})|https?://[^?#]+/files/({_ID})(?:[?#].*)?", re.DOTALL)
_SIZE = re.compile("[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class File:
    """A File as the server describes it; `resource` is its JSON, with all fields.

    `progress_percent` is how far the server's look into it is, where that is PROCESSING and known.
    """

    name: str
    uri: str
    state: str
    mime_type: str
    size: int
    display_name: str = ""
    sha256: str = ""
    created: datetime | None = None
    expires: datetime | None = None
    duration: str = ""
    error: str = ""
    progress_percent: int | None = None
    resource: dict[str, Any] = field(default_factory=dict, repr=False)


class Files:
    """The files of the key's project."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, limit: int | None = None) -> Iterator[File]:
        """Yield the files, newest first; pages are asked for as they are needed."""
        given, token = 0, ""
        seen: set[str] = set()
        while limit is None or given < limit:
            size = PAGE_SIZE if limit is None else min(PAGE_SIZE, limit - given)
            query = {"pageSize": str(size)} | ({"pageToken": token} if token else {})
            page = self._connection.read(self._connection.ask("GET", "/v1beta/files", query=query))
            found, following = page.get("files") or [], page.get("nextPageToken")
            if not isinstance(found, list):
                raise self._connection.strange()
            for resource in found[: None if limit is None else limit - given]:
                yield read_file(resource)
                given += 1
            if not following:
                return
            # A server that names the same page again would have it asked for without an end.
            if not isinstance(following, str) or following in seen:
                raise self._connection.strange()
            seen.add(token := following)

    def get(self, name: str) -> File:
        """Return one file, by its name, its bare id or its URI."""
        return read_file(self._connection.read(self._connection.ask("GET", _path(name))))

    def delete(self, name: str) -> None:
        """Delete a file."""
        # The answer is empty, but only this API's is an empty object.
        self._connection.read(self._connection.ask("DELETE", _path(name)))

    def wait(
        self,
        file: File,
        retry_policy: RetryPolicy = RetryPolicy(),  # noqa: B008 — it is frozen
        watch: Callable[[File], None] | None = None,
    ) -> File:
        """Wait until the file is inspected, and return it: ACTIVE or FAILED; `watch` sees it until then."""
        tries, pause, end = Tries(retry_policy), FIRST_POLL_S, time.monotonic() + LONGEST_WAIT_S
        while file.state == "PROCESSING":
            if time.monotonic() > end:
                raise NotFinished(
                    f"{file.name} is still PROCESSING after {LONGEST_WAIT_S:.0f} seconds. "
                    f"`twinlens files get {file.name}` tells how it ends."
                )
            if watch is not None:
                watch(file)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_POLL_S)
            try:
                file = self.get(file.name)
                tries.progressed()
            except ClientError as error:
                tries.wait(error)
        return file


def id_of(name: str) -> str:
    """Find the id in a file's name, its bare id or its URI; raise where none of a file can be there."""
    found = _NAME.fullmatch(name)
    if found is None:
        shown = name if len(name) <= 80 else f"{name[:79]}…"
        raise ClientError(
            f"{shown!r} is not the name of a file: that is files/ID, the ID alone, or the file's URI; "
            "an ID has up to 40 lower-case letters, digits and dashes."
        )
    return found[1] or found[2]


def read_file(resource: Any) -> File:
    """Parse a File resource; a field that is missing or odd stays empty."""
    if not isinstance(resource, dict) or not isinstance(resource.get("name"), str):
        raise ClientError("The server's answer is not a File. Is --server right?")
    text = {key: value for key, value in resource.items() if isinstance(value, str)}
    return File(
        name=text["name"],
        uri=text.get("uri", ""),
        state=text.get("state", ""),
        mime_type=text.get("mimeType", ""),
        size=int(size) if _SIZE.fullmatch(size := text.get("sizeBytes", "")) else 0,
        display_name=text.get("displayName", ""),
        sha256=_sha256(text.get("sha256Hash", "")),
        created=_time(text.get("createTime", "")),
        expires=_time(text.get("expirationTime", "")),
        duration=_member(resource, "videoMetadata", "videoDuration"),
        error=_member(resource, "error", "message"),
        progress_percent=_percent(resource.get("progressPercent")),
        resource=resource,
    )


def _path(name: str) -> str:
    return f"/v1beta/files/{id_of(name)}"


def _member(resource: dict[str, Any], outer: str, inner: str) -> str:
    value = resource.get(outer)
    found = value.get(inner) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def _percent(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= 100 else None


def _sha256(text: str) -> str:
    """Undo the base64 that the API puts around the hexadecimal text."""
    try:
        return base64.b64decode(text, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return ""


def _time(text: str) -> datetime | None:
    """Parse a timestamp; what is finer than a microsecond is dropped."""
    whole, dot, fraction = text.removesuffix("Z").partition(".")
    try:
        time = datetime.fromisoformat(f"{whole}{dot}{fraction[:6]}+00:00")
    except ValueError:
        return None
    # The first and the last year there are cannot be told in every time zone.
    return time if MINYEAR < time.year < MAXYEAR else None
