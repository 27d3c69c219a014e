"""The Files API, judged by Google's clients and by curl. The numbers are the contract's conformance cases."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from google import genai
from google.genai import errors, types

import clips

MIB = 1024 * 1024
JS = Path(__file__).parent / "js"


@pytest.fixture(scope="module")
def large(pictures: Path) -> bytes:
    """A picture of 20 MiB: what follows its end is noise."""
    picture = (pictures / "photo.png").read_bytes()
    return picture + random.Random(20).randbytes(20 * MIB - len(picture))


def sha256_of(file: types.File) -> str:
    """Read the hash as the service writes it; the client has decoded the base64 once already."""
    assert file.sha256_hash is not None
    return base64.b64decode(file.sha256_hash).decode()


def polled(client: genai.Client, file: types.File) -> types.File:
    """Wait for a file as the documents do."""
    while file.state == types.FileState.PROCESSING:
        time.sleep(0.05)
        assert file.name is not None
        file = client.files.get(name=file.name)
    return file


def test_f1_an_upload_is_found_again(scripted: genai.Client, pictures: Path) -> None:
    file = scripted.files.upload(file=pictures / "photo.png", config={"display_name": "A photo"})

    assert file.name is not None
    assert (file.state, file.mime_type, file.display_name) == (types.FileState.ACTIVE, "image/png", "A photo")
    assert file.size_bytes == (pictures / "photo.png").stat().st_size
    assert scripted.files.get(name=file.name) == scripted.files.get(name=str(file.uri)) == file


def test_f2_the_hash_is_that_of_the_bytes(scripted: genai.Client, pictures: Path) -> None:
    file = scripted.files.upload(file=pictures / "photo.png")

    assert sha256_of(file) == hashlib.sha256((pictures / "photo.png").read_bytes()).hexdigest()


def test_f3_a_large_upload_arrives_exactly_in_pieces(scripted: genai.Client, large: bytes) -> None:
    """The client sends 8, 8 and 4 MiB."""
    file = scripted.files.upload(file=io.BytesIO(large), config={"mime_type": "image/png"})

    assert file.size_bytes == 20 * MIB
    assert sha256_of(file) == hashlib.sha256(large).hexdigest()
    asked: list[types.PartUnionDict] = [file, "Hello"]
    answer = scripted.models.generate_content(model="gemini-3-flash-preview", contents=asked)
    assert answer.text == "You asked “Hello” about 1 pictures."


def test_f3_the_asynchronous_client_uploads_as_well(script_server: str, large: bytes) -> None:
    async def upload() -> types.File:
        client = genai.Client(api_key="any", http_options={"base_url": script_server}).aio
        async with client:
            return await client.files.upload(file=io.BytesIO(large), config={"mime_type": "image/png"})

    assert sha256_of(asyncio.run(upload())) == hashlib.sha256(large).hexdigest()


def test_f12_an_unknown_type_is_refused(scripted: genai.Client, pictures: Path) -> None:
    with pytest.raises(errors.APIError, match="Unsupported MIME"):
        scripted.files.upload(file=pictures / "photo.png", config={"mime_type": "bad/mime_type"})


def test_f14_a_name_is_given_once(scripted: genai.Client, pictures: Path) -> None:
    named: types.UploadFileConfigDict = {"name": "my-photo"}
    assert scripted.files.upload(file=pictures / "photo.png", config=named).name == "files/my-photo"

    with pytest.raises(errors.ClientError) as caught:
        scripted.files.upload(file=pictures / "photo.png", config=named)
    assert caught.value.code == 409


def test_f17_a_deleted_file_is_refused(scripted: genai.Client, pictures: Path) -> None:
    file = scripted.files.upload(file=pictures / "note.png")
    assert file.name is not None

    scripted.files.delete(name=file.name)

    with pytest.raises(errors.ClientError) as caught:
        scripted.files.get(name=file.name)
    assert (caught.value.code, caught.value.status) == (403, "PERMISSION_DENIED")


def test_f18_a_list_goes_through_all_pages(keyed_server: str, pictures: Path) -> None:
    with genai.Client(api_key="second", http_options={"base_url": keyed_server}) as client:
        made = [client.files.upload(file=pictures / "note.png").name for _ in range(5)]

        listed = [file.name for file in client.files.list(config={"page_size": 2})]

    assert listed == made[::-1]


def test_f20_a_video_is_polled_until_it_is_active(scripted: genai.Client, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(clips.video(seconds=2))

    file = polled(scripted, scripted.files.upload(file=film))

    assert file.state == types.FileState.ACTIVE
    assert file.video_metadata is not None
    assert file.video_metadata["videoDuration"] == "2s"


def test_f23_a_broken_video_is_failed(scripted: genai.Client) -> None:
    broken = io.BytesIO(clips.video()[:900])

    file = polled(scripted, scripted.files.upload(file=broken, config={"mime_type": "video/mp4"}))

    assert file.state == types.FileState.FAILED
    assert file.error is not None
    assert file.error.message


def test_f28_an_uploaded_file_is_not_downloaded(scripted: genai.Client, pictures: Path) -> None:
    file = scripted.files.upload(file=pictures / "note.png")

    with pytest.raises((errors.ClientError, ValueError)):
        scripted.files.download(file=file)


def test_the_javascript_client_uploads_polls_and_lists(
    node: Callable[..., str], keyed_server: str, large: bytes, tmp_path: Path
) -> None:
    (tmp_path / "large.png").write_bytes(large)
    (tmp_path / "film.mp4").write_bytes(clips.video(seconds=2))
    (tmp_path / "files.mjs").write_bytes((JS / "files.mjs").read_bytes())

    seen = json.loads(node("files.mjs", keyed_server, "large.png", "film.mp4", key="first"))

    sent = base64.b64decode(seen["pieces"]["sha256Hash"]).decode()
    assert (seen["pieces"]["sizeBytes"], sent) == (str(20 * MIB), hashlib.sha256(large).hexdigest())
    assert (seen["video"]["state"], seen["video"]["videoMetadata"]) == ("ACTIVE", {"videoDuration": "2s"})
    assert seen["listed"][:2] == [seen["video"]["name"], seen["pieces"]["name"]]


def test_f11_the_javascript_client_finds_its_way_behind_another_address(
    node: Callable[..., str], hidden_server: str, pictures: Path, tmp_path: Path
) -> None:
    """The session's URL names a host that nobody reaches; the client keeps its own."""
    (tmp_path / "film.mp4").write_bytes(clips.video(seconds=2))
    (tmp_path / "photo.png").write_bytes((pictures / "photo.png").read_bytes())
    (tmp_path / "files.mjs").write_bytes((JS / "files.mjs").read_bytes())

    seen = json.loads(node("files.mjs", hidden_server, "photo.png", "film.mp4"))

    assert seen["pieces"]["uri"].startswith("http://192.0.2.1:9/v1beta/files/")


