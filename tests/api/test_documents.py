"""PDFs and text files from the wire to the engine: what they cost, and what the caller is told."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

import api_requests
import clips
from api_requests import Fields, count

G25, G3 = (f"/v1beta/models/gemini-{name}" for name in ("2.5-flash", "3-pro-preview"))
PDF = "application/pdf"


def part(data: bytes, mime_type: str = PDF, **fields: Any) -> Fields:
    return api_requests.part(data, mime_type, **fields)


def refusal(client: TestClient, model: str, asked: Fields) -> Fields:
    error = api_requests.refusal(client, model, asked)
    assert api_requests.field_of(error).startswith("contents[0].parts[0]")
    return error


@pytest.mark.parametrize(
    ("model", "config", "tokens"),
    [
        (G3, {}, {"IMAGE": 1680}),
        (G3, {"mediaResolution": "MEDIA_RESOLUTION_LOW"}, {"IMAGE": 840}),
        (G3, {"mediaResolution": "MEDIA_RESOLUTION_MEDIUM"}, {"IMAGE": 1680}),
        (G3, {"mediaResolution": "MEDIA_RESOLUTION_HIGH"}, {"IMAGE": 3360}),
        (G25, {}, {"DOCUMENT": 774}),
        (G25, {"mediaResolution": "MEDIA_RESOLUTION_LOW"}, {"DOCUMENT": 198}),
    ],
)
def test_h12_pages_cost_what_the_documents_say(
    client: TestClient, model: str, config: Fields, tokens: dict[str, int]
) -> None:
    assert count(client, model, part(clips.pdf(3)), **config) == tokens


def test_h7_ultra_high_is_not_for_documents(client: TestClient) -> None:
    level = {"level": "MEDIA_RESOLUTION_ULTRA_HIGH"}

    error = refusal(client, G3, part(clips.pdf(), mediaResolution=level))

    assert "only supported for image parts" in error["message"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"plain text", "The document has no pages."),
        (clips.pdf(0), "The document has no pages."),
        (clips.pdf(1001), "The document contains 1001 pages which exceeds the supported page limit of 1000."),
        (clips.pdf(locked=True), "The document is protected by a password."),
        (clips.pdf()[:200], "The PDF data is damaged or incomplete."),
    ],
    ids=["no PDF", "no pages", "1001 pages", "locked", "damaged"],
)
def test_g9_what_cannot_be_read_is_refused(client: TestClient, data: bytes, message: str) -> None:
    assert message in refusal(client, G3, part(data))["message"]


def test_a_thousand_pages_are_read(client: TestClient) -> None:
    assert count(client, G3, part(clips.pdf(1000))) == {"IMAGE": 560_000}


@pytest.mark.parametrize(
    ("mime_type", "text"),
    [
        ("text/plain", "Twelve characters make three tokens."),
        ("text/csv", "name,age\nAda,36\n"),
        ("text/markdown", "# Title\n\nText."),
        ("text/html", "<p>Text.</p>"),
        ("application/json", '{"a": 1}'),
        ("text/xml", "<a>Text.</a>"),
        ("application/xml", "<a>Text.</a>"),
        ("text/x-python", "print()"),
        ("text/plain; charset=latin-1", "caf\xe9"),
    ],
)
def test_text_files_cost_what_their_text_costs(client: TestClient, mime_type: str, text: str) -> None:
    encoded = text.encode("latin-1")

    assert count(client, G3, part(encoded, mime_type)) == {"TEXT": -(-len(text) // 4)}


def test_rich_text_costs_what_it_says(client: TestClient) -> None:
    rich = rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\f0\fs24 Plain words.\par}"

    assert count(client, G3, part(rich, "text/rtf"))["TEXT"] in (3, 4)


def test_binary_data_is_no_text(client: TestClient) -> None:
    assert (
        "labelled text/plain but looks like"
        in refusal(client, G3, part(clips.video(), "text/plain"))["message"]
    )


@pytest.mark.parametrize("mime_type", ["application/zip", "application/msword", "model/gltf", "font/woff"])
def test_g3_other_types_are_refused_by_name(client: TestClient, mime_type: str) -> None:
    assert (
        refusal(client, G3, part(b"PK\x03\x04", mime_type))["message"]
        == f"Unsupported MIME type: {mime_type}"
    )
