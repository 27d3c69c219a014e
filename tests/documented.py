"""The example engine of docs/engines.md: as a class, and as a package that is installed."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

PAGE = (Path(__file__).parents[1] / "docs" / "engines.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    """Return what stands in the page's fences of a kind."""
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def ruler_engine() -> Any:
    """Return the example's class, from a module of its own."""
    module = sys.modules.get("ruler_engine")
    if module is None:
        module = sys.modules["ruler_engine"] = ModuleType("ruler_engine")
        exec(compile(_source(), "ruler_engine.py", "exec", dont_inherit=True), module.__dict__)
    return module.RulerEngine


def install(folder: Path) -> None:
    """Leave the example in a folder as an installer would; the folder has still to be put on the path."""
    (folder / "ruler_engine.py").write_text(_source())
    info = folder / "ruler-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ruler\nVersion: 1.0\n")
    (entry,) = [block for block in blocks("toml") if "entry-points" in block]
    (found,) = re.findall(r'^(\w+) = "(.+)"$', entry, re.MULTILINE)
    (info / "entry_points.txt").write_text("[twinlens.engines]\n{} = {}\n".format(*found))


def _source() -> str:
    (source,) = blocks("python")
    return source
