from __future__ import annotations

import pytest

from twinlens.engines.builtin.facts import Facts
from twinlens.engines.builtin.labels import Labels, terms_of
from twinlens.engines.builtin.values import number


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("invoice_number", "Inv. No."),
        ("invoiceNumber", "Invoice #"),
        ("total", "Amount due"),
        ("customer", "Bill to:"),
        ("tax", "VAT"),
    ],
)
def test_a_name_and_a_label_of_one_meaning_have_the_same_terms(name: str, label: str) -> None:
    assert terms_of(name) == terms_of(label)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("invoice_number", "INV-2026-001"),
        ("invoice_date", "20 Nov 2026"),
        ("due_date", "12/20/2026"),
        ("customer_name", "Jane Doe"),
        ("vendor", None),
    ],
)
def test_a_value_stands_beside_or_below_its_label(invoice: Facts, name: str, value: str | None) -> None:
    assert Labels(invoice).find([name], str) == value


def test_a_total_is_no_subtotal(invoice: Facts) -> None:
    assert Labels(invoice).find(["subtotal"], number) == 1209
    assert Labels(invoice).find(["total"], number) == 1438.71


def test_a_rate_within_the_label_is_not_its_amount(invoice: Facts) -> None:
    assert Labels(invoice).find(["tax"], number) == 229.71


def test_written_pairs_are_listed(invoice: Facts) -> None:
    assert Labels(invoice).pairs() == {"Invoice date": "20 Nov 2026"}
