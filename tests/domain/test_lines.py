"""Which line a model name belongs to."""

from __future__ import annotations

import pytest

from twinlens.domain.lines import line_of


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
    ],
)
def test_the_line_is_read_off_the_name(model: str, line: str) -> None:
    found = line_of(model)

    assert found is not None
    assert found.name == line


@pytest.mark.parametrize("model", ["nope", "gemini", "gemini-flash", "gpt-4", "gemini-2.5-", ""])
def test_anything_else_is_no_line(model: str) -> None:
    assert line_of(model) is None
