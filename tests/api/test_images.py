"""Images over HTTP: what they cost, and what is refused. Decoding is real, answers are scripted."""

from __future__ import annotations

import base64
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import images

Json = dict[str, Any]


def part(data: bytes, mime_type: str = "image/png", level: str | None = None) -> Json:
    sent: Json = {"inlineData": {"mimeType": mime_type, "data": base64.b64encode(data).decode()}}
    return sent | ({"mediaResolution": {"level": f"MEDIA_RESOLUTION_{level}"}} if level else {})


def body(*parts: Json, level: str | None = None) -> Json:
    config = {"mediaResolution": f"MEDIA_RESOLUTION_{level}"} if level else {}
    return {"contents": [{"parts": [*parts, {"text": "Caption this image."}]}], "generationConfig": config}


def usage(client: TestClient, sent: Json, model: str = "gemini-3-flash-preview") -> Json:
    """Ask and count; the two must agree in everything. Give the usage by modality."""
    answer = client.post(f"/v1beta/models/{model}:generateContent", json=sent)
    whole = {"generateContentRequest": {"model": f"models/{model}", **sent}}
    counted = client.post(f"/v1beta/models/{model}:countTokens", json=whole)
    assert (answer.status_code, counted.status_code) == (200, 200), answer.text + counted.text
    billed = answer.json()["usageMetadata"]
    assert counted.json()["totalTokens"] == billed["promptTokenCount"]
    assert counted.json()["promptTokensDetails"] == billed["promptTokensDetails"]
    assert sum(item["tokenCount"] for item in billed["promptTokensDetails"]) == billed["promptTokenCount"]
    return {item["modality"]: item["tokenCount"] for item in billed["promptTokensDetails"]}


def refusal(client: TestClient, sent: Json, method: str = "generateContent") -> str:
    """Ask for what must be refused with 400; give message and field."""
    answer = client.post(f"/v1beta/models/gemini-3-flash-preview:{method}", json=sent)
    error = answer.json()["error"]
    assert (answer.status_code, error["status"]) == (400, "INVALID_ARGUMENT"), answer.text
    return f"{error['message']} @ {error['details'][0]['fieldViolations'][0]['field']}"


@pytest.mark.parametrize("size", [(64, 64), (960, 540)])
@pytest.mark.parametrize(
    ("level", "tokens"), [(None, 1120), ("LOW", 280), ("MEDIUM", 560), ("HIGH", 1120), ("UNSPECIFIED", 1120)]
)
def test_h1_h11_h13_gemini_3_bills_the_level_whatever_the_size(
    client: TestClient, level: str | None, tokens: int, size: tuple[int, int]
) -> None:
    assert usage(client, body(part(images.make("png", *size)), level=level))["IMAGE"] == tokens


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
def test_h2_h5_a_part_at_ultra_high_costs_2240_on_every_version(client: TestClient, version: str) -> None:
    sent = body(part(images.make("png"), level="ULTRA_HIGH"))

    answer = client.post(f"/{version}/models/gemini-3-flash-preview:generateContent", json=sent)

    assert {"modality": "IMAGE", "tokenCount": 2240} in answer.json()["usageMetadata"]["promptTokensDetails"]


def test_h3_ultra_high_for_the_whole_request_is_refused(client: TestClient) -> None:
    message = refusal(client, body(part(images.make("png")), level="ULTRA_HIGH"))

    assert "Invalid value at 'generation_config.media_resolution'" in message
    assert message.endswith("@ generation_config.media_resolution")


def test_h4_parts_win_over_the_request(client: TestClient) -> None:
    image = images.make("png")

    assert usage(client, body(part(image, level="HIGH"), level="LOW"))["IMAGE"] == 1120
    assert usage(client, body(part(image, level="LOW"), part(image, level="HIGH")))["IMAGE"] == 1400


def test_h6_before_gemini_3_a_parts_level_counts_by_that_lines_table(client: TestClient) -> None:
    sent = body(part(images.make("png", 960, 540), level="LOW"))

    assert usage(client, sent, "gemini-2.5-flash")["IMAGE"] == 66


def test_h8_an_unknown_level_is_refused_by_name(client: TestClient) -> None:
    message = refusal(client, body(part(images.make("png"), level="HUGE")))

    assert "MEDIA_RESOLUTION_HUGE" in message
    assert message.endswith("@ contents[0].parts[0].media_resolution.level")


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-2.0-flash"])
@pytest.mark.parametrize(
    ("size", "tokens"), [((384, 384), 258), ((385, 384), 1032), ((960, 540), 1548), ((1920, 1080), 1548)]
)
def test_h9_h13_gemini_2_bills_by_tiles(
    client: TestClient, model: str, size: tuple[int, int], tokens: int
) -> None:
    assert usage(client, body(part(images.make("png", *size))), model)["IMAGE"] == tokens


@pytest.mark.parametrize("size", [(30, 20), (960, 540)])
def test_h10_gemini_2_low_and_medium_are_flat(client: TestClient, size: tuple[int, int]) -> None:
    image = part(images.make("png", *size))

    assert usage(client, body(image, level="LOW"), "gemini-2.5-flash")["IMAGE"] == 66
    assert usage(client, body(image, level="MEDIUM"), "gemini-2.5-flash")["IMAGE"] == 258


