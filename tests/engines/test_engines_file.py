"""The engines file: what it makes, and where it points when something is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import documented
from twinlens.engines.backend import EngineConfig
from twinlens.engines.base import EngineSetupError
from twinlens.engines.engines_file import read
from twinlens.engines.router import Engines

ANSWERS = "default: {text: From the file.}\n"


def written(folder: Path, text: str) -> tuple[EngineConfig, ...]:
    path = folder / "engines.toml"
    path.write_text(text, encoding="utf-8")
    return read(path)


def refused(folder: Path, text: str) -> str:
    with pytest.raises(EngineSetupError) as refusal:
        written(folder, text)
    return str(refusal.value)


def test_the_documented_file_routes_as_is_said_below_it(tmp_path: Path) -> None:
    (example,) = [block for block in documented.blocks("toml") if "[[engine]]" in block]
    (routes,) = [block for block in documented.blocks("text") if "my-model → " in block]
    (tmp_path / "answers.yaml").write_text(ANSWERS)

    configs = written(tmp_path, example)
    engines = Engines(configs)

    assert [(each.name, each.kind, each.concurrency, each.queue) for each in configs] == [
        ("canned", "script", 8, 32),
        ("reader", "builtin", None, 16),
    ]
    for line in routes.splitlines():
        model, name = line.split(" → ")
        assert engines.get(model).backend.config.name == name


def test_the_documented_mistake_is_told_as_is_said(tmp_path: Path) -> None:
    (example,) = [block for block in documented.blocks("toml") if "[[engine]]" in block]
    (sentence,) = [block.strip() for block in documented.blocks("text") if "engines.toml:" in block]
    (tmp_path / "answers.yaml").write_text(ANSWERS)

    assert refused(tmp_path, example.replace("processes = 2", "processes = 0")) == sentence


def test_every_key_of_the_page_is_a_key_of_the_file(tmp_path: Path) -> None:
    section = documented.PAGE.partition("## Several engines")[2].partition("\n## ")[0]

    keys = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))

    assert keys == {"name", "kind", "options", "answers", "generation", "concurrency", "queue"}


def test_options_may_stand_beside_the_other_keys(tmp_path: Path) -> None:
    (config,) = written(tmp_path, '[[engine]]\nkind = "script"\nmodel = "double-1"\n')

    assert config.engine.capabilities.model == "double-1"
    assert (config.name, config.answers, config.generation) == ("script", (), "gemini-3")


def test_options_may_be_a_table_of_their_own(tmp_path: Path) -> None:
    (config,) = written(tmp_path, '[[engine]]\nkind = "script"\n[engine.options]\nmodel = "double-1"\n')

    assert config.engine.capabilities.model == "double-1"


def test_a_path_is_seen_from_the_files_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    (tmp_path / "answers.yaml").write_text(ANSWERS)

    assert written(tmp_path, '[[engine]]\nkind = "script"\nscript = "answers.yaml"\n')


FIRST = '# engines of ours\n[[engine]]\nname = "a"\nkind = "script"\nanswers = ["gemini-*"]\n\n[[engine]]\n'
"""Seven lines, the last of which begins the second engine."""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "engines.toml: it describes no engine: add one with [[engine]]"),
        ("engine = []\n", "engines.toml: it describes no engine: add one with [[engine]]"),
        (
            '[[engines]]\nkind = "script"\n',
            "engines.toml:1: engines: 'engines' is not known here; did you mean 'engine'?",
        ),
        (
            '[engine]\nkind = "script"\n',
            "engines.toml:1: engine: must be a list of tables, each begun by [[engine]]",
        ),
        ("engine = [1]\n", "engines.toml:1: engine[0]: must be a table"),
        (
            FIRST,
            "engines.toml:7: engine[1]: a 'kind' is missing: builtin, script, or an installed engine's name",
        ),
        (
            FIRST + 'kind = "scripd"\n',
            "engines.toml:8: engine[1].kind: There is no engine 'scripd'; there are: builtin, script.",
        ),
        (FIRST + "kind = 5\n", "engines.toml:8: engine[1].kind: must be a text that is not empty"),
        (
            FIRST + 'kind = "script"\nname = "a"\n',
            "engines.toml:9: engine[1].name: 'a' is the name of engine[0] too; give each a 'name' of its own",
        ),
        (
            FIRST + 'kind = "script"\nname = "a b"\n',
            "engines.toml:9: engine[1].name: must have letters, digits and . _ - only, at most 64",
        ),
        (
            FIRST + 'kind = "script"\nanswer = ["*"]\n',
            "engines.toml:9: engine[1].answer: 'answer' is not known here; did you mean 'answers'?",
        ),
        (
            FIRST + 'kind = "script"\noptions = { modle = "x" }\n',
            "engines.toml:9: engine[1].options.modle: there is no such option; did you mean 'model'?",
        ),
        (
            FIRST + 'kind = "builtin"\n\n[engine.options]\n# two\nprocesses = "two"\n',
            "engines.toml:12: engine[1].options.processes: must be a whole number from 1, not 'two'",
        ),
        (
            FIRST + 'kind = "builtin"\noptions.processes = 0\n',
            "engines.toml:9: engine[1].options.processes: must be a whole number from 1, not 0",
        ),
        (
            FIRST + 'kind = "script"\nmodel = "x"\noptions = { model = "y" }\n',
            "engines.toml:10: engine[1].options.model: stands beside 'options' too, as 'model'",
        ),
        (
            FIRST + 'kind = "script"\nanswers = "*"\n',
            "engines.toml:9: engine[1].answers: must be a list of patterns of model names",
        ),
        (
            FIRST + 'kind = "script"\nanswers = [\n  "gemma-*",\n  5,\n]\n',
            "engines.toml:9: engine[1].answers[1]: must be a text that is not empty",
        ),
        (
            FIRST + 'kind = "script"\nanswers = ["gemini-*-flash*"]\n',
            "engines.toml:9: engine[1].answers[0]: is never reached: 'gemini-*' of engine 'a' comes first",
        ),
        (
            FIRST + 'kind = "script"\nanswers = ["veo-3.1-generate-preview"]\n',
            "engines.toml:9: engine[1].answers[0]: Video generation is not offered by twinlens",
        ),
        (
            FIRST + 'kind = "script"\ngeneration = "gemini-2"\n',
            "engines.toml:9: engine[1].generation: 'gemini-2' is not known here; did you mean 'gemini-2.5'?",
        ),
        (
            FIRST + 'kind = "script"\nconcurrency = 0\n',
            "engines.toml:9: engine[1].concurrency: must be a whole number from 1 to 1000000",
        ),
        (
            FIRST + 'kind = "script"\nconcurrency = true\n',
            "engines.toml:9: engine[1].concurrency: must be a whole number from 1 to 1000000",
        ),
        (
            FIRST + 'kind = "script"\nconcurrency = 1\nqueue = -1\n',
            "engines.toml:10: engine[1].queue: must be a whole number from 0 to 1000000",
        ),
        (
            FIRST + 'kind = "script"\nqueue = 4\n',
            "engines.toml:9: engine[1].queue: nobody waits without a 'concurrency'",
        ),
        (
            FIRST + "kind = script\n",
            "engines.toml:8: this is not valid TOML. Texts need quotes, and each key stands once.",
        ),
        (
            FIRST + 'kind = "script"\nkind = "script"\n',
            "engines.toml:9: this is not valid TOML. Texts need quotes, and each key stands once.",
        ),
        (
            FIRST + "kind = [",
            "engines.toml:8: this is not valid TOML. Texts need quotes, and each key stands once.",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_its_path(tmp_path: Path, text: str, sentence: str) -> None:
    assert refused(tmp_path, text) == sentence


def test_a_text_of_several_lines_does_not_lead_astray(tmp_path: Path) -> None:
    text = '[[engine]]\nkind = "script"\nmodel = """\n[[engine]]\nkind = 1\n"""\nconcurrency = 0\n'

    assert refused(tmp_path, text).startswith("engines.toml:7: engine[0].concurrency:")


def test_what_an_engine_refuses_is_told_with_its_place(tmp_path: Path) -> None:
    sentence = refused(tmp_path, FIRST + 'kind = "script"\nname = "b"\nscript = "nowhere.yaml"\n')

    assert sentence == (
        f"engines.toml:7: engine[1]: {tmp_path / 'nowhere.yaml'} cannot be read: No such file or directory."
    )


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineSetupError, match=r"nowhere\.toml cannot be read: No such file or directory\."):
        read(tmp_path / "nowhere.toml")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "engines.toml"
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(EngineSetupError, match=r"engines\.toml is not UTF-8 text\."):
        read(path)


def test_an_installed_engine_brings_its_own_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documented.install(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    (config,) = written(tmp_path, '[[engine]]\nkind = "ruler"\nunit = "megapixels"\n')

    assert config.engine.capabilities.name == "ruler"
    assert refused(tmp_path, '[[engine]]\nkind = "ruler"\nunit = "inches"\n') == (
        "engines.toml:3: engine[0].unit: must be one of: pixels, megapixels, not 'inches'"
    )
