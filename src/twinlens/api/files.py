"""The Files API: resumable uploads, and get, list and delete of what was uploaded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ..domain.errors import Internal, InvalidArgument, NotFound, PermissionDenied, TwinlensError
from ..store.files import FileStore
from ..store.uploads import Draft, Upload, Uploads
from ..wire import files as wire
from ..wire.related import read_related
from .body import read_body
from .failures import refused
from .origin import origin_of
from .query import check_query

JSON = "application/json; charset=UTF-8"
VERSIONS = ("v1", "v1beta", "v1alpha")
MAX_METADATA_BYTES = 1024 * 1024
MAX_MULTIPART_BYTES = 32 * 1024 * 1024
"""A multipart body is held in memory; larger files are what the resumable protocol is for."""
GRANULARITY = 256 * 1024

ProjectOf = Callable[[Request], str]
"""Name the project a request belongs to; raise where it belongs to none."""


def routes(files: FileStore, uploads: Uploads, project_of: ProjectOf) -> list[BaseRoute]:
    """List the routes of the Files API, the same under every version."""
    sending, stored = _Uploading(uploads, project_of), _Stored(files, project_of)
    found: list[BaseRoute] = []
    for version in VERSIONS:
        found += (
            Route(f"/upload/{version}/files", sending.receive, methods=["POST", "PUT"]),
            Route(f"/{version}/files", stored.list, methods=["GET"]),
            Route(f"/{version}/files/{{path:path}}", stored.get, methods=["GET"]),
            Route(f"/{version}/files/{{path:path}}", stored.delete, methods=["DELETE"]),
        )
    return found


class _Stored:
    """What can be done with a project's files."""

    def __init__(self, files: FileStore, project_of: ProjectOf) -> None:
        self._files = files
        self._project_of = project_of

    async def list(self, http: Request) -> Response:
        """Answer a page of files."""
        project = self._project_of(http)
        check_query(http, own=("pageSize", "page_size", "pageToken", "page_token"))
        wanted = wire.read_page(http.query_params)
        page = await self._files.list(project, wanted.size, wanted.before)
        return _json(wire.write_page(page.files, page.next, origin_of(http)))

    async def get(self, http: Request) -> Response:
        """Answer one file, by its id or by its whole URI."""
        project = self._project_of(http)
        check_query(http)
        file_id = wire.read_id(http.path_params["path"])
        if file_id.endswith(":download"):
            raise PermissionDenied("Only generated files can be downloaded, not uploaded ones.")
        return _json(wire.write_file(await self._files.get(project, file_id), origin_of(http)))

    async def delete(self, http: Request) -> Response:
        """Delete a file."""
        project = self._project_of(http)
        check_query(http)
        await self._files.delete(project, wire.read_id(http.path_params["path"]))
        return _json(b"{}")


