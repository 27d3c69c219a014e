from __future__ import annotations

import pytest

from twinlens.engines.builtin.documents.paging import Named, listed, named, without_pages


@pytest.mark.parametrize(
    ("question", "pages"),
    [
        ("What does page 3 say?", (3,)),
        ("Read pages 2-4", (2, 3, 4)),
        ("Read pages 2 to 4 and 7", (2, 3, 4, 7)),
        ("Read pages 1, 3 and 5", (1, 3, 5)),
        ("Read page 2 and page 5", (2, 5)),
        ("What is on p. 6?", (6,)),
        ("Read page number 4", (4,)),
        ("Read the third page", (3,)),
        ("Read the 4th page", (4,)),
        ("Read the last page", (9,)),
        ("Read the first two pages", (1, 2)),
        ("Read the last 3 pages", (7, 8, 9)),
        ("What is on page seven?", (7,)),
        ("Read pages two to four and Page Nine", (2, 3, 4, 9)),
        ("Read the first and the last page", (1, 9)),
    ],
)
def test_the_pages_a_question_names_are_known(question: str, pages: tuple[int, ...]) -> None:
    assert named(question, 9) == Named(pages)


@pytest.mark.parametrize(
    "question", ["What is the total?", "On which page is it?", "How many pages are there?", "Read every page"]
)
def test_a_question_that_names_none_is_about_all(question: str) -> None:
    assert named(question, 9) is None


def test_pages_beyond_the_end_are_told_apart() -> None:
    assert named("Read pages 8-11", 9) == Named((8, 9), (11,))
    assert named("Read page 99999", 9) == Named((), (99999,))


def test_the_rest_of_a_question_is_left() -> None:
    assert without_pages("what is the total on page 3?").split() == ["what", "is", "the", "total", "on", "?"]


@pytest.mark.parametrize(
    ("pages", "said"),
    [
        ([3], "page 3"),
        ([1, 2], "pages 1 and 2"),
        ([1, 2, 3, 7], "pages 1 to 3 and 7"),
        ([2, 4, 6], "pages 2, 4 and 6"),
    ],
)
def test_pages_are_listed_as_people_do(pages: list[int], said: str) -> None:
    assert listed(pages) == said


def test_numbers_of_pages_may_be_spelt() -> None:
    assert named("Read page thirty-three and page twelve", 40) == Named((12, 33))
    assert without_pages("what is in row two of page thirty three?").split()[:5] == [
        *("what", "is", "in", "row", "two")
    ]
