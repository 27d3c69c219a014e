"""The locks are what pyproject.toml says: whole, by hash, the same for everyone."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKED_EXTRAS = ("youtube", "speech")
PINNED_APART = ("genai2",)
"""Groups that stand in no environment of ours, but in a folder beside it."""


def pins(lock: Path) -> dict[str, list[str]]:
    """Read the pins of a lock by the name of the package; one has several where they differ by markers."""
    found: dict[str, list[str]] = {}
    for name, pin in re.findall(r"^([\w.-]+)(==[^\\]+)", lock.read_text(), re.MULTILINE):
        found.setdefault(canonicalize_name(name), []).append(pin.strip())
    return found


def direct() -> Iterable[Requirement]:
    """List what pyproject.toml asks for: the core, the locked extras and what develops them."""
    groups = PROJECT["dependency-groups"]
    written = [
        *PROJECT["build-system"]["requires"],
        *PROJECT["project"]["dependencies"],
        *(line for extra in LOCKED_EXTRAS for line in PROJECT["project"]["optional-dependencies"][extra]),
        *(line for name, group in groups.items() if name not in PINNED_APART for line in group),
    ]
    return [Requirement(line) for line in written if isinstance(line, str)]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_names_bytes_and_no_places(lock: Path) -> None:
    text = lock.read_text()

    blocks = re.split(r"^(?=\w)", text, flags=re.MULTILINE)[1:]
    assert all("==" in block and "--hash=sha256:" in block for block in blocks)
    assert not re.search(r"://|--(?:extra-)?index-url|--find-links|(?<!\w)/\w", text)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_torch_stands_in_no_lock(lock: Path) -> None:
    assert not {"torch", "torchvision", "torchaudio", "triton"} & set(pins(lock))


@pytest.mark.parametrize("name", ["lock.txt", "lowest.txt"])
def test_what_the_project_asks_for_is_locked_within_its_bounds(name: str) -> None:
    locked = pins(ROOT / "requirements" / name)

    for wanted in direct():
        versions = [pin.partition(";")[0].strip("= ") for pin in locked[canonicalize_name(wanted.name)]]
        assert all(wanted.specifier.contains(version) for version in versions), f"{wanted}: run `make lock`"


@pytest.mark.parametrize("part", ["build.txt", "demo.txt"])
def test_a_part_is_of_one_piece_with_the_whole(part: str) -> None:
    whole = pins(ROOT / "requirements" / "lock.txt")

    for name, versions in pins(ROOT / "requirements" / part).items():
        exact = [{pin.partition(";")[0].strip() for pin in found} for found in (versions, whole[name])]
        assert exact[0] == exact[1], f"{name}: run `make lock`"


def test_the_javascript_clients_are_locked_without_addresses() -> None:
    folder = ROOT / "tests" / "sdk" / "js"
    wanted = json.loads((folder / "package.json").read_text())["dependencies"]
    lock = json.loads((folder / "package-lock.json").read_text())

    assert lock["packages"][""]["dependencies"] == wanted
    for name, package in lock["packages"].items():
        assert "resolved" not in package, name
        assert not name or package["integrity"].startswith("sha512-"), name