def test_num_tokens_is_an_exact_cap(serve: Any) -> None:
    client = serve(engine_usage=True)
    image = part(images.make("png", 1200, 900)) | {"mediaResolution": {"numTokens": 100}}

    answer = client.post("/v1beta/models/gemini-3-flash-preview:generateContent", json=body(image)).json()

    assert {"modality": "IMAGE", "tokenCount": 100} in answer["usageMetadata"]["promptTokensDetails"]
    assert 97 <= answer["usageMetadata"]["engineUsage"]["mediaTokenCount"] <= 100


def test_h15_tokens_are_those_of_the_displayed_size(client: TestClient) -> None:
    turned = images.make_turned("jpeg", 6, 400, 800)

    assert usage(client, body(part(turned, "image/jpeg")), "gemini-1.5-pro")["IMAGE"] == 258 * 2 * 4


def test_c5_the_order_of_text_and_image_does_not_matter(client: TestClient) -> None:
    image, text = part(images.make("png")), {"text": "Caption this image."}

    assert usage(client, {"contents": [{"parts": [image, text]}]}) == usage(
        client, {"contents": [{"parts": [text, image]}]}
    )


def test_h14_instructions_count_too(client: TestClient) -> None:
    sent = body(part(images.make("png")))

    more = usage(client, sent | {"systemInstruction": {"parts": [{"text": "Be brief and exact."}]}})

    assert more["TEXT"] > usage(client, sent)["TEXT"]


@pytest.mark.parametrize("name", images.FORMATS)
def test_every_format_is_answered_whatever_its_label_says(client: TestClient, name: str) -> None:
    data = images.make(name)

    assert usage(client, body(part(data, images.MIME_TYPES[name])))["IMAGE"] == 1120
    assert usage(client, body(part(data, "image/png")))["IMAGE"] == 1120


@pytest.mark.parametrize("name", images.FORMATS)
def test_a_truncated_file_of_every_type_is_refused(client: TestClient, name: str) -> None:
    whole = images.make(name, 400, 300)

    message = refusal(client, body(part(whole[: len(whole) * 2 // 3], images.MIME_TYPES[name])))

    assert "Unable to process input image" in message
    assert message.endswith("@ contents[0].parts[0].inline_data")


def test_a_bomb_is_refused_by_its_header(client: TestClient) -> None:
    bomb = images.black_png(16_000, 16_000)
    assert len(bomb) < 1_000_000

    for method in ("generateContent", "countTokens"):
        sent = body(part(bomb)) if method == "generateContent" else {"contents": body(part(bomb))["contents"]}
        message = refusal(client, sent, method)
        assert "16000" in message
        assert "--max-image-pixels" in message or "200000000" in message


def test_g1_bad_base64_is_refused_with_its_beginning(client: TestClient) -> None:
    message = refusal(client, body({"inlineData": {"mimeType": "image/png", "data": "!!!!"}}))

    assert "Base64 decoding failed" in message
    assert message.endswith("inline_data.data")


def test_g2_text_that_is_called_an_image_is_refused(client: TestClient) -> None:
    assert "Unable to process input image" in refusal(client, body(part(b"Dear Sir or Madam,", "image/png")))


@pytest.mark.parametrize("mime_type", ["application/zip", "application/msword", "model/gltf-binary"])
def test_g3_what_is_not_served_is_refused_by_its_type(client: TestClient, mime_type: str) -> None:
    assert f"Unsupported MIME type: {mime_type}" in refusal(client, body(part(b"PK\3\4", mime_type)))


@pytest.mark.parametrize("uri", ["gs://bucket/image.png", "ftp://host/image.png", "junk"])
def test_g4_other_schemes_are_refused(client: TestClient, uri: str) -> None:
    sent = body({"fileData": {"fileUri": uri, "mimeType": "image/png"}})

    assert f"Invalid or unsupported file uri: {uri}" in refusal(client, sent)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.169.254", "[::1]", "0x7f.1", "10.0.0.1"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_g5_private_addresses_are_refused(client: TestClient, scheme: str, host: str) -> None:
    sent = body({"fileData": {"fileUri": f"{scheme}://{host}:9/image.png", "mimeType": "image/png"}})

    assert "Cannot fetch content from the provided URL." in refusal(client, sent)


def test_an_allowed_host_is_fetched_from(serve: Any) -> None:
    data = images.make("png")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{site.server_port}"
        client = serve(fetch_allow=(host,))

        billed = usage(client, body({"fileData": {"fileUri": f"http://{host}/image.png"}}))

        site.shutdown()
    assert billed["IMAGE"] == 1120


def test_g6_too_many_images_are_refused(client: TestClient) -> None:
    image = part(images.encode(images.quarters(8, 8), "png"))

    assert "3600" in refusal(client, {"contents": [{"parts": [image] * 3601}]})


def test_g6_3600_small_images_are_let_through(client: TestClient) -> None:
    image = part(images.encode(images.quarters(8, 8), "png"))

    counted = client.post(
        "/v1beta/models/gemini-2.5-flash:countTokens", json={"contents": [{"parts": [image] * 3600}]}
    )

    assert counted.json().get("totalTokens") == 3600 * 258, counted.text[:300]


def test_bad_images_leave_no_memory_behind(client: TestClient) -> None:
    bad = [body(part(images.make(name, 400, 300)[:-200])) for name in images.FORMATS]
    bad.append(body(part(images.black_png(16_000, 16_000))))
    sent = [json.dumps(one).encode() for one in bad]

    def resident_mib() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    for one in sent * 2:
        client.post("/v1beta/models/gemini-3-flash-preview:generateContent", content=one)
    before = resident_mib()
    for one in sent * 10:
        client.post("/v1beta/models/gemini-3-flash-preview:generateContent", content=one)

    assert resident_mib() - before < 16
