"""Golden pairs: what is sent and what it means, what is answered and how it is written.

A pair is one JSON file. Domain values are written as objects with their class under `is`; fields
that hold their default are left out.
"""

from __future__ import annotations

import base64
import json
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from twinlens.domain import answer, engine
from twinlens.domain.errors import TwinlensError
from twinlens.domain.generations import generation_of
from twinlens.domain.media import Modality
from twinlens.wire import gemini, status

GOLDEN = Path(__file__).parents[1] / "golden"
MODEL = "gemini-3-flash-preview"
READERS = {"generateContent": gemini.read_generate, "countTokens": gemini.read_count}
CLASSES: dict[str, Any] = {
    one.__name__: one
    for one in (
        *(answer.Answer, answer.Candidate),
        *(engine.Text, engine.Thought, engine.FunctionCall, engine.Blocked, engine.Finished),
    )
}


def pairs(folder: str) -> list[Any]:
    return [pytest.param(path, id=path.stem) for path in sorted((GOLDEN / folder).glob("*.json"))]


@pytest.mark.parametrize("path", pairs("requests"))
def test_a_request_means_what_its_golden_pair_says(path: Path) -> None:
    pair = json.loads(path.read_text())
    body = pair["body"] if "body" in pair else json.dumps(pair["request"])
    line = generation_of(MODEL)
    assert line is not None

    try:
        read = {"expect": shown(READERS[pair["method"]](body.encode(), MODEL, line))}
    except TwinlensError as error:
        read = {"error": json.loads(status.write_error(error))["error"]}

    assert read == {key: pair[key] for key in ("expect", "error") if key in pair}


@pytest.mark.parametrize("path", pairs("responses"))
def test_an_answer_is_written_as_its_golden_pair_says(path: Path) -> None:
    pair = json.loads(path.read_text())
    whole = built(pair["answer"])
    head = gemini.ResponseHead(MODEL, "some-id", engine_usage=pair.get("engine_usage", False))

    written = gemini.write_answer(whole, head)

    # Order counts: it is part of what a reader of the raw stream sees.
    assert written.decode() == json.dumps(pair["response"], separators=(",", ":"), ensure_ascii=False)


def shown(value: Any) -> Any:
    """Show a domain value as JSON."""
    if is_dataclass(value):
        out: dict[str, Any] = {"is": type(value).__name__}
        for field in fields(value):
            default = field.default_factory() if field.default_factory is not MISSING else field.default
            if getattr(value, field.name) != default:
                out[field.name] = shown(getattr(value, field.name))
        return out
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, tuple | list):
        return [shown(item) for item in value]
    return value


def built(value: Any) -> Any:
    """Build a domain value from its JSON."""
    if isinstance(value, list):
        return tuple(built(item) for item in value)
    if not isinstance(value, dict):
        return value
    members = {key: built(item) for key, item in value.items() if key != "is"}
    if value.get("is") == "Usage":
        prompt = {Modality(name): count for name, count in value["prompt"].items()}
        return engine.Usage(**(members | {"prompt": prompt}))
    return CLASSES[value["is"]](**members) if "is" in value else members
