"""Whom a server without keys answers, case by case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from twinlens.app import create_app
from twinlens.settings import Settings

Serve = Callable[..., TestClient]
Headers = dict[str, str] | list[tuple[str, str]]

FILES = "/v1beta/files?key=x"
GENERATE = "/v1beta/models/gemini-3-flash-preview:generateContent?key=x"
PAGE = "https://other.example"

HOSTS: list[tuple[int, str, bool]] = [
    (1, "localhost", True),
    (2, "localhost:8080", True),
    (3, "LOCALHOST:8080", True),
    (4, "localhost.:8080", True),
    (5, "twin.localhost", True),
    (6, "127.0.0.1", True),
    (7, "127.0.0.1:65535", True),
    (8, "127.1.2.3:1", True),
    (9, "[::1]", True),
    (10, "[::1]:8080", True),
    (11, "[0:0:0:0:0:0:0:1]:8080", True),
    (12, "[::ffff:127.0.0.1]:8080", True),
    (13, "localhost:", True),
    (14, "rebind.example", False),
    (15, "rebind.example:8080", False),
    (16, "localhost.rebind.example", False),
    (17, "127.0.0.1.rebind.example", False),
    (18, "notlocalhost", False),
    (19, "localhost@rebind.example", False),
    (20, "rebind.example@localhost", False),
    (21, "user:pass@localhost", False),
    (22, "localhost:8080@rebind.example", False),
    (23, "localhost:8080:8080", False),
    (24, "localhost:99999", False),
    (25, "localhost:80a", False),
    (26, "localhost, rebind.example", False),
    (27, "localhost rebind.example", False),
    (28, "localhost/rebind.example", False),
    (29, "localhost#rebind.example", False),
    (30, "rebind.example\\localhost", False),
    (31, "http://localhost", False),
    (32, "", False),
    (33, ".", False),
    (34, ".localhost", False),
    (35, "localhost..", False),
    (36, "0.0.0.0:8080", False),
    (37, "[::]:8080", False),
    (38, "192.168.1.10:8080", False),
    (39, "169.254.169.254", False),
    (40, "2130706433", False),
    (41, "0x7f.0.0.1", False),
    (42, "0177.0.0.1", False),
    (43, "127.1", False),
    (44, "::1", False),
    (45, "[::1", False),
    (46, "[127.0.0.1]", False),
    (47, "[::1%25lo]", False),
    (48, "[::1]rebind.example", False),
    (49, "[fe80::1]:8080", False),
    (50, "l%6fcalhost", False),
    (51, "localhost%00.rebind.example", False),
    (52, "lócalhost", False),
    (53, "host.docker.internal:8080", False),
    (54, "localhost" + "x" * 5000, False),
]

PAGES: list[tuple[int, Headers, bool]] = [
    (101, {}, True),
    (102, {"origin": "http://localhost"}, True),
    (103, {"origin": "http://localhost:3000"}, True),
    (104, {"origin": "https://localhost:3000"}, True),
    (105, {"origin": "http://127.0.0.1:5173"}, True),
    (106, {"origin": "http://[::1]:5173"}, True),
    (107, {"origin": "http://app.localhost:3000"}, True),
    (108, {"origin": "HTTP://LOCALHOST:3000"}, True),
    (109, {"origin": "http://localhost:3000", "sec-fetch-site": "cross-site"}, True),
    (110, {"sec-fetch-site": "same-origin"}, True),
    (111, {"sec-fetch-site": "none"}, True),
    (112, {"sec-fetch-site": "same-site"}, True),
    (113, {"origin": PAGE}, False),
    (114, {"origin": "null"}, False),
    (115, {"origin": "NULL"}, False),
    (116, {"origin": ""}, False),
    (117, {"origin": "http://rebind.example:8080"}, False),
    (118, {"origin": "https://localhost.other.example"}, False),
    (119, {"origin": "https://localhost@other.example"}, False),
    (120, {"origin": "https://other.example@localhost"}, False),
    (121, {"origin": "https://other.example#localhost"}, False),
    (122, {"origin": "http://localhost/https://other.example"}, False),
    (123, {"origin": "http://localhost https://other.example"}, False),
    (124, [("origin", "http://localhost"), ("origin", PAGE)], False),
    (125, {"origin": "localhost"}, False),
    (126, {"origin": "file://"}, False),
    (127, {"origin": "file://localhost"}, False),
    (128, {"origin": "chrome-extension://abcdefghijklmnop"}, False),
    (129, {"origin": "http://0.0.0.0:3000"}, False),
    (130, {"origin": "http://192.168.1.10:3000"}, False),
    (131, {"sec-fetch-site": "cross-site"}, False),
    (132, {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, False),
    (
        133,
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
        False,
    ),
    (134, {"sec-fetch-site": "cross-site", "sec-fetch-dest": "script"}, False),
    (135, {"sec-fetch-site": "CROSS-SITE"}, False),
    (136, {"sec-fetch-site": "something-new"}, False),
    (137, {"sec-fetch-site": ""}, False),
    (138, [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], False),
    (139, {"origin": PAGE, "sec-fetch-site": "same-origin"}, False),
    (140, {"origin": PAGE, "x-forwarded-host": "other.example"}, False),
    (141, {"origin": PAGE, "x-forwarded-host": "localhost"}, False),
    (142, {"x-forwarded-host": "rebind.example"}, False),
    (143, {"x-forwarded-host": "localhost:8080"}, True),
]

REQUESTS: list[tuple[int, str, str, dict[str, str]]] = [
    (201, "GET", FILES, {}),
    (202, "HEAD", FILES, {}),
    (203, "GET", "/v1beta/models?key=x", {}),
    (204, "GET", "/v1beta/interactions/v1_x?key=x", {}),
    (205, "POST", GENERATE, {"content-type": "text/plain"}),
    (206, "POST", GENERATE, {"content-type": "application/x-www-form-urlencoded"}),
    (207, "POST", GENERATE, {"content-type": "multipart/form-data; boundary=x"}),
    (208, "POST", "/v1beta/interactions?key=x", {"content-type": "text/plain"}),
    (209, "POST", "/upload/v1beta/files?key=x&uploadType=raw", {"content-type": "text/plain"}),
    (210, "POST", "/upload/v1beta/files?upload_id=guessed", {"content-type": "text/plain"}),
    (211, "DELETE", "/v1beta/files/a?key=x", {}),
    (212, "GET", "/metrics", {}),
    (213, "GET", "/healthz", {}),
    (214, "GET", "/readyz", {}),
    (215, "GET", "/nowhere", {}),
    (216, "OPTIONS", GENERATE, {"access-control-request-method": "POST"}),
    (217, "OPTIONS", GENERATE, {}),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Run one app without keys: none of these requests changes anything."""
    data_dir = tmp_path_factory.mktemp("open")
    app = create_app(Settings(engine="script", data_dir=data_dir, decode_workers=1))
    with TestClient(app, "http://localhost", False, client=("127.0.0.1", 1)) as client:
        yield client


