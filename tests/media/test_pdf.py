"""Looking into documents: how many pages they have, and why some are no use."""

from __future__ import annotations

import io

import pytest

import clips
import pictures
from twinlens.media import pdf
from twinlens.media.unreadable import Unreadable


def reason(data: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        pdf.inspect(io.BytesIO(data))
    return caught.value.reason


@pytest.mark.parametrize("pages", [1, 3, 1000, 1001])
def test_pages_are_counted(pages: int) -> None:
    assert pdf.inspect(io.BytesIO(clips.pdf(pages))) == {"pages": pages}


def test_a_document_without_a_table_of_its_objects_is_read_all_the_same() -> None:
    body = clips.pdf(3)
    table = body.index(b"xref\n0")

    assert pdf.inspect(io.BytesIO(body[:table] + body[body.index(b"trailer") :])) == {"pages": 3}


def test_bytes_before_the_signature_are_forgiven() -> None:
    assert pdf.inspect(io.BytesIO(b"\r\n" * 100 + clips.pdf(2))) == {"pages": 2}


def test_a_document_without_pages_is_empty_whatever_was_wrong_with_the_one_before() -> None:
    assert reason(clips.pdf()[:200]) == "damaged"
    assert reason(clips.pdf(0)) == "empty"
    assert reason(clips.pdf(locked=True)) == "password"
    assert reason(clips.pdf(0)) == "empty"


def test_a_document_that_asks_for_a_password_says_so() -> None:
    assert reason(clips.pdf(locked=True)) == "password"


def test_a_document_that_claims_pages_it_does_not_have_is_damaged() -> None:
    assert reason(clips.pdf(3, count=5)) == "damaged"


def test_a_document_that_ends_early_is_damaged() -> None:
    body = clips.pdf(3)

    assert reason(body[: len(body) // 3]) == "damaged"


@pytest.mark.parametrize("data", [b"", b"hello", bytes(5000), pictures.make("png"), clips.video()])
def test_other_data_is_no_document(data: bytes) -> None:
    assert reason(data) == "foreign"
