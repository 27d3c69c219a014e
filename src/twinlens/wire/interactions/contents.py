"""The contents of an input: texts and media, as tables.

What each field means is decided in `steps.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...domain.request import Inline
from ..proto import Field, Reader, Reading, anything, double, int32, string
from .readers import TYPE, PlainMessage, PlainReading, encoded, one_of, requiring, seconds, tagged, unset

_ALL_PAGES = "a choice of pages is not supported, all pages are read"


def _layers(*done: str) -> Reader:
    """Return a reader for the layers of a medium to use; only all of them are supported."""

    def read(reading: Reading, value: Any, path: str) -> None:
        if value and (not isinstance(value, list) or {str(one).lower() for one in value} != set(done)):
            reading.refuse(
                path, f"{path}: a choice of layers is not supported, all are used: {', '.join(done)}"
            )

    return read


def _first_page(reading: Reading, value: Any, path: str) -> None:
    if int32(reading, value, path) not in (1, None):
        reading.refuse(path, f"{path}: {_ALL_PAGES}")


_STATIC = Field("type", one_of("static"))
STATIC_PROCESSING = PlainMessage(
    "StaticMediaProcessing",
    _STATIC,
    Field("startOffset", seconds),
    Field("endOffset", seconds),
    Field("fps", double),
    Field("contentLayers", _layers("frames", "audio"), status="refused"),
)
AUDIO_PROCESSING = PlainMessage(
    "AudioStaticMediaProcessing",
    _STATIC,
    Field("startOffset", seconds),
    Field("endOffset", seconds),
    Field("fps", unset("sound has no frames"), status="refused"),
)
PAGE_OPTIONS = PlainMessage(
    "PageProcessingOptions",
    Field("contentLayers", _layers("page_image", "page_text"), status="refused"),
    Field("startPage", _first_page, status="refused"),
    Field("endPage", unset(_ALL_PAGES), status="refused"),
)
DOCUMENT_PROCESSING = PlainMessage(
    "DocumentStaticMediaProcessing",
    _STATIC,
    Field("pageOptions", PAGE_OPTIONS),
    Field("spreadsheetOptions", unset("options for spreadsheets are not supported"), status="refused"),
)


def _processing(static: PlainMessage) -> Reader:
    """Return a reader for how a medium is processed: a name, or an object of that type."""

    def read(reading: Reading, value: Any, path: str) -> Any:
        options = isinstance(value, dict)
        kind, where = (value.get("type"), f"{path}.type") if options else (value, path)
        kind = kind.lower() if isinstance(kind, str) else kind
        if kind == "static":
            return static(reading, value, path) if options else {"type": kind}
        if kind == "agentic":
            reading.refuse(where, f'{where}: agentic processing is not supported here, "static" is')
        else:
            _STATIC.read(reading, kind, where)
        return None

    return read


TEXT = PlainMessage(
    "TextContent", TYPE, Field("text", string), Field("annotations", anything, status="ignored")
)
_SOURCE = (TYPE, Field("data", encoded), Field("uri", string), Field("mimeType", string))
IMAGE = PlainMessage(
    "ImageContent",
    *_SOURCE,
    Field("resolution", one_of("low", "medium", "high", "ultra_high")),
    Field("processing", unset("an image has no processing, recordings and documents do"), status="refused"),
)
VIDEO = PlainMessage(
    "VideoContent",
    *_SOURCE,
    Field("resolution", one_of("low", "medium", "high")),
    Field("processing", _processing(STATIC_PROCESSING)),
    Field("name", string, status="ignored"),
)
AUDIO = PlainMessage(
    "AudioContent",
    *_SOURCE,
    Field("resolution", unset("sound has no resolution"), status="refused"),
    Field("processing", _processing(AUDIO_PROCESSING)),
    Field("channels", int32),
    Field("sampleRate", int32),
)
DOCUMENT = PlainMessage(
    "DocumentContent",
    *_SOURCE,
    Field("resolution", one_of("low", "medium", "high")),
    Field("processing", _processing(DOCUMENT_PROCESSING)),
)


def _medium(message: PlainMessage) -> Reader:
    """Return a reader for a medium, which sets its inline bytes apart."""

    def read(reading: Reading, value: Any, path: str) -> dict[str, Any] | None:
        assert isinstance(reading, PlainReading)
        fields = message(reading, value, path)
        data = fields.pop("data", None) if fields else None
        reading.media.append(Inline(data) if data else None)
        return fields

    return read


CONTENTS: Mapping[str, Reader] = {
    "text": requiring(TEXT, "text"),
    "image": _medium(IMAGE),
    "video": _medium(VIDEO),
    "audio": _medium(AUDIO),
    "document": _medium(DOCUMENT),
}
CONTENT = tagged(CONTENTS)


def contents(reading: Reading, value: Any, path: str) -> Any:
    """Parse the contents of one turn: a string, one content, or a list of contents."""
    match value:
        case str():
            return reading.document.text(value)
        case dict():
            return CONTENT(reading, value, path)
        case list():
            return [CONTENT(reading, one, f"{path}[{index}]") for index, one in enumerate(value)]
        case _:
            shown = reading.quoted(value)
            reading.refuse(path, f"{path} must be a string, a content or a list of contents, not {shown}")
            return None


MESSAGES = (
    TEXT,
    IMAGE,
    VIDEO,
    AUDIO,
    DOCUMENT,
    STATIC_PROCESSING,
    AUDIO_PROCESSING,
    DOCUMENT_PROCESSING,
    PAGE_OPTIONS,
)
