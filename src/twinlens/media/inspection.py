"""The inspection of a stored recording or document before it is used, seen from the server.

`video.py` and `pdf.py` inspect it in a worker process that receives the file's descriptor:
nothing is copied, whatever the size.
"""

from __future__ import annotations

import os
import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import ClassVar

from ..domain.errors import BadMedia
from ..domain.media import Blob, Inspected, PdfInfo, SoundInfo, VideoInfo
from ..domain.media_types import SOUND_FORMS, VIDEO_FORMS, content_of, decoder_of, essence, kind_of, meant
from .headers import sniff
from .worker.jobs import Job, Limits, OpenFile, Result, file_of, sentence
from .worker.process import Reply, WorkerDied

MAX_PAGES = 1000
"""The contract's limit, section 4.3."""

_MAX_DURATION = timedelta(days=30)
_MAX_COUNT = 2**31 - 1
_LARGE_BYTES = 512 << 20
_MAX_SIDE = 1_000_000


@dataclass(frozen=True, slots=True)
class Inspect(Job[Inspected]):
    """Inspect a recording or a document that is stored in a file."""

    task: ClassVar[str] = "inspect"

    blob: Blob
    mime_type: str

    @property
    def subject(self) -> str:
        """The type, for the log."""
        return f"a stored file ({self.mime_type})"

    def limit_s(self, limits: Limits) -> float:
        """Return the whole timeout for 512 MiB or more, and less for smaller files."""
        return limits.part(os.fstat(file_of(self.blob).fileno()).st_size / _LARGE_BYTES)

    def message(self) -> Mapping[str, object]:
        """Return the decoder and the type."""
        return reading_of(self.mime_type)

    def result(self, reply: Reply, room: OpenFile) -> Inspected:
        """Check the reply and return what it says of the file."""
        return self._kind.result(reply, meant(self.mime_type))

    def refusal(self, reason: object, reply: Reply, limits: Limits) -> BadMedia:
        """Return the error for a file that cannot be used."""
        head = os.pread(file_of(self.blob).fileno(), sniff.FIRST_BYTES, 0)
        values = {
            "label": essence(self.mime_type),
            "looks": sniff.describe(memoryview(head)),
            "codec": _codec(reply),
            **_WORDS["sound" if self._is_sound(head) else "video"],
        }
        return BadMedia(sentence(self._kind.refusals, reason).format(**values, **asdict(limits)))

    @property
    def _kind(self) -> _Kind:
        # Where the label says nothing, it is the bytes that were taken for a recording.
        return _KINDS[kind_of(self.mime_type) or "recording"]

    def _is_sound(self, head: bytes) -> bool:
        """Whether the label or the first bytes are those of audio."""
        return any(content_of(label) == "audio" for label in (self.mime_type, sniff.file_type_of(head)))


def reading_of(mime_type: str | None) -> Mapping[str, object]:
    """Return which decoder reads a file, and as what type, for a worker's message."""
    # Where the label says nothing, it is the bytes that were taken for a recording.
    return {"decoder": decoder_of(mime_type) or "recording", "mime_type": meant(mime_type)}


class InspectedJob(Job[Result]):
    """A job on a file that has been inspected: its errors are the inspection's, with its own field."""

    own_refusals: ClassVar[Mapping[str, str]] = {}
    """Error messages for reasons that an inspection does not have."""

    @property
    @abstractmethod
    def mime_type(self) -> str:
        """The type that it was inspected as."""

    def refusal(self, reason: object, reply: Reply, limits: Limits) -> BadMedia:
        """Return the error that an inspection would have raised."""
        why = self.own_refusals.get(str(reason))
        why = why or Inspect(self.blob, self.mime_type).refusal(reason, reply, limits).message
        return BadMedia(why, field=self.blob.field)


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one kind of file's reply is parsed, and the error message for each reason."""

    result: Callable[[Reply, str], Inspected]
    refusals: Mapping[str, str]


def _recording(reply: Reply, mime_type: str) -> VideoInfo | SoundInfo:
    microseconds = _number(reply, "duration", _MAX_DURATION // timedelta(microseconds=1))
    duration = timedelta(microseconds=microseconds)
    if not reply.get("width") or content_of(mime_type) == "audio":
        return SoundInfo(mime_type, duration)
    width, height = _number(reply, "width", _MAX_SIDE), _number(reply, "height", _MAX_SIDE)
    return VideoInfo(mime_type, width, height, duration, reply.get("sound") is True)


def _pages(reply: Reply, mime_type: str) -> PdfInfo:
    pages = _number(reply, "pages", _MAX_COUNT)
    if pages > MAX_PAGES:
        raise BadMedia(
            f"The document contains {pages} pages which exceeds the supported page limit of {MAX_PAGES}."
        )
    sizes = reply.get("sizes")
    if not isinstance(sizes, list) or len(sizes) != pages:
        raise WorkerDied("crash", "answered nonsense for sizes")
    return PdfInfo(mime_type, tuple(map(_page_size, sizes)))


def _page_size(said: object) -> tuple[float, float]:
    if isinstance(said, list) and len(said) == 2 and all(_is_side(side) for side in said):
        return float(said[0]), float(said[1])
    raise WorkerDied("crash", "answered nonsense for a page's size")


def _is_side(said: object) -> bool:
    return isinstance(said, int | float) and 0 < said <= _MAX_SIDE


_KINDS: Mapping[str, _Kind] = {
    "recording": _Kind(
        _recording,
        {
            "damaged": "The {medium} data is damaged or incomplete. Check the file and send it again.",
            "foreign": "The data is labelled {label} but looks like {looks}. Send {formats}.",
            "empty": "The file holds no video and no audio. Check the file and send it again.",
            "codec": "The codec{codec} is not supported. Convert the {medium} to {plain} and send it again.",
            "pixels": "The video's frames have no size, or more than 200 million pixels. "
            "Check the file or scale it down, and send it again.",
            "cut": "The {medium} data ends within a sample: two bytes for each channel make one. "
            "Check the channels that its mime_type tells, and send it again.",
            "memory": "Reading the {medium} takes more than {memory_mib} MiB of memory. "
            "{smaller} and send it again.",
            "time": "Reading the {medium} takes longer than {timeout_s:g} s. "
            "Cut it into parts and send those.",
            "crash": "The decoder cannot handle this {medium}. Convert it to {plain} and send it again.",
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

_WORDS: Mapping[str, Mapping[str, str]] = {
    "video": {
        "medium": "video",
        "formats": VIDEO_FORMS,
        "plain": "H.264",
        "smaller": "Scale it down",
    },
    "sound": {
        "medium": "audio",
        "formats": SOUND_FORMS,
        "plain": "WAV or MP3",
        "smaller": "Cut it into parts",
    },
}
"""The words for error messages about recordings, by the label's media type."""


def _number(reply: Reply, name: str, most: int) -> int:
    value = reply.get(name)
    if type(value) is not int or not 0 < value <= most:
        raise WorkerDied("crash", f"answered nonsense for {name}")
    return value


def _codec(reply: Reply) -> str:
    """Return the codec's name with a space before it, or nothing where it is not plain letters and digits."""
    name = reply.get("codec")
    return f" {name}" if isinstance(name, str) and re.fullmatch(r"[a-z0-9_]{1,32}", name) else ""
