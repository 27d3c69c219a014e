"""What pictures cost, and what is refused, through Google's Python client; row numbers as in its sibling."""

from __future__ import annotations

import enum
import io
import json
from pathlib import Path
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from PIL import Image, ImageDraw, ImageFont

G3 = "gemini-3-flash-preview"
G25 = "gemini-2.5-flash"
LEVELS = types.PartMediaResolutionLevel


def ask(
    client: genai.Client, *said: types.PartUnionDict, model: str = G3, **config: Any
) -> types.GenerateContentResponse:
    """Ask one question; the config's fields are given by name."""
    return client.models.generate_content(
        model=model, contents=list(said), config=types.GenerateContentConfig(**config)
    )


def tokens(response: types.GenerateContentResponse) -> dict[str, int]:
    """Give the prompt's tokens by modality."""
    assert response.usage_metadata is not None
    details = response.usage_metadata.prompt_tokens_details or []
    return {str(d.modality and d.modality.value): d.token_count or 0 for d in details}


def part(path: Path, level: LEVELS | None = None) -> types.Part:
    """Read a JPEG as an inline part."""
    return types.Part.from_bytes(data=path.read_bytes(), mime_type="image/jpeg", media_resolution=level)


def blank(width: int, height: int) -> types.Part:
    """Make an empty picture of a size."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, "PNG")
    return types.Part.from_bytes(data=out.getvalue(), mime_type="image/png")


def linked(uri: str) -> types.Part:
    return types.Part.from_uri(file_uri=uri, mime_type="image/png")


@pytest.fixture
def photo(pictures: Path) -> types.Part:
    return part(pictures / "photo.jpg")


class TestTokens:
    @pytest.mark.parametrize(
        ("level", "expected"), [("UNSPECIFIED", 1120), ("LOW", 280), ("MEDIUM", 560), ("HIGH", 1120)]
    )
    def test_h1_the_global_resolution_decides_the_tokens(
        self, level: str, expected: int, scripted: genai.Client, photo: types.Part
    ) -> None:
        response = ask(scripted, photo, "Hello", media_resolution=f"MEDIA_RESOLUTION_{level}")

        assert tokens(response)["IMAGE"] == expected

    @pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
    def test_h2_and_h5_a_part_may_be_ultra_high_on_every_version(
        self, version: str, script_server: str, pictures: Path
    ) -> None:
        ultra = part(pictures / "photo.jpg", LEVELS.MEDIA_RESOLUTION_ULTRA_HIGH)
        options = types.HttpOptions(base_url=script_server, api_version=version)

        with genai.Client(api_key="any", http_options=options) as client:
            response = ask(client, "Describe these images:", ultra, model="gemini-3-pro-preview")

        assert tokens(response)["IMAGE"] == 2240

    def test_h3_the_global_resolution_may_not_be_ultra_high(
        self, scripted: genai.Client, photo: types.Part
    ) -> None:
        body = {"generationConfig": {"mediaResolution": "MEDIA_RESOLUTION_ULTRA_HIGH"}}

        with pytest.raises(errors.ClientError, match="media_resolution") as caught:
            ask(scripted, photo, "Hello", http_options={"extra_body": body})

        assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")

    def test_h4_a_parts_own_resolution_wins(self, scripted: genai.Client, pictures: Path) -> None:
        high = part(pictures / "photo.jpg", LEVELS.MEDIA_RESOLUTION_HIGH)
        other = part(pictures / "photo.jpg")

        response = ask(scripted, high, other, "Hello", media_resolution="MEDIA_RESOLUTION_LOW")

        assert tokens(response)["IMAGE"] == 1120 + 280

    def test_h6_a_parts_resolution_is_accepted_before_gemini_3(
        self, scripted: genai.Client, pictures: Path
    ) -> None:
        low = part(pictures / "photo.jpg", LEVELS.MEDIA_RESOLUTION_LOW)

        assert tokens(ask(scripted, low, "Hello", model=G25))["IMAGE"] == 66

    @pytest.mark.parametrize(
        ("size", "expected"),
        [((384, 384), 258), ((385, 384), 1032), ((960, 540), 1548), ((1920, 1080), 1548)],
    )
    def test_h9_gemini_2_5_counts_tiles(
        self, size: tuple[int, int], expected: int, scripted: genai.Client
    ) -> None:
        assert tokens(ask(scripted, blank(*size), "Hello", model=G25))["IMAGE"] == expected

    @pytest.mark.parametrize(("level", "expected"), [("LOW", 66), ("MEDIUM", 258)])
    def test_h10_gemini_2_5_counts_no_tiles_below_high(
        self, level: str, expected: int, scripted: genai.Client
    ) -> None:
        resolution = f"MEDIA_RESOLUTION_{level}"

        response = ask(scripted, blank(960, 540), "Hello", model=G25, media_resolution=resolution)

        assert tokens(response)["IMAGE"] == expected

    def test_h11_gemini_3_does_not_look_at_the_size(self, scripted: genai.Client) -> None:
        small, large = ask(scripted, blank(64, 64), "Hello"), ask(scripted, blank(3000, 3000), "Hello")

        assert tokens(small) == tokens(large)

    @pytest.mark.parametrize("model", [G3, G25])
    def test_h13_counting_gives_what_is_billed(
        self, model: str, scripted: genai.Client, photo: types.Part
    ) -> None:
        contents: list[types.PartUnionDict] = [photo, blank(960, 540), "Describe these."]

        counted = scripted.models.count_tokens(model=model, contents=contents)

        billed = ask(scripted, *contents, model=model).usage_metadata
        assert billed is not None
        assert counted.total_tokens == billed.prompt_token_count

    def test_h15_a_turned_picture_counts_as_it_is_shown(self, client: genai.Client, pictures: Path) -> None:
        turned = part(pictures / "turned.jpg")

        upright, shown = (
            json.loads(
                ask(client, picture, "Detect faces.", response_mime_type="application/json").text or ""
            )[0]["box_2d"]
            for picture in (part(pictures / "photo.jpg"), turned)
        )

        assert all(abs(a - b) < 30 for a, b in zip(upright, shown, strict=True))

    def test_low_resolution_reads_less_than_high(self, client: genai.Client) -> None:
        words = set(SMALL_PRINT.split())

        low, high = (
            ask(client, small_print(), "What does the text say?", media_resolution=level).text or ""
            for level in ("MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_HIGH")
        )

        assert len(words & set(high.split())) > len(words & set(low.split()))


SMALL_PRINT = "quarterly revenue forecast margin outlook supplier contract warehouse"


def small_print() -> Image.Image:
    """Draw words that are large enough for HIGH, and too small for LOW, on a wide empty page."""
    page = Image.new("RGB", (1240, 880), "white")
    ImageDraw.Draw(page).text((60, 60), SMALL_PRINT, fill="black", font=ImageFont.load_default(10))
    return page


def inline(data: bytes, mime_type: str) -> types.Part:
    return types.Part.from_bytes(data=data, mime_type=mime_type)


class TestKeys:
    def test_a4_a_wrong_key_names_its_reason(self, keyed_server: str) -> None:
        with (
            genai.Client(api_key="wrong", http_options={"base_url": keyed_server}) as client,
            pytest.raises(errors.ClientError, match="API key not valid") as caught,
        ):
            ask(client, "Hello")

        assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")
        assert caught.value.details["error"]["details"][0]["reason"] == "API_KEY_INVALID"

    def test_a_key_does_not_see_the_files_of_another(self, keyed_server: str, pictures: Path) -> None:
        options = types.HttpOptions(base_url=keyed_server)

        with (
            genai.Client(api_key="first", http_options=options) as first,
            genai.Client(api_key="second", http_options=options) as second,
        ):
            file = first.files.upload(file=pictures / "note.png")
            assert ask(first, file, "Hello").text
            with pytest.raises(errors.ClientError) as caught:
                ask(second, file, "Hello")
            assert file.name not in [other.name for other in second.files.list()]

        assert (caught.value.code, caught.value.status) == (403, "PERMISSION_DENIED")


class Season(enum.Enum):
    SUMMER = "summer"
    WINTER = "winter"


NAMED_WRONG = types.Content(role="assistant", parts=[types.Part(text="Hello")])
SHARES_KNOBS = {"thinking_budget": 1, "thinking_level": "LOW"}
NO_CATEGORY = {"safetySettings": [{"category": "HARM_CATEGORY_FOO", "threshold": "BLOCK_NONE"}]}


class TestErrors:
    @pytest.mark.parametrize(
        "model",
        ["nope", "google/gemini-2.5-flash", "publishers/google/models/gemini-2.5-flash", "tunedModels/x"],
    )
    def test_b5_and_b6_a_model_elsewhere_is_not_found(self, model: str, scripted: genai.Client) -> None:
        with pytest.raises(errors.ClientError) as caught:
            ask(scripted, "Hello", model=model)

        assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")

    def test_b5_the_version_asked_for_is_named(self, script_server: str) -> None:
        options = types.HttpOptions(base_url=script_server, api_version="v1alpha")

        with (
            genai.Client(api_key="any", http_options=options) as client,
            pytest.raises(errors.ClientError, match="is not found for API version v1alpha"),
        ):
            ask(client, "Hello", model="nope")

    @pytest.mark.parametrize(
        ("contents", "message"),
        [
            pytest.param(NAMED_WRONG, "valid role", id="C4"),
            pytest.param(types.Part(), "data", id="C8"),
            pytest.param(inline(b"not a picture", "image/png"), "image", id="G2"),
            pytest.param(inline(b"PK", "application/zip"), "Unsupported MIME type", id="G3"),
            pytest.param(linked("gs://a/b.png"), "Invalid or unsupported file uri", id="G4"),
            pytest.param(linked("https://127.0.0.1/b.png"), "Cannot fetch content", id="G5 loopback"),
            pytest.param(linked("https://169.254.169.254/b.png"), "Cannot fetch content", id="G5 metadata"),
        ],
    )
    def test_wrong_contents_are_refused(self, contents: Any, message: str, scripted: genai.Client) -> None:
        with pytest.raises(errors.ClientError, match=message) as caught:
            scripted.models.generate_content(model=G3, contents=contents)

        assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")

    @pytest.mark.parametrize(
        ("config", "message"),
        [
            pytest.param({"http_options": {"extra_body": {"foo": 1}}}, 'Unknown name "foo"', id="A9"),
            pytest.param({"max_output_tokens": 0}, "max_output_tokens", id="C11 output"),
            pytest.param({"candidate_count": 0}, "candidate_count", id="C11 candidates"),
            pytest.param({"temperature": 5.0}, "temperature", id="C11 temperature"),
            pytest.param({"logprobs": 2}, "response_logprobs is true", id="C15"),
            pytest.param({"response_modalities": ["AUDIO"]}, "Multi-modal output", id="C16"),
            pytest.param({"thinking_config": SHARES_KNOBS}, "only one of thinking budget", id="C19"),
            pytest.param({"http_options": {"extra_body": NO_CATEGORY}}, "category", id="C21"),
            pytest.param(
                {"response_mime_type": "text/x.enum", "response_schema": list[Season]}, "enum", id="D4"
            ),
        ],
    )
    def test_a_wrong_setting_is_refused(
        self, config: dict[str, Any], message: str, scripted: genai.Client
    ) -> None:
        with pytest.raises(errors.ClientError, match=message) as caught:
            ask(scripted, "Hello", **config)

        assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")

    def test_g6_more_than_3600_pictures_are_refused(self, scripted: genai.Client) -> None:
        with pytest.raises(errors.ClientError, match="3600"):
            ask(scripted, *[blank(1, 1)] * 3601)

    def test_g6_3600_pictures_are_accepted(self, scripted: genai.Client) -> None:
        contents: list[types.PartUnionDict] = [blank(1, 1)] * 3600

        assert scripted.models.count_tokens(model=G25, contents=contents).total_tokens == 3600 * 258

    def test_an_exhausted_quota_is_a_client_error(self, scripted: genai.Client) -> None:
        with pytest.raises(errors.ClientError) as caught:
            ask(scripted, "too much")

        assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")

    def test_an_overloaded_engine_is_a_server_error(self, scripted: genai.Client) -> None:
        with pytest.raises(errors.ServerError) as caught:
            ask(scripted, "overloaded")

        assert (caught.value.code, caught.value.status) == (503, "UNAVAILABLE")
