"""What is left out is named, and where that is asked for, it fails the run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SUITES = {
    "one test": 'import pytest\ndef test_a(): pytest.skip("no program at all")\ndef test_b(): pass\n',
    "a marked one": 'import pytest\n@pytest.mark.skipif(True, reason="no program")\ndef test_a(): pass\n',
    "a whole file": 'import pytest\npytest.skip("no program", allow_module_level=True)\n',
}


def run_of(folder: Path, suite: str, *lines: str) -> subprocess.CompletedProcess[str]:
    """Run a suite of one file under the conftest of this one, with a list of what may be left out."""
    (folder / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (folder / "test_it.py").write_text(f"def test_that_passes(): pass\n{suite}")
    (folder / "allowed.txt").write_text("".join(f"{line}\n" for line in ("# Reasons.", "", *lines)))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--allowed-skips",
        "allowed.txt",
        "-p",
        "no:cacheprovider",
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
def test_what_is_left_out_without_leave_fails_the_run(suite: str, tmp_path: Path) -> None:
    done = run_of(tmp_path, suite, "a reason of another kind")

    assert done.returncode != 0
    assert "LEFT OUT, and on no list: no program" in done.stdout
    assert " skipped" in done.stdout.splitlines()[-1]


@pytest.mark.parametrize("name", ["one test", "a marked one"])
def test_what_is_on_the_list_may_be_left_out(name: str, tmp_path: Path) -> None:
    done = run_of(tmp_path, SUITES[name], "no program")

    assert done.returncode == 0, done.stdout
    assert "LEFT OUT" not in done.stdout
