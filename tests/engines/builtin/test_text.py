from __future__ import annotations

import logging
import pickle
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw, ImageFont

from twinlens.domain.geometry import area32
from twinlens.domain.media import Pixels
from twinlens.domain.regions import Box
from twinlens.engines.builtin.facts import Line
from twinlens.engines.builtin.text import Reader

FONTS = Path(matplotlib.get_data_path(), "fonts", "ttf")
SANS, SERIF, BOOK = "DejaVuSans.ttf", "STIXGeneral.ttf", "cmr10.ttf"
SOME_WORDS = (
    "time year people way day man thing woman life child world school state family student group country "
    "problem hand part place case week company system program question work government number night point "
    "home water room mother area money story fact month lot right study book eye job word business issue "
    "side kind head house service friend father power hour game line end member law car city community name "
    "president team minute idea body information back parent face others level office door health person"
)
VOCABULARY = SOME_WORDS.split()


def said(count: int, seed: int) -> list[str]:
    chosen = random.Random(seed)
    return [chosen.choice(VOCABULARY) for _ in range(count)]


def entries(count: int, seed: int) -> list[str]:
    """Words between numbers and codes, which nobody can guess."""
    chosen = random.Random(seed)
    kinds = (
        lambda: f"{chosen.randint(10, 999)}.{chosen.randint(10, 99)}",
        lambda: f"{chosen.choice('ABCDEFGHKLMNPRSTUVWXYZ')}{chosen.randint(100, 9999)}",
        lambda: chosen.choice(VOCABULARY),
    )
    return [chosen.choices(kinds, (15, 15, 70))[0]() for _ in range(count)]


def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    # The other layout depends on a library of the machine, and letters then stand a little elsewhere.
    return ImageFont.truetype(str(FONTS / name), size, layout_engine=ImageFont.Layout.BASIC)


def column(
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int],
    width: int,
    rows: int,
    face: ImageFont.FreeTypeFont,
    seed: int,
    text: Callable[[int, int], list[str]] = said,
) -> list[str]:
    """Set a column of text, and give its words."""
    words = text(rows * 40, seed)
    set_so_far: list[str] = []
    for row in range(rows):
        line = [words.pop()]
        while face.getlength(" ".join([*line, words[-1]])) < width:
            line.append(words.pop())
        draw.text((at[0], at[1] + row * round(face.size * 1.6)), " ".join(line), font=face, fill=(20, 20, 20))
        set_so_far += line
    return set_so_far


def a4_page(
    rows: int = 40,
    name: str = SANS,
    points: int = 11,
    noise_level: float = 6,
    text: Callable[[int, int], list[str]] = said,
) -> tuple[Pixels, list[str]]:
    """Print a page at 150 dots an inch, with light noise."""
    picture = Image.new("RGB", (1240, 1754), "white")
    face = font(name, points * 150 // 72)
    words = column(ImageDraw.Draw(picture), (120, 120), 1000, rows, face, seed=1, text=text)
    noise = np.random.default_rng(1).normal(0, noise_level, (1754, 1240, 3))
    return np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8), words


def two_columns(rows: int = 12) -> tuple[Pixels, list[str]]:
    picture = Image.new("RGB", (1240, 600), "white")
    draw, face = ImageDraw.Draw(picture), font(SANS, 20)
    words = [word for x in (80, 660) for word in column(draw, (x, 60), 500, rows, face, seed=x)]
    return np.asarray(picture), words


def budgeted(pixels: Pixels, tokens: int) -> Pixels:
    fit = area32(pixels.shape[1], pixels.shape[0], tokens)
    return np.asarray(cv2.resize(pixels, (fit.width, fit.height), interpolation=cv2.INTER_AREA), np.uint8)


def turned(pixels: Pixels, degrees: float) -> Pixels:
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    flags, paper = cv2.INTER_CUBIC, (255, 255, 255)
    return np.asarray(
        cv2.warpAffine(pixels, matrix, (width, height), flags=flags, borderValue=paper), np.uint8
    )


def words_of(lines: Sequence[Line]) -> list[str]:
    return [word.text for line in lines for word in line.words]


def recall(lines: Sequence[Line], printed: Sequence[str]) -> float:
    return (Counter(printed) & Counter(words_of(lines))).total() / len(printed)


def test_an_a4_page_can_be_read_at_the_default_resolution(reader: Reader) -> None:
    page, printed = a4_page()

    lines = reader.read(budgeted(page, 1120))

    assert len(lines) == 40
    assert recall(lines, printed) >= 0.97


@pytest.mark.long
def test_an_a4_page_of_11_points_loses_words_at_low_resolution(reader: Reader) -> None:
    page, printed = a4_page(name=BOOK, noise_level=12, text=entries)

    low, medium, high = (recall(reader.read(budgeted(page, n)), printed) for n in (280, 560, 1120))

    lost_at_low, lost_at_medium = (round((1 - share) * len(printed)) for share in (low, medium))
    assert lost_at_low >= 5 * max(lost_at_medium, 1)
    assert high >= 0.97


@pytest.mark.long
def test_small_print_needs_more_tokens(reader: Reader) -> None:
    page, printed = a4_page(rows=20, name=SERIF, points=9)

    low, medium, high = (recall(reader.read(budgeted(page, n)), printed) for n in (280, 560, 1120))

    assert low < 0.8
    assert medium > low + 0.1
    assert high >= max(medium, 0.97)


