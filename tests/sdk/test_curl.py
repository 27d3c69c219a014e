"""Raw HTTP against a real server process: what no client library would send, or lets one see."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

BASE = "/v1beta/models/gemini-3-flash-preview"
HELLO = {"contents": [{"parts": [{"text": "Hello"}]}]}
KEY = {"x-goog-api-key": "any"}
CURL = (
    "curl -s --max-time 30 -H 'Expect: 100-continue' -H 'x-goog-api-key: any' "
    "-o answer.json -w '%{http_code}' --data-binary @request.json"
)


@pytest.fixture(scope="module")
def http(script_server: str) -> Iterator[httpx.Client]:
    """Open a connection that sends a key."""
    with httpx.Client(base_url=script_server, headers=KEY, timeout=120) as opened:
        yield opened


def error_of(response: httpx.Response) -> dict[str, Any]:
    """Give the error of a response; A16: its form is the same everywhere."""
    assert response.headers["content-type"].startswith("application/json")
    error: dict[str, Any] = response.json()["error"]
    assert error["code"] == response.status_code
    return error


def picture(data: str, mime_type: str = "image/png") -> dict[str, Any]:
    part = {"inline_data": {"mime_type": mime_type, "data": data}}
    return {"contents": [{"parts": [part, {"text": "Hello"}]}]}


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
def test_a1_every_version_answers_alike(version: str, http: httpx.Client) -> None:
    response = http.post(f"/{version}/models/gemini-3-flash-preview:generateContent", json=HELLO, timeout=120)

    assert response.status_code == 200
    assert response.headers["content-type"].lower() == "application/json; charset=utf-8"
    assert response.json()["candidates"][0]["content"]["role"] == "model"


def test_a2_the_key_may_stand_in_the_address(script_server: str) -> None:
    response = httpx.post(f"{script_server}{BASE}:generateContent?key=any", json=HELLO, timeout=120)

    assert response.status_code == 200


def test_a3_without_a_key_nothing_is_answered(script_server: str) -> None:
    response = httpx.post(f"{script_server}{BASE}:generateContent", json=HELLO, timeout=120)

    error = error_of(response)
    assert (error["code"], error["status"]) == (403, "PERMISSION_DENIED")
    assert "unregistered callers" in error["message"]


def test_a5_trailing_commas_are_read_over(http: httpx.Client) -> None:
    body = '{"contents": [{"parts": [{"text": "Hello"},]}],}'

    assert http.post(f"{BASE}:generateContent", content=body).status_code == 200


def test_a6_an_upload_starts_with_single_quotes(http: httpx.Client, script_server: str) -> None:
    response = http.post(
        "/upload/v1beta/files",
        content="{'file': {'display_name': 'IMAGE'}}",
        headers={
            "X-Goog-Upload-Protocol": "resumable",
            "X-Goog-Upload-Command": "start",
            "X-Goog-Upload-Header-Content-Length": "3",
            "X-Goog-Upload-Header-Content-Type": "image/png",
        },
    )

    assert response.status_code == 200
    assert response.headers["x-goog-upload-url"].startswith(f"{script_server}/upload/v1beta/files")
    assert response.headers["x-goog-upload-status"] == "active"


def test_a7_both_spellings_and_their_mixture_are_the_same(http: httpx.Client, pictures: Path) -> None:
    data = base64.b64encode((pictures / "note.png").read_bytes()).decode()
    level = {"level": "MEDIA_RESOLUTION_LOW"}
    parts = [
        {"inlineData": {"mimeType": "image/png", "data": data}, "mediaResolution": level},
        {"inline_data": {"mime_type": "image/png", "data": data}, "media_resolution": level},
        {"inlineData": {"mime_type": "image/png", "data": data}, "mediaResolution": level},
    ]

    answers = [
        http.post(f"{BASE}:generateContent", json={"contents": [{"parts": [part, {"text": "Hello"}]}]}).json()
        for part in parts
    ]

    assert all(answer["usageMetadata"] == answers[0]["usageMetadata"] for answer in answers)
    assert all(answer["candidates"] == answers[0]["candidates"] for answer in answers)


def test_a8_every_form_of_base64_is_the_same(http: httpx.Client, pictures: Path) -> None:
    data = (pictures / "photo.png").read_bytes()
    standard, safe = base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()

    answers = [
        http.post(f"{BASE}:generateContent", json=picture(form)).json()
        for form in (standard, safe, standard.rstrip("="))
    ]

    assert standard != safe
    assert all(answer["usageMetadata"] == answers[0]["usageMetadata"] for answer in answers)


def test_a9_an_unknown_field_is_named(http: httpx.Client) -> None:
    error = error_of(http.post(f"{BASE}:generateContent", json=HELLO | {"foo": 1}))

    assert error["status"] == "INVALID_ARGUMENT"
    assert 'Unknown name "foo"' in error["message"]
    assert error["details"][0]["fieldViolations"]


@pytest.mark.parametrize(
    ("body", "phrase"),
    [('{"contents":[', "Invalid JSON payload received"), ("", "contents"), ("{}", "contents")],
)
def test_a10_and_a11_half_a_body_is_refused(body: str, phrase: str, http: httpx.Client) -> None:
    error = error_of(http.post(f"{BASE}:generateContent", content=body))

    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    assert phrase in error["message"]


def test_a12_empty_null_and_whole_floats_are_read(http: httpx.Client) -> None:
    body = HELLO | {"generationConfig": {"topK": 40.0, "seed": None}, "systemInstruction": None}

    assert http.post(f"{BASE}:generateContent", json=body).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/v1beta/nothing/here", 404),
        ("GET", "/v1beta/models/nope", 404),
        ("POST", f"{BASE}:explain", 404),
        ("DELETE", "/v1beta/models", 501),
        ("GET", "/v1beta/files/missing00000", 403),
    ],
)
def test_a13_and_a16_every_error_has_the_same_form(
    method: str, path: str, code: int, http: httpx.Client
) -> None:
    assert error_of(http.request(method, path))["code"] == code


def test_a14_the_list_of_models_is_compressed(http: httpx.Client) -> None:
    response = http.get("/v1beta/models", headers={"Accept-Encoding": "gzip"})

    assert response.headers["content-encoding"] == "gzip"
    assert response.json()["models"]


def test_a14_and_e7_a_stream_is_not_held_back_and_may_be_left(http: httpx.Client) -> None:
    """The next piece is ten minutes away: this ends only where the first one comes alone, and whole."""
    body = {"contents": [{"parts": [{"text": "for ever"}]}]}
    headers = {"Accept-Encoding": "gzip"}

    with http.stream("POST", f"{BASE}:streamGenerateContent?alt=sse", json=body, headers=headers) as response:
        first = next(line for line in response.iter_lines() if line)

    assert json.loads(first.removeprefix("data: "))["candidates"][0]["content"]["parts"] == [
        {"text": "At once."}
    ]


def test_a15_only_known_query_parameters_are_accepted(http: httpx.Client) -> None:
    unknown = http.post(f"{BASE}:generateContent?zzz=1", json=HELLO)
    known = http.post(f"{BASE}:generateContent?prettyPrint=false&alt=json", json=HELLO)

    assert 'Unknown name "zzz"' in error_of(unknown)["message"]
    assert unknown.status_code == 400
    assert known.status_code == 200


@pytest.mark.parametrize(
    ("server", "page", "key", "told"),
    [
        ("keyed_server", "https://app.example", "first", "*"),
        ("script_server", "http://localhost:3000", "any", "http://localhost:3000"),
    ],
)
def test_a18_a_browser_may_upload(
    request: pytest.FixtureRequest, http: httpx.Client, server: str, page: str, key: str, told: str
) -> None:
    http.base_url = request.getfixturevalue(server)
    http.headers["x-goog-api-key"] = key
    origin = {"Origin": page}
    asked = "content-type, x-goog-api-key, x-goog-api-client, x-goog-upload-command, x-goog-upload-offset"

    preflight = http.options(
        "/upload/v1beta/files",
        headers=origin | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": asked},
    )
    plain = http.get("/v1beta/models", headers=origin)

    assert preflight.status_code in {200, 204}
    allowed = preflight.headers["access-control-allow-headers"].lower()
    assert all(name in allowed for name in asked.split(", "))
    assert plain.headers["access-control-allow-origin"] == told
    assert "x-goog-upload-url" in plain.headers["access-control-expose-headers"].lower()


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param({"systemInstruction": {"parts": [{"text": "Be brief."}]}}, id="C10"),
        pytest.param({"contents": [{"parts": [{"text": ""}]}]}, id="C8"),
    ],
)
def test_contents_without_much_are_answered(extra: dict[str, Any], http: httpx.Client) -> None:
    assert http.post(f"{BASE}:generateContent", json=HELLO | extra).status_code == 200


SCHEMA = {"type": "OBJECT", "properties": {"title": {"type": "STRING"}}}
TWO_SCHEMAS = {"responseSchema": SCHEMA, "responseJsonSchema": {"type": "object"}}


@pytest.mark.parametrize(
    ("extra", "phrase"),
    [
        pytest.param({"contents": [{"parts": [{"text": "a", "inlineData": {}}]}]}, "oneof", id="C7"),
        pytest.param({"contents": []}, "contents", id="C9"),
        pytest.param(
            {"generationConfig": {"responseMimeType": "application/json"} | TWO_SCHEMAS},
            "mutually exclusive",
            id="D5",
        ),
        pytest.param({"generationConfig": {"responseSchema": SCHEMA}}, "response_mime_type", id="D6"),
        pytest.param({"generationConfig": {"mediaResolution": "HUGE"}}, "media_resolution", id="H8"),
        pytest.param({"contents": [{"parts": [{"text": "word " * 900_000}]}]}, "exceeds", id="G10"),
    ],
)
def test_a_request_at_odds_with_itself_is_refused(
    extra: dict[str, Any], phrase: str, http: httpx.Client
) -> None:
    error = error_of(http.post(f"{BASE}:generateContent", json=HELLO | extra))

    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    assert phrase in error["message"]


def test_h14_counting_takes_contents_or_a_whole_request(http: httpx.Client) -> None:
    instruction = {"parts": [{"text": "Be brief, please."}]}
    whole = HELLO | {"model": "models/gemini-3-flash-preview", "systemInstruction": instruction}

    alone, more, both, stray = (
        http.post(f"{BASE}:countTokens", json=body)
        for body in (
            HELLO,
            {"generateContentRequest": whole},
            HELLO | {"generateContentRequest": whole},
            HELLO | {"systemInstruction": instruction},
        )
    )

    assert more.json()["totalTokens"] > alone.json()["totalTokens"]
    assert both.status_code == stray.status_code == 400


def test_e1_a_stream_is_data_lines_and_nothing_else(http: httpx.Client) -> None:
    body = {"contents": [{"parts": [{"text": "tell me a story"}]}]}

    response = http.post(f"{BASE}:streamGenerateContent?alt=sse", json=body)

    assert response.headers["content-type"].startswith("text/event-stream")
    lines = [line for line in response.text.splitlines() if line]
    assert len(lines) > 1
    assert all(line.startswith("data: {") for line in lines)
    assert all(json.loads(line.removeprefix("data: "))["candidates"][0] for line in lines)


def test_e4_a_stream_without_sse_is_one_array(http: httpx.Client) -> None:
    body = {"contents": [{"parts": [{"text": "tell me a story"}]}]}

    pieces = http.post(f"{BASE}:streamGenerateContent", json=body).json()

    texts = [part["text"] for piece in pieces for part in piece["candidates"][0]["content"].get("parts", [])]
    assert "".join(texts) == "Once upon a time."


def test_e5_an_error_has_the_form_of_its_stream(http: httpx.Client) -> None:
    path = "/v1beta/models/nope:streamGenerateContent"

    as_events = http.post(f"{path}?alt=sse", json=HELLO)
    as_array = http.post(path, json=HELLO)

    assert as_events.status_code == as_array.status_code == 404
    assert as_events.json()["error"]["code"] == 404
    assert as_array.json()[0]["error"]["code"] == 404


def test_e6_a_failure_on_the_way_is_the_last_event(http: httpx.Client) -> None:
    body = {"contents": [{"parts": [{"text": "break off"}]}]}

    response = http.post(f"{BASE}:streamGenerateContent?alt=sse", json=body)

    last = [line for line in response.text.splitlines() if line][-1]
    assert last.startswith('data: {"error":')
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == 503


def test_a_full_house_says_when_to_come_back(http: httpx.Client) -> None:
    body = {"contents": [{"parts": [{"text": "too much"}]}]}

    response = http.post(f"{BASE}:generateContent", json=body)

    assert error_of(response)["status"] == "RESOURCE_EXHAUSTED"
    assert response.headers["retry-after"] == "7"


def test_g1_what_is_not_base64_is_told_with_its_place(http: httpx.Client) -> None:
    error = error_of(http.post(f"{BASE}:generateContent", json=picture("!!!!")))

    assert error["code"] == 400
    assert "Base64 decoding failed" in error["message"]
    assert error["details"][0]["fieldViolations"][0]["field"].endswith("inline_data.data")


def test_g2_text_is_not_a_picture(http: httpx.Client) -> None:
    data = base64.b64encode(b"this is not a picture").decode()

    error = error_of(http.post(f"{BASE}:generateContent", json=picture(data)))

    assert error["code"] == 400
    assert "Unable to process input image" in error["message"] or "not valid" in error["message"]


def test_g8_a_body_over_20_mib_is_refused(http: httpx.Client) -> None:
    limit = 20 * 1024 * 1024
    body = json.dumps(HELLO).encode()

    response = http.post(f"{BASE}:generateContent", content=body.ljust(limit + 1))

    assert response.status_code in {400, 413}
    assert f"Request payload size exceeds the limit: {limit} bytes." in error_of(response)["message"]


def test_f30_curl_waits_for_the_servers_go_before_a_large_body(
    bash: Callable[..., str], script_server: str, tmp_path: Path
) -> None:
    """Without the server's `100 Continue`, this curl would wait a minute and fail."""
    body = json.dumps(HELLO).encode()
    (tmp_path / "request.json").write_bytes(body.ljust(8 * 1024 * 1024))
    (tmp_path / "ask.sh").write_text(f"{CURL} --expect100-timeout 60 {script_server}{BASE}:generateContent")

    assert bash("ask.sh", script_server) == "200"
    assert "candidates" in (tmp_path / "answer.json").read_text()


def test_a_refused_large_upload_does_not_hang_curl(
    bash: Callable[..., str], script_server: str, tmp_path: Path
) -> None:
    (tmp_path / "request.json").write_bytes(b" " * (21 * 1024 * 1024))
    (tmp_path / "ask.sh").write_text(f"{CURL} {script_server}{BASE}:generateContent || true")

    assert bash("ask.sh", script_server) in {"400", "413"}
