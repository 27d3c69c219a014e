"""Every source of media becomes a blob: bytes with a label and the field they came in."""

from __future__ import annotations

from ..domain.media import Blob
from ..domain.request import Inline, Media, Stored, Url
from .concurrency import side_by_side
from .services import Services


async def resolve(parts: tuple[Media, ...], project: str, services: Services) -> list[Blob]:
    """Get the bytes of all media of a request, side by side; files are those of the project."""
    return await side_by_side(_resolve(part, project, services) for part in parts)


async def _resolve(part: Media, project: str, services: Services) -> Blob:
    match part.source:
        case Inline(data):
            return Blob(data, part.mime_type, f"{part.field}.inline_data")
        case Stored(file_id):
            data, mime_type = await services.files.read(project, file_id)
            # What was uploaded is known; a documented sample sends a shell variable's name as its type.
            return Blob(data, mime_type or part.mime_type, part.field)
        case Url(url):
            fetched, declared = await services.fetcher.fetch(url, f"{part.field}.file_data.file_uri")
            return Blob(fetched, part.mime_type or declared, f"{part.field}.file_data")
