from __future__ import annotations

import pytest

import paged
from twinlens.domain.engine_media import PageText
from twinlens.engines.builtin.documents.pages import Page, page_of
from twinlens.engines.builtin.documents.retrieval import occurrences, query, search

SENTENCES = (
    "The lighthouse of Hellnes was built in 1926 by local fishermen.",
    "Its lamp is powered by a small turbine beside the cliff.",
    "Visitors may climb the tower between May and September.",
    "The keeper retired because the lamp was automated.",
    "Fees for climbing are collected at the gate.",
    "Parking near the cliff costs five euros a day.",
    "Dogs must be kept on a lead at all times.",
)


@pytest.fixture
def pages() -> list[Page]:
    """A page a sentence."""
    return [page_of(PageText(n, tuple(paged.paragraph(said, 100)))) for n, said in enumerate(SENTENCES, 1)]


@pytest.mark.parametrize(
    ("question", "page"),
    [
        ("When was the lighthouse built?", 1),
        ("What powers the lamp?", 2),
        ("When can visitors climb the tower?", 3),
        ("Why did the keeper retire?", 4),
        ("Where are the fees collected?", 5),
        ("How much does parking cost?", 6),
        ("Must dogs be on a lead?", 7),
    ],
)
def test_the_passage_with_the_rarest_words_is_found(pages: list[Page], question: str, page: int) -> None:
    assert search(query(question), pages)[0].passage.page == page


@pytest.mark.parametrize(
    "question",
    ["What is the capital of France?", "Who owns the lamp factory in Oslo?", "What does it say?", ""],
)
def test_nothing_is_found_where_too_little_is_shared(pages: list[Page], question: str) -> None:
    assert search(query(question), pages) == []


def test_a_heading_brings_what_stands_under_it() -> None:
    lines = (paged.line("Refunds", 100, 60, 24), *paged.paragraph("Write to us.", 120))

    assert (
        search(query("How do refunds work?"), [page_of(PageText(1, lines))])[0].text
        == "Refunds: Write to us."
    )


def test_words_are_counted_across_line_breaks(pages: list[Page]) -> None:
    page = page_of(PageText(9, (paged.line("beside the", 100, 100), paged.line("cliff", 100, 117))))

    assert occurrences("The Cliff", [*pages, page]) == {2: 1, 6: 1, 9: 1}
