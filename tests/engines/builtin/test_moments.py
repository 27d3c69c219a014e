from __future__ import annotations

import pytest

from twinlens.domain.clip import Span
from twinlens.engines.builtin.moments import ends, misread, named, removed

WHOLE = Span(0.0, 90.0)

QUESTIONS: dict[str, list[tuple[float, float]]] = {
    "What was on screen at 00:05?": [(5, 5)],
    "What are the examples given at 00:05 and 00:10 supposed to show us?": [(5, 5), (10, 10)],
    "What happens between 00:05 and 00:10?": [(5, 10)],
    "Describe 00:05-00:10": [(5, 10)],
    "Describe the part from 0:05 to 1:10": [(5, 70)],
    "Read the text at 1:02:03.": [(3723, 3723)],
    "What is at 00:05.5?": [(5.5, 5.5)],
    "What is shown at 5 seconds?": [(5, 5)],
    "What is shown 5 seconds in?": [(5, 5)],
    "What is shown at the 5 second mark?": [(5, 5)],
    "What is shown at second 7?": [(7, 7)],
    "What is shown at 1 minute and 5 seconds?": [(65, 65)],
    "What is shown at 1m5s?": [(65, 65)],
    "What is shown at minute 1?": [(60, 60)],
    "What is in the first frame?": [(0, 0)],
    "What is in the last frame?": [(90, 90)],
    "What is written in the first 10 seconds?": [(0, 9.999)],
    "What is written in the first two seconds?": [(0, 1.999)],
    "What happens during the last second?": [(89, 90)],
    "What is written in the last 10 seconds?": [(80, 90)],
    "What is on screen at the end of the video?": [(85, 90)],
    "At the beginning, what is to be seen?": [(0, 4.999)],
    "What is at the start of this clip?": [(0, 4.999)],
    "What text is shown after 00:10?": [(10.001, 90)],
    "What text is shown before 00:10?": [(0, 9.999)],
    "What happened until 00:10?": [(0, 10)],
    "What happened since 1:00?": [(60, 90)],
    "What is to be seen from 00:10 on?": [(10, 90)],
    "Describe it from 00:10 onwards": [(10, 90)],
    "Describe it from 00:10 to the end": [(10, 90)],
    "Describe it starting at 10 seconds": [(10, 90)],
    "What is shown after 00:10 and before 00:05?": [(10.001, 90), (0, 4.999)],
    "What is written at 00:10 on the screen?": [(10, 10)],
    "Describe 00:05 -00:10": [(5, 10)],
    "What is shown after 01:40?": [(100.001, 100.001)],
    "What is on screen at 00:05 and again at 00:05?": [(5, 5)],
}

WITHOUT = (
    "Summarize this video in 3 sentences.",
    "Write a summary that reads in 30 seconds.",
    "Is the aspect ratio 16:9?",
    "When does “10:30” appear?",
    "What are the first two chapters?",
    "What stands at the end of each line?",
    "Describe the frame",
    "How many seconds long is it?",
    "",
)


@pytest.mark.parametrize(("question", "spans"), QUESTIONS.items())
def test_moments_are_read_as_people_write_them(question: str, spans: list[tuple[float, float]]) -> None:
    assert [(span.start, span.end) for span in named(question, WHOLE)] == spans


@pytest.mark.parametrize("question", WITHOUT)
def test_other_numbers_are_no_moments(question: str) -> None:
    assert named(question, WHOLE) == ()


def test_the_first_and_the_last_moment_are_those_of_the_clip() -> None:
    clip = Span(20.0, 30.0)

    assert named("Compare the first frame and the last frame", clip) == (Span(20, 20), Span(30, 30))


def test_moments_can_be_left_out_of_a_question() -> None:
    assert "05" not in removed("What is on screen at 00:05, and at 1 minute 05 seconds?")


def test_frames_go_by_their_numbers_from_one() -> None:
    assert named("What is in frame 3, and in frame #1?", WHOLE, (0.0, 0.5, 1.0)) == (Span(1, 1), Span(0, 0))


def test_a_frame_that_there_is_not_is_named() -> None:
    assert misread("What is in frame 4?", (0.0, 0.5, 1.0)) == (
        "There is no frame 4: the video is seen in frames from 1 to 3."
    )


@pytest.mark.parametrize("time", ["00:60", "0:99", "-00:05", "1:99:00", "00:600"])
def test_a_time_that_is_none_is_named(time: str) -> None:
    question = f"What text is shown at {time}?"

    assert named(question, WHOLE) == ()
    assert misread(question).startswith(f"“{time}” was not understood as a time")


def test_a_time_below_nought_is_named_however_it_is_written() -> None:
    assert named("What is shown at -5 seconds?", WHOLE) == ()
    assert misread("What is shown at -5 seconds?").startswith("“-5 seconds” was not understood")


@pytest.mark.parametrize("question", [*QUESTIONS, *WITHOUT])
def test_what_is_understood_is_not_complained_about(question: str) -> None:
    assert misread(question) == ""


def test_a_comparison_is_between_two_moments() -> None:
    both = (Span(0, 0), Span(3, 3))

    assert ends(named("Compare 00:00 and 00:03", WHOLE)) == both
    assert ends(named("What changed between 00:00 and 00:03?", WHOLE)) == both
