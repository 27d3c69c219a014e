"""What a process of ours starts with."""

from __future__ import annotations

import subprocess
import sys

import pytest

from twinlens.processes.environment import environment


def test_no_secret_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TWINLENS_API_KEY", "AWS_SECRET_ACCESS_KEY", "LANG"):
        monkeypatch.setenv(name, "secret")

    assert "secret" not in environment().values()
    assert environment("LANG")["LANG"] == "secret"


HUNGRY = """
from twinlens.processes.environment import limit_memory
limit_memory(64 << 20)
try:
    bytearray(256 << 20)
except MemoryError:
    print("no more", len(bytearray(16 << 20)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what is mapped")
def test_memory_ends_at_the_limit() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HUNGRY], env=environment(), capture_output=True, text=True, check=True
    )

    assert done.stdout == f"no more {16 << 20}\n"
