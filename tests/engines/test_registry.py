from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from twinlens.engines import registry
from twinlens.engines.base import EngineSetupError


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package with engines, as an installer would leave it."""
    info = tmp_path / "acme_engines-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-engines\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[twinlens.engines]\n"
        "acme = acme_engines:Acme\n"
        "heavy = acme_heavy:Acme [gpu]\n"
        "gone = acme_engines:Gone\n"
        "script = acme_engines:Acme\n"
    )
    (tmp_path / "acme_engines.py").write_text(
        "from twinlens.engines.script import ScriptEngine\nclass Acme(ScriptEngine): pass\n"
    )
    (tmp_path / "acme_heavy.py").write_text("import a_library_that_nobody_has\n")
    monkeypatch.syspath_prepend(tmp_path)


def test_an_engine_is_built_by_its_name_with_its_options() -> None:
    engine = registry.create("script", {"model": "double-1"})

    assert engine.capabilities.name == "script"
    assert engine.capabilities.model == "double-1"


def test_an_unknown_name_is_answered_with_those_there_are(plugin: None) -> None:
    with pytest.raises(EngineSetupError, match=r"no engine 'skript'; there are: builtin, script, acme,"):
        registry.create("skript")


def test_an_installed_package_adds_engines(plugin: None) -> None:
    engine = registry.create("acme")

    assert type(engine).__name__ == "Acme"


def test_an_installed_package_does_not_replace_our_engines(plugin: None) -> None:
    engine = registry.create("script")

    assert type(engine).__name__ == "ScriptEngine"
    assert registry.names() == ["builtin", "script", "acme", "gone", "heavy"]


def test_a_missing_library_is_answered_with_what_to_install(plugin: None) -> None:
    with pytest.raises(
        EngineSetupError, match=r"needs the library 'a_library_that_.*pip install 'acme-engines\[gpu\]'"
    ):
        registry.create("heavy")


def test_an_engine_that_does_not_exist_where_it_should_is_told(plugin: None) -> None:
    with pytest.raises(EngineSetupError, match=r"'gone' cannot be loaded from 'acme_engines:Gone'"):
        registry.create("gone")


def test_no_engine_is_imported_before_it_is_picked() -> None:
    code = (
        "import sys; from twinlens.engines import registry; registry.names();"
        "print(*(m for m in ('yaml', 'cv2', 'onnxruntime', 'rapidocr') if m in sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []
