"""File resources, read leniently, and waited for."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from twinlens.client.connection import Connection
from twinlens.client.errors import ClientError, Refused
from twinlens.client.files import File, Files, read_file
from twinlens.client.retry import RetryPolicy

AT_ONCE = RetryPolicy(tries=2, first_s=0.0)


def processing(state: str = "PROCESSING", **more: Any) -> dict[str, Any]:
    return {"name": "files/x", "state": state} | more


def test_a_resource_is_read_with_all_its_fields() -> None:
    resource = {
        "name": "files/x",
        "displayName": "Clip",
        "uri": "http://h/v1beta/files/x",
        "state": "FAILED",
        "mimeType": "video/mp4",
        "sizeBytes": "12",
        "sha256Hash": base64.b64encode(b"ab12").decode(),
        "createTime": "2026-01-02T03:04:05.123456Z",
        "expirationTime": "2026-01-04T03:04:05.123456000Z",
        "videoMetadata": {"videoDuration": "3.5s"},
        "error": {"code": 3, "message": "Broken."},
        "progressPercent": 42,
    }

    assert read_file(resource) == File(
        name="files/x",
        display_name="Clip",
        uri="http://h/v1beta/files/x",
        state="FAILED",
        mime_type="video/mp4",
        size=12,
        sha256="ab12",
        created=datetime(2026, 1, 2, 3, 4, 5, 123456, UTC),
        expires=datetime(2026, 1, 4, 3, 4, 5, 123456, UTC),
        duration="3.5s",
        error="Broken.",
        progress_percent=42,
        resource=resource,
    )


def test_fields_that_are_missing_or_odd_stay_empty() -> None:
    odd = {"name": "files/x", "sizeBytes": "many", "createTime": "now", "sha256Hash": "?", "error": "no"}
    vast = {"sizeBytes": "9" * 5000, "createTime": "9999-12-31T23:59:59Z", "error": {"message": [1]}}

    for resource in (odd, odd | vast):
        file = read_file(resource)

        assert (file.size, file.created, file.sha256, file.error, file.expires) == (0, None, "", "", None)


@pytest.mark.parametrize("percent", [None, "42", 4.2, True, -1, 101, 10**400])
def test_progress_that_is_odd_is_none(percent: Any) -> None:
    assert read_file(processing(progressPercent=percent)).progress_percent is None


@pytest.mark.parametrize("resource", [None, [], {}, {"name": 3}])
def test_what_is_no_file_is_refused(resource: Any) -> None:
    with pytest.raises(ClientError, match="not a File"):
        read_file(resource)


def test_a_list_asks_for_no_more_than_is_wanted(stub: Any, connection: Connection) -> None:
    stub.answer(body={"files": [processing()] * 100, "nextPageToken": "t"})
    stub.answer(body={"files": [processing()] * 20, "nextPageToken": "u"})

    assert len(list(Files(connection).list(120))) == 120

    assert [path for _, path, _, _ in stub.asked] == [
        "/v1beta/files?pageSize=100",
        "/v1beta/files?pageSize=20&pageToken=t",
    ]


def test_a_list_stops_where_it_was_asked_to(stub: Any, connection: Connection) -> None:
    stub.answer(body={"files": [processing()] * 5, "nextPageToken": "t"})

    assert len(list(Files(connection).list(2))) == 2
    assert len(stub.asked) == 1


@pytest.mark.parametrize(
    "page",
    [{"files": 5}, {"files": {"name": "x"}}, {"nextPageToken": ["x"]}, {"files": [], "nextPageToken": "x"}],
)
def test_a_list_that_is_none_or_has_no_end_is_not_of_this_api(
    stub: Any, connection: Connection, page: Any
) -> None:
    stub.answer(body=page)
    stub.answer(body=page)

    with pytest.raises(ClientError, match="Is --server right"):
        list(Files(connection).list())


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "files/x",
        "https://h/v1beta/files/x",
        "http://h:1/pre/v1beta/files/x?y=z",
        "https://h/v1beta/files/x?y=files/z#f",
    ],
)
def test_a_name_is_taken_in_any_form(stub: Any, connection: Connection, name: str) -> None:
    stub.answer(body=processing())

    Files(connection).get(name)

    assert stub.asked[0][1] == "/v1beta/files/x"


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "files/", "a b", "x?y", "../models", "q\udcff", "x\n", "https://h/", "Q", "x" * 70_000],
)
def test_what_cannot_be_a_files_name_is_not_asked_for(stub: Any, connection: Connection, name: str) -> None:
    for ask in (Files(connection).get, Files(connection).delete):
        with pytest.raises(ClientError, match="not the name of a file") as told:
            ask(name)

        assert len(str(told.value)) < 300

    assert stub.asked == []


@pytest.mark.parametrize(("code", "body"), [(200, b"<html>"), (204, b""), (200, b"[]")])
def test_a_file_is_deleted_only_where_this_api_says_so(
    stub: Any, connection: Connection, code: int, body: bytes
) -> None:
    stub.answer(code, body)

    with pytest.raises(ClientError, match="Is --server right"):
        Files(connection).delete("x")


def test_a_file_is_waited_for_although_the_server_stumbles(stub: Any, connection: Connection) -> None:
    stub.answer(503)
    stub.answer(body=processing())
    stub.answer(body=processing("ACTIVE"))

    assert Files(connection).wait(read_file(processing()), AT_ONCE).state == "ACTIVE"


def test_who_waits_for_a_file_may_watch_it(stub: Any, connection: Connection) -> None:
    stub.answer(body=processing(progressPercent=42))
    stub.answer(body=processing("ACTIVE"))
    seen: list[int | None] = []

    Files(connection).wait(
        read_file(processing()), AT_ONCE, watch=lambda file: seen.append(file.progress_percent)
    )

    assert seen == [None, 42]


def test_a_file_that_is_gone_is_not_waited_for(stub: Any, connection: Connection) -> None:
    stub.answer(403)

    with pytest.raises(Refused):
        Files(connection).wait(read_file(processing()), AT_ONCE)
