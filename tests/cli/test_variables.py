"""Variables that look like ours."""

from __future__ import annotations

import pytest

from twinlens.cli.variables import mistyped
from twinlens.settings import KNOBS, env


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TWINLENS_MAX_FILE_BYTE", "TWINLENS_MAX_FILE_BYTES"),
        ("TWINLENS_APIKEY", "TWINLENS_API_KEY"),
        ("TWINLENS_DATADIR", "TWINLENS_DATA_DIR"),
        ("twinlens_port", "TWINLENS_PORT"),
        ("TWINLENS_SEVER", "TWINLENS_SERVER"),
        ("TWINLENS_FETCH_ALLOWED", "TWINLENS_FETCH_ALLOW"),
    ],
)
def test_a_mistyped_variable_is_named_with_the_one_that_was_meant(name: str, meant: str) -> None:
    assert list(mistyped([name])) == [
        f"{name} is set, but twinlens has no such setting; did you mean {meant}?"
    ]


def test_a_variable_like_none_is_named_too() -> None:
    assert list(mistyped(["TWINLENS_XYZZY"])) == ["TWINLENS_XYZZY is set, but twinlens has no such setting."]


def test_other_variables_are_nobodys_business() -> None:
    ours = [env(knob.name) for knob in KNOBS]
    theirs = ["PATH", "GEMINI_API_KEY", "TWINLENS_SERVER", "TWINLENS_KEY", "TWINLENS_TEST_KILLS"]
    set_by_kubernetes = ["TWINLENS_SERVICE_HOST", "TWINLENS_SERVICE_PORT_HTTP", "TWINLENS_PORT_8080_TCP_ADDR"]

    assert not list(mistyped([*ours, *theirs, *set_by_kubernetes]))
