from __future__ import annotations

import json

import pytest

import paged
from paged import Paper
from twinlens.domain.engine_media import Document, TextFile, TextLine
from twinlens.domain.media import Image, Json
from twinlens.domain.regions import Box
from twinlens.domain.request import OutputFormat
from twinlens.engines.builtin import intents
from twinlens.engines.builtin.asked import Asked
from twinlens.engines.builtin.documents.documents import study
from twinlens.engines.builtin.documents.reading import Shelf
from twinlens.engines.builtin.evidence import Answer, Evidence
from twinlens.engines.builtin.facts import ALL_FACTS, Code, FactName, Facts
from twinlens.engines.builtin.fill import Filled, fill
from twinlens.engines.builtin.text import Reader

BECAUSE = "Revenue grew by 12% to 48.3 million euros because orders from the harbour towns doubled."
STRING, NUMBER, INTEGER = {"type": "string"}, {"type": "number"}, {"type": "integer"}


def asked(question: str, schema: Json = None) -> Asked:
    intent = intents.read(question, 0)
    form = OutputFormat("text/plain" if schema is None else "application/json", schema)
    return Asked(intent, question, form, intent.wanted if schema is None else ALL_FACTS)


async def blind(image: Image, wanted: frozenset[FactName]) -> Facts:
    raise AssertionError("nothing had to be looked at")


async def told(question: str, document: Document | TextFile) -> Answer:
    return (await study(document, asked(question), blind, Shelf())).answer


async def filled(
    document: Document | TextFile, question: str = "Extract the data", **properties: Json
) -> Filled:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return fill(schema, await study(document, asked(question, schema), blind, Shelf()))


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is the total?", "1,074.00 (page 3)"),
        ("What is the invoice number?", "INV-77 (page 2)"),
        ("Who is the customer?", "Jane Doe (page 2)"),
        ("What is the amount of Valve B?", "100.00 (Amount, Valve B, page 2)"),
        ("What is the unit price of Hose C?", "10.00 (Unit price, Hose C, page 3)"),
        ("How long is the warranty?", "“The warranty lasts two years from the date of delivery.” (page 3)"),
        (
            "How many people does the company employ?",
            "“The company was founded in 1987 in Bergen by Ingrid Solberg and employs 412 people.” (page 1)",
        ),
        (
            "Why did revenue grow?",
            f"“{BECAUSE}” (page 1)",
        ),
        (
            "What happened to the valves division?",
            "“The valves division shrank by two percent, as expected.” (page 1)",
        ),
    ],
)
async def test_a_question_is_answered_with_the_page_that_says_it(question: str, answer: str) -> None:
    assert (await told(question, paged.report().document)).text == answer


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of France?",
        "Who is the chairman of the board?",
        "Translate this to German",
        "Write a poem about pumps",
        "Should I buy these pumps?",
    ],
)
async def test_what_no_page_tells_is_refused(question: str) -> None:
    answer = await told(question, paged.report().document)

    assert not answer.known
    assert answer.text.startswith("The built-in engine reads")


async def test_a_refusal_says_what_was_searched() -> None:
    answer = await told("What is the capital of France?", paged.report().document)

    assert answer.text.endswith("Searched: 3 pages.")


async def test_all_text_is_read_page_by_page() -> None:
    text = (await told("Extract the text", paged.report().document)).text

    assert text.startswith("Page 1:\nAnnual Report 2025\n\nNorthwind Energy")
    assert "\n\nPage 2:\nINVOICE\n\nInvoice No.  INV-77\nDate: 3 May 2025\n" in text
    assert text.endswith("not run dry.")


async def test_a_long_document_is_read_to_its_end() -> None:
    paper = Paper([[paged.line(f"This is leaf {number}.", 100, 100)] for number in range(1, 301)])

    answer = await told("Read the whole text", paper.document)

    assert answer.text.count("Page ") == 300
    assert answer.text.endswith("This is leaf 300.")


