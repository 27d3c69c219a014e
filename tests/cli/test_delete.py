"""Deleting files by name: every name is tried."""

from __future__ import annotations

from typing import Any, cast

import pytest

from twinlens.cli.delete import delete_all
from twinlens.client.connection import Connection
from twinlens.client.errors import Refused


class Wire:
    """A connection to a server that knows some files."""

    def __init__(self, *known: str) -> None:
        self._known = set(known)

    def ask(self, method: str, path: str, **_: Any) -> object:
        name = path.removeprefix("/v1beta/")
        if method != "DELETE" or name not in self._known:
            raise Refused(403, f"You may not see {name}.", advice="Look at `twinlens files list`.")
        self._known.remove(name)
        return None

    def read(self, _: object) -> dict[str, object]:
        return {}


def delete(*names: str, known: tuple[str, ...]) -> int:
    return delete_all(cast("Connection", Wire(*known)), names)


def test_each_deleted_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert delete("files/one", "files/two", known=("files/one", "files/two")) == 0

    assert capsys.readouterr().err == "Deleted files/one.\nDeleted files/two.\n"


def test_a_name_that_is_refused_does_not_keep_the_next_from_being_tried(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert delete("files/no", "files/two", known=("files/two",)) == 1

    assert capsys.readouterr().err == (
        "Error: You may not see files/no. Look at `twinlens files list`.\nDeleted files/two.\n"
    )
