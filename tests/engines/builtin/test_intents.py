from __future__ import annotations

import pytest

from twinlens.engines.builtin.intents import VIDEOS, is_follow_up, picked, read

QUESTIONS = {
    "": "caption",
    "Caption this image.": "caption",
    "Describe this image:": "caption",
    "What's in this picture?": "caption",
    "What is this?": "caption",
    "What is different between these two images?": "difference",
    "Detect the all of the prominent items. The box_2d should be [ymin, xmin, ymax, xmax]": "detect",
    "Show bounding boxes of all green objects in this image": "detect",
    "Give the segmentation masks for the wooden and glass items.": "segment",
    "What text is in the picture?": "read",
    "What does the sign say?": "read",
    "Transcribe this page": "read",
    "How many faces are there?": "count",
    "Is there any text?": "presence",
    "What colours are in the image?": "colours",
    "What color is the background?": "colours",
    "What does the QR code contain?": "codes",
    "What is the size of the image?": "size",
    "How many pixels does this image have?": "size",
    "What is on the page?": "caption",
    "Is the image blurry?": "quality",
    "Is this a photo or a drawing?": "kind",
    "Extract the table as CSV": "table",
    "What are the values of the chart?": "chart",
    'Where is the word "Exit"?': "locate",
    "What is the invoice number?": "ask",
    "When is the invoice due?": "ask",
}

CANNOT_BE_KNOWN = (
    "What animal is this?",
    "What breed is the dog?",
    "What is the man doing?",
    "What is happening here?",
    "Is the person smiling?",
    "What's the mood?",
    "How old is she?",
    "Who is this?",
    "What is the bowl made of?",
    "What is on the table?",
    "What is under the chair?",
    "Where was this photo taken?",
    "Is it indoors or outdoors?",
    "Why is the street empty?",
    "Transcribe the audio",
    "Write a story about this image",
    "Make a quiz about the picture",
    "Translate the text into German",
)


@pytest.mark.parametrize(("question", "name"), QUESTIONS.items())
def test_a_question_is_known_by_its_words(question: str, name: str) -> None:
    intent = read(question, images=2)

    assert intent.name == name


@pytest.mark.parametrize("question", CANNOT_BE_KNOWN)
def test_what_pixels_cannot_tell_is_refused_without_a_look(question: str) -> None:
    intent = read(question)

    assert intent.name == "refuse"
    assert intent.topic
    assert not intent.wanted


def test_only_the_facts_that_are_asked_about_are_looked_for() -> None:
    assert read("What colours are in the image?").wanted == {"colours"}
    assert read("How many faces are there?").wanted == {"faces"}
    assert read("Show bounding boxes of all green objects").wanted == {"colours"}
    assert read("What is the size of the image?").wanted == frozenset()


def test_a_colour_goes_by_any_of_its_words() -> None:
    assert read("Detect all violet objects").colours == {"purple"}


def test_words_that_no_fact_stands_for_are_kept_apart() -> None:
    intent = read("Detect the cats")

    assert intent.strangers == ("cats",)
    assert not intent.targets


def test_quoted_keys_of_the_answers_form_are_not_taken_for_text_to_find() -> None:
    intent = read('Detect the faces. Put the box in the key "box_2d" and the label in the key "label".')

    assert intent.quoted == ""
    assert intent.targets == {"faces"}


@pytest.mark.parametrize(
    ("question", "index"),
    [
        ("and the second one?", 1),
        ("What is in image 3?", 2),
        ("Describe the last picture", 2),
        ("What is the first name?", None),
        ("Read image 9", None),
    ],
)
def test_a_question_may_point_to_one_of_the_pictures(question: str, index: int | None) -> None:
    assert picked(question, 3) == index


def test_a_follow_up_says_only_which_picture_it_means() -> None:
    assert is_follow_up("And what about the second one?")
    assert not is_follow_up("How many faces are in the second image?")
    assert not is_follow_up("What text is in the second image?")
    assert not is_follow_up("And?")


OF_RECORDINGS = {
    "Summarize this video. Then create a quiz with an answer key.": "caption",
    "Please summarize the video in 3 sentences.": "caption",
    "What is on screen?": "caption",
    "What is happening in this video?": "caption",
    "Transcribe the audio from this video, giving timestamps for salient events in the video.": "timeline",
    "List the key events": "timeline",
    "Extract all text with timestamps": "read",
    "Detect faces, with timestamps": "detect",
    "What text is on screen in the video?": "read",
    "How long is this video?": "length",
    "What is the duration of the clip?": "length",
    "How many scenes are there?": "scenes",
    "How many cuts does this video have?": "scenes",
    "When do the scenes change?": "scenes",
    "List the scenes": "scenes",
    "When does the word “Exit” appear?": "locate",
    "At what time is a QR code shown?": "locate",
    "Is there a QR code in this clip?": "presence",
    "How many faces are in the video?": "count",
    "What is the resolution of the video?": "size",
    "What animal is in the video?": "refuse",
    "Transcribe the audio": "refuse",
    "What scene is this?": "refuse",
    "What is the name of the speaker?": "ask",
}


@pytest.mark.parametrize(("question", "name"), OF_RECORDINGS.items())
def test_a_question_about_a_recording_is_known_by_its_words(question: str, name: str) -> None:
    intent = read(question, images=0, recordings=1)

    assert intent.name == name


def test_a_medium_is_picked_by_the_noun_of_its_kind() -> None:
    assert picked("What is in the second video?", 2, VIDEOS) == 1
    assert picked("What is in the second video?", 2) is None
    assert picked("What is on screen in video 1:05?", 2, VIDEOS) is None


@pytest.mark.parametrize(
    ("question", "cited"),
    [
        ("Detect the word DOG in the video with its timestamp", "DOG"),
        ("Find every occurrence of the word one", "one"),
        ("Detect the word boxes", ""),
        ("Does the text say OPEN NOW?", "OPEN NOW"),
        ("Does the sign in the video say stop?", "stop"),
        ("Does the text say anything?", ""),
        ("Does the man say hello?", ""),
    ],
)
def test_words_are_cited_without_marks(question: str, cited: str) -> None:
    assert read(question, 0, recordings=1).quoted == cited


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("List all the events with timestamps as a table", "timeline"),
        ("Extract all text into a table", "read"),
        ("Which texts are there?", "read"),
    ],
)
def test_a_list_of_what_is_in_a_recording_is_no_table(question: str, name: str) -> None:
    assert read(question, 0, recordings=1).name == name


def test_how_times_are_called_is_nothing_to_look_for() -> None:
    assert read("Detect all text and the timestamp at which it appears", 0, recordings=1).strangers == ()
