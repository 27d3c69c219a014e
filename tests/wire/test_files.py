"""The File resource and the upload headers, as they are written and read."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from twinlens.domain.errors import InvalidArgument
from twinlens.wire import files


@dataclass(frozen=True)
class File:
    """What a store knows of a file."""

    id: str = "abc123"
    display_name: str | None = "Ein Bild"
    mime_type: str = "image/png"
    size: int = 7
    sha256: str = "ab" * 32
    state: str = "ACTIVE"
    created: datetime = datetime(2026, 1, 2, 3, 4, 5, 60, tzinfo=UTC)
    updated: datetime = datetime(2026, 1, 2, 3, 4, 5, 60, tzinfo=UTC)
    expires: datetime = datetime(2026, 1, 4, 3, 4, 5, 60, tzinfo=UTC)
    duration: timedelta | None = None
    error: str | None = None


WRITTEN = {
    "name": "files/abc123",
    "displayName": "Ein Bild",
    "mimeType": "image/png",
    "sizeBytes": "7",
    "createTime": "2026-01-02T03:04:05.000060Z",
    "updateTime": "2026-01-02T03:04:05.000060Z",
    "expirationTime": "2026-01-04T03:04:05.000060000Z",
    "sha256Hash": base64.b64encode(b"ab" * 32).decode(),
    "uri": "https://twin.test/v1beta/files/abc123",
    "state": "ACTIVE",
    "source": "UPLOADED",
}


def test_a_file_is_written_with_all_its_fields() -> None:
    assert json.loads(files.write_file(File(), "https://twin.test/v1beta")) == WRITTEN


def test_the_answer_to_an_upload_wraps_the_file() -> None:
    assert json.loads(files.write_upload(File(), "https://twin.test/v1beta")) == {"file": WRITTEN}


def test_a_display_name_that_is_not_set_is_left_out() -> None:
    assert "displayName" not in json.loads(files.write_file(replace(File(), display_name=None), ""))


@pytest.mark.parametrize(
    ("seconds", "written"), [(184.4, "184.4s"), (60, "60s"), (0.033367, "0.033367s"), (7200.5, "7200.5s")]
)
def test_a_videos_duration_is_written_without_idle_zeros(seconds: float, written: str) -> None:
    video = replace(File(), duration=timedelta(seconds=seconds))

    assert json.loads(files.write_file(video, ""))["videoMetadata"] == {"videoDuration": written}


def test_a_failed_file_says_why() -> None:
    failed = replace(File(), state="FAILED", error="It is damaged.")

    written = json.loads(files.write_file(failed, ""))

    assert (written["state"], written["error"]) == ("FAILED", {"code": 3, "message": "It is damaged."})


@pytest.mark.parametrize(
    ("state", "progress", "percent"),
    [
        ("PROCESSING", 0.42, 42),
        ("PROCESSING", 0.29, 29),
        ("PROCESSING", 1.0, 100),
        ("PROCESSING", None, None),
        ("ACTIVE", 0.42, None),
        ("FAILED", 0.42, None),
    ],
)
def test_a_file_that_is_processing_says_how_far_where_that_is_known(
    state: str, progress: float | None, percent: int | None
) -> None:
    file = replace(File(), state=state)

    alone = json.loads(files.write_file(file, "", progress))
    sent = json.loads(files.write_upload(file, "", progress))["file"]
    (listed,) = json.loads(files.write_page([(file, progress)], None, ""))["files"]

    assert [shown.get("progressPercent") for shown in (alone, sent, listed)] == [percent] * 3


def test_a_page_carries_a_token_that_reads_back() -> None:
    page = json.loads(files.write_page([(File(), None)], 41, "https://twin.test/v1beta"))

    assert page["files"] == [WRITTEN]
    assert files.read_page({"pageToken": page["nextPageToken"]}).before == 41


def test_a_page_of_nothing_is_an_empty_object() -> None:
    assert files.write_page([], None, "") == b"{}"


@pytest.mark.parametrize(
    ("query", "size"),
    [({}, 10), ({"pageSize": "0"}, 10), ({"page_size": "7"}, 7), ({"pageSize": "1000"}, 100)],
)
def test_a_page_size_has_a_default_and_a_limit(query: dict[str, str], size: int) -> None:
    assert files.read_page(query) == files.PageRequest(size, None)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"pageSize": "-1"}, "page_size"),
        ({"pageSize": "٣"}, "page_size"),
        ({"pageToken": "!!"}, "page_token"),
        ({"pageToken": "ä"}, "page_token"),
        ({"pageToken": "eHl6"}, "page_token"),
    ],
)
def test_a_page_that_cannot_be_is_refused(query: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        files.read_page(query)

    assert raised.value.violations[0].field == field


@pytest.mark.parametrize(
    "path",
    ["abc", "files/abc", "http://host/v1beta/files/abc", "https://host/prefix/v1/files/abc"],
)
def test_an_id_is_found_in_names_and_uris(path: str) -> None:
    assert files.read_id(path) == "abc"


@pytest.mark.parametrize("spelling", ["upload, finalize", "UPLOAD,FINALIZE", " finalize ,upload,"])
def test_commands_are_a_list_in_any_spelling(spelling: str) -> None:
    assert files.read_commands({"x-goog-upload-command": spelling}) == {"upload", "finalize"}


@pytest.mark.parametrize("body", [b"", b"{}", b'{"file": null}', b'{"file": {"name": ""}}'])
def test_metadata_may_say_nothing(body: bytes) -> None:
    assert files.read_metadata(body, {}) == files.Metadata()


def test_metadata_is_read_in_either_case_with_the_headers() -> None:
    headers = {
        "x-goog-upload-header-content-type": "Image/PNG; charset=binary",
        "x-goog-upload-header-content-length": "12",
    }

    read = files.read_metadata(b"{'file': {'display_name': 'X', 'name': 'files/a-b',},}", headers)

    assert read == files.Metadata(file_id="a-b", display_name="X", mime_type="image/png", size=12)


def test_a_size_in_the_metadata_counts_where_no_header_tells_it() -> None:
    assert files.read_metadata(b'{"file": {"sizeBytes": "677"}}', {}).size == 677


@pytest.mark.parametrize("label", ["application/octet-stream", "binary/octet-stream"])
def test_an_octet_stream_is_no_type_at_all(label: str) -> None:
    headers = {"x-goog-upload-header-content-type": label}

    assert files.read_metadata(b"", headers).mime_type is None


@pytest.mark.parametrize(
    "mime_type", ["image/heic", "video/quicktime", "audio/mp4", "application/pdf", "text/csv"]
)
def test_media_of_the_documents_may_be_stored(mime_type: str) -> None:
    headers = {"x-goog-upload-header-content-type": mime_type}

    assert files.read_metadata(b"", headers).mime_type == mime_type


@pytest.mark.parametrize("name", ["3gpp", "3gpp2"])
def test_what_clients_call_sound_by_the_files_name_is_stored_as_the_video_it_may_be(name: str) -> None:
    body = json.dumps({"file": {"mimeType": f"audio/{name}"}}).encode()
    at_once = files.read_at_once({"content-type": f"audio/{name}"})

    assert files.read_metadata(body, {}).mime_type == at_once.mime_type == f"video/{name}"


@pytest.mark.parametrize(
    ("file", "field"),
    [
        ({"displayName": "x" * 513}, "file.display_name"),
        ({"name": "files/A"}, "file.name"),
        ({"name": 7}, "file.name"),
        ({"mimeType": "bad/mime_type"}, "file.mime_type"),
        ({"mimeType": "audio/L16"}, "file.mime_type"),
        ({"sizeBytes": "many"}, "file.size_bytes"),
        ({"sizeBytes": -1}, "file.size_bytes"),
        ({"colour": "red"}, "file"),
    ],
)
def test_metadata_that_is_wrong_names_its_field(file: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        files.read_metadata(json.dumps({"file": file}).encode(), {})

    assert raised.value.violations[0].field == field


def test_two_sizes_that_differ_are_refused() -> None:
    headers = {"x-goog-upload-header-content-length": "5"}

    with pytest.raises(InvalidArgument, match="5 bytes, and size_bytes says 7"):
        files.read_metadata(b'{"file": {"sizeBytes": "7"}}', headers)
    assert files.read_metadata(b'{"file": {"sizeBytes": "5"}}', headers).size == 5


def test_a_type_that_says_nothing_does_not_hide_one_that_does() -> None:
    headers = {"x-goog-upload-header-content-type": "text/csv"}

    said = files.read_metadata(b'{"file": {"mimeType": "application/octet-stream"}}', headers)

    assert said.mime_type == "text/csv"


def test_an_endless_type_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="Unsupported MIME type") as caught:
        files.read_metadata(json.dumps({"file": {"mimeType": "text/" + "x" * 1000}}).encode(), {})
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("content_type", "mime_type"),
    [
        ("text/csv; charset=utf-8", "text/csv"),
        ("image/png", "image/png"),
        ("application/pdf", "application/pdf"),
        ("audio/3gpp2", "video/3gpp2"),
        ("audio/L16; rate=8000", "audio/l16;rate=8000"),
        ("text/no type", None),
        ("application/x-www-form-urlencoded", None),
        ("binary/octet-stream", None),
        ("application/json", None),
        ("", None),
    ],
)
def test_a_file_in_one_request_may_have_its_type_in_the_usual_place(
    content_type: str, mime_type: str | None
) -> None:
    assert files.read_at_once({"content-type": content_type}).mime_type == mime_type


def test_a_file_in_one_request_begins_at_its_beginning() -> None:
    with pytest.raises(InvalidArgument, match="begins at X-Goog-Upload-Offset 0"):
        files.read_at_once({"x-goog-upload-offset": "5"})
