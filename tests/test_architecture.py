"""ARCHITECTURE.md says who may import whom; the source must agree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "twinlens"
DOCUMENT = (ROOT / "ARCHITECTURE.md").read_text()
MODULES = sorted(SOURCE.rglob("*.py"))
MAY_IMPORT_LATE = {
    "cli": "a command loads what it needs when it is called",
    "engines/registry.py": "an engine is loaded when it is picked",
    "engines/builtin/sound/transcript.py": "transcription is an extra",
}
"""Where an import may stand in a function, and why. Elsewhere it would hide a cycle."""


def table(head: str) -> dict[str, set[str]]:
    """Read a two-column table of names out of the document."""
    rows = DOCUMENT.split(head, 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {left: set(re.findall(r"\w+", right)) for left, right in cells}


ALLOWED = table("| package | may import |")
OWNERS = {
    library: owners
    for libraries, owners in table("| library | owner |").items()
    for library in libraries.split(", ")
}


def package_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Give every imported module by its absolute name, those inside functions too."""
    package = ("twinlens", *path.relative_to(SOURCE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            stem = ".".join((*base, *filter(None, [node.module])))
            yield from (f"{stem}.{alias.name}" for alias in node.names)


def module_of(path: Path) -> str:
    parts = ("twinlens", *path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {module_of(path) for path in MODULES}


def own_modules(path: Path) -> Iterator[str]:
    """Give the modules of twinlens that a module imports when it is loaded, without the packages above it."""
    for name in imports(path):
        module = name if name in NAMES else name.rpartition(".")[0]
        if module in NAMES and not f"{module_of(path)}.".startswith(f"{module}."):
            yield module


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_module_imports_only_what_the_table_allows(path: Path) -> None:
    package = package_of(path)
    if package in ("__init__", "__main__"):
        return

    for name in imports(path):
        parts = name.split(".")
        if (
            parts[0] == "twinlens"
            and len(parts) > 1
            and (SOURCE / parts[1]).exists() | (SOURCE / f"{parts[1]}.py").exists()
        ):
            allowed = ALLOWED[package] | {package}
            assert parts[1] in allowed, f"{package} imports {name}; it may import {sorted(allowed)}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_each_heavy_library_has_one_owner(path: Path) -> None:
    for name in imports(path):
        owners = OWNERS.get(name.split(".")[0])
        assert owners is None or package_of(path) in owners, (
            f"{path.name} imports {name}, which is {owners}'s"
        )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_stand_at_the_top(path: Path) -> None:
    name = str(path.relative_to(SOURCE))
    if name in MAY_IMPORT_LATE or name.split("/")[0] in MAY_IMPORT_LATE:
        return

    late = [
        ast.unparse(node)
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    assert not late, f"{name} has within functions: {late}"


DATABASE = SOURCE / "store" / "sqlite"
OPENS_DATABASE = SOURCE / "store" / "storage.py"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_the_database_is_known_to_its_own_folder_alone(path: Path) -> None:
    if path.is_relative_to(DATABASE):
        return

    names = list(imports(path))

    assert not [name for name in names if name.split(".")[0] == "sqlite3"]
    own = [name for name in names if f"{name}.".startswith("twinlens.store.sqlite.")]
    assert own == (["twinlens.store.sqlite.records.SqliteRecords"] if path == OPENS_DATABASE else [])


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {module_of(path): set(own_modules(path)) for path in MODULES}

    TopologicalSorter(graph).prepare()


def test_every_package_has_its_row() -> None:
    packages = {package_of(path) for path in MODULES} - {"__init__", "__main__"}

    assert packages == set(ALLOWED)


def test_every_file_the_document_names_exists() -> None:
    for name in re.findall(r"`((?:\w+/)+[\w.-]+\.\w+)`", DOCUMENT):
        assert (SOURCE / name).exists() or (ROOT / name).exists(), f"ARCHITECTURE.md names {name}"
