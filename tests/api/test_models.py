"""The models."""

from __future__ import annotations

from starlette.testclient import TestClient


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


def test_a14_a_long_answer_is_compressed_where_the_client_can_read_it(client: TestClient) -> None:
    assert (
        client.get("/v1beta/models", headers={"accept-encoding": "gzip"}).headers["content-encoding"]
        == "gzip"
    )