def test_two_columns_are_read_one_after_the_other(reader: Reader) -> None:
    page, printed = two_columns()

    lines = reader.read(page)

    assert words_of(lines) == printed
    assert [line.block for line in lines] == [0] * 12 + [1] * 12


def test_labels_of_a_screen_are_read_at_13_pixels(reader: Reader) -> None:
    picture = Image.new("RGB", (1000, 420), (250, 250, 250))
    draw, face = ImageDraw.Draw(picture), font(SANS, 13)
    draw.rectangle((0, 0, 200, 420), fill=(38, 43, 54))
    menu = ["Dashboard", "Projects", "Messages", "Calendar", "Reports", "Settings", "Billing", "Archive"]
    rows = [
        ["Order", "Customer", "State"],
        *([str(100 + n), w.title(), "Paid"] for n, w in enumerate(said(7, 3))),
    ]
    for index, entry in enumerate(menu):
        draw.text((24, 40 + index * 36), entry, font=face, fill=(220, 225, 235))
    for index, row in enumerate(rows):
        for x, cell in zip((260, 480, 800), row, strict=True):
            draw.text((x, 60 + index * 41), cell, font=face, fill=(40, 40, 40))

    lines = reader.read(np.asarray(picture))

    assert [line.text for line in lines] == menu + [cell for row in rows for cell in row]


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_page_that_lies_or_stands_on_its_head_is_read_all_the_same(reader: Reader, quarters: int) -> None:
    page, printed = two_columns(rows=4)

    lines = reader.read(np.ascontiguousarray(np.rot90(page[:240], quarters)))

    assert words_of(lines) == printed


def test_boxes_of_a_turned_page_are_those_of_the_picture_that_was_sent(reader: Reader) -> None:
    page, _ = two_columns(rows=4)
    upright = reader.read(page[:240])

    lying = reader.read(np.ascontiguousarray(np.rot90(page[:240])))

    for one, other in zip(upright, lying, strict=True):
        expected = Box(1000 - one.box.xmax, one.box.ymin, 1000 - one.box.xmin, one.box.ymax)
        assert np.allclose(other.box.as_list(), expected.as_list(), atol=25)


@pytest.mark.parametrize("degrees", [2, -2, 8])
def test_a_tilted_page_keeps_its_order(reader: Reader, degrees: float) -> None:
    page, printed = two_columns(rows=8)

    lines = reader.read(turned(page, degrees))

    assert recall(lines, printed) >= 0.98
    assert [line.block for line in lines] == [0] * 8 + [1] * 8


def test_words_stand_where_they_were_printed(reader: Reader) -> None:
    picture = Image.new("RGB", (600, 100), "white")
    face = font(SANS, 24)
    ImageDraw.Draw(picture).text((50, 30), "Fresh coffee every morning", font=face, fill="black")

    (line,) = reader.read(np.asarray(picture))

    starts = [
        50 + face.getlength(before) for before in ("", "Fresh ", "Fresh coffee ", "Fresh coffee every ")
    ]
    assert [word.box.xmin / 1000 * 600 for word in line.words] == pytest.approx(starts, abs=6)
    assert 290 < line.box.ymin < 380
    assert 520 < line.box.ymax < 640


def test_text_that_runs_upwards_is_read(reader: Reader) -> None:
    picture = Image.new("RGB", (400, 120), "white")
    ImageDraw.Draw(picture).text((60, 40), "Count of people", font=font(SANS, 18), fill="black")
    label = picture.rotate(90, expand=True)
    picture = Image.new("RGB", (900, 400), "white")
    picture.paste(label, (0, 0))
    draw = ImageDraw.Draw(picture)
    for row in range(5):
        draw.text((200, 40 + row * 60), " ".join(said(8, row)), font=font(SANS, 20), fill="black")

    lines = reader.read(np.asarray(picture))

    assert "Count of people" in [line.text for line in lines]


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
def test_photographs_without_text_have_none(reader: Reader, name: str) -> None:
    assert reader.read(getattr(skimage.data, name)()) == ()


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 12), (33, 47)])
def test_pictures_of_any_shape_can_be_looked_at(reader: Reader, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)

    assert reader.read(noise) == ()


def test_reading_is_silent_and_its_lines_travel_between_processes(
    reader: Reader, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    page, _ = two_columns(rows=4)

    with caplog.at_level(logging.DEBUG):
        lines = Reader().read(page[:240])

    assert pickle.loads(pickle.dumps(lines)) == lines
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def listed(width: int, height: int, rows: int) -> Pixels:
    """Set numbered rows one below the other, all over a picture."""
    picture = Image.new("RGB", (width, height), "white")
    draw, face = ImageDraw.Draw(picture), font(SANS, 24)
    for row in range(rows):
        draw.text((20, 20 + row * (height - 60) // (rows - 1)), f"Row number {row} of all", "black", face)
    return np.asarray(picture)


@pytest.mark.parametrize(("width", "height"), [(400, 7000), (2000, 2400), (6000, 1200)])
def test_a_large_picture_is_read_in_parts_and_each_line_once(reader: Reader, width: int, height: int) -> None:
    lines = reader.read(listed(width, height, 24))

    assert [line.text for line in lines] == [f"Row number {row} of all" for row in range(24)]


def test_a_long_look_makes_way_after_each_row(reader: Reader) -> None:
    steps = sum(1 for _ in reader.reading(listed(400, 1200, 24)))

    assert steps >= 24
