"""The methods of a model, over HTTP."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

MODEL = "/v1beta/models/gemini-3-flash-preview"
HELLO: dict[str, Any] = {"contents": [{"parts": [{"text": "Hello"}]}]}
SLOW = "default: {chunks: [a, {text: b, delay: 30}]}\n"


def events(body: str) -> list[Any]:
    return [json.loads(line.removeprefix("data: ")) for line in body.splitlines() if line]


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
def test_a1_all_versions_answer_alike(client: TestClient, version: str) -> None:
    answer = client.post(f"/{version}/models/gemini-3-flash-preview:generateContent", json=HELLO)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    body = answer.json()
    assert body["candidates"][0]["content"] == {"parts": [{"text": "ok"}], "role": "model"}
    assert body["candidates"][0]["finishReason"] == "STOP"
    assert body["modelVersion"] == "gemini-3-flash-preview"


def test_c2_the_usage_adds_up_and_equals_count_tokens(client: TestClient) -> None:
    usage = client.post(f"{MODEL}:generateContent", json=HELLO).json()["usageMetadata"]
    counted = client.post(f"{MODEL}:countTokens", json=HELLO).json()

    assert usage["totalTokenCount"] == usage["promptTokenCount"] + usage["candidatesTokenCount"]
    assert counted["totalTokens"] == usage["promptTokenCount"]
    assert counted["promptTokensDetails"] == usage["promptTokensDetails"]


@pytest.mark.parametrize("model", ["nope", "google/gemini-2.5-flash", "gpt-4"])
@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_b5_b6_an_unknown_model_is_404_and_says_for_which_version(
    client: TestClient, model: str, version: str
) -> None:
    answer = client.post(f"/{version}/models/{model}:generateContent", json=HELLO)

    assert (answer.status_code, answer.json()["error"]["status"]) == (404, "NOT_FOUND")
    assert f"models/{model} is not found for API version {version}" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "path", ["/v1beta/publishers/google/models/x:generateContent", "/v1beta/tunedModels/x:generateContent"]
)
def test_b6_other_collections_are_404(client: TestClient, path: str) -> None:
    assert client.post(path, json=HELLO).status_code == 404


def test_e1_the_event_stream_is_data_lines_and_nothing_else(serve: Any) -> None:
    client = serve("default: {chunks: [one, two]}\n")

    answer = client.post(f"{MODEL}:streamGenerateContent?alt=sse", json=HELLO)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert all(line.startswith("data: {") for line in answer.text.split("\r\n\r\n") if line)
    assert all(event["candidates"][0] for event in events(answer.text))


def test_e3_only_the_last_event_finishes_and_all_share_an_id(serve: Any) -> None:
    client = serve("default: {chunks: [one, two]}\n")

    pieces = events(client.post(f"{MODEL}:streamGenerateContent?alt=sse", json=HELLO).text)

    reasons = [piece["candidates"][0].get("finishReason") for piece in pieces]
    assert reasons == [None] * (len(pieces) - 1) + ["STOP"]
    assert len({piece["responseId"] for piece in pieces}) == 1
    assert pieces[-1]["usageMetadata"]["candidatesTokenCount"] > 0
    assert all(piece["usageMetadata"]["promptTokenCount"] > 0 for piece in pieces)


def test_e2_the_stream_holds_the_plain_answers_text(serve: Any) -> None:
    client = serve("default: {chunks: [one, ' ', two]}\n")

    pieces = events(client.post(f"{MODEL}:streamGenerateContent?alt=sse", json=HELLO).text)
    plain = client.post(f"{MODEL}:generateContent", json=HELLO).json()

    texts = [part["text"] for piece in pieces for part in piece["candidates"][0]["content"]["parts"]]
    assert "".join(texts) == plain["candidates"][0]["content"]["parts"][0]["text"] == "one two"
    assert pieces[-1]["usageMetadata"] == plain["usageMetadata"]


def test_e4_without_alt_sse_the_stream_is_one_json_array(serve: Any) -> None:
    answer = serve("default: {chunks: [one, two]}\n").post(f"{MODEL}:streamGenerateContent", json=HELLO)

    assert answer.headers["content-type"].startswith("application/json")
    assert [piece["candidates"][0]["content"]["parts"][0]["text"] for piece in answer.json()][:2] == [
        "one",
        "two",
    ]


@pytest.mark.parametrize("broken", ["/v1beta/models/nope", MODEL])
def test_e5_a_failure_before_the_stream_is_an_object_for_sse_and_an_array_else(
    client: TestClient, broken: str
) -> None:
    body = HELLO if broken.endswith("nope") else {"contents": []}

    sse = client.post(f"{broken}:streamGenerateContent?alt=sse", json=body)
    array = client.post(f"{broken}:streamGenerateContent", json=body)

    assert sse.status_code == array.status_code == sse.json()["error"]["code"]
    assert array.json() == [sse.json()]


def test_e6_a_failure_on_the_way_is_the_last_event(serve: Any) -> None:
    client = serve("default: {chunks: [one], error: {status: UNAVAILABLE, message: overloaded}}\n")

    answer = client.post(f"{MODEL}:streamGenerateContent?alt=sse", json=HELLO)

    *_, bare, last = answer.text.strip().split("\r\n\r\n")
    assert answer.status_code == 200
    assert last == f"data: {bare}"
    assert last.startswith('data: {"error":{')
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == 503


def test_c22_a_blocked_prompt_has_no_candidates(serve: Any) -> None:
    body = serve("default: {block: SAFETY}\n").post(f"{MODEL}:generateContent", json=HELLO).json()

    assert body["promptFeedback"] == {"blockReason": "SAFETY"}
    assert "candidates" not in body


WEATHER = """
rules:
  - match: {function_response: get_weather}
    answer: {text: It is clear.}
  - match: {tools: [get_weather]}
    answer: {text: Let me see., call: {name: get_weather, args: {city: Paris}}}
