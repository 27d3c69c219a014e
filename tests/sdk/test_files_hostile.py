"""The Files API under careless and hostile clients: bodies cut short, requests at once, odd addresses."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import random
import re
import socket
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

KEY = {"x-goog-api-key": "any"}
START = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start"}
WHOLE = {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": "0"}


@pytest.fixture
async def http(script_server: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client that may ask many things at once."""
    async with httpx.AsyncClient(base_url=script_server, headers=KEY, timeout=180) as client:
        yield client


async def begun(
    http: httpx.AsyncClient, file: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> str:
    """Open an upload session and give its address."""
    said = {"file": dict(file or {"mimeType": "text/plain"})}
    answer = await http.post("/upload/v1beta/files", headers=START | dict(headers or {}), json=said)
    assert answer.status_code == 200, answer.text
    return answer.headers["x-goog-upload-url"]


async def asked(http: httpx.AsyncClient, session: str, command: str) -> httpx.Response:
    """Send a command without bytes to a session."""
    return await http.post(session, headers={"X-Goog-Upload-Command": command})


async def sent(http: httpx.AsyncClient, data: bytes, mime_type: str = "text/plain") -> dict[str, str]:
    """Upload a file in one piece and give its resource."""
    session = await begun(http, {"mimeType": mime_type})
    answer = await http.post(session, headers=WHOLE, content=data)
    assert answer.status_code == 200, answer.text
    file: dict[str, str] = answer.json()["file"]
    return file


def is_of(file: Mapping[str, str], data: bytes) -> bool:
    """Tell whether a File has the hash of these bytes."""
    return base64.b64decode(file["sha256Hash"]).decode() == hashlib.sha256(data).hexdigest()


async def talk(url: str, head: str, *pieces: bytes, answers: int = 1) -> list[tuple[bytes, bytes]]:
    """Speak HTTP by hand: a request's head and what follows it; give each answer's status and body."""
    address = urlsplit(url)
    path = f"{address.path}?{address.query}" if address.query else address.path
    first, *lines = head.split("\n")
    method, version = first.split()
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        said = [f"{method} {path} {version}", f"Host: {address.netloc}", *lines]
        for piece in ("\r\n".join(said).encode() + b"\r\n\r\n", *pieces):
            writer.write(piece)
            await writer.drain()
        return [await asyncio.wait_for(_answer(reader), 180) for _ in range(answers)]
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    assert length is not None, head
    return head.split()[1], await reader.readexactly(int(length[1]))


async def test_of_equal_requests_at_once_one_makes_the_file_and_the_others_say_why(
    http: httpx.AsyncClient,
) -> None:
    data = random.Random(1).randbytes(3_000_000)
    session = await begun(http)

    answers = await asyncio.gather(*(http.post(session, headers=WHOLE, content=data) for _ in range(12)))

    made = [answer.json()["file"] for answer in answers if answer.status_code == 200]
    refused = {answer.json()["error"]["status"] for answer in answers if answer.status_code != 200}
    assert made
    assert all(is_of(file, data) for file in made)
    assert len({file["name"] for file in made}) == 1
    assert refused <= {"FAILED_PRECONDITION"}


async def test_a_finalize_and_a_cancel_at_once_have_one_winner(http: httpx.AsyncClient) -> None:
    for _ in range(5):
        session = await begun(http)
        await http.post(session, headers=WHOLE | {"X-Goog-Upload-Command": "upload"}, content=b"abc")

        finalized, cancelled = await asyncio.gather(
            asked(http, session, "finalize"), asked(http, session, "cancel")
        )

        state = (await asked(http, session, "query")).headers["x-goog-upload-status"]
        assert (finalized.is_success, cancelled.is_success) == (state == "final", state == "cancelled")


async def test_one_name_is_given_to_one_of_many_uploads(http: httpx.AsyncClient) -> None:
    sessions = [await begun(http, {"mimeType": "text/plain", "name": "wanted-by-all"}) for _ in range(8)]

    answers = await asyncio.gather(*(http.post(session, headers=WHOLE, content=b"x") for session in sessions))

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}


async def test_a_file_keeps_its_bytes_while_equal_ones_come_and_go(
    http: httpx.AsyncClient, pictures: Path
) -> None:
    picture = (pictures / "note.png").read_bytes()

    async def come_and_go(seed: int) -> dict[str, str] | None:
        chance = random.Random(seed)
        for _ in range(4):
            file = await sent(http, picture, "image/png")
            if chance.random() < 0.3:
                return file
            assert (await http.delete(f"/v1beta/{file['name']}")).status_code == 200
        return None

    kept = [file for file in await asyncio.gather(*map(come_and_go, range(12))) if file]

    assert kept
    for file in kept:
        asking = {"contents": [{"parts": [{"fileData": {"fileUri": file["uri"]}}, {"text": "Hello"}]}]}
        answer = await http.post("/v1beta/models/gemini-2.5-flash:generateContent", json=asking)
        assert answer.status_code == 200, answer.text


