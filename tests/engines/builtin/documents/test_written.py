from __future__ import annotations

import json

import pytest

from twinlens.domain.engine_media import TextFile
from twinlens.domain.media import Image, Json
from twinlens.domain.request import OutputFormat
from twinlens.engines.builtin import intents
from twinlens.engines.builtin.asked import Asked
from twinlens.engines.builtin.documents.documents import study
from twinlens.engines.builtin.documents.reading import Shelf
from twinlens.engines.builtin.documents.written import read
from twinlens.engines.builtin.evidence import Answer
from twinlens.engines.builtin.facts import FactName, Facts
from twinlens.engines.builtin.fill import fill

CSV = "Product;Units;Price\nTea;12;9.50\nCoffee;3;12.00\n\nMilk;20;1.20\n"
JSON = json.dumps(
    {
        "invoiceNumber": "A-7",
        "customer": {"name": "Jane Doe", "email": "jane@example.com"},
        "total": 12.5,
        "paid": True,
        "items": [{"name": "Tea", "qty": 2, "price": 3.5}, {"name": "Milk", "qty": 1, "price": 5.5}],
    }
)
HTML = """<html><head><title>Trip to Bergen</title><style>p {}</style></head><body><h1>Trip</h1>
<p>We left on <b>Monday</b> &amp; came back on Friday.</p><h2>Costs</h2><!-- > -->
<table><tr><th>What</th><th>Euro</th></tr><tr><td>Hotel</td><td>300</td></tr><tr><td>Train</td><td>80</td></tr>
</table><script>if (a<b) x()</script>"""
MARKDOWN = """# Guide

Some **bold** words about [pumps](http://x).

## Setup

Run the installer as root. Then restart.

| Key | Value |
|---|---|
| port | 8080 |
"""
XML = """<?xml version="1.0"?><!DOCTYPE order [<!ENTITY a "b">]>
<order id="3"><invoiceNumber>77</invoiceNumber><total currency="EUR">5.00</total></order>"""
RECORDS = '{"city": "Oslo", "people": 709000}\n{"city": "Bergen", "people": 289000}\n'


async def blind(image: Image, wanted: frozenset[FactName]) -> Facts:
    raise AssertionError("a text file is not looked at")


async def told(mime_type: str, text: str, question: str) -> Answer:
    intent = intents.read(question, 0)
    asked = Asked(intent, question, OutputFormat(), intent.wanted)
    return (await study(TextFile(mime_type, text, "d"), asked, blind, Shelf())).answer


@pytest.mark.parametrize(
    ("mime_type", "text", "question", "answer"),
    [
        ("text/csv", CSV, "How many rows are there?", "The text has 3 rows."),
        ("text/csv", CSV, "Which columns are there?", "The columns are Product, Units and Price."),
        ("text/csv", CSV, "What is the price of Coffee?", "12.00 (Price, Coffee)"),
        ("text/csv", CSV, "What is the sum of Units?", "The sum of “Units” over 3 rows is 35."),
        ("text/csv", CSV, "Tell me about Milk", "Product: Milk, Units: 20, Price: 1.20"),
        ("text/csv", CSV, "Read it", CSV),
        ("text/csv", "a,b\n1\u2028one,2\x0c\n3,4\x0b\n", "How many rows are there?", "The text has 2 rows."),
        (
            "application/x-ndjson",
            '{"a": "x\u2028y"}\n{"a": "z"}\n',
            "How many rows are there?",
            "The text has 2 rows.",
        ),
        ("application/json", JSON, "What is the total?", "12.5"),
        ("application/json", JSON, "What is the customer's email?", "“customer.email: jane@example.com”"),
        ("application/json", JSON, "What is the price of Tea?", "3.5 (price, Tea)"),
        ("application/x-ndjson", RECORDS, "How many rows are there?", "The text has 2 rows."),
        ("text/html", HTML, "What is the title?", "Trip to Bergen"),
        ("text/html", HTML, "Which day did we leave?", ""),
        (
            "text/html; charset=utf-8",
            HTML,
            "Who left on Monday?",
            "“We left on Monday & came back on Friday.”",
        ),
        (
            "text/html",
            HTML,
            "Extract the table",
            "| What | Euro |\n| --- | --- |\n| Hotel | 300 |\n| Train | 80 |",
        ),
        ("text/markdown", MARKDOWN, "How do I run the installer?", "“Run the installer as root.”"),
        ("text/markdown", MARKDOWN, "What are the headings?", "- Guide\n- Setup"),
        ("text/markdown", MARKDOWN, "What is the value of port?", "8080 (Value, port)"),
        ("text/xml", XML, "What is the invoice number?", "77"),
        ("text/xml", XML, "What is the total?", "5.00"),
        (
            "text/plain",
            "Name      Age\nAnn       39\nBob       41\n",
            "What is the age of Bob?",
            "41 (Age, Bob)",
        ),
    ],
)
async def test_a_file_is_answered_from_by_its_form(
    mime_type: str, text: str, question: str, answer: str
) -> None:
    found = await told(mime_type, text, question)

    assert (found.text if found.known else "") == answer


