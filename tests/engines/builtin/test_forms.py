from __future__ import annotations

import pytest

from twinlens.engines.builtin.forms import is_form


@pytest.mark.parametrize(
    ("form", "fits", "misses"),
    [
        ("date", "2026-02-28", "2026-02-30"),
        ("date", "0001-01-01", "20260101"),
        ("date-time", "2026-02-28T01:02:03Z", "2026-02-28T25:02:03Z"),
        ("date-time", "2026-02-28t01:02:03.5+02:00", "2026-02-28"),
        ("time", "00:00:00Z", "00:00"),
        ("duration", "P1DT2H", "P"),
        ("duration", "PT0S", "PT"),
        ("email", "a.b@example.com", "a b@example.com"),
        ("idn-email", "ä@bücher.example", "bücher.example"),
        ("hostname", "a-b.example", "-a.example"),
        ("idn-hostname", "bücher.example", "a/b"),
        ("uri", "about:blank", "no address"),
        ("iri", "https://bücher.example/ä", "ä"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("ipv6", "::1", "10.0.0.1"),
        ("uuid", "00000000-0000-0000-0000-000000000000", "00000000000000000000000000000000"),
    ],
)
def test_a_text_has_a_form_or_has_it_not(form: str, fits: str, misses: str) -> None:
    assert is_form(fits, form)
    assert not is_form(misses, form)


@pytest.mark.parametrize("form", ["odd", "regex", "None", ""])
def test_a_form_that_is_not_known_fits_any_text(form: str) -> None:
    assert is_form("anything", form)


def test_a_text_that_is_very_long_has_no_form() -> None:
    assert not is_form(f"about:{'a' * 5000}", "uri")