def numbered(cases: list[Any]) -> list[Any]:
    return [pytest.param(*case[1:], id=str(case[0])) for case in cases]


@pytest.mark.parametrize(("host", "is_own"), numbered(HOSTS))
def test_a_host_is_the_machines_own_or_it_is_refused(server: TestClient, host: str, is_own: bool) -> None:
    answer = server.get(FILES, headers={b"host": host.encode("latin-1")})

    assert answer.status_code == (200 if is_own else 403)
    assert is_own or "--allow-host" in answer.json()["error"]["message"]


@pytest.mark.parametrize(("headers", "may_ask"), numbered(PAGES))
def test_a_page_is_the_machines_own_or_it_is_refused(
    server: TestClient, headers: Headers, may_ask: bool
) -> None:
    answer = server.get(FILES, headers=headers)

    assert answer.status_code == (200 if may_ask else 403)
    said = "" if may_ask else answer.json()["error"]["message"]
    assert may_ask or ("--allow-" in said) == (dict(headers).get("origin") != "null")
    assert may_ask or "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(("method", "path", "headers"), numbered(REQUESTS))
@pytest.mark.parametrize(
    "sign",
    [
        pytest.param({"origin": PAGE}, id="origin"),
        pytest.param({"origin": "null"}, id="null"),
        pytest.param({"sec-fetch-site": "cross-site"}, id="site"),
        pytest.param({"host": "rebind.example"}, id="rebound"),
        pytest.param({"host": "rebind.example", "origin": "http://rebind.example"}, id="rebound page"),
        pytest.param({"host": "rebind.example", "x-forwarded-host": "localhost"}, id="said by a proxy"),
    ],
)
def test_no_request_of_a_stranger_is_answered(
    server: TestClient, method: str, path: str, headers: dict[str, str], sign: dict[str, str]
) -> None:
    answer = server.request(method, path, headers=headers | sign)

    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_a_page_without_an_origin_is_told_what_helps_it(server: TestClient) -> None:
    answer = server.get(FILES, headers={"origin": "null"})

    assert answer.json()["error"]["message"] == (
        "This server has no keys, and is not open to pages without an origin (a file or a sandboxed frame). "
        "Serve the page from http://localhost, or start the server with --api-key."
    )


def test_a_request_under_two_hosts_is_refused(server: TestClient) -> None:
    answer = server.get(FILES, headers=[("host", "localhost"), ("host", "localhost")])

    assert answer.status_code == 403
    assert answer.json()["error"] == {
        "code": 403,
        "message": "The request must have one Host header, and has 2.",
        "status": "PERMISSION_DENIED",
    }


