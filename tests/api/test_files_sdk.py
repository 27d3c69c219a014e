"""Google's own Python client against a real server: the outside judge of the Files API."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
import uvicorn
from google import genai
from google.genai import errors, types
from starlette.applications import Starlette

from twinlens.api import files as api
from twinlens.api.failures import HANDLERS
from twinlens.store.files import FileStore
from twinlens.store.uploads import Uploads

MIB = 1024 * 1024


@pytest.fixture
def client(tmp_path: Path) -> Iterator[genai.Client]:
    """Google's client of a server on a free port of this machine."""
    store = FileStore(tmp_path)
    app = Starlette(
        routes=api.routes(store, Uploads(store), lambda request: request.headers["x-goog-api-key"]),
        exception_handlers=HANDLERS,
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    listening = server.config.bind_socket()
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    port = listening.getsockname()[1]
    with genai.Client(api_key="k", http_options={"base_url": f"http://127.0.0.1:{port}"}) as client:
        yield client
    server.should_exit = True
    thread.join()
    asyncio.run(store.close())
    listening.close()


def test_upload_get_list_and_delete(client: genai.Client, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG" + bytes(100))

    made = client.files.upload(file=picture, config={"display_name": "A picture"})
    again = client.files.upload(file=BytesIO(b"\xff\xd8\xff" + bytes(9)), config={"mime_type": "image/jpeg"})
    assert made.name
    assert again.name
    assert (made.state, made.mime_type, made.size_bytes) == (types.FileState.ACTIVE, "image/png", 104)

    assert client.files.get(name=made.name) == client.files.get(name=str(made.uri))
    assert [file.name for file in client.files.list(config={"page_size": 1})] == [again.name, made.name]

    client.files.delete(name=made.name)
    assert [file.name for file in client.files.list()] == [again.name]
    with pytest.raises(errors.ClientError, match="may not exist") as raised:
        client.files.get(name=made.name)
    assert raised.value.code == 403


def test_a_large_file_comes_in_chunks(client: genai.Client) -> None:
    data = bytes(range(256)) * 4096 * 17

    made = client.files.upload(file=BytesIO(data), config={"mime_type": "image/png"})

    assert made.size_bytes == 17 * MIB


def test_an_empty_file_and_a_wrong_type_end_as_the_client_expects(client: genai.Client) -> None:
    empty = client.files.upload(file=BytesIO(b""), config={"mime_type": "text/plain"})

    assert empty.state == types.FileState.ACTIVE
    with pytest.raises(errors.APIError, match="Unsupported MIME"):
        client.files.upload(file=BytesIO(b"x"), config={"mime_type": "bad/mime_type"})


async def test_the_asynchronous_client_uploads_as_well(client: genai.Client) -> None:
    made = await client.aio.files.upload(
        file=BytesIO(bytes(9 * MIB)), config={"mime_type": "image/png", "name": "files/by-name"}
    )

    assert (made.name, made.size_bytes) == ("files/by-name", 9 * MIB)
    await client.aio.aclose()
