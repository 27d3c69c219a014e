from __future__ import annotations

import json
from typing import Any

import pytest

from twinlens.domain.errors import InvalidArgument
from twinlens.domain.generations import LINES
from twinlens.wire.models import ModelEntry, write_model, write_models

ENTRIES = [ModelEntry(f"gemini-3-{index}", LINES["gemini-3"]) for index in range(1200)]


def page(*query: str | None) -> dict[str, Any]:
    out: dict[str, Any] = json.loads(write_models(ENTRIES, *query))
    return out


def test_b1_a_model_tells_its_line_s_limits() -> None:
    entry = ModelEntry("gemini-2.5-flash", LINES["gemini-2.5"], "Flash", "Answers.")

    assert json.loads(write_model(entry)) == {
        "name": "models/gemini-2.5-flash",
        "baseModelId": "gemini-2.5-flash",
        "version": "001",
        "displayName": "Flash",
        "description": "Answers.",
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
        "thinking": True,
    }


def test_an_engine_that_does_not_think_is_listed_so() -> None:
    assert "thinking" not in json.loads(write_model(ModelEntry("m", LINES["gemini-3"], thinks=False)))


def test_b2_pages_lead_through_all_models_once() -> None:
    names: list[str] = []
    token = None
    while True:
        found = page("7", token)
        names += [model["name"] for model in found["models"]]
        token = found.get("nextPageToken")
        if token is None:
            break

    assert names == [f"models/{entry.name}" for entry in ENTRIES]


@pytest.mark.parametrize(("size", "found"), [(None, 50), ("", 50), ("0", 50), ("1", 1), ("99999", 1000)])
def test_the_page_size_has_a_default_and_a_bound(size: str | None, found: int) -> None:
    assert len(page(size)["models"]) == found


def test_no_models_make_an_empty_list() -> None:
    assert write_models([]) == b"{}"


@pytest.mark.parametrize("token", ["nonsense", "!!", "Z2VtaW5pLTMtOTk5OTk", "é"])
def test_an_unknown_page_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^Invalid page token\.$"):
        page(None, token)


@pytest.mark.parametrize("size", ["abc", "-1", "1.5", "²", "9" * 5000])
def test_a_page_size_that_is_no_count_is_refused(size: str) -> None:
    with pytest.raises(InvalidArgument, match="Invalid value at 'page_size'"):
        page(size)