"""
OFFERED: dict[str, Any] = {"tools": [{"functionDeclarations": [{"name": "get_weather"}]}]}


def test_a_function_is_called_and_its_response_answered(serve: Any) -> None:
    client = serve(WEATHER)

    called = client.post(f"{MODEL}:generateContent", json=HELLO | OFFERED).json()["candidates"][0]
    text, call = called["content"]["parts"]
    response = {"functionResponse": {**call["functionCall"], "response": {"sky": "clear"}}}
    del response["functionResponse"]["args"]
    contents = [*HELLO["contents"], called["content"], {"role": "user", "parts": [response]}]
    answered = client.post(f"{MODEL}:generateContent", json={"contents": contents} | OFFERED).json()

    assert (called["finishReason"], text) == ("STOP", {"text": "Let me see."})
    assert call["functionCall"].pop("id")
    assert call == {"functionCall": {"name": "get_weather", "args": {"city": "Paris"}}}
    assert answered["candidates"][0]["content"]["parts"] == [{"text": "It is clear."}]


def test_a_streamed_call_is_the_plain_answers(serve: Any) -> None:
    client = serve(WEATHER.replace("name: get_weather", "id: one, name: get_weather"))

    pieces = events(client.post(f"{MODEL}:streamGenerateContent?alt=sse", json=HELLO | OFFERED).text)
    plain = client.post(f"{MODEL}:generateContent", json=HELLO | OFFERED).json()

    parts = [part for piece in pieces for part in piece["candidates"][0]["content"]["parts"]]
    assert [part for part in parts if part != {"text": ""}] == plain["candidates"][0]["content"]["parts"]
    assert pieces[-1]["usageMetadata"] == plain["usageMetadata"]
    assert plain["usageMetadata"]["candidatesTokenCount"] > len("Let me see.") // 4 + 1


def test_a_call_alone_has_no_text_beside_it(serve: Any) -> None:
    body = serve("default: {call: {name: f}}\n").post(f"{MODEL}:generateContent", json=HELLO).json()

    (part,) = body["candidates"][0]["content"]["parts"]
    assert part.keys() == {"functionCall"}


def test_c14_two_candidates_are_numbered(client: TestClient) -> None:
    body = client.post(
        f"{MODEL}:generateContent", json=HELLO | {"generationConfig": {"candidateCount": 2}}
    ).json()

    assert [candidate.get("index", 0) for candidate in body["candidates"]] == [0, 1]


def test_g8_a_body_over_the_limit_is_refused(serve: Any) -> None:
    client = serve(max_request_bytes=100)

    answer = client.post(f"{MODEL}:generateContent", content=b" " * 101)

    assert answer.status_code == 400
    assert "Request payload size exceeds the limit: 100 bytes." in answer.json()["error"]["message"]


def test_g8_a_body_over_the_limit_is_refused_although_it_declares_no_size(serve: Any) -> None:
    client = serve(max_request_bytes=100)

    answer = client.post(f"{MODEL}:generateContent", content=iter([b" " * 60, b" " * 60]))

    assert answer.status_code == 400
    assert "exceeds the limit" in answer.json()["error"]["message"]


@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent?alt=sse"])
def test_the_clients_timeout_is_a_deadline(serve: Any, method: str) -> None:
    client = serve(SLOW.replace("a, ", ""))

    answer = client.post(f"{MODEL}:{method}", json=HELLO, headers={"x-server-timeout": "1"})

    assert (answer.status_code, answer.json()["error"]["status"]) == (504, "DEADLINE_EXCEEDED")


def test_a_deadline_within_a_stream_ends_it_in_order(serve: Any) -> None:
    answer = serve(SLOW).post(f"{MODEL}:streamGenerateContent", json=HELLO, headers={"x-server-timeout": "1"})

    assert answer.json()[-1]["error"]["status"] == "DEADLINE_EXCEEDED"


def test_a_full_server_says_when_to_come_back(serve: Any) -> None:
    client = serve("default: {chunks: [{text: a, delay: 0.5}]}\n", max_running=1, max_waiting=0)
    refused: list[httpx.Response] = []

    # On a busy machine two requests may come one after the other: then they come again.
    while not refused:
        with ThreadPoolExecutor(2) as clients:
            asked = [clients.submit(client.post, f"{MODEL}:generateContent", json=HELLO) for _ in range(2)]
        refused = [answer for answer in (each.result() for each in asked) if answer.status_code != 200]

    (answer,) = refused
    assert (answer.status_code, answer.json()["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert int(answer.headers["retry-after"]) >= 1


def test_engine_usage_is_shown_where_the_operator_wants_it(serve: Any) -> None:
    usage = serve(engine_usage=True).post(f"{MODEL}:generateContent", json=HELLO).json()["usageMetadata"]

    assert usage["engineUsage"]["mediaTokenCount"] == 0


@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent?alt=sse", "countTokens"])
def test_parts_by_the_hundred_thousand_are_refused(client: TestClient, method: str) -> None:
    parts = b",".join([b'{"text":"a"}'] * 150_000)

    answer = client.post(f"{MODEL}:{method}", content=b'{"contents":[{"parts":[' + parts + b"]}]}")

    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert "send fewer parts" in answer.json()["error"]["message"]


def test_a_call_that_is_not_answered_is_refused_whatever_the_engine(client: TestClient) -> None:
    call = {"functionCall": {"name": "f", "args": {}}}
    contents = [*HELLO["contents"], {"role": "model", "parts": [call]}, *HELLO["contents"]]

    answer = client.post(f"{MODEL}:generateContent", json={"contents": contents})

    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    (detail,) = answer.json()["error"]["details"]
    assert [one["field"] for one in detail["fieldViolations"]] == ["contents[2]"]