async def test_a_schema_is_filled_from_the_paths_and_lists_of_json() -> None:
    item = {"type": "object", "properties": {"name": {"type": "string"}, "qty": {"type": "integer"}}}
    properties: Json = {
        "invoice_number": {"type": "string"},
        "total": {"type": "number"},
        "customer": {"type": "object", "properties": {"name": {"type": "string"}}},
        "items": {"type": "array", "items": item},
    }
    schema = {"type": "object", "properties": properties}
    question = Asked(
        intents.read("Extract"), "Extract", OutputFormat("application/json", schema), frozenset()
    )

    evidence = await study(TextFile("application/json", JSON, "d"), question, blind, Shelf())

    assert fill(schema, evidence).value == {
        "invoice_number": "A-7",
        "total": 12.5,
        "customer": {"name": "Jane Doe"},
        "items": [{"name": "Tea", "qty": 2}, {"name": "Milk", "qty": 1}],
    }


@pytest.mark.parametrize(
    ("mime_type", "text"),
    [
        ("application/json", "[" * 50_000),
        ("application/json", '{"a": 1'),
        ("text/csv", ""),
        ("text/csv", "\n \n"),
        ("text/csv", '"' + "x" * 200_000),
        ("text/html", "<a " * 50_000),
        ("text/html", "<!--" * 50_000),
        ("text/html", "<script>" * 10_000),
        ("text/xml", "<a>" * 50_000 + "deep"),
        ("text/xml", "</a>" * 1000 + "x"),
        ("text/markdown", "**" * 100_000 + "[a" * 50_000),
        ("text/markdown", "|" * 50_000),
        ("text/plain", "a" * 1_000_000),
        ("text/plain", " " * 1_000_000 + "end"),
        ("application/octet-stream", "plain"),
    ],
)
async def test_a_file_that_is_not_what_it_says_is_read_all_the_same(mime_type: str, text: str) -> None:
    assert isinstance(await told(mime_type, text, "Summarize"), Answer)
    assert isinstance(await told(mime_type, text, "What is the total of pumps?"), Answer)


def test_what_a_page_of_html_hides_is_left_out() -> None:
    text = read(TextFile("text/html", HTML, "d")).text

    assert "x()" not in text
    assert "Trip to Bergen" not in text
    assert text.startswith("Trip\n")


def test_entities_of_a_document_type_are_not_resolved() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x>&b; &lt;</x>'

    assert "aaaaaaaaaa" not in read(TextFile("text/xml", bomb, "d")).text


async def test_a_list_that_is_cut_says_so() -> None:
    rows = "name,age\n" + "\n".join(f"N{number},{number}" for number in range(600))
    item = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}}
    schema = {"type": "object", "properties": {"people": {"type": "array", "items": item}}}
    question = Asked(intents.read("All"), "All", OutputFormat("application/json", schema), frozenset())

    result = fill(schema, await study(TextFile("text/csv", rows, "d"), question, blind, Shelf()))

    assert len(result.value["people"]) == 500
    assert result.remarks == ("people has the first 500 of 600 entries",)


@pytest.mark.parametrize("text", [",,,\n", ";\n;\n", "," * 100_000, "|" * 1000 + "\n"])
async def test_separators_alone_are_no_table(text: str) -> None:
    answer = await told("text/csv", text, "How old is Bob?")

    assert not answer.known


@pytest.mark.parametrize(
    ("mime_type", "text"),
    [
        ("text/csv", "," * 50_000 + "x\n" + "a\n" * 50_000),
        ("application/json", json.dumps([{f"k{n}": 1} for n in range(20_000)])),
    ],
)
def test_what_would_be_a_table_of_empty_cells_is_none(mime_type: str, text: str) -> None:
    assert read(TextFile(mime_type, text, "d")).tables == ()


@pytest.mark.parametrize("depth", [70, 500, 900, 960, 980, 100_000])
def test_deep_json_is_read_as_far_as_it_can_be(depth: int) -> None:
    text = '[{"a":' * (depth // 2) + "1" + "}]" * (depth // 2)

    assert read(TextFile("application/json", text, "d")).text == text


@pytest.mark.parametrize(
    ("mime_type", "text"),
    [
        ("text/plain", "pay \u202eB\u200bob\u202c \x1b[0m now."),
        ("text/html", "<p>pay &#x202e;B&#x200b;ob&#x202c; now.</p>"),
        ("application/json", r'{"note": "pay \u202eB\u200bob\u202c \ud800 now."}'),
    ],
)
async def test_what_nobody_sees_is_not_quoted(mime_type: str, text: str) -> None:
    said = (await told(mime_type, text, "What does it say about pay?")).text

    assert "pay Bob" in said
    assert not set(said) & set("\u202e\u202c\u200b\x1b\ud800")


async def test_of_a_line_without_end_a_stretch_is_quoted() -> None:
    text = "lorem ipsum " * 5000 + "the harbour of Bergen opened in 1890 " + "dolor sit " * 5000

    said = (await told("text/plain", text, "When was the harbour of Bergen opened?")).text

    assert "the harbour of Bergen opened in 1890" in said
    assert len(said) < 500


async def test_a_line_of_very_many_pieces_is_no_row_of_a_table() -> None:
    assert not (await told("text/plain", "a    " * 20_000, "How old is Bob?")).known
