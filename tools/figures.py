"""Print the figures of the source: sizes, imports, test files, and ideas that stand in several places.

Run it with `python tools/figures.py`; `tests/test_figures.py` holds what has been reached.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).parent.parent
SOURCE, TESTS = ROOT / "src" / "twinlens", ROOT / "tests"
LATE = ("cli/", "engines/registry.py")
"""Where an import of our own may stand in a function: a command or an engine is loaded when it is picked."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """A source file, by its path from the package on."""

    name: str

    @cached_property
    def text(self) -> str:
        """What is written in it."""
        return (SOURCE / self.name).read_text()

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of its syntax tree."""
        return list(ast.walk(ast.parse(self.text)))

    @property
    def lines(self) -> int:
        """How long it is."""
        return self.text.count("\n")

    @property
    def functions(self) -> list[Function]:
        """Every function and method in it, nested ones too."""
        return [node for node in self.nodes if isinstance(node, Function)]

    @property
    def is_builtin(self) -> bool:
        """Whether it is of the built-in engine, which is counted apart."""
        return self.name.startswith("engines/builtin/")

    @property
    def is_tested(self) -> bool:
        """Whether there are tests of its name: in the folder of its own, or among those of contracts."""
        file = Path(f"test_{Path(self.name).name}")
        return any((TESTS / folder / file).exists() for folder in (Path(self.name).parent, "contract"))

    def imports(self, node: ast.AST) -> Iterator[str]:
        """Return the modules of ours that a node imports, by their paths."""
        if not isinstance(node, ast.ImportFrom) or not node.level:
            return
        base = (SOURCE / self.name).parents[node.level - 1].joinpath(*(node.module or "").split("."))
        for path in {base / alias.name for alias in node.names} | {base}:
            for file in (path.with_suffix(".py"), path / "__init__.py"):
                if file.is_file():
                    yield str(file.relative_to(SOURCE))


MODULES = [Module(str(path.relative_to(SOURCE))) for path in sorted(SOURCE.rglob("*.py"))]
BY_NAME = {module.name: module for module in MODULES}
NAMED = [module for module in MODULES if module.functions and not Path(module.name).name.startswith("__")]
"""Those that have code to test, and should have a test of their name; others only declare."""


def late_imports() -> list[str]:
    """List the imports of ours within functions, but where they may stand."""
    return [
        f"{module.name}:{inner.lineno}"
        for module in MODULES
        if not module.name.startswith(LATE)
        for function in module.functions
        for inner in ast.walk(function)
        if isinstance(inner, ast.ImportFrom) and any(module.imports(inner))
    ]


