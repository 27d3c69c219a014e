"""`kill -9` at any moment: what was acknowledged is there after the restart, and nothing else is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from crash.lengths import lengths
from crash.lives import Lives
from crash.serving import Server, wait_until_gone


@lengths("TWINLENS_TEST_KILLS", brief=30, long=500)
@pytest.mark.parametrize("lanes", [1, 4], ids=["one client", "four clients"])
def test_what_was_acknowledged_survives_any_kill(lanes: int, length: int, tmp_path: Path) -> None:
    data = tmp_path / "data"

    Lives(lambda: Server(data, tmp_path), data, lanes).run(length // 2)

    assert wait_until_gone(tmp_path) == set()
