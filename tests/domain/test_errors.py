"""Errors: a status, a sentence, and the fields it is about."""

from __future__ import annotations

import pytest

from twinlens.domain import errors
from twinlens.domain.errors import InvalidArgument, TwinlensError, UnknownModel, Violation
from twinlens.wire.status import HTTP

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, TwinlensError) and kind is not TwinlensError
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_a_status_of_http(kind: type[TwinlensError]) -> None:
    assert kind.status in HTTP


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_stands_in_the_tree_that_is_drawn(kind: type[TwinlensError]) -> None:
    assert f" {kind.__name__} " in (errors.__doc__ or "")


def test_an_error_about_a_field_says_its_path() -> None:
    error = InvalidArgument("Send an image.", field="contents[0]")

    assert error.violations == (Violation("contents[0]", "Send an image."),)


def test_an_error_may_be_about_several_fields_or_none() -> None:
    both = (Violation("a", "no"), Violation("b", "no"))

    assert InvalidArgument("No.", violations=both).violations == both
    assert InvalidArgument("No.").violations == ()


def test_an_unknown_model_is_named_with_what_is_known_of_its_name() -> None:
    assert UnknownModel("gpt-4").message == "Model not found: models/gpt-4"
    assert UnknownModel("gpt-4", "It is another's.").message == (
        "Model not found: models/gpt-4. It is another's."
    )