@pytest.mark.parametrize(
    ("question", "read"),
    [
        ("What does page 2 say?", [2]),
        ("Read the last page", [3]),
        ("Read pages 1 and 3", [1, 3]),
        ("Read the first two pages", [1, 2]),
        ("How many pages are there?", []),
        ("Read it", [1, 2, 3]),
    ],
)
async def test_only_the_pages_in_question_are_read(question: str, read: list[int]) -> None:
    paper = paged.report()

    await told(question, paper.document)

    assert paper.texts_read == read


async def test_a_page_that_does_not_exist_is_not_made_up() -> None:
    answer = await told("What does page 9 say?", paged.report().document)

    assert answer == Answer("The document has 3 pages; there is no page 9.", known=False)


async def test_a_summary_tells_title_size_headings_and_sentences() -> None:
    answer = await told("Summarize this document", paged.report().document)

    assert answer.text.startswith("“Annual Report 2025”: a PDF document of 3 pages, ")
    assert "- 1. Revenue (page 1)" in answer.text
    assert "- “Northwind Energy is a maker of pumps and valves for water works.” (page 1)" in answer.text
    assert answer.remark.startswith("The summary is made of the document's own words.")


@pytest.mark.parametrize(
    ("question", "truth", "number", "said"),
    [
        ("On which page is the warranty mentioned?", True, 3, "“warranty” is on page 3."),
        ("Which pages mention valves?", True, 1, "“valves” is on page 1."),
        ('Where does "Ingrid Solberg" appear?', True, 1, "“Ingrid Solberg” is on page 1."),
        ("Does it mention hydrogen?", False, 0, "No: “hydrogen” was not found in 3 pages."),
        ("Is there a warranty?", True, 3, "Yes: “warranty” is on page 3."),
        ("Does it contain a table?", True, 1, "Yes: 1 table was found (page 2)."),
        ("How many times does pump occur?", True, 2, "“pump” stands 2 times (pages 2 and 3)."),
    ],
)
async def test_what_is_written_where_is_told_by_page(
    question: str, truth: bool, number: float, said: str
) -> None:
    answer = await told(question, paged.report().document)

    assert answer.text.startswith(said)
    assert (answer.truth, answer.number) == (truth, number)


@pytest.mark.parametrize(
    ("question", "number"),
    [
        ("How many pages are there?", 3),
        ("How many tables are there?", 1),
        ("How many words are on page 3?", 34),
    ],
)
async def test_things_are_counted(question: str, number: int) -> None:
    assert (await told(question, paged.report().document)).number == number


async def test_a_table_goes_on_over_the_page() -> None:
    answer = await told("Give me the table as markdown", paged.report().document)

    assert answer.text == (
        "Page 2:\n"
        "| Item | Qty | Unit price | Amount |\n"
        "| --- | --- | --- | --- |\n"
        "| Pump X200 | 2 | 450.00 | 900.00 |\n"
        "| Valve B | 5 | 20.00 | 100.00 |\n"
        "| Hose C | 7 | 10.00 | 70.00 |\n"
        "| Seal D | 1 | 4.00 | 4.00 |\n"
        "|  |  | Total | 1,074.00 |"
    )


async def test_places_name_their_page() -> None:
    evidence = await study(paged.report().document, asked("Detect all tables"), blind, Shelf())

    (item,) = [item for item in evidence.items or () if item.as_record()["page"] == 2]
    assert item.kind == "table"
    assert item.box.ymin == 300


async def test_a_schema_is_filled_from_all_pages() -> None:
    item = {"type": "object", "properties": {"item": STRING, "quantity": INTEGER, "amount": NUMBER}}
    result = await filled(
        paged.report().document,
        title=STRING,
        page_count=INTEGER,
        invoice_number=STRING,
        date={"type": "string", "format": "date"},
        customer={"type": "object", "properties": {"name": STRING}},
        total=NUMBER,
        items={"type": "array", "items": item},
        headings={"type": "array", "items": STRING},
    )

    assert result.value == {
        "title": "Annual Report 2025",
        "page_count": 3,
        "invoice_number": "INV-77",
        "date": "2025-05-03",
        "customer": {"name": "Jane Doe"},
        "total": 1074,
        "items": [
            {"item": "Pump X200", "quantity": 2, "amount": 900},
            {"item": "Valve B", "quantity": 5, "amount": 100},
            {"item": "Hose C", "quantity": 7, "amount": 70},
            {"item": "Seal D", "quantity": 1, "amount": 4},
        ],
        "headings": ["Annual Report 2025", "1. Revenue", "INVOICE"],
    }
    assert not result.gaps


