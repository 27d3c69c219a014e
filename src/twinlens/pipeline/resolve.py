"""Every source of media becomes a blob: bytes with a label and the field they came in."""

from __future__ import annotations

from ..domain.errors import InvalidArgument
from ..domain.media import Blob
from ..domain.request import Inline, Media, Stored, Url
from .concurrency import side_by_side
from .services import Services

_FAMILIES = {"image": "image", "video": "recording", "audio": "recording", "text": "document"}
"""What may stand for what in a label: a WebM file may be called video or audio. Others say nothing."""


async def resolve(parts: tuple[Media, ...], project: str, services: Services) -> list[Blob]:
    """Get the bytes of all media of a request, side by side; files are those of the project."""
    return await side_by_side(_resolve(part, project, services) for part in parts)


async def _resolve(part: Media, project: str, services: Services) -> Blob:
    match part.source:
        case Inline(data):
            return Blob(data, part.mime_type, f"{part.field}.inline_data")
        case Stored(file_id):
            record = await services.processing.ready(project, file_id)
            _check_label(part, record.mime_type)
            # What was uploaded is known; a documented sample sends a shell variable's name as its type.
            return Blob(await services.files.map(record), record.mime_type, part.field, record.sha256)
        case Url(url):
            fetched, declared = await services.fetcher.fetch(url, f"{part.field}.file_data.file_uri")
            return Blob(fetched, part.mime_type or declared, f"{part.field}.file_data")


def _check_label(part: Media, stored: str) -> None:
    """Refuse a label of another kind than the file's: the caller has mixed up two files."""
    said, known = _family(part.mime_type or ""), _family(stored)
    if said and known and said != known:
        raise InvalidArgument(
            f"The file is {stored}, not {part.mime_type}. Leave mime_type out, or send the file's own.",
            field=f"{part.field}.file_data.mime_type",
        )


def _family(mime_type: str) -> str | None:
    if mime_type == "application/pdf":
        return "document"
    return _FAMILIES.get(mime_type.partition("/")[0])
