"""The look into a stored video or document before anybody asks about it, seen from the server.

`video.py` and `pdf.py` do the looking, in a worker process that is handed the file's descriptor:
nothing is copied, whatever the size.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import IO, ClassVar

from ..domain.errors import BadMedia
from ..domain.media import Inspection
from . import sniff
from .jobs import Job, Limits, sentence
from .process import Lost, Reply

MAX_PAGES = 1000
"""The contract's limit, section 4.3."""

_MAX_DURATION = timedelta(days=30)
_MAX_COUNT = 2**31 - 1


def is_inspected(mime_type: str) -> bool:
    """Tell whether a stored file of this type is looked into before it may be used."""
    return _kind_of(mime_type) is not None


@dataclass(frozen=True, slots=True)
class Inspect(Job[Inspection]):
    """Find out how long a video is or how many pages a document has. The file is closed by its owner."""

    task: ClassVar[str] = "inspect"

    file: IO[bytes]
    mime_type: str

    @property
    def subject(self) -> str:
        """Name the type."""
        return f"a stored file ({self.mime_type})"

    def message(self) -> Mapping[str, object]:
        """Say who is to look."""
        return {"kind": _kind_of(self.mime_type)}

    @contextmanager
    def files(self) -> Iterator[Sequence[IO[bytes]]]:
        """Hold the file itself."""
        yield (self.file,)

    def result(self, reply: Reply, files: Sequence[IO[bytes]]) -> Inspection:
        """Take the number that was found, within reason."""
        return self._kind.result(reply)

    def refusal(self, reason: object, reply: Reply, limits: Limits) -> BadMedia:
        """Say why the file cannot be used."""
        values = {
            "label": _essence(self.mime_type),
            "looks": sniff.describe(memoryview(os.pread(self.file.fileno(), sniff.FIRST_BYTES, 0))),
            "codec": _codec(reply),
        }
        return BadMedia(sentence(self._kind.refusals, reason).format(**values, **asdict(limits)))

    @property
    def _kind(self) -> _Kind:
        return _KINDS[_kind_of(self.mime_type) or ""]


@dataclass(frozen=True, slots=True)
class _Kind:
    """What one kind of file is asked for, and what is said when there is no answer."""

    result: Callable[[Reply], Inspection]
    refusals: Mapping[str, str]


def _duration(reply: Reply) -> Inspection:
    microseconds = _number(reply, "duration", _MAX_DURATION // timedelta(microseconds=1))
    return Inspection(duration=timedelta(microseconds=microseconds))


def _pages(reply: Reply) -> Inspection:
    pages = _number(reply, "pages", _MAX_COUNT)
    if pages > MAX_PAGES:
        raise BadMedia(
            f"The document contains {pages} pages which exceeds the supported page limit of {MAX_PAGES}."
        )
    return Inspection(pages=pages)


_KINDS: Mapping[str, _Kind] = {
    "video": _Kind(
        _duration,
        {
            "damaged": "The video data is damaged or incomplete. Check the file and send it again.",
            "foreign": "The data is labelled {label} but looks like {looks}. "
            "Send MP4, MOV, MPEG, AVI, FLV, WEBM, WMV or 3GPP.",
            "empty": "The file holds no video and no sound. Check the file and send it again.",
            "codec": "The codec{codec} is not supported. Convert the video to H.264 and send it again.",
            "pixels": "The video's frames have no size, or more than 200 million pixels. "
            "Check the file or scale it down, and send it again.",
            "memory": "Reading the video takes more than {memory_mib} MiB of memory. "
            "Scale it down and send it again.",
            "time": "Reading the video takes longer than {timeout_s:g} s. Cut it into parts and send those.",
            "crash": "The decoder cannot handle this video. Convert it to H.264 and send it again.",
        },
    ),
    "pdf": _Kind(
        _pages,
        {
            "damaged": "The PDF data is damaged or incomplete. Check the file and send it again.",
            "foreign": "The document has no pages. "
            "The data is labelled {label} but looks like {looks}. Send a PDF.",
            "empty": "The document has no pages.",
            "password": "The document is protected by a password. Remove the password and send it again.",
            "memory": "Reading the document takes more than {memory_mib} MiB of memory. "
            "Split it and send it again.",
            "time": "Reading the document takes longer than {timeout_s:g} s. Split it and send it again.",
            "crash": "The reader cannot handle this document. Save it anew as PDF and send it again.",
        },
    ),
}


def _kind_of(mime_type: str) -> str | None:
    essence = _essence(mime_type)
    return next((kind for types, kind in _KINDS_BY_TYPE.items() if fnmatchcase(essence, types)), None)


_KINDS_BY_TYPE: Mapping[str, str] = {"video/?*": "video", "application/pdf": "pdf"}


def _essence(mime_type: str) -> str:
    return mime_type.partition(";")[0].strip().lower()


def _number(reply: Reply, name: str, most: int) -> int:
    value = reply.get(name)
    if type(value) is not int or not 0 < value <= most:
        raise Lost("crash", f"answered nonsense for {name}")
    return value


def _codec(reply: Reply) -> str:
    """Read the codec's name, as the middle of a sentence; a decoder's names are plain."""
    name = reply.get("codec")
    return f" {name}" if isinstance(name, str) and re.fullmatch(r"[a-z0-9_]{1,32}", name) else ""
