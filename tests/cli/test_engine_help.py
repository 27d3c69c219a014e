"""`twinlens serve --help-engine`, as a real process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import documented


def run(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "twinlens", "serve", *arguments],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        env=os.environ | ({"PYTHONPATH": str(path)} if path else {}),
    )


def test_an_engine_is_shown_with_its_options_and_the_flags_that_feed_them() -> None:
    shown = run("--help-engine", "builtin")

    assert shown.returncode == 0
    assert shown.stdout.startswith("builtin: Answers from facts read from the media")
    assert (
        "\n  processes  [a whole number from 1; unit: processes; default: 1; or --engine-processes]\n"
        "      Processes that look at images.\n" in shown.stdout
    )
    assert "\n  speech_model  [a path; default: none; or --speech-model]\n" in shown.stdout


def test_an_installed_engine_brings_its_own(tmp_path: Path) -> None:
    documented.install(tmp_path)

    shown = run("--help-engine", "ruler", path=tmp_path)

    assert shown.stdout == (
        "ruler: Measures images.\n\n"
        "Options, as --engine-option KEY=VALUE or as keys of an engines file:\n\n"
        "  unit  [one of: pixels, megapixels; default: pixels]\n"
        "      Unit of the sizes in answers.\n"
    )


def test_an_unknown_engine_is_answered_with_those_there_are() -> None:
    shown = run("--help-engine", "nope")

    assert shown.returncode == 2
    assert "There is no engine 'nope'; there are: builtin, script." in shown.stderr
    assert "Traceback" not in shown.stderr


def test_only_the_engines_own_module_is_loaded() -> None:
    code = (
        "import sys; from twinlens.cli import main;"
        "main(['serve', '--help-engine', 'script'], standalone_mode=False);"
        "print(*(m for m in ('cv2', 'onnxruntime', 'av', 'uvicorn', 'starlette') if m in sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == ""