def length(function: Function) -> int:
    """Count the lines of a function."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def p95(values: Sequence[int]) -> float:
    """Return what 95 of a hundred values do not exceed."""
    return quantiles(values, n=20, method="inclusive")[-1]


def is_annotated(function: Function) -> bool:
    """Tell whether the types of all arguments and of the result are written."""
    names = function.args
    own = [*names.posonlyargs, *names.args, *names.kwonlyargs, *filter(None, [names.vararg, names.kwarg])]
    return function.returns is not None and all(
        each.annotation is not None or each.arg in ("self", "cls") for each in own
    )


def importers() -> Counter[str]:
    """Count for each module how many others import it."""
    pairs = {
        (module.name, found) for module in MODULES for node in module.nodes for found in module.imports(node)
    }
    return Counter(found for name, found in pairs if found != name)


@cache
def chain(name: str) -> tuple[str, ...]:
    """Return the longest chain of imports that begins at a module."""
    module = BY_NAME[name]
    following = {found for node in module.nodes for found in module.imports(node)}
    own = [found for found in following if found != name and not found.endswith("__init__.py")]
    return (name, *max(map(chain, own), key=len, default=()))


def calls(node: ast.AST, *names: str) -> bool:
    """Tell whether a node is a call of a function or method of one of these names."""
    called = node.func if isinstance(node, ast.Call) else None
    return getattr(called, "attr", getattr(called, "id", None)) in names


def holds(node: ast.AST, *names: str) -> bool:
    """Tell whether there is such a call anywhere in a node."""
    return any(calls(inner, *names) for inner in ast.walk(node))


def is_text(node: ast.AST, pattern: str) -> bool:
    """Tell whether a node is a string, or bytes, that a pattern matches all of."""
    value = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return isinstance(text, str) and re.fullmatch(pattern, text, re.DOTALL) is not None


TASK = ("create_task", "ensure_future")
WRITES = ("write", "pwrite", "preadv", "readv", "pread")
MEDIA_TYPE = r"(image|audio|video|text)/[a-z0-9.+-]+"

REPEATS: Mapping[str, Callable[[ast.AST], bool]] = {
    "single flight": lambda node: (
        isinstance(node, ast.Assign)
        and isinstance(node.targets[-1], ast.Subscript)
        and holds(node.value, *TASK)
    ),
    "bounded LRU": lambda node: calls(node, "move_to_end", "popitem", "LRUCache"),
    "small on the loop, large in a thread": lambda node: (
        isinstance(node, ast.IfExp) and holds(node, "off_loop", "run_in_executor")
    ),
    "read-ahead": lambda node: calls(node, *TASK) and holds(node, "anext", "_next"),
    "memfd, write-all, read-exactly": lambda node: (
        calls(node, "memfd_create") or (isinstance(node, ast.While) and holds(node, *WRITES))
    ),
    "media types": lambda node: (
        isinstance(node, ast.Dict | ast.Set | ast.Tuple | ast.List | ast.Assign)
        and len({ast.unparse(inner) for inner in ast.walk(node) if is_text(inner, MEDIA_TYPE)}) >= 3
    ),
    "SSE writer": lambda node: (
        is_text(node, r"(event: |data: )[^a-z]*.*") and isinstance(getattr(node, "value", None), bytes)
    ),
    "JSON content type": lambda node: is_text(node, r"application/json; ?charset=.*"),
    "error reporter": lambda node: calls(node, "isinstance") and ast.unparse(node).endswith(", Internal)"),
}
"""The ideas that stood in several places, each with what it looks like. None may be found nowhere: then it is
the search that has gone stale.
"""


def places(name: str) -> dict[str, list[int]]:
    """Return where an idea stands: the lines by module."""
    found = {
        module.name: [node.lineno for node in module.nodes if REPEATS[name](node)]  # type: ignore[attr-defined]
        for module in MODULES
    }
    return {module: lines for module, lines in found.items() if lines}


def figures(modules: Sequence[Module]) -> Iterator[str]:
    """Measure some of the modules."""
    lines = [module.lines for module in modules]
    functions = [function for module in modules for function in module.functions]
    sizes = list(map(length, functions))
    named = [module for module in modules if module in NAMED]
    tested = [module for module in named if module.is_tested]
    nested = sum(isinstance(inner, Function) for each in functions for inner in ast.walk(each))
    yield f"{len(modules)} files of {sum(lines)} lines: {spread(lines)}"
    yield f"{len(sizes)} functions, {nested - len(functions)} of them nested: {spread(sizes)}"
    yield f"{len(tested) / len(named):.0%} of {len(named)} modules have a test file of their name"
    yield f"{sum(map(is_annotated, functions)) / len(functions):.1%} of the functions are annotated"


def spread(values: Sequence[int]) -> str:
    """Write how values lie."""
    return f"median {median(values):g}, p95 {p95(values):g}, max {max(values)}"


def main() -> None:
    """Print everything."""
    print(
        "Outside the built-in engine:",
        *figures([each for each in MODULES if not each.is_builtin]),
        sep="\n  ",
    )
    print("With it:", *figures(MODULES), sep="\n  ")
    print("Own imports within functions, but where they may stand:", late_imports())
    once = [name for name, count in sorted(importers().items()) if count == 1]
    print(f"{len(once)} modules have one importer")
    longest: tuple[str, ...] = max(map(chain, BY_NAME), key=lambda names: len(names))
    print("Longest chain of imports:", " > ".join(longest))
    packages = Counter[str]()
    for module in MODULES:
        packages[Path(module.name).parts[0].removesuffix(".py")] += module.lines
    print("Lines by package:", ", ".join(f"{name} {lines}" for name, lines in packages.most_common()))
    print("Long files:", [f"{each.name} {each.lines}" for each in MODULES if each.lines > 300])
    print("Without a test file:", [each.name for each in NAMED if not each.is_tested])
    for name in REPEATS:
        found = places(name)
        print(f"{name}: {len(found)}", *(f"{module}:{lines}" for module, lines in found.items()), sep="\n  ")


if __name__ == "__main__":
    main()
