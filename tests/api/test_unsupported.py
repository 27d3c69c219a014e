"""What belongs to another service is said to, and a path with a wrong version is told the right one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from twinlens.api.unsupported import COLLECTIONS, METHODS

HELLO: dict[str, Any] = {"contents": [{"parts": [{"text": "Hello"}]}]}
PAGE = Path(__file__).parents[2] / "docs" / "api-coverage.md"


def said(answer: Any) -> tuple[int, str, str]:
    error = answer.json()["error"]
    assert error["code"] == answer.status_code
    return answer.status_code, error["status"], error["message"]


@pytest.mark.parametrize(("method", "service"), METHODS.items())
@pytest.mark.parametrize("model", ["gemini-3-flash-preview", "gemini-embedding-001", "no-such-model"])
def test_a_models_method_of_another_service_is_not_offered(
    client: TestClient, model: str, method: str, service: str
) -> None:
    answer = client.post(f"/v1beta/models/{model}:{method}", json={"anything": 1})

    assert said(answer) == (501, "UNIMPLEMENTED", f"{service} is not offered by twinlens.")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1beta/cachedContents"),
        ("POST", "/v1beta/cachedContents"),
        ("PATCH", "/v1/cachedContents/abc?updateMask=ttl"),
        ("GET", "/v1beta/batches"),
        ("POST", "/v1beta/batches/b-1:cancel"),
        ("POST", "/v1beta/tunedModels"),
        ("GET", "/v1alpha/operations/o-1"),
        ("POST", "/v1beta/corpora/c:query"),
        ("POST", "/v1beta/fileSearchStores"),
        ("POST", "/v1beta/fileSearchStores/s:importFile"),
        ("POST", "/upload/v1beta/fileSearchStores/s:uploadToFileSearchStore"),
        ("POST", "/v1beta/files:register"),
        ("POST", "/v1alpha/auth_tokens"),
        ("GET", "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"),
        ("GET", "/v1beta/agents"),
        ("POST", "/v1beta/openai/chat/completions"),
        ("POST", "/v1beta1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash:generateContent"),
    ],
)
def test_the_paths_of_another_service_are_not_offered(client: TestClient, method: str, path: str) -> None:
    status, name, message = said(client.request(method, path))

    assert (status, name) == (501, "UNIMPLEMENTED")
    assert message.endswith("is not offered by twinlens.")


def test_the_coverage_page_lists_what_is_not_offered() -> None:
    section = PAGE.read_text().partition("## Services that are not offered\n")[2].partition("\n## ")[0]

    rows = re.findall(r"^\| `(?:/\{v\}/|/|:)(\S+)` \| (.+) \|$", section, re.MULTILINE)
    assert rows == [*COLLECTIONS.items(), *METHODS.items()]


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
def test_there_are_no_tuned_models(client: TestClient, version: str) -> None:
    listed = client.get(f"/{version}/tunedModels?pageSize=10")

    assert (listed.status_code, listed.json()) == (200, {})
    assert client.get(f"/{version}/tunedModels/mine").status_code == 404
    assert client.post(f"/{version}/tunedModels/mine:generateContent", json=HELLO).status_code == 404


MODEL = "models/gemini-3-flash-preview"


@pytest.mark.parametrize(
    ("path", "reason", "right"),
    [
        (f"/{MODEL}:generateContent", "no version", f"/v1beta/{MODEL}:generateContent"),
        ("/files", "no version", "/v1beta/files"),
        ("/upload/files", "no version", "/upload/v1beta/files"),
        ("/interactions", "no version", "/v1beta/interactions"),
        ("/cachedContents", "no version", "/v1beta/cachedContents"),
        (f"/v1beta/v1beta/{MODEL}:generateContent", "two versions", f"/v1beta/{MODEL}:generateContent"),
        (f"/v1beta/v1/{MODEL}:countTokens", "two versions", f"/v1/{MODEL}:countTokens"),
        ("/v1/v1beta/interactions", "two versions", "/v1beta/interactions"),
        ("/tunedModels/mine", "no version", "/v1beta/tunedModels/mine"),
        ("/v1/v1/tunedModels/mine:generateContent", "two versions", "/v1/tunedModels/mine:generateContent"),
        ("/v9/tunedModels/mine", "no version v9", "/v1beta/tunedModels/mine"),
        ("/v1beta/upload/v1beta/files", "two versions", "/upload/v1beta/files"),
        ("/upload/v1beta/v1beta/files", "two versions", "/upload/v1beta/files"),
        (f"/v2/{MODEL}:generateContent", "no version v2", f"/v1beta/{MODEL}:generateContent"),
        (f"/v1beta2/{MODEL}:generateContent", "no version v1beta2", f"/v1beta/{MODEL}:generateContent"),
        (f"//v1beta/{MODEL}:generateContent", "an empty step", f"/v1beta/{MODEL}:generateContent"),
    ],
)
def test_a_path_with_a_wrong_version_is_told_the_right_one(
    client: TestClient, path: str, reason: str, right: str
) -> None:
    answer = client.post(f"http://localhost{path}", json=HELLO)

    status, name, message = said(answer)
    assert (status, name) == (404, "NOT_FOUND")
    assert reason in message
    assert f"Send it to {right}" in message


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/v1beta", "/v1beta/nothing", "/v1beta/publishers/google/models/x:generateContent"],
)
def test_any_other_path_is_only_not_found(client: TestClient, path: str) -> None:
    assert said(client.post(path))[2] == f"POST {path} was not found on this server."


def test_a_long_path_is_not_repeated_whole(client: TestClient) -> None:
    _, _, message = said(client.post(f"/v1beta/v1beta/models/{'x' * 5000}:generateContent"))

    assert len(message) < 1000


def test_the_refusal_of_a_servers_tool_says_that_functions_are_offered(client: TestClient) -> None:
    tools = [
        "googleSearch",
        "urlContext",
        "codeExecution",
        "fileSearch",
        "computerUse",
        "googleMaps",
        "retrieval",
    ]

    for tool in tools:
        asked = HELLO | {"tools": [{tool: {}}]}
        answer = client.post(f"/v1beta/{MODEL}:generateContent", json=asked)
        assert said(answer)[:2] == (400, "INVALID_ARGUMENT")
        assert f"Tool {tool} is not offered by twinlens, functions are" in said(answer)[2]


def test_the_refusal_of_a_servers_tool_says_that_functions_are_offered_for_interactions(
    client: TestClient,
) -> None:
    asked = {"model": "gemini-3-flash-preview", "input": "Hello", "tools": [{"type": "google_search"}]}

    answer = client.post("/v1beta/interactions", json=asked)

    assert answer.status_code == 400
    assert '"google_search" is not offered by twinlens, functions are' in answer.json()["error"]["message"]
