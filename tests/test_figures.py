"""What has been reached in the shape of the source is held; `tools/figures.py` prints all of it."""

from __future__ import annotations

import pytest

import figures

OUTSIDE = [module for module in figures.MODULES if not module.is_builtin]
REACHED = (
    "bounded LRU",
    "single flight",
    "read-ahead",
    "small on the loop, large in a thread",
    "memfd, write-all, read-exactly",
    "JSON content type",
    "SSE writer",
    "error reporter",
)
FUNCTIONS = [function for module in OUTSIDE for function in module.functions]


def test_no_function_has_more_than_sixty_lines() -> None:
    assert max(map(figures.length, FUNCTIONS)) <= 60


def test_functions_are_short() -> None:
    every = [figures.length(function) for module in figures.MODULES for function in module.functions]

    assert figures.p95(every) <= 18


def test_nine_of_ten_modules_have_tests_of_their_name() -> None:
    named = [module for module in figures.NAMED if not module.is_builtin]
    bare = [module.name for module in named if not module.is_tested]

    assert len(bare) <= len(named) / 10, f"without tests of their name: {bare}"


def test_every_function_says_its_types() -> None:
    bare = [
        f"{module.name}:{each.lineno}"
        for module in figures.MODULES
        for each in module.functions
        if not figures.is_annotated(each)
    ]

    assert bare == []


def test_imports_of_our_own_stand_at_the_top() -> None:
    assert figures.late_imports() == []


@pytest.mark.parametrize(
    "idea",
    REACHED,
)
def test_an_idea_stands_in_one_place(idea: str) -> None:
    assert len(figures.places(idea)) == 1, f"{idea}: {figures.places(idea)}"
