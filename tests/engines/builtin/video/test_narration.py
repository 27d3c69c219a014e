from __future__ import annotations

from collections.abc import Callable

import pytest

from twinlens.domain.engine_media import Sound, Video
from twinlens.domain.regions import Box
from twinlens.engines.builtin.facts import Code, Face, Facts, Line, SpeechSpan, Words
from twinlens.engines.builtin.video import narration, timeline
from twinlens.engines.builtin.video.captions import Glance, join
from twinlens.engines.builtin.video.reel import Reel
from twinlens.engines.builtin.video.timeline import Heard

Film = Callable[..., tuple[Video, list[int]]]

SPOKEN = Heard(speech=(SpeechSpan(1.2, 3.9, 0.9), SpeechSpan(5.0, 5.5, 0.8)))
SILENT = Heard()


def reel(*shown: tuple[int, Facts], last: int) -> Reel:
    """Make a reel of frames that were looked at; each one opens a scene."""
    ends = [*(index - 1 for index, _ in shown[1:]), last]
    glances = tuple(Glance(i, end, True, facts) for (i, facts), end in zip(shown, ends, strict=True))
    captions, facts = join(glances)
    return Reel(0, last, glances, captions, facts)


def showing(*texts: str, faces: int = 0, code: str = "") -> Facts:
    lines = tuple(
        Line(text, 0.95, Box(100 * n, 100, 100 * n + 90 // n, 500), (), 0) for n, text in enumerate(texts, 1)
    )
    found = tuple(Face(0.9, Box(100, 100 * n, 200, 100 * n + 80)) for n in range(faces))
    codes = (Code("QR code", code, 1.0, Box(600, 600, 800, 800)),) if code else ()
    return Facts(1280, 720, 640, 360, lines=lines, faces=found, codes=codes)


@pytest.fixture
def video(film: Film) -> Video:
    made, _ = film(*[("white", "")] * 8)
    return made


def test_a_summary_names_faces_codes_and_speech(film: Film) -> None:
    async def read(start: float, end: float):  # type: ignore[no-untyped-def]  # nobody listens here
        yield None

    sound = Sound("audio/aac", 0.0, 4.0, 100, "sound", read)
    video, _ = film(*[("white", "")] * 4, sound=sound)
    seen = reel((0, showing("Welcome", faces=2)), (2, showing(code="https://x.example")), last=3)

    said = narration.summary(video, seen, SPOKEN)

    assert "with sound" in said
    assert "Speech is heard from 00:01 to 00:03 and at 00:05." in said
    assert "00:02–00:03: a QR code that holds “https://x.example”." in said
    assert "At least 2 faces are visible at 00:00." in said


def test_a_summary_mentions_the_weightiest_text_in_its_order(video: Video) -> None:
    names = [f"Title {chr(65 + n)}" for n in range(8)]
    seen = reel(*((n, showing(name, f"Small print {name}")) for n, name in enumerate(names)), last=7)

    said = narration.summary(video, seen, SILENT)

    assert "; and 8 more." in said
    assert "Small print" not in said
    assert said.index("Title A") < said.index("Title H")


def test_words_take_the_place_of_speech(video: Video) -> None:
    heard = Heard(SPOKEN.speech, (Words(1.2, 3.9, "Good morning."),))

    events = timeline.events(video, reel((0, showing("Welcome")), last=7), heard)
    lines = narration.listed(events).splitlines()

    assert "00:01–00:03 “Good morning.”" in lines
    assert not any("Speech" in line for line in lines)


def test_texts_that_come_and_go_together_stand_on_one_line(video: Video) -> None:
    seen = reel((0, showing("Agenda", "1. Start", "2. End")), last=4)

    assert narration.listed(timeline.texts(video, seen)) == "00:00–00:04 “Agenda”, “1. Start” and “2. End”"


def test_a_long_list_is_cut_with_a_word_about_the_rest(video: Video) -> None:
    heard = Heard(tuple(SpeechSpan(n, n + 0.5, 0.9) for n in range(300)))

    lines = narration.listed(timeline.speech(heard)).splitlines()

    assert len(lines) == narration.MOST_LINES + 1
    assert lines[-1] == "… and 100 more"


def test_events_carry_their_time_in_every_usual_form(video: Video) -> None:
    (record,) = [event.as_record() for event in timeline.texts(video, reel((2, showing("Exit")), last=4))]

    assert (record["timestamp"], record["start"], record["end"], record["end_ms"]) == (
        "00:02",
        "00:02",
        "00:04",
        4000,
    )
    assert record["start"].seconds == 2
    assert (record["text"], record["type"], record["duration"]) == ("Exit", "text", 2)
