"""Every source of media becomes a blob: bytes with a label and the field they came in."""

from __future__ import annotations

from ..domain.errors import InvalidArgument
from ..domain.media import Blob
from ..domain.request import Inline, Media, Stored, Url
from ..media.kinds import kind_of_type
from .concurrency import side_by_side
from .downloads import Downloads
from .services import Services


async def resolve(parts: tuple[Media, ...], project: str, services: Services) -> list[Blob]:
    """Get the bytes of all media of a request, side by side; files are those of the project."""
    downloads = Downloads(services.fetcher, services.youtube, services.max_fetched_bytes)
    return await side_by_side(_resolve(part, project, services, downloads) for part in parts)


async def _resolve(part: Media, project: str, services: Services, downloads: Downloads) -> Blob:
    match part.source:
        case Inline(data):
            return Blob(data, part.mime_type, f"{part.field}.inline_data")
        case Stored(file_id):
            record = await services.processing.ready(project, file_id)
            _check_label(part, record.mime_type)
            # What was uploaded is known; a documented sample sends a shell variable's name as its type.
            file = await services.files.hold(record) if kind_of_type(record.mime_type) != "image" else None
            data = await services.files.map(record)
            return Blob(data, record.mime_type, part.field, record.sha256, file)
        case Url(url):
            field = f"{part.field}.file_data"
            found = await downloads.fetch(url, f"{field}.file_uri", part.mime_type)
            return Blob(found.data, part.mime_type or found.mime_type, field, file=found.file)


def _check_label(part: Media, stored: str) -> None:
    """Refuse a label of another kind than the file's: the caller has mixed up two files."""
    said, known = kind_of_type(part.mime_type), kind_of_type(stored)
    if said and known and said != known:
        raise InvalidArgument(
            f"The file is {stored}, not {part.mime_type}. Leave mime_type out, or send the file's own.",
            field=f"{part.field}.file_data.mime_type",
        )