async def test_a_schema_gets_the_answer_with_its_page_and_quote() -> None:
    question = "How long is the warranty?"
    result = await filled(paged.report().document, question, answer=STRING, page=INTEGER, quote=STRING)

    quote = "The warranty lasts two years from the date of delivery."
    assert result.value == {"answer": f"“{quote}” (page 3)", "page": 3, "quote": quote}


async def test_a_schema_gets_the_pages_one_by_one() -> None:
    page = {"type": "object", "properties": {"page_number": INTEGER, "text": STRING}}
    result = await filled(paged.report().document, pages={"type": "array", "items": page}, width=NUMBER)

    assert [one["page_number"] for one in result.value["pages"]] == [1, 2, 3]
    assert result.value["pages"][1]["text"].startswith("INVOICE")
    assert result.gaps == ("width",)


async def test_the_first_page_with_a_value_wins() -> None:
    first, second = (
        [paged.line("Total: 5.00", 100, 100)],
        [paged.line("Total: 7.00", 100, 100)],
    )

    result = await filled(Paper([first, second]).document, total=NUMBER)

    assert result.value == {"total": 5}


class Looking:
    """Reads pictures with the engine's own reader, or finds what it is told; notes what was wanted."""

    def __init__(self, reader: Reader | None = None, codes: tuple[Code, ...] = ()) -> None:
        self._reader = reader
        self._codes = codes
        self.wanted: list[frozenset[FactName]] = []

    async def look(self, image: Image, wanted: frozenset[FactName]) -> Facts:
        self.wanted.append(wanted)
        lines = self._reader.read(image.pixels) if self._reader and "text" in wanted else ()
        return Facts(1280, 1810, 640, 905, lines=lines, codes=self._codes)


async def test_a_scanned_page_is_read_from_its_picture_and_the_others_are_not(reader: Reader) -> None:
    paper, looking = paged.report(scans=[3]), Looking(reader)

    answer = (await study(paper.document, asked("How long is the warranty?"), looking.look, Shelf())).answer

    assert answer.text == "“The warranty lasts two years from the date of delivery.” (page 3)"
    assert paper.images_read == [3]
    assert looking.wanted == [frozenset({"text"})]


async def test_a_scan_is_left_alone_where_the_text_of_others_answers() -> None:
    paper = paged.report(scans=[1])

    answer = await told("What is the invoice number?", paper.document)

    assert answer.text == "INV-77 (page 2)"
    assert answer.remark == "Page 1 is a scan and was not read."


async def test_scans_are_read_in_order_until_one_answers() -> None:
    paper, looking = paged.report(scans=[1, 2, 3]), Looking()

    async def look(image: Image, wanted: frozenset[FactName]) -> Facts:
        found = await looking.look(image, wanted)
        number = len(looking.wanted)
        page = paged.page_lines((paged.REPORT, paged.INVOICE, paged.TERMS)[number - 1])
        return Facts(found.width, found.height, found.seen_width, found.seen_height, lines=page)

    await study(paper.document, asked("What is the invoice number?"), look, Shelf())

    assert paper.images_read == [1, 2]


async def test_what_was_read_is_remembered(reader: Reader) -> None:
    paper, looking, shelf = paged.report(scans=[3]), Looking(), Shelf()
    for question in ("Summarize this", "How many words are there?", "Does it mention hydrogen?"):
        await study(paper.document, asked(question), looking.look, shelf)

    assert paper.texts_read == [1, 2, 3]
    assert paper.images_read == [3]


async def test_pages_are_looked_at_for_what_only_pictures_show() -> None:
    paper = paged.report()
    looking = Looking(codes=(Code("QR code", "https://example.com", 1.0, Box(0, 0, 100, 100)),))

    answer = (
        await study(paper.document, asked("Decode the QR code on page 2"), looking.look, Shelf())
    ).answer

    assert paper.images_read == [2]
    assert looking.wanted == [frozenset({"codes"})]
    assert answer.strings == ("https://example.com",)


