from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from twinlens.domain.regions import Box
from twinlens.engines.builtin import detect
from twinlens.engines.builtin.evidence import Item
from twinlens.engines.builtin.facts import Facts, Kind
from twinlens.engines.builtin.intents import read
from twinlens.engines.builtin.replies import Reply

Ask = Callable[..., Reply]

PROMINENT = (
    "Detect the all of the prominent items in the image. "
    "The box_2d should be [ymin, xmin, ymax, xmax] normalized to 0-1000."
)
MASKS = """
Give the segmentation masks for the wooden and glass items.
Output a JSON list of segmentation masks where each entry contains the 2D
bounding box in the key "box_2d", the segmentation mask in key "mask", and
the text label in the key "label". Use descriptive labels.
"""


def labels(question: str, facts: Facts) -> list[str]:
    return [item.label for item in detect.find(read(question), facts)]


def test_prominent_items_are_faces_codes_charts_text_and_regions(ask: Ask, poster: Facts) -> None:
    reply = ask(PROMINENT, poster, mime_type="application/json")

    assert json.loads(reply.text) == [
        {"box_2d": [600, 100, 800, 250], "label": "QR code: https://example.com/x"},
        {"box_2d": [400, 400, 800, 900], "label": "bar chart Sales"},
        {"box_2d": [50, 100, 70, 217], "label": "OPEN 24 HOURS"},
        {"box_2d": [900, 800, 920, 836], "label": "Exit"},
        {"box_2d": [0, 0, 300, 400], "label": "red region"},
    ]


def test_the_ground_of_a_picture_is_no_item(photo: Facts) -> None:
    assert "beige region" not in labels(PROMINENT, photo)
    assert "green region" in labels(PROMINENT, photo)


def test_colours_of_a_document_are_no_items(photo: Facts) -> None:
    document = replace(photo, kind=Kind("document", 0.9, grey=False))

    assert labels(PROMINENT, document) == ["face"]


def test_green_objects_are_the_green_regions_the_largest_first(photo: Facts) -> None:
    items = detect.find(read("Show bounding boxes of all green objects in this image"), photo)

    assert [item.box.as_list() for item in items] == [[10, 20, 110, 220], [600, 700, 700, 800]]


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("Detect all text", ["OPEN 24 HOURS", "Exit"]),
        ("Detect the QR codes", ["QR code: https://example.com/x"]),
        ('Detect the word "24"', ["24"]),
        ("Detect all faces", []),
    ],
)
def test_what_is_named_is_found_and_nothing_else(poster: Facts, question: str, found: list[str]) -> None:
    assert labels(question, poster) == found


def test_cited_words_are_boxed_by_themselves(poster: Facts) -> None:
    (item,) = detect.find(read('Find the bounding box of "24 hours"'), poster)

    assert item.box == Box(50, 145, 70, 217)


def test_things_it_cannot_know_give_an_empty_list_and_a_message(ask: Ask, photo: Facts) -> None:
    reply = ask("Detect the cats", photo)

    assert json.loads(reply.text) == []
    assert reply.message is not None
    assert "“cats”" in reply.message


def test_a_part_it_cannot_judge_is_named(ask: Ask, photo: Facts) -> None:
    reply = ask("Detect all people with hats", photo)

    assert [item["label"] for item in json.loads(reply.text)] == ["face"]
    assert reply.message is not None
    assert "“hats”" in reply.message


def test_masks_are_never_made_up(ask: Ask, photo: Facts) -> None:
    wooden = ask(MASKS, photo)
    faces = ask("Give the segmentation masks for the faces", photo)

    assert json.loads(wooden.text) == json.loads(faces.text) == []
    assert wooden.message is not None
    assert "vision-language model" in wooden.message
    assert faces.message is not None
    assert "segmentation model" in faces.message


def test_an_answer_without_json_type_is_bare_json_all_the_same(ask: Ask, poster: Facts) -> None:
    text = ask("Show bounding boxes of the QR code", poster).text

    assert text == '[\n  {"box_2d": [600, 100, 800, 250], "label": "QR code: https://example.com/x"}\n]'


def test_no_items_are_an_empty_list() -> None:
    assert detect.as_json(()) == "[]"


def test_items_are_summed_up_by_kind() -> None:
    items = [Item(Box(0, 0, 1, 1), "x", 1.0, kind) for kind in ("text", "face", "text")]

    assert detect.summary(items) == "1 face and 2 texts"


BOXES = {
    "type": "object",
    "properties": {
        "boxes": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "box_2d": {"type": "array", "items": {"type": "integer"}},
                    "mask": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
                    "label": {"type": "string"},
                },
                "required": ["box_2d", "mask", "label"],
            },
        }
    },
    "required": ["boxes"],
}


def test_the_callers_schema_decides_the_form_of_the_boxes(ask: Ask, poster: Facts) -> None:
    reply = ask("Detect the QR codes", poster, schema=BOXES)

    assert json.loads(reply.text) == {
        "boxes": [{"box_2d": [600, 100, 800, 250], "mask": [], "label": "QR code: https://example.com/x"}]
    }
    assert reply.message is not None
    assert "boxes[0].mask" in reply.message


def test_keys_may_be_called_otherwise(ask: Ask, poster: Facts) -> None:
    schema = {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "text": {"type": "string"},
                "bbox": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
            },
            "required": ["text", "bbox"],
        },
    }

    reply = ask("Detect all text", poster, schema=schema)

    assert json.loads(reply.text) == [
        {"text": "OPEN 24 HOURS", "bbox": [50, 100, 70, 217]},
        {"text": "Exit", "bbox": [900, 800, 920, 836]},
    ]


def test_reading_with_a_schema_that_has_boxes_places_every_line(ask: Ask, poster: Facts) -> None:
    item = {
        "type": "object",
        "properties": {"box_2d": {"type": "array", "items": {"type": "integer"}}, "text": {"type": "string"}},
    }

    reply = ask("Read the text", poster, schema={"type": "array", "items": item})

    assert [found["text"] for found in json.loads(reply.text)] == ["OPEN 24 HOURS", "Exit"]


def test_edges_of_a_box_may_be_fields_of_their_own(ask: Ask, photo: Facts) -> None:
    edges = {name: {"type": "integer"} for name in ("xmin", "ymin", "xmax", "ymax")}
    box = {"type": "object", "properties": edges, "required": list(edges)}
    item = {
        "type": "object",
        "properties": {"label": {"type": "string"}, "box": box},
        "required": ["label", "box"],
    }

    reply = ask("Detect all faces", photo, schema={"type": "array", "items": item})

    assert json.loads(reply.text) == [
        {"label": "face", "box": {"xmin": 400, "ymin": 160, "xmax": 560, "ymax": 343}}
    ]


def test_a_refused_mask_leaves_the_schemas_list_empty(ask: Ask, photo: Facts) -> None:
    reply = ask(MASKS, photo, schema=BOXES)

    assert json.loads(reply.text) == {"boxes": []}
    assert reply.message is not None
