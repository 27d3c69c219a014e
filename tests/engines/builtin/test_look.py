from __future__ import annotations

import pickle

import numpy as np
import pytest
import skimage.data
import zxingcpp

from twinlens.domain.media import Image, Pixels
from twinlens.engines.builtin.facts import ALL_FACTS, Facts
from twinlens.engines.builtin.look import Observer
from twinlens.engines.builtin.steps import done


@pytest.fixture(scope="module")
def observer() -> Observer:
    made = Observer()
    made.warm_up()
    return made


def picture(pixels: Pixels) -> Image:
    height, width = pixels.shape[:2]
    return Image(pixels, width * 2, height * 2, "image/png", 258, "digest")


def test_nothing_is_looked_for_that_nobody_wants(observer: Observer) -> None:
    facts = done(observer.look(picture(np.zeros((40, 60, 3), np.uint8)), frozenset()))

    assert facts == Facts(120, 80, 60, 40)


def test_every_fact_can_be_had_at_once_and_travels_between_processes(observer: Observer) -> None:
    astronaut: Pixels = skimage.data.astronaut()  # type: ignore[no-untyped-call]

    facts = done(observer.look(picture(astronaut), ALL_FACTS))

    assert (facts.lines, facts.codes, facts.tables, facts.charts) == ((), (), (), ())
    assert facts.faces
    assert facts.colours
    assert facts.kind is not None
    assert facts.kind.name == "photograph"
    assert facts.quality is not None
    assert facts.quality.sharpness == "sharp"
    assert pickle.loads(pickle.dumps(facts)) == facts


def test_tables_bring_the_text_along(observer: Observer) -> None:
    facts = done(observer.look(picture(np.full((64, 64, 3), 255, np.uint8)), frozenset({"tables"})))

    assert (facts.lines, facts.tables) == ((), ())
    assert facts.charts is None


def test_codes_are_found(observer: Observer) -> None:
    code = zxingcpp.create_barcode("hello", zxingcpp.BarcodeFormat.QRCode)
    grey = np.asarray(zxingcpp.write_barcode_to_image(code, scale=4))

    facts = done(observer.look(picture(np.dstack([grey] * 3)), frozenset({"codes"})))

    assert facts.codes is not None
    assert [found.text for found in facts.codes] == ["hello"]


def test_two_pictures_are_compared(observer: Observer) -> None:
    before: Pixels = skimage.data.coffee()  # type: ignore[no-untyped-call]
    after = before.copy()
    after[150:250, 200:320] = (20, 200, 40)

    difference = observer.compare(picture(before), picture(after))

    assert difference.same_scene
    assert len(difference.boxes) == 1