class _Uploading:
    """The upload protocol. Whoever has a session's URL needs no key."""

    def __init__(self, uploads: Uploads, project_of: ProjectOf) -> None:
        self._uploads = uploads
        self._project_of = project_of
        self._commands: Mapping[frozenset[str], Callable[[str, Request], Awaitable[Response]]] = {
            frozenset({"upload"}): self._upload,
            frozenset({"upload", "finalize"}): self._upload_finalize,
            frozenset({"finalize"}): self._finalize,
            frozenset({"query"}): self._query,
            frozenset({"cancel"}): self._cancel,
        }

    async def receive(self, http: Request) -> Response:
        """Answer a request to the upload address: of a session where it names one, else a start."""
        check_query(http)
        upload_id = http.query_params.get("upload_id")
        if upload_id is None:
            return await self._begin(http)
        try:
            commands = wire.read_commands(http.headers)
            if commands not in self._commands:
                raise InvalidArgument(f"{', '.join(sorted(commands))} cannot be asked of an upload session.")
            return await self._commands[commands](upload_id, http)
        except Internal:
            raise
        except TwinlensError as error:
            return await self._refused(upload_id, http, error)

    async def _begin(self, http: Request) -> Response:
        project = self._project_of(http)
        protocol = http.headers.get("x-goog-upload-protocol", http.query_params.get("uploadType", ""))
        if protocol.lower() == "multipart":
            return await self._multipart(project, http)
        if protocol.lower() not in ("resumable", "raw"):
            raise InvalidArgument("The X-Goog-Upload-Protocol header must be resumable, multipart or raw.")
        everything = frozenset({"start", "upload", "finalize"})
        commands = everything if protocol.lower() == "raw" else wire.read_commands(http.headers)
        if commands == everything:
            draft = _draft(project, wire.read_metadata(b"", http.headers))
            return await self._at_once(draft, http.stream(), http)
        if commands != {"start"}:
            raise InvalidArgument("An upload begins with the command start, or start, upload, finalize.")
        body = await read_body(http, MAX_METADATA_BYTES)
        upload = await self._uploads.start(_draft(project, wire.read_metadata(body, http.headers)))
        url = f"{origin_of(http)}/upload/v1beta/files?upload_id={upload.id}&upload_protocol=resumable"
        headers = {
            "X-Goog-Upload-URL": url,
            "X-Goog-Upload-Control-URL": url,
            "X-Goog-Upload-Chunk-Granularity": str(GRANULARITY),
        }
        return Response(headers=_progress(upload) | headers)

    async def _multipart(self, project: str, http: Request) -> Response:
        body = await read_body(http, MAX_MULTIPART_BYTES)
        sent = read_related(body, http.headers.get("content-type", ""))
        headers = {
            "x-goog-upload-header-content-type": sent.mime_type,
            "x-goog-upload-header-content-length": str(len(sent.data)),
        }
        draft = _draft(project, wire.read_metadata(sent.metadata, headers))
        return await self._at_once(draft, _once(sent.data), http)

    async def _at_once(self, draft: Draft, stream: AsyncIterator[bytes], http: Request) -> Response:
        """Do all steps for a client that holds no session: where one fails, nothing is left of it."""
        upload = await self._uploads.start(draft)
        try:
            await self._uploads.receive(upload.id, 0, stream)
            return await self._finalize(upload.id, http)
        except BaseException:
            with suppress(NotFound):
                await self._uploads.cancel(upload.id)
            raise

    async def _upload(self, upload_id: str, http: Request) -> Response:
        offset = wire.read_offset(http.headers)
        upload = await self._uploads.receive(upload_id, offset, http.stream(), _length(http))
        return Response(headers=_progress(upload))

    async def _upload_finalize(self, upload_id: str, http: Request) -> Response:
        await self._upload(upload_id, http)
        return await self._finalize(upload_id, http)

    async def _finalize(self, upload_id: str, http: Request) -> Response:
        record = await self._uploads.finish(upload_id)
        return _json(wire.write_upload(record, origin_of(http)), {"X-Goog-Upload-Status": "final"})

    async def _query(self, upload_id: str, _http: Request) -> Response:
        return Response(headers=_progress(await self._uploads.query(upload_id)))

    async def _cancel(self, upload_id: str, _http: Request) -> Response:
        await self._uploads.cancel(upload_id)
        return Response(headers={"X-Goog-Upload-Status": "cancelled"})

    async def _refused(self, upload_id: str, http: Request, error: TwinlensError) -> Response:
        """Write an error with the upload's state: a client that finds none sends its bytes again."""
        answer = await refused(http, error)
        try:
            answer.headers.update(_progress(await self._uploads.query(upload_id)))
        except NotFound:
            answer.headers["X-Goog-Upload-Status"] = "cancelled"
        return answer


def _draft(project: str, said: wire.Metadata) -> Draft:
    return Draft(project, said.file_id, said.display_name, said.mime_type, said.size)


def _progress(upload: Upload) -> dict[str, str]:
    return {"X-Goog-Upload-Status": upload.state, "X-Goog-Upload-Size-Received": str(upload.received)}


def _json(body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    return Response(body, headers=headers, media_type=JSON)


def _length(http: Request) -> int | None:
    declared = http.headers.get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() else None


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
