from __future__ import annotations

from twinlens.domain.regions import Box
from twinlens.engines.builtin.facts import Facts, Line
from twinlens.engines.builtin.video.captions import Glance, join


def line(text: str, y: int = 800, x: int = 100, score: float = 0.95) -> Line:
    return Line(text, score, Box(y, x, y + 80, x + 400), (), 0)


def glance(index: int, *lines: Line, last: int | None = None) -> Glance:
    facts = Facts(640, 360, 640, 360, lines=lines)
    return Glance(index, index if last is None else last, index == 0, facts)


def spans(*glances: Glance) -> list[tuple[str, int, int]]:
    captions, _ = join(glances)
    return [(caption.text, caption.first, caption.last) for caption in captions]


def test_a_text_lasts_until_the_last_frame_that_is_alike() -> None:
    assert spans(glance(0, line("Welcome"), last=9), glance(10)) == [("Welcome", 0, 9)]


def test_a_text_that_goes_on_is_one_caption() -> None:
    assert spans(glance(0, line("Welcome")), glance(1, line("Welcome"), line("Part one", 200))) == [
        ("Welcome", 0, 1),
        ("Part one", 1, 1),
    ]


def test_a_slip_in_reading_is_the_same_text_as_it_is_read_most() -> None:
    read = [glance(0, line("Welcorne home"), last=0), glance(1, line("Welcome home"), last=5)]

    assert spans(*read) == [("Welcome home", 0, 5)]


def test_another_figure_is_another_text() -> None:
    assert len(spans(glance(0, line("Frame 11")), glance(1, line("Frame 12")))) == 2


def test_another_word_is_another_text() -> None:
    assert len(spans(glance(0, line("Chapter one")), glance(1, line("Chapter two")))) == 2


def test_a_gap_of_one_frame_is_bridged() -> None:
    assert spans(glance(0, line("Welcome")), glance(1), glance(2, line("Welcome"))) == [("Welcome", 0, 2)]


def test_a_text_that_comes_again_later_is_another_caption() -> None:
    read = [glance(0, line("Welcome")), glance(1, last=4), glance(5, line("Welcome"))]

    assert spans(*read) == [("Welcome", 0, 0), ("Welcome", 5, 5)]


def test_a_text_may_move_a_little() -> None:
    credits_ = [glance(index, line("Directed by Jane", 900 - 100 * index)) for index in range(8)]

    assert spans(*credits_) == [("Directed by Jane", 0, 7)]


def test_the_same_text_twice_at_a_time_is_two_captions() -> None:
    assert len(spans(glance(0, line("Exit", 100), line("Exit", 700)))) == 2


def test_what_is_hardly_read_is_left_out() -> None:
    assert spans(glance(0, line("O"), line("maybe", score=0.3))) == []


def test_two_letters_seen_once_and_not_surely_are_left_out() -> None:
    once, twice = glance(0, line("AL", score=0.84)), glance(1, line("AL", score=0.84))

    assert spans(once) == []
    assert spans(once, twice) == [("AL", 0, 1)]
    assert spans(glance(0, line("42", score=0.84))) == [("42", 0, 0)]


def test_facts_carry_each_text_once() -> None:
    _, facts = join([glance(0, line("Welcome")), glance(1, line("Welcome"), line("Part one", 200))])

    assert [[x.text for x in one.lines or ()] for one in facts] == [["Welcome"], ["Part one"]]
