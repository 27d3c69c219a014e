"""`kill -9` at any moment: what was acknowledged is there after the restart, and nothing else is left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crash.lives import Lives
from crash.serving import Server, wait_until_gone

KILLS = int(os.environ.get("TWINLENS_TEST_KILLS", "60"))


@pytest.mark.parametrize("lanes", [1, 4], ids=["one client", "four clients"])
def test_what_was_acknowledged_survives_any_kill(lanes: int, tmp_path: Path) -> None:
    data = tmp_path / "data"

    Lives(lambda: Server(data, tmp_path), data, lanes).run(KILLS // 2)

    assert wait_until_gone(tmp_path) == set()