async def test_a_body_cut_short_ends_nothing_and_can_be_gone_on_with(http: httpx.AsyncClient) -> None:
    data = random.Random(2).randbytes(4_000_000)
    session = await begun(http)
    address = urlsplit(session)
    head = (
        f"POST {address.path}?{address.query} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}\r\n"
    )
    head += "".join(f"{name}: {value}\r\n" for name, value in WHOLE.items())
    assert address.hostname is not None
    with socket.create_connection((address.hostname, address.port or 80)) as broken:
        broken.sendall(head.encode() + b"\r\n" + data[:2_500_000])

    told = await asked(http, session, "query")
    assert told.headers["x-goog-upload-status"] == "active"
    received = int(told.headers["x-goog-upload-size-received"])
    rest = WHOLE | {"X-Goog-Upload-Offset": str(received)}
    answer = await http.post(session, headers=rest, content=data[received:])

    assert received <= 2_500_000
    if answer.status_code != 200:
        # The broken request was still being put away: what it brought is compared, not written again.
        answer = await http.post(session, headers=WHOLE, content=data)
    assert is_of(answer.json()["file"], data)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("POST HTTP/1.1\nTransfer-Encoding: chunked", b"3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n"),
        ("PUT HTTP/1.1\nContent-Length: 5\nContent-Type: application/json", b"hello"),
        ("POST HTTP/1.0\nContent-Length: 5", b"hello"),
        ("POST HTTP/1.1\nContent-Length: 5\nX-Goog-Api-Key: of somebody else", b"hello"),
    ],
)
async def test_bytes_arrive_however_http_carries_them(
    http: httpx.AsyncClient, head: str, body: bytes
) -> None:
    session = await begun(http)
    said = "".join(f"\n{name}: {value}" for name, value in WHOLE.items())

    [(code, answer)] = await talk(session, head + said, body)

    assert code == b"200"
    assert is_of(json.loads(answer)["file"], b"hello")


@pytest.mark.parametrize(
    ("path", "headers", "code"),
    [
        ("/upload/v1beta/files?upload_id=nobodys", dict(WHOLE), b"404"),
        ("/upload/v1beta/files", {"X-Goog-Upload-Protocol": "raw"}, b"403"),
        ("/v1beta/files/somebodys", {}, b"501"),
    ],
)
async def test_a_connection_is_of_use_after_a_body_that_nobody_wanted(
    script_server: str, path: str, headers: dict[str, str], code: bytes
) -> None:
    head = "POST HTTP/1.1\nContent-Length: 4000000" + "".join(f"\n{n}: {v}" for n, v in headers.items())
    following = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

    answers = await talk(script_server + path, head, *[bytes(1_000_000)] * 4, following, answers=2)

    assert [answer[0] for answer in answers] == [code, b"200"]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": "a b"},
        {"X-Forwarded-Host": "user@evil.example"},
        {"X-Forwarded-Host": "evil.example/path?query#"},
        {"X-Forwarded-Host": "evil.example:123456"},
        {"X-Forwarded-Proto": "javascript"},
        {"X-Forwarded-Prefix": "//evil.example"},
        {"X-Forwarded-Prefix": "/a b"},
    ],
)
async def test_what_is_no_address_does_not_get_into_one(
    http: httpx.AsyncClient, script_server: str, headers: dict[str, str]
) -> None:
    assert (await begun(http, headers=headers)).startswith(f"{script_server}/upload/v1beta/files?upload_id=")


@pytest.mark.parametrize(
    "uri",
    ["files/", "files/../{id}", "/files/{id}", " files/{id}", "files/{id}\n", "ftp://h/v1beta/files/{id}"],
)
async def test_what_is_not_quite_the_address_of_a_file_is_refused(
    http: httpx.AsyncClient, pictures: Path, uri: str
) -> None:
    file = await sent(http, (pictures / "note.png").read_bytes(), "image/png")
    named = uri.replace("{id}", file["name"].removeprefix("files/"))

    asking = {"contents": [{"parts": [{"fileData": {"fileUri": named}}]}]}
    answer = await http.post("/v1beta/models/gemini-2.5-flash:generateContent", json=asking)

    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    ("data", "mime_type"),
    [
        (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", "video/mp4"),
        (b"ffconcat version 1.0\nfile '/etc/passwd'\n", "video/mp4"),
        (b"\0\0\0\x08moov" * 100_000, "video/mp4"),
        (b"%PDF-1.7\n" + b"[" * 500_000, "application/pdf"),
    ],
)
async def test_what_only_pretends_to_be_a_video_or_a_document_is_failed(
    http: httpx.AsyncClient, data: bytes, mime_type: str
) -> None:
    file = await sent(http, data, mime_type)
    while file["state"] == "PROCESSING":
        await asyncio.sleep(0.05)
        file = (await http.get(f"/v1beta/{file['name']}")).json()

    assert file["state"] == "FAILED"


async def test_a_list_goes_on_where_it_was_although_files_went_away(keyed_server: str) -> None:
    async with httpx.AsyncClient(
        base_url=keyed_server, headers={"x-goog-api-key": "first"}, timeout=180
    ) as http:
        names = [(await sent(http, b"x"))["name"] for _ in range(5)]
        first = (await http.get("/v1beta/files?pageSize=2")).json()
        for name in names[2:]:
            await http.delete(f"/v1beta/{name}")

        following = (await http.get(f"/v1beta/files?pageToken={first['nextPageToken']}")).json()

    assert [file["name"] for file in following["files"]][:2] == names[1::-1]


async def test_a_file_belongs_to_whoever_began_its_upload(keyed_server: str) -> None:
    async with httpx.AsyncClient(base_url=keyed_server, timeout=180) as http:
        session = await begun(http, headers={"x-goog-api-key": "first"})
        made = await http.post(session, headers=WHOLE | {"x-goog-api-key": "second"}, content=b"x")
        path = f"/v1beta/{made.json()['file']['name']}"

        codes = [
            (await http.get(path, headers={"x-goog-api-key": key})).status_code for key in ("first", "second")
        ]

    assert codes == [200, 403]