def test_a_large_upload_takes_no_more_memory_than_a_small_one(script_server: str) -> None:
    def memory() -> float:
        text = httpx.get(f"{script_server}/metrics", timeout=60).text
        found = re.search(r"^process_resident_memory_bytes (\S+)", text, re.MULTILINE)
        assert found
        return float(found[1])

    seen = []

    def film() -> Iterator[bytes]:
        for number in range(256):
            if number % 16 == 0:
                seen.append(memory())
            yield bytes(MIB)

    headers = {"x-goog-api-key": "any", "x-goog-upload-protocol": "raw"}
    headers["x-goog-upload-header-content-type"] = "image/png"
    before = memory()
    answer = httpx.post(f"{script_server}/upload/v1beta/files", headers=headers, content=film(), timeout=180)

    assert answer.json()["file"]["sizeBytes"] == str(256 * MIB)
    assert max(seen, default=before) - before < 64 * MIB


def test_f30_curl_sends_thirty_megabytes_after_a_continue(
    bash: Callable[..., str], script_server: str, large: bytes, tmp_path: Path
) -> None:
    (tmp_path / "large.png").write_bytes(large + bytes(10 * MIB))
    (tmp_path / "send.sh").write_text(
        'curl -s --max-time 50 -H "Expect: 100-continue" -H "x-goog-api-key: any" '
        '-H "X-Goog-Upload-Protocol: raw" -H "X-Goog-Upload-Header-Content-Type: image/png" '
        '--data-binary @large.png "$1/upload/v1beta/files"'
    )

    answer = json.loads(bash("send.sh", script_server, script_server))

    assert answer["file"]["sizeBytes"] == str(30 * MIB)
