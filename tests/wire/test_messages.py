from __future__ import annotations

import re
from pathlib import Path

from twinlens.wire import files, messages

MESSAGES = (*messages.MESSAGES, *files.MESSAGES)
PAGE = Path(__file__).parents[2] / "docs" / "api-coverage.md"


def tables() -> dict[str, list[tuple[str, str]]]:
    """Read the page: headings to rows of field and status."""
    found: dict[str, list[tuple[str, str]]] = {}
    for section in PAGE.read_text().split("\n### ")[1:]:
        heading, _, rest = section.partition("\n")
        found[heading] = re.findall(r"^\| `(\w+)` \| ([\w ]+) \|", rest, re.MULTILINE)
    return found


def test_every_field_of_every_message_has_its_row_in_the_coverage_page() -> None:
    page = tables()

    for message in MESSAGES:
        fields = [(one.name, one.status) for one in message.fields]
        assert page[message.name] == fields, f"docs/api-coverage.md, {message.name}"


def test_no_message_is_told_twice() -> None:
    names = [message.name for message in MESSAGES]

    assert len(names) == len(set(names))
