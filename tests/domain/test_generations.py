"""Which line a model name belongs to."""

from __future__ import annotations

import pytest

from twinlens.domain.generations import family_of, generation_of


@pytest.mark.parametrize(
    ("model", "line"),
    [
        ("gemini-3-flash-preview", "gemini-3"),
        ("gemini-3-pro-preview", "gemini-3"),
        ("gemini-3.8-flash", "gemini-3"),
        ("gemini-4-pro", "gemini-3"),
        ("gemini-2.5-flash", "gemini-2.5"),
        ("gemini-2.5-flash-lite-preview-09-2025", "gemini-2.5"),
        ("gemini-2.0-flash-001", "gemini-2.0"),
        ("gemini-1.5-pro", "gemini-1.5"),
        ("gemini-1.0-pro", "gemini-1.5"),
        ("gemini-flash-latest", "gemini-3"),
        ("gemini-pro-latest", "gemini-3"),
        ("gemini-flash-lite-latest", "gemini-3"),
        ("gemini-4-neon", "gemini-3"),
        ("gemini-12.5-flash", "gemini-3"),
        ("gemini-omni-flash-preview", "gemini-3"),
        ("gemini-robotics-er-1.5-preview", "gemini-2.5"),
        ("gemini-robotics-er-1.6-preview", "gemini-3"),
        ("gemini-robotics-er-2-preview", "gemini-3"),
        ("gemini-exp-1206", "gemini-2.0"),
        ("gemini-pro", "gemini-1.5"),
        ("gemini-pro-vision", "gemini-1.5"),
        ("gemma-3-27b-it", "gemini-2.0"),
        ("gemma-3n-e4b-it", "gemini-2.0"),
        ("gemma-4-31b-it", "gemini-3"),
    ],
)
def test_the_line_is_read_off_the_name(model: str, line: str) -> None:
    found = generation_of(model)

    assert found is not None
    assert found.name == line


@pytest.mark.parametrize(
    ("model", "service"),
    [
        ("gemini-3.8-flash-lite-tts", "Speech synthesis"),
        ("gemini-2.5-flash-image", "Image generation"),
        ("gemini-2.0-flash-preview-image-generation", "Image generation"),
        ("gemini-nano-banana-2.1", "Image generation"),
        ("nano-banana-pro-preview", "Image generation"),
        ("gemini-live-2.5-flash-preview", "The Live API"),
        ("gemini-2.5-flash-native-audio-preview-09-2025", "The Live API"),
        ("gemini-3.5-transcribe", "The transcription service"),
        ("gemini-embedding-001", "Embedding"),
        ("text-embedding-004", "Embedding"),
    ],
)
def test_the_names_of_other_services_have_no_line(model: str, service: str) -> None:
    family = family_of(model)

    assert family is not None
    assert (family.service, generation_of(model)) == (service, None)


@pytest.mark.parametrize(
    "model",
    ["nope", "gemini", "gemini-flash", "gemma", "gpt-4", "gemini-2.5-", "gemini-3-Flash", "gemini-٣", ""],
)
def test_anything_else_is_no_line(model: str) -> None:
    assert generation_of(model) is None
