"""The contents of an input: texts and media."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from twinlens.wire.interactions.reading import Create

VIDEO = {"type": "video", "uri": "files/film"}
PDF = {"type": "document", "uri": "files/paper"}


@pytest.mark.parametrize(
    "content",
    [
        {**VIDEO, "processing": "static"},
        {**VIDEO, "processing": {"type": "STATIC", "content_layers": ["audio", "frames"]}},
        {**PDF, "processing": {"type": "static", "page_options": {"start_page": 1}}},
        {"type": "text", "text": "Hi", "annotations": [{"anything": 1}]},
    ],
)
def test_what_asks_for_what_is_done_anyway_is_accepted(
    create: Callable[..., Create], content: dict[str, Any]
) -> None:
    create([content])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({**VIDEO, "processing": "agentic"}, 'agentic processing is not supported here, "static" is'),
        (
            {**VIDEO, "processing": {"type": "static", "content_layers": ["frames"]}},
            "a choice of layers is not supported, all are used: frames, audio",
        ),
        (
            {**PDF, "processing": {"type": "static", "page_options": {"start_page": 2}}},
            "a choice of pages is not supported, all pages are read",
        ),
        (
            {"type": "audio", "uri": "files/a", "processing": {"type": "static", "fps": 2}},
            "sound has no frames",
        ),
        ({"type": "image", "uri": "files/a", "resolution": "huge"}, "must be one of low, medium, high"),
    ],
)
def test_what_is_not_done_is_refused(refusal: Callable[..., str], content: dict[str, Any], why: str) -> None:
    assert why in refusal([content])
