"""Answers and failures, as the command line gets them."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from twinlens.client.connection import Connection
from twinlens.client.errors import Broken, ClientError, Refused, Unreachable


def refused(stub: Any, connection: Connection, code: int, body: Any = None, **headers: str) -> Refused:
    stub.answer(code, body, **headers)
    with pytest.raises(Refused) as caught:
        connection.ask("GET", "/x")
    return caught.value


def test_the_key_is_sent(stub: Any, connection: Connection) -> None:
    stub.answer()

    connection.ask("GET", "/x")

    assert stub.asked[0][2]["x-goog-api-key"] == "k"


def test_the_servers_message_is_kept(stub: Any, connection: Connection) -> None:
    error = refused(stub, connection, 403, {"error": {"code": 403, "message": "Not yours."}})

    assert (error.code, str(error), error.passing) == (403, "Not yours.", False)


DEEP = b"[" * 200_000


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", {"error": "no"}, b'{"error": null}', b"\xff", DEEP, {"error": {"message": ["m"]}}],
)
def test_a_refusal_without_a_message_names_the_server(stub: Any, connection: Connection, body: Any) -> None:
    assert str(refused(stub, connection, 404, body)) == f"{stub.url} answered 404, and did not say why."


@pytest.mark.parametrize("details", [5, "no", {"reason": "x"}, [5], [{"reason": ["API_KEY_INVALID"]}], None])
def test_details_that_are_odd_are_passed_over(stub: Any, connection: Connection, details: Any) -> None:
    error = refused(stub, connection, 400, {"error": {"message": "m", "details": details}})

    assert error.long_message() == "m"


def test_a_redirect_is_refused_and_says_where_it_points_to(stub: Any, connection: Connection) -> None:
    error = refused(stub, connection, 302, location="http://elsewhere.test/")

    assert error.code == 302
    assert "answered 302 and points to http://elsewhere.test/." in str(error)
    assert "did not say why" in str(refused(stub, connection, 302))
    assert "did not say why" in str(refused(stub, connection, 302))


def test_a_server_that_wants_https_is_told_of(stub: Any, connection: Connection) -> None:
    page = b"<h1>The plain HTTP request was sent to HTTPS port</h1>"

    assert "must begin with https://" in str(refused(stub, connection, 400, page))


def test_a_second_sentence_follows_whatever_ends_the_first() -> None:
    texts = []
    for text in ("It fails", "It fails.", "Is it right?"):
        error = ClientError(text)
        error.advice = "Try again."
        texts.append(error.long_message())

    assert texts == ["It fails. Try again.", "It fails. Try again.", "Is it right? Try again."]


@pytest.mark.parametrize(
    ("code", "retry_after", "passing"),
    [
        (500, "", True),
        (503, "1", True),
        (429, "1", True),
        (429, "60", False),
        (429, "Fri, 01 Jan 2100 00:00:00 GMT", True),
        (501, "", False),
        (400, "", False),
    ],
)
def test_only_what_may_pass_is_worth_another_try(
    stub: Any, connection: Connection, code: int, retry_after: str, passing: bool
) -> None:
    assert refused(stub, connection, code, None, retry_after=retry_after).passing is passing


@pytest.mark.parametrize("body", [b"<html>hello", b"[1]", DEEP, b'{"a":' * 100_000, b"\xff", b""])
def test_an_answer_that_is_no_object_is_not_of_this_api(
    stub: Any, connection: Connection, body: bytes
) -> None:
    stub.answer(body=body)

    with pytest.raises(ClientError, match="Is --server right"):
        connection.read(connection.ask("GET", "/x"))


def test_nobody_at_the_address_is_unreachable() -> None:
    with Connection("http://127.0.0.1:1", "k") as connection, pytest.raises(Unreachable, match="refused"):
        connection.ask("GET", "/x")


@pytest.mark.parametrize(
    "server",
    [
        "http://a..b",
        "http://..",
        f"http://{'a' * 300}.test",
        "http://xn--zzzzzz",
        "http://127.0.0.1\n:8080",
        f"http://127.0.0.1:1/{'a' * 70_000}",
    ],
)
def test_an_address_that_cannot_be_one_is_told(server: str) -> None:
    with Connection(server, "k") as connection, pytest.raises(ClientError, match="Is --server right") as told:
        connection.ask("GET", "/x")

    assert not told.value.passing


@pytest.mark.parametrize("value", [" text/plain", "text/plain\n", "text/pl\x00in"])
def test_a_header_that_cannot_be_sent_is_not_tried_again(connection: Connection, value: str) -> None:
    with pytest.raises(ClientError, match="not a valid request") as told:
        connection.ask("POST", "/x", headers={"x-type": value})

    assert not told.value.passing


@pytest.mark.parametrize(
    ("variable", "value"),
    [("HTTP_PROXY", "gopher://x"), ("HTTP_PROXY", "http://x:port"), ("SSL_CERT_FILE", "/nowhere/ca.pem")],
)
def test_an_environment_that_cannot_be_used_is_told(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(ClientError, match=variable):
        Connection("http://h", "k")


def test_an_answer_that_is_no_http_is_a_broken_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            with listener.accept()[0] as end:
                end.recv(1000)
                end.sendall(b"220 mail.test ESMTP\r\n")

        thread = threading.Thread(target=speak)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with Connection(url, "k") as connection, pytest.raises(Broken):
            connection.ask("GET", "/x")
        thread.join()


@pytest.mark.parametrize(("answers_before", "hint"), [(0, True), (1, False)])
def test_a_first_request_that_breaks_off_may_be_for_https(answers_before: int, hint: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            for number in range(answers_before + 1):
                with listener.accept()[0] as end:
                    end.recv(1000)
                    if number < answers_before:
                        end.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")

        thread = threading.Thread(target=speak)
        thread.start()
        with Connection(f"http://127.0.0.1:{listener.getsockname()[1]}", "k") as connection:
            for _ in range(answers_before):
                connection.ask("GET", "/x")
            with pytest.raises(Broken) as told:
                connection.ask("GET", "/x")
        thread.join()

    assert ("must begin with https://" in str(told.value)) is hint


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("http://a:1", "http://a:1/upload/v1beta/files?upload_id=x&p=y"),
        ("http://a:1", "https://public.test/upload/v1beta/files?upload_id=x&p=y"),
        ("http://a/pre", "http://a/pre/upload/v1beta/files?upload_id=x&p=y"),
    ],
)
def test_a_sessions_path_is_asked_of_the_server_we_know(server: str, url: str) -> None:
    with Connection(server, "k") as connection:
        assert connection.path_of(url) == "/upload/v1beta/files?upload_id=x&p=y"


@pytest.mark.parametrize("url", ["http://[bad", "@elsewhere.test/x", "x", "?upload_id=x"])
def test_a_session_that_has_no_path_of_its_own_is_not_of_this_api(url: str) -> None:
    with Connection("http://a:1", "k") as connection, pytest.raises(ClientError, match="Is --server right"):
        connection.path_of(url)
