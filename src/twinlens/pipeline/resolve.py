"""Every source of media becomes a blob: bytes with a label and the field they came in."""

from __future__ import annotations

from dataclasses import replace

from ..concurrency.lru import AsyncLRU
from ..concurrency.tasks import gather
from ..domain.errors import FailedPrecondition, Internal, InvalidArgument, PermissionDenied
from ..domain.media import Blob, Descriptor
from ..domain.media_types import kind_of
from ..domain.request import BlobRef, FileRef, Inline, Media, Url
from ..fetch.downloads import Downloads
from .content_hash import sha256_of
from .media_limits import EARLIER
from .services import Services


async def resolve(
    parts: tuple[Media, ...], project: str, services: Services, *, persist: bool = False
) -> list[Blob]:
    """Get the bytes of all media of a request, side by side; files are those of the project.

    With `persist`, all are named by the SHA-256 under which later turns look them up.
    """
    downloads = Downloads(services.fetcher, services.youtube, services.max_fetched_bytes)
    contents = _Contents(project, services)
    try:
        blobs = await gather(_resolve(part, contents, downloads) for part in parts)
    finally:
        contents.forget()
    if not persist:
        return blobs
    return [replace(blob, digest=blob.digest or await sha256_of(blob.data)) for blob in blobs]


async def _resolve(part: Media, contents: _Contents, downloads: Downloads) -> Blob:
    match part.source:
        case Inline(data):
            return Blob(data, part.mime_type, f"{part.field}.inline_data")
        case BlobRef():
            # It came in the request itself, unless that was an earlier one: nobody can name what is kept.
            field = EARLIER if part.field == EARLIER else f"{part.field}.inline_data"
            return replace(await contents.of(part.source), field=field)
        case FileRef():
            try:
                blob = await contents.of(part.source)
            except (PermissionDenied, FailedPrecondition) as refusal:
                field = f"{part.field}.file_data.file_uri"
                raise type(refusal)(refusal.message, field=field) from refusal
            _check_label(part, blob.mime_type)
            return replace(blob, field=part.field)
        case Url(url):
            field = f"{part.field}.file_data"
            found = await downloads.fetch(url, f"{field}.file_uri", part.mime_type)
            return Blob(found.data, part.mime_type or found.mime_type, field, file=found.file)


class _Contents:
    """The stored contents that one request names; each is opened once, however many parts name it."""

    def __init__(self, project: str, services: Services) -> None:
        self._project = project
        self._services = services
        self._found: AsyncLRU[FileRef | BlobRef, Blob] = AsyncLRU()

    async def of(self, source: FileRef | BlobRef) -> Blob:
        """Return the blob, without a field: the caller sets it."""
        return await self._found.get_or_compute(source, lambda: self._find(source))

    def forget(self) -> None:
        """Drop all of it: an error refers to this, and may live until the next garbage collection."""
        self._found.clear()

    async def _find(self, source: FileRef | BlobRef) -> Blob:
        if isinstance(source, FileRef):
            record = await self._services.processing.ready(self._project, source.file_id)
            file = await self._file(record.sha256, record.mime_type)
            return Blob(await self._services.files.map(record), record.mime_type, "", record.sha256, file)
        data = await self._services.contents.map(source.sha256)
        if data is None:
            raise Internal from FileNotFoundError(f"the bytes of {source.sha256} are gone")
        file = await self._file(source.sha256, source.mime_type)
        return Blob(data, source.mime_type, "", source.sha256, file)

    async def _file(self, sha256: str, mime_type: str) -> Descriptor | None:
        """Open what workers read. Images are not, and a request may have thousands.

        What was uploaded is known; a documented sample sends a shell variable's name as its type.
        """
        is_image = kind_of(mime_type) == "image"
        return None if is_image else await self._services.contents.open_descriptor(sha256)


def _check_label(part: Media, stored: str | None) -> None:
    """Raise for a label of another kind than the file's: the caller has mixed up two files."""
    said, known = kind_of(part.mime_type), kind_of(stored)
    if said and known and said != known:
        raise InvalidArgument(
            f"The file is {stored}, not {part.mime_type}. Leave mime_type out, or send the file's own.",
            field=f"{part.field}.file_data.mime_type",
        )
