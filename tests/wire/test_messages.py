from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from twinlens.domain.interaction import Status
from twinlens.wire import files, messages
from twinlens.wire.interactions import messages as interactions
from twinlens.wire.interactions.errors import CODES

GEMINI = (*messages.MESSAGES, *files.MESSAGES)
INTERACTIONS = interactions.MESSAGES
PAGE = Path(__file__).parents[2] / "docs" / "api-coverage.md"


def tables() -> dict[str, list[tuple[str, str]]]:
    """Read the page: headings to rows of name and second column."""
    found: dict[str, list[tuple[str, str]]] = {}
    for section in re.split(r"^##+ ", PAGE.read_text(), flags=re.MULTILINE)[1:]:
        heading, _, rest = section.partition("\n")
        assert heading not in found, f"docs/api-coverage.md, two parts are called {heading}"
        found[heading] = re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", rest, re.MULTILINE)
    return found


def test_every_field_of_every_message_has_its_row_in_the_coverage_page() -> None:
    page = tables()

    for message in GEMINI:
        fields = [(one.name, one.status) for one in message.fields]
        assert page[message.name] == fields, f"docs/api-coverage.md, {message.name}"


def test_every_field_of_an_interaction_has_its_row_by_its_name_in_snake_case() -> None:
    page = tables()

    for message in INTERACTIONS:
        fields = [(one.snake, one.status) for one in message.fields]
        assert page[message.name] == fields, f"docs/api-coverage.md, {message.name}"


def test_every_status_and_every_error_code_of_an_interaction_has_its_row() -> None:
    page = tables()

    assert {name for name, _ in page["Statuses"]} == set(get_args(Status))
    assert {name for name, _ in page["Interaction errors"]} == set(CODES.values())


def test_no_message_is_told_twice() -> None:
    names = [message.name for message in (*GEMINI, *INTERACTIONS)]

    assert len(names) == len(set(names))
