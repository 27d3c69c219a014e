"""The Files API: resumable uploads, and create, get, list and delete of files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ..domain.errors import Internal, InvalidArgument, NotFound, PermissionDenied, TwinlensError
from ..domain.versions import VERSIONS
from ..pipeline.processing import Processing
from ..store.files import FileStore
from ..store.records import FileRecord, Upload
from ..store.uploads import Draft, Uploads
from ..wire import files as wire
from ..wire.related import Related
from .body import arriving, declared_length, read_body
from .error_handlers import on_api_error
from .query import check_query
from .responses import answered

MAX_METADATA_BYTES = 1024 * 1024
GRANULARITY = 256 * 1024
PROCESSING_WAIT_S = 2.0
"""How long the end of an upload waits for the look into the file: most clients use it without polling."""


@dataclass(frozen=True, slots=True)
class FileRules:
    """What the routes need beside the stores.

    `project_of` names the project a request belongs to, and raises where it belongs to none;
    `origin_of` gives what absolute URLs begin with, but those of files: these begin with `file_uri_base`
    where it is set; `pause_s` is how long the bytes of a request may stay away.
    """

    project_of: Callable[[Request], str]
    origin_of: Callable[[Request], str]
    pause_s: float
    file_uri_base: str | None = None

    def base_of(self, http: Request) -> str:
        """Return the base URL of files."""
        return self.file_uri_base or f"{self.origin_of(http)}/v1beta"


def routes(files: FileStore, uploads: Uploads, processing: Processing, rules: FileRules) -> list[BaseRoute]:
    """List the routes of the Files API, the same under every version."""
    sending, stored = _Uploading(uploads, processing, rules), _Stored(files, processing, rules)
    found: list[BaseRoute] = []
    for version in VERSIONS:
        found += (
            Route(f"/upload/{version}/files", sending.receive, methods=["POST", "PUT"]),
            Route(f"/{version}/files", sending.create, methods=["POST"]),
            Route(f"/{version}/files", stored.list, methods=["GET"]),
            Route(f"/{version}/files/{{path:path}}", stored.get, methods=["GET"]),
            Route(f"/{version}/files/{{path:path}}", stored.delete, methods=["DELETE"]),
        )
    return found


class _Stored:
    """What can be done with a project's files."""

    def __init__(self, files: FileStore, processing: Processing, rules: FileRules) -> None:
        self._files = files
        self._processing = processing
        self._rules = rules

    async def list(self, http: Request) -> Response:
        """Answer a page of files."""
        project = self._rules.project_of(http)
        check_query(http, own=("pageSize", "page_size", "pageToken", "page_token"))
        wanted = wire.read_page(http.query_params)
        page = await self._files.list(project, wanted.size, wanted.before)
        shown = [(record, self._processing.progress_of(record)) for record in page.files]
        return answered(wire.write_page(shown, page.next, self._rules.base_of(http)))

    async def get(self, http: Request) -> Response:
        """Answer one file, by its id or by its whole URI."""
        project = self._rules.project_of(http)
        check_query(http)
        file_id = wire.read_id(http.path_params["path"])
        if file_id.endswith(":download"):
            raise PermissionDenied("Only generated files can be downloaded, not uploaded ones.")
        record = await self._files.get(project, file_id)
        if record.state == "PROCESSING":
            self._processing.begin(record)
        progress = self._processing.progress_of(record)
        return answered(wire.write_file(record, self._rules.base_of(http), progress))

    async def delete(self, http: Request) -> Response:
        """Delete a file."""
        project = self._rules.project_of(http)
        check_query(http)
        await self._files.delete(project, wire.read_id(http.path_params["path"]))
        return answered(b"{}")


