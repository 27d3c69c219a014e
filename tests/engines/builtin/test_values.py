from __future__ import annotations

from datetime import date

import pytest

from twinlens.engines.builtin.values import clock, day, number, numbers


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$1,234.50", 1234.5),
        ("1.234,50 EUR", 1234.5),
        ("1 234,50 €", 1234.5),
        ("1'000", 1000),
        ("1,234", 1234),
        ("1.234", 1.234),
        ("12,5", 12.5),
        ("(12.00)", -12),
        ("€ -3,20", -3.2),
        ("USD 99", 99),
        ("19%", 19),
        ("3 items", 3),
    ],
)
def test_numbers_are_read_as_people_print_them(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize(
    "text", ["", "none", "INV-2026-001", "INV-5", "A4", "12:30", "1/2", "2 x 4.50", "20 Nov 2026"]
)
def test_what_is_not_one_number_is_none(text: str) -> None:
    assert number(text) is None


def test_all_numbers_of_a_text_are_found() -> None:
    assert numbers("2 x $4.50 = $9.00") == [2, 4.5, 9]


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20",
        "20 Nov 2026",
        "20.11.2026",
        "11/20/2026",
        "20/11/2026",
        "November 20, 2026",
        "20th of Nov 2026",
    ],
)
def test_dates_are_read_in_their_common_forms(text: str) -> None:
    found = day(text)

    assert found is not None
    assert found.value == date(2026, 11, 20)
    assert not found.ambiguous


def test_a_date_that_could_be_two_days_says_so() -> None:
    found = day("03/04/2026")

    assert found is not None
    assert (found.value, found.ambiguous) == (date(2026, 3, 4), True)


@pytest.mark.parametrize("text", ["32.13.2026", "soon", "2026-13-01"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert day(text) is None


@pytest.mark.parametrize(
    ("text", "time"), [("3:05 pm", "15:05:00"), ("12:00 AM", "00:00:00"), ("25:00", None)]
)
def test_a_time_of_day_is_written_in_24_hours(text: str, time: str | None) -> None:
    assert clock(text) == time
