from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from twinlens.domain.regions import Box
from twinlens.engines.builtin.facts import Difference, Facts
from twinlens.engines.builtin.replies import Reply

Ask = Callable[..., Reply]


def test_a_photograph_is_captioned_with_its_facts(ask: Ask, photo: Facts) -> None:
    reply = ask("Caption this image.", photo)

    assert reply.text == (
        "A photograph, 512 × 512 pixels, mostly beige, black and grey, with 1 face in the upper centre. "
        "No readable text. It looks sharp."
    )
    assert reply.message is not None
    assert "vision-language model" in reply.message


def test_codes_charts_and_words_are_part_of_a_caption(ask: Ask, poster: Facts) -> None:
    text = ask("Describe this image", poster).text

    assert "“OPEN 24 HOURS” and “Exit”" in text
    assert "A QR code in the lower left (box_2d [600, 100, 800, 250]) holds “https://example.com/x”." in text
    assert (
        "a bar chart titled “Sales” with 2 bars; the highest and the lowest are South at 30 and North at 12.5"
        in text
    )
    assert text.endswith("It looks blurred and dark.")


def test_a_caption_says_what_of_the_question_it_leaves_out(ask: Ask, photo: Facts) -> None:
    text = ask("Describe this image and its mood", photo).text

    assert text.startswith("A photograph")
    assert "cannot tell emotions" in text
    assert "vision-language model (--engine; none is installed here, see docs/engines.md)" in text


def test_a_chart_that_may_be_a_screenshot_is_called_either(ask: Ask, poster: Facts) -> None:
    assert poster.kind is not None
    unsure = replace(poster, kind=replace(poster.kind, name="screenshot", score=0.5))

    assert "a chart, diagram or screenshot" in ask("What kind of image is this?", unsure).text


def test_text_is_given_in_full_with_paragraphs_apart(ask: Ask, poster: Facts) -> None:
    assert ask("What text is in the picture?", poster).text == "OPEN 24 HOURS\n\nExit"


def test_a_picture_without_text_is_said_to_have_none(ask: Ask, photo: Facts) -> None:
    assert ask("Read the text", photo).text == "No readable text was found."


def test_a_table_comes_as_markdown(ask: Ask, invoice: Facts) -> None:
    lines = ask("Extract the table", invoice).text.splitlines()

    assert lines[:3] == [
        "| Item | Qty | Unit price | Amount |",
        "| --- | --- | --- | --- |",
        "| Widget | 2 | $4.50 | $9.00 |",
    ]


def test_the_values_of_a_chart_come_as_a_list(ask: Ask, poster: Facts) -> None:
    assert ask("What are the values of the chart?", poster).text == (
        "A bar chart, “Sales”, 2 bars:\n- North: 12.5\n- South: 30"
    )


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is the invoice number?", "INV-2026-001"),
        ("What is the total?", "$1,438.71"),
        ("What is the total amount due?", "$1,438.71"),
        ("When is the invoice due?", "The text says: “Due date 12/20/2026”"),
        ("How many words are there?", "The readable text has 42 words."),
        ("What is the size of the image?", "The picture is 1000 × 1400 pixels (portrait, aspect ratio 5:7)"),
        ("Where is the total?", "The words “Total due (USD)” are in the centre"),
    ],
)
def test_questions_about_a_page_are_answered_from_its_text(
    ask: Ask, invoice: Facts, question: str, answer: str
) -> None:
    assert ask(question, invoice).text.startswith(answer)


@pytest.mark.parametrize(
    "question", ["Who is the plumber?", "What colour is the car?", "How many spoons are there?"]
)
def test_what_the_text_does_not_say_is_refused_with_the_way_out(
    ask: Ask, invoice: Facts, question: str
) -> None:
    text = ask(question, invoice).text

    assert text.startswith("The built-in engine reads text, codes")
    assert text.endswith(
        "run twinlens with a vision-language model (--engine; none is installed here, see docs/engines.md)."
    )


def test_faces_are_counted_as_faces_and_not_as_people(ask: Ask, photo: Facts) -> None:
    text = ask("How many people are in the picture?", photo).text

    assert text.startswith("At least 1 face was found.")
    assert "not people" in text


def test_yes_and_no_come_first(ask: Ask, poster: Facts) -> None:
    assert ask("Is there a QR code?", poster).text.startswith(
        "Yes: a QR code: https://example.com/x in the lower left"
    )
    assert ask("Are there any faces?", poster).text == "No: no faces were found."


def test_several_pictures_are_answered_by_number(ask: Ask, photo: Facts, poster: Facts) -> None:
    text = ask("Describe these images:", photo, poster).text

    first, second = text.splitlines()
    assert first.startswith("Image 1: A photograph")
    assert second.startswith("Image 2: A drawing")


def test_a_difference_is_told_with_boxes_and_words(ask: Ask, photo: Facts) -> None:
    changed = Difference(same_scene=True, moved=True, score=0.8, boxes=(Box(277, 100, 465, 218),))

    text = ask("What is different between these two images?", photo, photo, changed=changed).text

    assert text == (
        "The second picture is shifted, turned or scaled against the first. One region differs: "
        "in the left (box_2d [277, 100, 465, 218]), as seen in the second picture."
    )


def test_a_difference_needs_two_pictures(ask: Ask, photo: Facts) -> None:
    assert "two pictures" in ask("What are the differences?", photo).text


def test_a_text_alone_gets_a_short_honest_answer(ask: Ask) -> None:
    assert "no language model" in ask("What is the capital of France?").text


def test_a_greeting_is_returned(ask: Ask) -> None:
    assert ask("Hello!").text.startswith("Hello. This is twinlens")


def test_thoughts_list_the_facts_with_their_scores(ask: Ask, photo: Facts) -> None:
    thoughts = ask("Caption this image.", photo).thoughts

    assert "- faces: a face in the upper centre (box_2d [160, 400, 343, 560]) (0.90)" in thoughts
    assert "- text: nothing found" in thoughts
    assert "- quality: sharp (0.90), normal (0.80)" in thoughts


def test_json_without_a_schema_is_an_object_with_the_answer(ask: Ask, poster: Facts) -> None:
    reply = ask("How many QR codes are there?", poster, mime_type="application/json")

    assert json.loads(reply.text) == {"answer": "1 code was found.", "value": 1}
