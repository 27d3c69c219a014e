"""What the documents say, the program has; what the program has, the documents say."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pictures
from twinlens import __version__
from twinlens.engines.registry import ENGINES
from twinlens.settings import KNOBS, env, flag

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md")])


def test_every_setting_has_its_heading_and_its_variable() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()

    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [flag(knob.name) for knob in KNOBS]
    for knob in KNOBS:
        assert f"{knob.metadata['help']}\n\nVariable `{env(knob.name)}`" in text


def test_every_engine_has_its_heading() -> None:
    headings = re.findall(r"^## `?(\w+)`?", (ROOT / "docs" / "engines.md").read_text(), re.MULTILINE)

    assert set(ENGINES) <= set(headings)


def test_the_readmes_samples_run_as_they_are(tmp_path: Path) -> None:
    python, shell = (re.search(rf"```{kind}\n(.+?)```", README, re.DOTALL)[1] for kind in ("python", "sh"))  # type: ignore[index]
    (tmp_path / "photo.jpg").write_bytes(pictures.make("jpeg"))
    command = [sys.executable, "-m", "twinlens", "serve", "--port", "0", "--data-dir", str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().rpartition(" ")[2].strip()
        try:
            asked, curled = (
                subprocess.run(
                    [*program, code.replace("http://127.0.0.1:8080", address)],
                    cwd=tmp_path,
                    capture_output=True,
                    text=True,
                    timeout=60,
                    check=False,
                )
                for program, code in (((sys.executable, "-c"), python), (("sh", "-c"), shell))
            )
        finally:
            server.terminate()

    assert asked.stdout.strip() == "No readable text was found.", asked.stderr
    assert "Hello. This is twinlens" in curled.stdout or shutil.which("curl") is None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_version_is_in_the_changelog_or_unreleased() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()

    assert f"## [{__version__}]" in changelog or "## [Unreleased]" in changelog
