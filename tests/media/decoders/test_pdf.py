"""Looking into documents: their pages and the sizes of these, and why some are no use."""

from __future__ import annotations

import io
import json

import pypdfium2
import pytest

import clips
import images
import pdfs
from twinlens.media.decoders import pdf
from twinlens.media.decoders.unreadable import Unreadable


def reason(data: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        pdf.inspect(io.BytesIO(data))
    return caught.value.reason


def sizes(*pages: pdfs.Page) -> object:
    return pdf.inspect(io.BytesIO(pdfs.document(pages)))["sizes"]


@pytest.mark.parametrize("pages", [1, 3, 1000])
def test_pages_are_counted_and_measured(pages: int) -> None:
    assert pdf.inspect(io.BytesIO(clips.pdf(pages))) == {"pages": pages, "sizes": [[200, 300]] * pages}


def test_what_is_told_of_the_longest_document_fits_into_one_answer() -> None:
    sheet = pdfs.Page(size=(999_999.99, 999_999.99))

    told = pdf.inspect(io.BytesIO(pdfs.document([sheet] * 1000)))

    assert len(json.dumps(told)) < 65_536


def test_a_document_over_the_limit_is_counted_only() -> None:
    assert pdf.inspect(io.BytesIO(clips.pdf(1001))) == {"pages": 1001, "sizes": []}


def test_sizes_are_those_that_are_shown() -> None:
    crop = "/CropBox [50 600 300 750]"

    found = sizes(
        pdfs.Page(extra=crop), pdfs.Page(extra=f"{crop} /Rotate 90"), pdfs.Page(size=(595.276, 842))
    )

    assert found == [[250, 150], [150, 250], [595.28, 842]]


@pytest.mark.parametrize("size", [(0, 0), (0, 100), (1e30, 1), (float("nan"), 5), (1e12, 1e-9)])
def test_a_page_without_a_size_counts_as_a_letter_sheet(size: tuple[float, float]) -> None:
    assert sizes(pdfs.Page(size=size)) == [[612, 792]]


def test_sizes_stay_within_reason() -> None:
    assert sizes(pdfs.Page(size=(0.001, 9_000_000))) == [[1, 1_000_000]]


def test_a_page_that_is_missing_in_the_middle_counts_as_a_letter_sheet() -> None:
    assert pdf.inspect(io.BytesIO(clips.pdf(3).replace(b"6 0 R 8 0 R", b"99 0 R 8 0 R", 1)))["sizes"] == [
        [200, 300],
        [612, 792],
        [200, 300],
    ]


def test_a_document_whose_password_is_empty_opens() -> None:
    body = pdfs.document([pdfs.Page()], encrypted=True)

    assert pdf.inspect(io.BytesIO(body)) == {"pages": 1, "sizes": [[612, 792]]}


def test_the_library_runs_no_scripts() -> None:
    assert not {"V8", "XFA"} & set(pypdfium2.PDFIUM_INFO.flags)


def test_a_document_without_a_table_of_its_objects_is_read_all_the_same() -> None:
    body = clips.pdf(3)
    table = body.index(b"xref\n0")

    assert pdf.inspect(io.BytesIO(body[:table] + body[body.index(b"trailer") :]))["pages"] == 3


def test_bytes_before_the_signature_are_forgiven() -> None:
    assert pdf.inspect(io.BytesIO(b"\r\n" * 100 + clips.pdf(2)))["pages"] == 2


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


@pytest.mark.parametrize("data", [b"", b"hello", bytes(5000), images.make("png"), clips.video()])
def test_other_data_is_no_document(data: bytes) -> None:
    assert reason(data) == "foreign"