class _Uploading:
    """The upload protocol. Whoever has a session's URL needs no key."""

    def __init__(self, uploads: Uploads, processing: Processing, rules: FileRules) -> None:
        self._uploads = uploads
        self._processing = processing
        self._rules = rules
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

    async def create(self, http: Request) -> Response:
        """Create a file without bytes: its name is reserved, and there is nothing to inspect."""
        project = self._rules.project_of(http)
        check_query(http)
        said = wire.read_empty(await read_body(http, MAX_METADATA_BYTES, self._rules.pause_s))
        return await self._at_once(_draft(project, said), _no_bytes(), http)

    async def _begin(self, http: Request) -> Response:
        project = self._rules.project_of(http)
        protocol = http.headers.get("x-goog-upload-protocol", http.query_params.get("uploadType", ""))
        if protocol.lower() == "multipart":
            return await self._multipart(project, http)
        if protocol.lower() not in ("resumable", "raw"):
            raise InvalidArgument("The X-Goog-Upload-Protocol header must be resumable, multipart or raw.")
        everything = frozenset({"start", "upload", "finalize"})
        commands = everything if protocol.lower() == "raw" else wire.read_commands(http.headers)
        if commands == everything:
            draft = _draft(project, wire.read_at_once(http.headers))
            return await self._at_once(draft, arriving(http, self._rules.pause_s), http)
        if commands != {"start"}:
            raise InvalidArgument("An upload begins with the command start, or start, upload, finalize.")
        body = await read_body(http, MAX_METADATA_BYTES, self._rules.pause_s)
        upload = await self._uploads.start(_draft(project, wire.read_metadata(body, http.headers)))
        origin = self._rules.origin_of(http)
        url = f"{origin}/upload/v1beta/files?upload_id={upload.id}&upload_protocol=resumable"
        headers = {
            "X-Goog-Upload-URL": url,
            "X-Goog-Upload-Control-URL": url,
            "X-Goog-Upload-Chunk-Granularity": str(GRANULARITY),
        }
        return Response(headers=_progress(upload) | headers)

    async def _multipart(self, project: str, http: Request) -> Response:
        related = Related(http.headers.get("content-type", ""))
        stream = arriving(http, self._rules.pause_s)
        begun = b""
        async for piece in stream:
            begun += related.feed(piece)
            if related.begun:
                break
        else:
            related.finish()

        async def content() -> AsyncIterator[bytes]:
            yield begun
            async for piece in stream:
                yield related.feed(piece)
            related.finish()

        head = related.head
        said = wire.read_metadata(head.metadata, {"x-goog-upload-header-content-type": head.mime_type})
        return await self._at_once(_draft(project, said), content(), http)

    async def _at_once(self, draft: Draft, stream: AsyncIterator[bytes], http: Request) -> Response:
        """Do all steps for a client that holds no session: where one fails, nothing is left of it."""
        return await self._made(await self._uploads.put(draft, stream), http)

    async def _upload(self, upload_id: str, http: Request) -> Response:
        offset = wire.read_offset(http.headers)
        upload = await self._uploads.receive(
            upload_id, offset, arriving(http, self._rules.pause_s), declared_length(http)
        )
        return Response(headers=_progress(upload))

    async def _upload_finalize(self, upload_id: str, http: Request) -> Response:
        offset = wire.read_offset(http.headers)
        made = await self._uploads.complete(
            upload_id, offset, arriving(http, self._rules.pause_s), declared_length(http)
        )
        return await self._made(made, http)

    async def _finalize(self, upload_id: str, http: Request) -> Response:
        return await self._made(await self._uploads.finish(upload_id), http)

    async def _made(self, made: FileRecord, http: Request) -> Response:
        record = await self._processing.settled(made, PROCESSING_WAIT_S)
        progress = self._processing.progress_of(record)
        body = wire.write_upload(record, self._rules.base_of(http), progress)
        return answered(body, {"X-Goog-Upload-Status": "final"})

    async def _query(self, upload_id: str, _http: Request) -> Response:
        return Response(headers=_progress(await self._uploads.query(upload_id)))

    async def _cancel(self, upload_id: str, _http: Request) -> Response:
        await self._uploads.cancel(upload_id)
        return Response(headers={"X-Goog-Upload-Status": "cancelled"})

    async def _refused(self, upload_id: str, http: Request, error: TwinlensError) -> Response:
        """Write an error, with what has been received; with the upload's state only where it has ended.

        Google's clients go on with the next chunk wherever they read `active`, which would leave a gap;
        where they read no state they send the same chunk again a few times, and then raise this error.
        """
        answer = await on_api_error(http, error)
        try:
            upload = await self._uploads.query(upload_id)
        except NotFound:
            answer.headers["X-Goog-Upload-Status"] = "cancelled"
            return answer
        answer.headers["X-Goog-Upload-Size-Received"] = str(upload.received)
        if upload.state != "active":
            answer.headers["X-Goog-Upload-Status"] = upload.state
        return answer


def _draft(project: str, said: wire.Metadata) -> Draft:
    return Draft(project, said.file_id, said.display_name, said.mime_type, said.size)


def _progress(upload: Upload) -> dict[str, str]:
    return {"X-Goog-Upload-Status": upload.state, "X-Goog-Upload-Size-Received": str(upload.received)}


async def _no_bytes() -> AsyncIterator[bytes]:
    pieces: tuple[bytes, ...] = ()
    for piece in pieces:
        yield piece
