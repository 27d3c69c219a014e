"""What the documents say, the program has; what the program has, the documents say."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import clips
import images
from twinlens import __version__
from twinlens.cli.units import UNITS
from twinlens.domain.generations import FAMILIES, family_of
from twinlens.engines.registry import ENGINES
from twinlens.engines.router import CATALOGUE
from twinlens.settings import KNOBS, env, flag

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
NOTICE = ("Winter opening hours", "The library closes at seven")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md")])


def test_every_setting_has_its_heading_and_its_variable() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()

    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [flag(knob.name) for knob in KNOBS]
    for knob in KNOBS:
        assert f"{knob.metadata['help']}\n\nVariable `{env(knob.name)}`" in text


def test_every_amount_stands_there_as_help_writes_it() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()

    for knob in KNOBS:
        if unit := UNITS.get(knob.metadata["unit"]):
            default: Any = knob.default
            assert f"Variable `{env(knob.name)}`; default `{unit.write(default)}`.\n" in text


def test_the_tests_that_the_page_on_security_names_exist() -> None:
    text = (ROOT / "docs" / "security.md").read_text()

    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text)
    assert len(named) > 30
    for path, name in named:
        assert f"def {name}(" in (ROOT / path).read_text() if name else (ROOT / path).exists(), (path, name)


def test_every_engine_has_its_heading() -> None:
    headings = re.findall(r"^## `?(\w+)`?", (ROOT / "docs" / "engines.md").read_text(), re.MULTILINE)

    assert set(ENGINES) <= set(headings)


def test_the_table_of_model_names_is_the_programs() -> None:
    text = (ROOT / "docs" / "models.md").read_text()

    rows = re.findall(r"^\| `([^`]+)` \| (?:`([^`]+)`|none: (.+?)) \| (.+) \|$", text, re.MULTILINE)
    assert [(form, line, service) for form, line, service, _ in rows] == [
        (family.form, family.line or "", family.service[:1].lower() + family.service[1:])
        for family in FAMILIES
    ]
    for family, (*_, examples) in zip(FAMILIES, rows, strict=True):
        assert {family_of(name) for name in re.findall("`([^`]+)`", examples)} == {family}


def test_the_listed_models_are_the_programs() -> None:
    text = (ROOT / "docs" / "models.md").read_text()

    assert text.partition("```\n")[2].partition("\n```")[0].splitlines() == list(CATALOGUE)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Run a server as the README says, but on a free port; give its address."""
    command = [sys.executable, "-m", "twinlens", "serve", "--port", "0", "--data-dir", str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().rpartition(" ")[2].strip()
        finally:
            server.terminate()


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def test_the_readmes_samples_run_as_they_are(tmp_path: Path, address: str) -> None:
    python, shell = (
        re.search(rf"```{kind}\n(.+?)```", README, re.DOTALL)[1].replace("http://127.0.0.1:8080", address)  # type: ignore[index]
        for kind in ("python", "sh")
    )
    (tmp_path / "photo.jpg").write_bytes(images.make("jpeg"))

    asked, curled = run([sys.executable, "-c", python], tmp_path), run(["sh", "-c", shell], tmp_path)

    assert asked.stdout.strip() == "No readable text was found.", asked.stderr
    assert "Hello. This is twinlens" in curled.stdout or shutil.which("curl") is None


def test_the_samples_about_interactions_print_what_stands_below_them(tmp_path: Path, address: str) -> None:
    page = (ROOT / "docs" / "interactions.md").read_text()
    code, printed = (
        "\n".join(re.findall(rf"```{kind}\n(.+?)```", page, re.DOTALL)) for kind in ("python", "text")
    )
    (tmp_path / "notice.png").write_bytes(images.encode(images.notice(*NOTICE), "png"))
    (tmp_path / "clip.mp4").write_bytes(clips.video(seconds=4))

    done = run([sys.executable, "-c", code.replace("http://127.0.0.1:8080", address)], tmp_path)

    assert done.stdout.split() == printed.split(), done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_version_is_in_the_changelog_or_unreleased() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()

    assert f"## [{__version__}]" in changelog or "## [Unreleased]" in changelog
