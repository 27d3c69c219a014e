"""Amounts with units, as people write them."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from twinlens.cli.units import UNITS, Amount
from twinlens.settings import KNOBS, env

MEASURED = [knob for knob in KNOBS if knob.metadata["unit"] in UNITS]


@pytest.mark.parametrize(
    ("unit", "text", "amount"),
    [
        ("bytes", "1000", 1000),
        ("bytes", "-1", -1),
        ("bytes", "0", 0),
        ("bytes", "1B", 1),
        ("bytes", "2GiB", 2 * 1024**3),
        ("bytes", "2 GiB", 2 * 1024**3),
        ("bytes", " 2GiB ", 2 * 1024**3),
        ("bytes", "2gib", 2 * 1024**3),
        ("bytes", "500MB", 500_000_000),
        ("bytes", "500mb", 500_000_000),
        ("bytes", "1.5KiB", 1536),
        ("bytes", "1.5TB", 1_500_000_000_000),
        ("MiB", "1536", 1536),
        ("MiB", "2GiB", 2048),
        ("MiB", "1TiB", 1_048_576),
        ("pixels", "200MP", 200_000_000),
        ("pixels", "0.5MP", 500_000),
        ("seconds", "55d", 55 * 86_400),
        ("seconds", "1w", 604_800),
        ("seconds", "1.5h", 5400),
        ("seconds", "90min", 5400),
        ("seconds", "90m", 5400),
        ("seconds", "10s", 10),
        ("seconds", "3000ms", 3),
    ],
)
def test_an_amount_is_read(unit: str, text: str, amount: int) -> None:
    assert Amount(unit, int).convert(text, None, None) == amount
    assert Amount(unit, float).convert(text, None, None) == amount


def test_a_part_of_a_second_is_read() -> None:
    assert Amount("seconds", float).convert("250ms", None, None) == 0.25
    assert Amount("seconds", float).convert("0.5", None, None) == 0.5


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("bytes", "2Gi"),
        ("bytes", "2G"),
        ("bytes", "GiB"),
        ("bytes", "2GiB2"),
        ("bytes", "2,5GiB"),
        ("bytes", "0x10"),
        ("bytes", "10s"),
        ("bytes", ""),
        ("bytes", "٢GiB"),
        ("bytes", "0.3B"),
        ("MiB", "500MB"),
        ("seconds", "1d12h"),
        ("seconds", "2GiB"),
        ("seconds", "500ms"),
        ("seconds", "1y"),
    ],
)
def test_what_is_no_whole_amount_is_refused(unit: str, text: str) -> None:
    with pytest.raises(click.BadParameter, match=f"of {unit}"):
        Amount(unit, int).convert(text, None, None)


@pytest.mark.parametrize("knob", MEASURED, ids=lambda knob: knob.name)
def test_a_default_is_shown_as_it_can_be_given(knob: object) -> None:
    unit, default = knob.metadata["unit"], knob.default  # type: ignore[attr-defined]

    assert Amount(unit, type(default)).convert(UNITS[unit].write(default), None, None) == default


@pytest.mark.parametrize("knob", MEASURED, ids=lambda knob: knob.name)
def test_the_documents_say_the_default_in_the_same_words(knob: object) -> None:
    name, unit = knob.name, knob.metadata["unit"]  # type: ignore[attr-defined]
    page = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()

    (told,) = re.findall(rf"^Variable `{env(name)}`; default `(.+?)`", page, re.MULTILINE)

    assert told == UNITS[unit].write(knob.default)  # type: ignore[attr-defined]
