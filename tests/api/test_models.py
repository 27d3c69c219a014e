"""The models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

HELLO: dict[str, Any] = {"contents": [{"parts": [{"text": "Hello"}]}]}
INSTRUCTED = HELLO | {"systemInstruction": {"parts": [{"text": "Be brief."}]}}
ELSEWHERE = (
    "gemini-3.8-flash-tts",
    "gemini-2.5-flash-image",
    "gemini-nano-banana-2.1",
    "gemini-3.8-live",
    "gemini-2.5-flash-native-audio-preview-09-2025",
    "gemini-3.5-transcribe",
    "gemini-embedding-001",
)


def test_b1_every_listed_model_generates(client: TestClient) -> None:
    models = client.get("/v1beta/models").json()["models"]

    assert all(model["name"].startswith("models/") for model in models)
    assert all("generateContent" in model["supportedGenerationMethods"] for model in models)
    assert {"models/gemini-3-flash-preview", "models/gemini-2.5-flash", "models/twinlens-script"} <= {
        model["name"] for model in models
    }


def test_b2_pages_give_every_model_once(client: TestClient) -> None:
    names, token = [], ""
    while True:
        page = client.get(f"/v1beta/models?pageSize=1&pageToken={token}").json()
        names += [model["name"] for model in page["models"]]
        if not (token := page.get("nextPageToken", "")):
            break

    assert names == [model["name"] for model in client.get("/v1beta/models").json()["models"]]


def test_a_bad_page_token_is_refused(client: TestClient) -> None:
    answer = client.get("/v1beta/models?pageToken=junk")

    assert answer.status_code == 400
    assert "Invalid page token" in answer.json()["error"]["message"]


def test_b3_any_gemini_name_is_served_and_described(client: TestClient) -> None:
    model = client.get("/v1/models/gemini-3.8-flash").json()

    assert model["name"] == "models/gemini-3.8-flash"
    assert model["inputTokenLimit"] == 1_048_576


def test_b4_an_unknown_model_is_404(client: TestClient) -> None:
    answer = client.get("/v1beta/models/nope")

    assert (answer.status_code, answer.json()["error"]["status"]) == (404, "NOT_FOUND")


def test_the_list_and_a_single_model_agree(client: TestClient) -> None:
    for model in client.get("/v1beta/models").json()["models"]:
        assert client.get(f"/v1beta/{model['name']}").json() == model


@pytest.mark.parametrize("model", ["gemini-4-argon", "gemini-3.1-pro-preview", "gemini-flash-latest"])
def test_todays_names_are_listed(client: TestClient, model: str) -> None:
    assert f"models/{model}" in [one["name"] for one in client.get("/v1/models").json()["models"]]


@pytest.mark.parametrize(
    "model",
    [
        "gemini-robotics-er-2-preview",
        "gemini-omni-1.2-flash",
        "gemini-exp-1206",
        "gemini-pro",
        "gemma-3-4b-it",
    ],
)
def test_every_family_answers_in_both_apis(client: TestClient, model: str) -> None:
    generated = client.post(f"/v1beta/models/{model}:generateContent", json=HELLO)
    interaction = client.post("/v1beta/interactions", json={"model": model, "input": "Hello"})

    assert (generated.status_code, interaction.status_code) == (200, 200)
    assert generated.json()["modelVersion"] == interaction.json()["model"] == model


@pytest.mark.parametrize("model", ELSEWHERE)
@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent", "countTokens"])
def test_the_name_of_another_service_is_not_supported(client: TestClient, model: str, method: str) -> None:
    answer = client.post(f"/v1beta/models/{model}:{method}?alt=sse", json=HELLO)

    assert answer.status_code == 404
    assert f"or is not supported for {method}" in answer.json()["error"]["message"]
    assert "is not offered by twinlens." in answer.json()["error"]["message"]


@pytest.mark.parametrize("model", ELSEWHERE)
def test_the_name_of_another_service_makes_no_interaction(client: TestClient, model: str) -> None:
    answer = client.post("/v1beta/interactions", json={"model": model, "input": "Hello"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert "is not offered by twinlens." in answer.json()["error"]["message"]
    assert client.get(f"/v1beta/models/{model}").status_code == 404


@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent"])
def test_a_maker_of_images_takes_no_system_instruction(client: TestClient, method: str) -> None:
    answer = client.post(f"/v1beta/models/gemini-2.5-flash-image:{method}?alt=sse", json=INSTRUCTED)

    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    message = "Developer instruction is not enabled for models/gemini-2.5-flash-image"
    assert answer.json()["error"]["message"] == message


def test_a_maker_of_images_takes_no_system_instruction_in_an_interaction(client: TestClient) -> None:
    asked = {"model": "gemini-3-pro-image", "input": "Hello", "system_instruction": "Be brief."}

    answer = client.post("/v1beta/interactions", json=asked)

    assert answer.status_code == 400
    assert "Developer instruction is not enabled for models/gemini-3-pro-image" in answer.text


def test_a_strict_server_knows_listed_names_only(serve: Callable[..., TestClient]) -> None:
    client = serve(strict_models=True)

    slip = client.post("/v1beta/models/gemini-2.5-flahs:generateContent", json=HELLO)
    listed = client.post("/v1beta/models/gemini-2.5-flash:generateContent", json=HELLO)
    interaction = client.post("/v1beta/interactions", json={"model": "gemini-2.5-flahs", "input": "Hello"})

    assert (slip.status_code, listed.status_code, interaction.status_code) == (404, 200, 404)
    assert "--strict-models" in slip.json()["error"]["message"]
    assert client.get("/v1beta/models/gemini-2.5-flahs").status_code == 404


def test_a_model_of_ones_own_may_be_called_anything(serve: Callable[..., TestClient]) -> None:
    client = serve(model="my-image-model")

    answer = client.post("/v1beta/models/my-image-model:generateContent", json=INSTRUCTED)

    assert answer.status_code == 200


def test_a14_a_long_answer_is_compressed_where_the_client_can_read_it(client: TestClient) -> None:
    assert (
        client.get("/v1beta/models", headers={"accept-encoding": "gzip"}).headers["content-encoding"]
        == "gzip"
    )