def test_the_refusal_has_the_form_of_the_api_that_was_asked(server: TestClient) -> None:
    answer = server.post("/v1beta/interactions", headers={"origin": PAGE}, json={})

    assert answer.status_code == 403
    assert PAGE in answer.json()["error"]["message"]


def test_a_page_on_this_machine_may_read_the_answer_and_upload(server: TestClient) -> None:
    page = {"origin": "http://localhost:3000"}
    asked = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-goog-api-key, x-goog-upload-command",
    }

    preflight = server.options("/upload/v1beta/files", headers=page | asked)
    answer = server.get(FILES, headers=page)

    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert "x-goog-upload-command" in preflight.headers["access-control-allow-headers"]
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert "Origin" in answer.headers["vary"]
    assert "x-goog-upload-url" in answer.headers["access-control-expose-headers"].lower()


@pytest.mark.parametrize(
    ("allowed", "host", "status"),
    [
        ("host.docker.internal", "host.docker.internal:8080", 200),
        ("Host.Docker.Internal", "HOST.docker.internal.", 200),
        ("twin.lan:8080", "twin.lan:8080", 200),
        ("twin.lan:8080", "twin.lan:8081", 403),
        ("twin.lan", "other.lan", 403),
        ("twin.lan", "a.twin.lan", 403),
        ("192.168.1.10", "192.168.1.10:8080", 200),
        ("[FE80::1]", "[fe80:0::1]:8080", 200),
    ],
)
def test_a_host_that_is_allowed_is_answered(serve: Serve, allowed: str, host: str, status: int) -> None:
    assert serve(key=None, allow_host=(allowed,)).get(FILES, headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    ("allowed", "origin", "status"),
    [
        ("https://app.example", "https://app.example", 200),
        ("HTTPS://App.Example/", "https://app.example", 200),
        ("https://app.example:443", "https://app.example", 200),
        ("https://app.example", "http://app.example", 403),
        ("https://app.example", "https://app.example:8443", 403),
        ("https://app.example", "https://app.example.other.example", 403),
        ("https://app.example", "null", 403),
        ("chrome-extension://abcdef", "chrome-extension://abcdef", 200),
    ],
)
def test_a_page_that_is_allowed_is_answered(serve: Serve, allowed: str, origin: str, status: int) -> None:
    signs = {"origin": origin, "sec-fetch-site": "cross-site"}

    assert serve(key=None, allow_origin=(allowed,)).get(FILES, headers=signs).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "twin.example", "origin": "https://twin.example"}, 200),
        ({"host": "twin.example", "sec-fetch-site": "same-origin"}, 200),
        ({"host": "twin.example", "origin": "https://evil.twin.example"}, 403),
        ({"host": "twin.example", "sec-fetch-site": "same-site"}, 403),
        (
            {"host": "localhost:8080", "x-forwarded-host": "twin.example", "origin": "https://twin.example"},
            200,
        ),
        ({"host": "localhost:8080", "x-forwarded-host": "twin.example", "sec-fetch-site": "same-site"}, 403),
    ],
)
def test_under_an_allowed_host_its_own_pages_may_ask(
    serve: Serve, headers: dict[str, str], status: int
) -> None:
    server = serve(key=None, allow_host=("twin.example",))

    assert server.get(FILES, headers=headers).status_code == status


def test_where_the_server_says_to_be_reached_it_is_answered(serve: Serve) -> None:
    server = serve(key=None, public_url="https://twin.example:8443/gemini/")

    assert server.get(FILES, headers={"host": "twin.example:8443"}).status_code == 200
    assert server.get(FILES, headers={"origin": "https://twin.example:8443"}).status_code == 200
    assert server.get(FILES, headers={"origin": "https://twin.example"}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": PAGE},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"host": "anything.example:1"},
    ],
)
def test_with_keys_the_key_alone_decides(serve: Serve, headers: dict[str, str]) -> None:
    server = serve(key="k", api_key=("k",))

    assert server.get("/v1beta/files", headers=headers).status_code == 200
    assert server.get(FILES, headers={"origin": PAGE}).headers["access-control-allow-origin"] == "*"


def test_a_stranger_is_named_in_the_log_once(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    server = serve(key=None)
    for _ in range(3):
        server.get(FILES, headers={"origin": PAGE})
        server.get(FILES, headers={"host": "rebind.example"})

    told = [record.getMessage() for record in caplog.records if record.name == "twinlens.api.access"]
    assert told == [
        "a web page of 'https://other.example' was refused; --allow-origin lets it in",
        "the Host 'rebind.example' was refused; --allow-host lets it in",
    ]