async def test_of_very_many_pages_the_first_are_looked_at_and_the_answer_says_so() -> None:
    paper, looking = Paper([[paged.line("x", 100, 100)]] * 30), Looking()

    answer = (await study(paper.document, asked("Are there any faces?"), looking.look, Shelf())).answer

    assert paper.images_read == list(range(1, 21))
    assert answer.text.endswith("Pages 1 to 20 of 30 were looked at.")


async def test_a_text_file_has_no_pages() -> None:
    file = TextFile("text/plain", "Dear all,\nthe meeting is on 5 May at noon.\nRoom: 12B\n", "d")

    assert (await told("What is the room?", file)).text == "12B"
    assert (await told("When is the meeting?", file)).text == "“Dear all, the meeting is on 5 May at noon.”"
    assert (await told("Read it", file)).text == file.text
    assert not (await told("How many pages does it have?", file)).known


async def test_thoughts_tell_what_was_read_and_taken() -> None:
    evidence: Evidence = await study(
        paged.report().document, asked("How long is the warranty?"), blind, Shelf()
    )

    assert evidence.thoughts.startswith("A PDF document, 3 of 3 pages read:\n- “The warranty lasts")


async def test_an_answer_in_json_can_be_written(reader: Reader) -> None:
    result = await filled(
        paged.report().document, summary=STRING, key_points={"type": "array", "items": STRING}
    )

    assert json.dumps(result.value)
    assert result.value["key_points"][0] == "Northwind Energy is a maker of pumps and valves for water works."


@pytest.mark.parametrize(
    ("question", "read"),
    [
        ("What's on page 2?", [2]),
        ("What is on pages 2 to 3?", [2, 3]),
        ("What is on page two?", [2]),
        ("What can be seen on the first page?", [1]),
        ("What are on the last two pages?", [2, 3]),
        ("Contents of page 3", [3]),
    ],
)
async def test_what_is_on_pages_is_their_text(question: str, read: list[int]) -> None:
    paper = paged.report()

    answer = await told(question, paper.document)

    assert answer == await told(f"What do pages {' and '.join(map(str, read))} say?", paper.document)
    assert answer.strings is not None
    assert len(answer.strings) == len(read)


async def test_all_scans_among_the_pages_that_are_asked_for_are_read(reader: Reader) -> None:
    paper, looking = paged.report(scans=[1, 3]), Looking()

    await study(paper.document, asked("What is on pages 1 to 3?"), looking.look, Shelf())

    assert paper.images_read == [1, 3]


async def test_a_table_drawn_column_by_column_is_a_table() -> None:
    columns = ("Item", "Pump X200", "Valve B"), ("Qty", "2", "5"), ("Amount", "900.00", "100.00")
    cells = [
        paged.line(cell, x, 200 + 20 * row)
        for x, column in zip((60, 480, 880), columns, strict=True)
        for row, cell in enumerate(column)
    ]
    item = {"type": "object", "properties": {"item": STRING, "qty": INTEGER, "amount": NUMBER}}

    document = Paper([cells]).document
    result = await filled(document, items={"type": "array", "items": item})

    assert result.value["items"][1] == {"item": "Valve B", "qty": 5, "amount": 100}
    assert (await told("What is the amount of Pump X200?", document)).text == (
        "900.00 (Amount, Pump X200, page 1)"
    )


async def test_of_a_block_of_short_lines_the_one_that_fits_is_quoted() -> None:
    rows = [paged.line(f"row {row} of page 1", 100, 80 + 17 * row) for row in range(40)]

    answer = await told("What does row 17 say?", Paper([rows]).document)

    assert answer.text == "“row 17 of page 1” (page 1)"


@pytest.mark.parametrize("lines", [10_000, 3_000])
@pytest.mark.parametrize(("height", "width"), [(0, 0), (12, 400), (1000, 1000)])
async def test_a_page_of_very_many_lines_is_no_trouble(lines: int, height: int, width: int) -> None:
    page = [TextLine("Total", Box(0, 0, height, width))] * lines

    assert (await told("What is the total?", Paper([page]).document)).text
