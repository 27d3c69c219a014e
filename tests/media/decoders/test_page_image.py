"""Pages as pictures: their size, what is drawn, and scans that are decoded rather than drawn."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest

import pdfs
from pdfs import Jpeg, Page, image_at, jpeg, scan, text_at
from twinlens.domain.media import Pixels
from twinlens.media.decoders.page_image import draw
from twinlens.media.decoders.page_scan import scan_of
from twinlens.media.decoders.pdf import Pdf

WHITE = 255
ALIKE_DB = 35.0
"""Two good ways to scale the same scan differ less than that."""


def drawn(body: bytes, width: int = 306, height: int = 396) -> Pixels:
    with Pdf.opened(io.BytesIO(body)) as pdf:
        pdf.show_forms()
        with pdf.page(0) as page:
            return draw(pdf, page, width, height)


def is_short_cut(body: bytes) -> bool:
    with Pdf.opened(io.BytesIO(body)) as pdf, pdf.page(0) as page:
        return scan_of(page, pdf.reader, 1 / 800) is not None


def psnr(one: Pixels, other: Pixels) -> float:
    error = float(np.mean((one.astype(float) - other) ** 2))
    return 10 * math.log10(255**2 / max(error, 1e-9))


def box(colour: str, x: float, y: float, width: float, height: float) -> str:
    return f"{colour} rg {x} {y} {width} {height} re f\n"


DOT = box("1 1 1", 0, 0, 0.01, 0.01)
"""Keeps a page from being one picture and nothing else, and is hardly seen."""


def test_a_page_is_drawn_at_the_size_that_is_wanted_on_white() -> None:
    pixels = drawn(pdfs.document([Page(box("1 0 0", 0, 396, 306, 396))]), 100, 200)

    assert pixels.shape == (200, 100, 3)
    assert pixels[50, 25].tolist() == [255, 0, 0]
    assert pixels[150, 75].tolist() == [WHITE] * 3


@pytest.mark.parametrize(("turn", "corner"), [(0, (0, 0)), (90, (0, -1)), (180, (-1, -1)), (270, (-1, 0))])
def test_a_turned_page_comes_upright(turn: int, corner: tuple[int, int]) -> None:
    upper_left = Page(box("0 0 1", 0, 692, 100, 100), extra=f"/Rotate {turn}")

    pixels = drawn(pdfs.document([upper_left]), 100, 100)

    assert pixels[corner].tolist() == [0, 0, 255]
    assert (pixels == WHITE).mean() > 0.9


def test_what_cropping_hides_is_not_drawn() -> None:
    sheet = Page(box("0 1 0", 0, 0, 300, 792), extra="/CropBox [300 0 612 792]")

    assert (drawn(pdfs.document([sheet])) == WHITE).all()


def test_notes_on_a_page_are_drawn() -> None:
    note = "/Annots [<< /Type /Annot /Subtype /Square /Rect [0 0 612 792] /IC [1 0 0] /C [1 0 0] >>]"

    assert drawn(pdfs.document([Page(extra=note)]))[200, 150].tolist() == [255, 0, 0]


def test_what_is_filled_into_a_form_is_drawn() -> None:
    entry = (
        "/Annots [<< /Type /Annot /Subtype /Widget /Rect [100 300 500 400] /FT /Tx /T (name) "
        "/V (Filled) /DA (/F 60 Tf 0 g) >>]"
    )
    form = "/AcroForm << /Fields [] /DA (/F 60 Tf 0 g) /DR << /Font << /F 3 0 R >> >> >>"

    assert (drawn(pdfs.document([Page(extra=entry)], catalog=form)) < 100).any()


def test_a_document_whose_password_is_empty_is_drawn() -> None:
    page = [Page(box("1 0 0", 0, 0, 612, 792))]

    assert (drawn(pdfs.document(page, encrypted=True)) == drawn(pdfs.document(page))).all()


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_scan_is_decoded_to_what_drawing_would_show(mode: str, turn: int) -> None:
    shown = jpeg((1700, 2200), mode=mode, text="A page of a scan")
    size = (396, 306) if turn % 180 else (306, 396)
    plain = scan(of=shown, extra=f"/Rotate {turn}")
    dotted = scan(of=shown, extra=f"/Rotate {turn}", over=DOT)

    assert is_short_cut(plain)
    assert not is_short_cut(dotted)
    assert psnr(drawn(plain, *size), drawn(dotted, *size)) > ALIKE_DB


def test_a_scan_that_a_scanner_has_read_is_still_one() -> None:
    assert is_short_cut(scan(over="BT 3 Tr /F 12 Tf 72 700 Td (Read) Tj ET"))


PLAIN = jpeg()
NOT_SO_PLAIN = {
    "words": scan(over=text_at("Approved", 72, 700)),
    "a note": scan(extra="/Annots [<< /Type /Annot /Subtype /Square /Rect [0 0 9 9] >>]"),
    "cropped": scan(extra="/CropBox [50 50 562 742]"),
    "inverted": scan(of=jpeg(extra="/Decode [1 0 1 0 1 0]")),
    "inverted in other letters": scan(of=jpeg(extra="/#44ecode [1 0 1 0 1 0]")),
    "masked": scan(of=jpeg(extra="/Mask [0 9 0 9 0 9]")),
    "indexed": scan(of=Jpeg(jpeg(mode="L").jpeg, PLAIN.size, "[/Indexed /DeviceRGB 1 <000000ffffff>]")),
    "in a calibrated space": scan(of=Jpeg(PLAIN.jpeg, PLAIN.size, "[/CalRGB << /WhitePoint [0.9 1 1.1] >>]")),
    "CMYK": scan(of=jpeg(mode="CMYK")),
    "upside down": pdfs.document([Page("q -612 0 0 -792 612 792 cm /P Do Q", pictures={"P": PLAIN})]),
    "clipped": pdfs.document([Page("9 9 90 90 re W n " + image_at("P", 612, 792), pictures={"P": PLAIN})]),
    "with a margin": pdfs.document([Page(image_at("P", 600, 780, 6, 6), pictures={"P": PLAIN})]),
    "twice": pdfs.document([Page(image_at("P", 612, 792) * 2, pictures={"P": PLAIN})]),
    "half seen through": pdfs.document(
        [
            Page(
                "/G gs " + image_at("P", 612, 792),
                pictures={"P": PLAIN},
                extra="/Group << /S /Transparency >>",
            )
        ]
    ).replace(b"/Resources <<", b"/Resources << /ExtGState << /G << /ca 0.5 >> >>"),
    "in a layer": pdfs.document(
        [Page("/OC /L BDC " + image_at("P", 612, 792) + "EMC", pictures={"P": PLAIN})]
    ).replace(b"/Resources <<", b"/Resources << /Properties << /L << /Type /OCG /Name (L) >> >>"),
    "encrypted": pdfs.document([Page(image_at("P", 612, 792), pictures={"P": PLAIN})], encrypted=True),
}


@pytest.mark.parametrize("name", NOT_SO_PLAIN)
def test_a_page_that_is_more_than_a_jpeg_is_drawn(name: str) -> None:
    assert not is_short_cut(NOT_SO_PLAIN[name])


def test_a_jpeg_of_another_size_than_the_document_says_is_left_to_pdfium() -> None:
    shown = Jpeg(PLAIN.jpeg, (850, 1000))

    plain, dotted = drawn(scan(of=shown)), drawn(scan(of=shown, over=DOT))

    assert (plain == dotted).mean() > 0.999


def test_a_jpeg_that_is_broken_leaves_the_page_to_pdfium() -> None:
    cut = Jpeg(PLAIN.jpeg[: len(PLAIN.jpeg) // 2], PLAIN.size)

    assert drawn(scan(of=cut)).shape == (396, 306, 3)
