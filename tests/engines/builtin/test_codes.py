from __future__ import annotations

import cv2
import numpy as np
import pytest
import zxingcpp
from PIL import Image

from twinlens.domain.media import Pixels
from twinlens.engines.builtin import codes

CONTENTS = [
    (zxingcpp.BarcodeFormat.QRCode, "https://example.com/menu?table=7", "QR code"),
    (zxingcpp.BarcodeFormat.EAN13, "4006381333931", "EAN-13"),
    (zxingcpp.BarcodeFormat.Code128, "PKG-2024-00117", "Code 128"),
    (zxingcpp.BarcodeFormat.DataMatrix, "part 17/4", "Data Matrix"),
    (zxingcpp.BarcodeFormat.PDF417, "boarding pass 22A", "PDF417"),
    (zxingcpp.BarcodeFormat.Aztec, "ticket 881", "Aztec"),
]


def printed(form: zxingcpp.BarcodeFormat, text: str) -> Image.Image:
    code = zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(text, form), scale=3)
    return Image.fromarray(np.asarray(code)).convert("RGB")


def on_noise(*placed: tuple[Image.Image, tuple[int, int], float]) -> Pixels:
    """Lay labels, turned by some degrees, on a patterned and noisy ground."""
    rng = np.random.default_rng(0)
    blots = rng.integers(60, 200, (20, 30, 3), np.uint8)
    ground = Image.fromarray(
        np.asarray(cv2.resize(blots, (900, 600), interpolation=cv2.INTER_CUBIC), np.uint8)
    )
    for label, at, degrees in placed:
        card = Image.new("RGBA", (label.width + 40, label.height + 40), "white")
        card.paste(label, (20, 20))
        card = card.rotate(degrees, expand=True, resample=Image.Resampling.BICUBIC)
        ground.paste(card, at, card)
    return np.clip(np.asarray(ground) + rng.normal(0, 8, (600, 900, 3)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("form", "text", "name"), CONTENTS, ids=[name for _, _, name in CONTENTS])
def test_codes_are_read_and_named_as_people_name_them(
    form: zxingcpp.BarcodeFormat, text: str, name: str
) -> None:
    picture = on_noise((printed(form, text), (60, 150), 0))

    (code,) = codes.find(picture)

    assert (code.symbology, code.text) == (name, text)


def test_turned_codes_are_found_beside_each_other() -> None:
    qr, ean = (printed(form, text) for form, text, _ in CONTENTS[:2])
    picture = on_noise((qr, (60, 200), 20), (ean, (420, 120), -15))

    found = {code.symbology: code for code in codes.find(picture)}

    assert found.keys() == {"QR code", "EAN-13"}
    box = found["QR code"].box
    assert 60 / 900 * 1000 < box.xmin < box.xmax < 420 / 900 * 1000
    assert 200 / 600 * 1000 < box.ymin < box.ymax


def test_a_picture_without_codes_has_none() -> None:
    assert codes.find(on_noise()) == ()
