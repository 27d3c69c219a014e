from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace

import numpy as np
import pytest
import skimage.data
import zxingcpp

from twinlens.domain.engine import EngineRequest, EngineTurn
from twinlens.domain.engine_media import SAMPLE_RATE, Samples, Sound, Video
from twinlens.domain.media import Image, Json, Pixels
from twinlens.domain.regions import Box
from twinlens.domain.request import OutputFormat
from twinlens.engines.builtin import replies
from twinlens.engines.builtin.facts import Difference, FactName, Facts, Line, SpeechSpan
from twinlens.engines.builtin.look import Observer
from twinlens.engines.builtin.replies import Reply
from twinlens.engines.builtin.sound.ears import Ears
from twinlens.engines.builtin.steps import done
from twinlens.engines.builtin.video import films
from twinlens.engines.builtin.video.films import Means, Reels
from twinlens.processes.fork_server import ForkServer

Film = Callable[..., tuple[Video, list[int]]]
Tell = Callable[..., Awaitable[Reply]]

WELCOME = ("white", "Welcome")
PART_ONE = ("navy", "Part one")
PART_TWO = ("navy", "Part two")
TALK = (WELCOME, WELCOME, ("white", ""), PART_ONE, PART_ONE, PART_TWO)
"""Six frames: a title, nothing, and after a cut at 00:03 two more titles."""


@pytest.fixture(scope="module")
def observer() -> Observer:
    return Observer()


@pytest.fixture
def looked_at() -> list[str]:
    """The pictures that were looked at, by their digests."""
    return []


@pytest.fixture
def reels() -> Reels:
    return films.reels()


@pytest.fixture
def tell(observer: Observer, looked_at: list[str], reels: Reels) -> Tell:
    """Ask about a video, and get the reply."""

    async def look(image: Image, wanted: frozenset[FactName]) -> Facts:
        if wanted:
            looked_at.append(image.digest)
        return done(observer.look(image, wanted))

    async def observed(first: Image, second: Image) -> Difference:
        return observer.compare(first, second)

    async def ask(
        video: Video, question: str, schema: Json = None, form: OutputFormat | None = None
    ) -> Reply:
        form = form or (OutputFormat("application/json", schema) if schema else OutputFormat())
        request = EngineRequest("m", (EngineTurn("user", (video, question)),), output=form)
        plan = replies.plan(request)
        evidence = await films.watch(video, plan.asked, Means(look, observed, Ears(ForkServer()), reels))
        return replies.reply(request, evidence)

    return ask


async def uncompared(first: Image, second: Image) -> Difference:
    raise NotImplementedError


def with_code(content: str) -> Pixels:
    code = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.QRCode)
    grey = np.asarray(zxingcpp.write_barcode_to_image(code, scale=6))
    pixels = np.full((360, 640, 3), 255, np.uint8)
    pixels[50 : 50 + grey.shape[0], 50 : 50 + grey.shape[1]] = grey[:, :, None]
    return pixels


def with_face() -> Pixels:
    pixels = np.full((360, 640, 3), 255, np.uint8)
    pixels[30:330, 150:450] = skimage.data.astronaut()[:300, 70:370]  # type: ignore[no-untyped-call]
    return pixels


async def test_a_question_about_a_time_decodes_that_frame_alone(film: Film, tell: Tell) -> None:
    video, decoded = film(*TALK)

    reply = await tell(video, "What text is on screen at 00:04?")

    assert reply.text == "00:04: Part one"
    assert decoded == [4]


async def test_two_times_are_answered_each_with_its_own(film: Film, tell: Tell) -> None:
    video, decoded = film(*TALK)

    reply = await tell(video, "What are the examples given at 00:00 and 00:05 supposed to show us?")

    first, second = reply.text.splitlines()
    assert first.startswith("00:00: ")
    assert "“Welcome”" in first
    assert second.startswith("00:05: ")
    assert "“Part two”" in second
    assert decoded == [0, 5]


async def test_a_time_between_frames_gets_the_nearest(film: Film, tell: Tell) -> None:
    video, decoded = film(*TALK, fps=0.5)

    await tell(video, "What is on screen at 00:07?")

    assert decoded in ([3], [4])


async def test_a_time_beyond_the_video_is_said_to_be_so(film: Film, tell: Tell) -> None:
    video, decoded = film(*TALK)

    reply = await tell(video, "What is on screen at 00:20?")

    assert reply.text == "There is nothing at 00:20: the video runs from 00:00 to 00:06."
    assert decoded == []


async def test_times_are_those_of_the_whole_recording(film: Film, tell: Tell) -> None:
    video, decoded = film(*TALK, start=60.0)

    inside, outside = [await tell(video, f"What text is on screen at {time}?") for time in ("1:04", "0:04")]

    assert inside.text == "01:04: Part one"
    assert outside.text == "There is nothing at 00:04: the video runs from 01:00 to 01:06."
    assert decoded == [4]


async def test_the_last_frame_is_called_by_its_own_time(film: Film, tell: Tell) -> None:
    video, decoded = film(*TALK)

    reply = await tell(video, "What text is in the last frame?")

    assert reply.text == "00:05: Part two"
    assert decoded == [5]


async def test_a_stretch_of_time_is_looked_through(film: Film, tell: Tell) -> None:
    video, decoded = film(*TALK)

    reply = await tell(video, "What text is on screen between 00:01 and 00:03?")

    assert reply.text == "00:01–00:03:\n00:01 “Welcome”\n00:03 “Part one”"
    assert decoded == [1, 2, 3]


async def test_text_is_given_with_the_time_it_stands(film: Film, tell: Tell) -> None:
    video, _ = film(*TALK)

    reply = await tell(video, "What text is on screen?")

    assert reply.text.splitlines() == [
        "00:00–00:01 “Welcome”",
        "00:03–00:04 “Part one”",
        "00:05 “Part two”",
    ]


async def test_frames_that_are_alike_are_looked_at_once(film: Film, tell: Tell, looked_at: list[str]) -> None:
    video, decoded = film(*TALK)

    await tell(video, "What text is on screen?")

    assert decoded == [0, 1, 2, 3, 4, 5]
    assert [digest.partition("/")[2] for digest in looked_at] == ["0", "2", "3", "5"]


async def test_a_second_question_neither_decodes_nor_looks(
    film: Film, tell: Tell, looked_at: list[str]
) -> None:
    video, decoded = film(*TALK)
    await tell(video, "What text is on screen?")
    before = len(decoded), len(looked_at)

    await tell(video, "Is there any text?")

    assert (len(decoded), len(looked_at)) == before


async def test_the_time_of_a_word_is_found(film: Film, tell: Tell) -> None:
    video, _ = film(*TALK)

    quoted = await tell(video, "When does the word “Part” appear?")
    bare = await tell(video, "When does Welcome appear?")
    word = await tell(video, "When does the word welcome appear?")

    assert quoted.text == "“Part” from 00:03 to 00:05."
    assert bare.text == word.text == "The text “Welcome” from 00:00 to 00:01."


async def test_cuts_are_found_without_looking_at_a_frame(
    film: Film, tell: Tell, looked_at: list[str]
) -> None:
    video, _ = film(*TALK)

    reply = await tell(video, "How many scenes are there?")

    assert reply.text.startswith("There are 2 scenes, with a cut at 00:03.")
    assert looked_at == []


async def test_scenes_are_listed_with_their_times(film: Film, tell: Tell) -> None:
    video, _ = film(*TALK)

    reply = await tell(video, "List the scenes of this video")

    _, first, second = reply.text.splitlines()
    assert first.startswith("00:00–00:02 ")
    assert second.startswith("00:03–00:05 ")


async def test_a_summary_says_what_is_known_and_refuses_the_rest(film: Film, tell: Tell) -> None:
    video, _ = film(*TALK)

    reply = await tell(video, "Summarize this video. Then create a quiz with an answer key.")

    opening, _, rest = reply.text.partition(". ")
    assert opening == (
        "The video is 6 seconds long, 1280 × 720 pixels, without sound, and has 2 scenes, with a cut at 00:03"
    )
    assert "00:00–00:01 “Welcome”; 00:03–00:04 “Part one”" in rest
    assert "quizzes" in rest


async def test_a_summary_has_no_more_sentences_than_asked_for(film: Film, tell: Tell) -> None:
    video, _ = film(*TALK)

    reply = await tell(video, "Please summarize the video in one sentence.")

    assert reply.text.endswith("with a cut at 00:03.")
    assert reply.message is not None
    assert "does not name objects, scenes or actions" in reply.message


async def test_events_are_told_in_order_without_a_transcript(film: Film, tell: Tell) -> None:
    video, _ = film(*TALK)

    reply = await tell(
        video,
        "Transcribe the audio from this video, giving timestamps for salient events in the video. "
        "Also provide visual descriptions.",
    )

    assert reply.text.startswith("The video has no sound.")
    assert reply.text.index("“Welcome”") < reply.text.index("“Part one”") < reply.text.index("“Part two”")


async def test_a_code_is_found_with_its_time(film: Film, tell: Tell) -> None:
    video, _ = film(("white", ""), with_code("https://twinlens.example"), ("white", ""))

    presence = await tell(video, "Is there a QR code?")
    content = await tell(video, "What does the QR code say?")

    assert presence.text == "Yes: a QR code: https://twinlens.example at 00:01."
    assert content.text == "00:01 A QR code that holds “https://twinlens.example”"


async def test_everything_that_is_looked_for_is_given_with_its_times(film: Film, tell: Tell) -> None:
    video, _ = film(
        ("white", ""), with_face(), with_face(), ("black", ""), ("black", ""), ("black", ""), with_face()
    )

    reply = await tell(video, "Detect all faces")

    found = json.loads(reply.text)
    assert [(item["label"], item["time"], item.get("end_time")) for item in found] == [
        ("face", "00:01", "00:02"),
        ("face", "00:06", None),
    ]
    assert all(len(item["box_2d"]) == 4 for item in found)


async def test_all_text_is_found_with_its_times(film: Film, tell: Tell) -> None:
    video, _ = film(*TALK)

    reply = await tell(video, "Detect all text and its time")

    found = json.loads(reply.text)
    assert [(item["label"], item["time"]) for item in found] == [
        ("Welcome", "00:00"),
        ("Part one", "00:03"),
        ("Part two", "00:05"),
    ]
    assert reply.message is None


async def test_a_word_is_found_wherever_it_stands(film: Film, tell: Tell) -> None:
    video, _ = film(*TALK)

    for question in ("Detect the word PART in the video with its timestamp", "Detect “part” and the time"):
        found = json.loads((await tell(video, question)).text)
        assert [(item["label"].lower(), item["time"], item["end_time"]) for item in found] == [
            ("part", "00:03", "00:05")
        ]


async def test_what_is_found_in_a_stretch_of_time_is_given_alone(film: Film, tell: Tell) -> None:
    video, _ = film(*TALK)

    reply = await tell(video, "Detect all text after 00:01")

    assert [item["time"] for item in json.loads(reply.text)] == ["00:03", "00:05"]


async def test_of_very_much_that_is_found_the_rest_is_counted(film: Film, reels: Reels) -> None:
    pages = [("white", ""), ("black", "")] * 110
    video, _ = film(*pages)
    request = EngineRequest("m", (EngineTurn("user", (video, "Detect all text")),))

    async def look(image: Image, wanted: frozenset[FactName]) -> Facts:
        said = image.digest.partition("/")[2]
        line = Line(f"Page {said}", 0.98, Box(10, 10, 60, 200), (), 0)
        return Facts(image.source_width, image.source_height, image.width, image.height, lines=(line,))

    means = Means(look, uncompared, Ears(ForkServer()), reels)
    evidence = await films.watch(video, replies.plan(request).asked, means)

    assert len(evidence.items or ()) == 200
    assert "The first 200 of 220 items are given." in evidence.answer.remark


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("What text is on screen after 00:01?", "00:01–00:06:\n00:03–00:04 “Part one”\n00:05 “Part two”"),
        ("What text is on screen before 00:02?", "00:00–00:02: 00:00–00:01 “Welcome”"),
        ("What text is shown until 00:03?", "00:00–00:03:\n00:00–00:01 “Welcome”\n00:03 “Part one”"),
        ("What text is shown from 00:04 on?", "00:04–00:06:\n00:04 “Part one”\n00:05 “Part two”"),
        ("What text is shown during the last second?", "00:05–00:06: 00:05 “Part two”"),
        ("What text is shown in the first 3 seconds?", "00:00–00:03: 00:00–00:01 “Welcome”"),
        ("What text is shown at the end?", "00:05–00:06: 00:05 “Part two”"),
        ("What text is in frame 4?", "00:03: Part one"),
    ],
)
async def test_stretches_of_time_are_read_as_they_are_meant(
    film: Film, tell: Tell, question: str, said: str
) -> None:
    video, _ = film(*TALK)

    assert (await tell(video, question)).text == said


@pytest.mark.parametrize("time", ["at 00:60", "at -00:05", "in frame 9"])
async def test_a_time_that_is_none_is_said_to_be_so(film: Film, tell: Tell, time: str) -> None:
    video, decoded = film(*TALK)

    plain = await tell(video, f"What text is on screen {time}?")
    filled = await tell(video, f"What text is on screen {time}?", {"type": "string"})

    assert "was not understood as a time" in plain.text or "There is no frame 9" in plain.text
    assert plain.text in (filled.message or "")
    assert decoded == []


async def test_what_was_seen_of_one_part_is_not_told_of_another(film: Film, tell: Tell) -> None:
    video, _ = film(*TALK)
    await tell(video, "What text is on screen?")
    part, _ = film(*TALK[3:], start=3.0)
    faster, _ = film(*TALK, fps=2.0)

    of_part, of_faster = [
        (await tell(replace(other, digest=video.digest), "What text is on screen?")).text
        for other in (part, faster)
    ]

    assert of_part == "00:03–00:04 “Part one”\n00:05 “Part two”"
    assert of_faster.startswith("00:00.0–00:00.5 “Welcome”")


async def test_equal_questions_at_the_same_time_cost_one_look(
    film: Film, tell: Tell, looked_at: list[str]
) -> None:
    video, decoded = film(*TALK)

    said = await asyncio.gather(*(tell(video, "What text is on screen?") for _ in range(4)))

    assert len({reply.text for reply in said}) == 1
    assert len(decoded) == 6
    assert len(looked_at) == 4


async def test_two_moments_are_compared(film: Film, tell: Tell) -> None:
    video, decoded = film(*TALK)

    same = await tell(video, "Compare 00:00 and 00:01")
    other = await tell(video, "What is the difference between 00:03 and 00:05?")

    assert same.text == "00:00 and 00:01: No difference was found."
    assert other.text.startswith("00:03 and 00:05: One region differs")
    assert decoded == [0, 1, 3, 5]


async def test_whether_a_text_says_something_is_told_with_its_time(film: Film, tell: Tell) -> None:
    video, _ = film(*TALK)

    yes = await tell(video, "Does the text say PART ONE?")
    no = await tell(video, "Does the text say COW?")

    assert yes.text == "Yes: “PART ONE” from 00:03 to 00:04."
    assert no.text == "No: “COW” was not found."


async def test_events_as_a_table_are_the_timeline(film: Film, tell: Tell) -> None:
    video, _ = film(*TALK)

    reply = await tell(video, "List all the events with timestamps as a table")

    assert "00:00–00:01 “Welcome”" in reply.text


async def test_a_list_of_captions_has_none_that_is_empty(film: Film, tell: Tell) -> None:
    video, _ = film(*TALK)
    properties = {name: {"type": "string"} for name in ("start", "end", "caption")}
    schema = {
        "type": "array",
        "items": {"type": "object", "properties": properties, "required": list(properties)},
    }

    texts = json.loads((await tell(video, "List the text", schema)).text)
    events = json.loads((await tell(video, "Extract", schema)).text)

    assert [text["caption"] for text in texts] == ["Welcome", "Part one", "Part two"]
    assert all(event["caption"] for event in events)


async def test_one_of_two_values_says_whether_there_is_speech(film: Film, tell: Tell) -> None:
    video, decoded = film(*TALK)
    allowed = {"type": "string", "enum": ["yes", "no"]}
    properties = {"answer": {"type": "boolean"}, "scenes": {"type": "integer"}}

    chosen = await tell(video, "Is there speech?", form=OutputFormat("text/x.enum", allowed))
    untouched = list(decoded)
    filled = await tell(video, "Is there speech?", {"type": "object", "properties": properties})

    assert (chosen.text, chosen.message) == ("no", None)
    assert untouched == []
    assert json.loads(filled.text) == {"answer": False, "scenes": 2}


async def test_the_way_out_is_told_once(film: Film, tell: Tell) -> None:
    video, _ = film(*TALK)
    schema = {
        "type": "object",
        "properties": {"summary": {"type": "string"}, "mood": {"type": "string"}},
        "required": ["summary", "mood"],
    }

    reply = await tell(video, "Summarize this video", schema)

    assert (reply.message or "").count("run twinlens with") == 1


async def test_faces_are_counted_where_most_are_seen_at_once(film: Film, tell: Tell) -> None:
    video, _ = film(with_face(), ("white", ""), with_face())

    reply = await tell(video, "How many faces are there?")

    assert reply.text.startswith("At least 1 face was found.")
    assert "at 00:00" in reply.text


@pytest.mark.parametrize(
    "question", ["What animal is in the video?", "Give the segmentation masks of the text", "Who is this?"]
)
async def test_what_cannot_be_told_decodes_nothing(film: Film, tell: Tell, question: str) -> None:
    video, decoded = film(*TALK)

    await tell(video, question)

    assert decoded == []


async def test_sizes_and_lengths_are_known_without_a_look(film: Film, tell: Tell) -> None:
    video, decoded = film(*TALK, fps=2.0)

    length = await tell(video, "How long is this video?")
    size = await tell(video, "What is the resolution of the video?")

    assert length.text.startswith("The video is 3 seconds long")
    assert "6 frames, at 2 a second" in length.text
    assert size.text.startswith("The video is 1280 × 720 pixels")
    assert decoded == []


async def test_what_is_happening_is_told_as_far_as_it_is_known(film: Film, tell: Tell) -> None:
    video, _ = film(*TALK)

    reply = await tell(video, "What is happening in this video?")

    assert "“Welcome”" in reply.text
    assert "it cannot tell what people do" in reply.text


async def test_colours_are_told_scene_by_scene(film: Film, tell: Tell) -> None:
    video, _ = film(("white", ""), ("white", ""), ("darkgreen", ""))

    reply = await tell(video, "What colours are in the video?")

    first, second = reply.text.splitlines()
    assert first.startswith("00:00–00:01: ")
    assert "white" in first
    assert second.startswith("00:02: ")
    assert "green" in second


async def test_a_list_of_events_is_filled_whatever_it_is_called(film: Film, tell: Tell) -> None:
    video, _ = film(*TALK)
    item = {
        "type": "object",
        "properties": {"timestamp": {"type": "string"}, "description": {"type": "string"}},
        "required": ["timestamp", "description"],
    }

    reply = await tell(video, "List the key events", {"type": "array", "items": item})

    found = json.loads(reply.text)
    assert {"timestamp": "00:05", "description": "Part two"} in found
    assert [event["timestamp"] for event in found] == sorted(event["timestamp"] for event in found)


async def test_a_schema_is_filled_with_times_as_text_or_seconds(film: Film, tell: Tell) -> None:
    video, _ = film(*TALK)
    caption = {
        "type": "object",
        "properties": {"start": {"type": "number"}, "end": {"type": "string"}, "text": {"type": "string"}},
        "required": ["start", "end", "text"],
    }
    properties = {
        "duration_seconds": {"type": "number"},
        "has_audio": {"type": "boolean"},
        "scene_count": {"type": "integer"},
        "captions": {"type": "array", "items": caption},
        "on_screen_text": {"type": "array", "items": {"type": "string"}},
        "transcript": {"type": ["string", "null"]},
    }

    reply = await tell(
        video, "Extract", {"type": "object", "properties": properties, "required": list(properties)}
    )

    assert json.loads(reply.text) == {
        "duration_seconds": 6,
        "has_audio": False,
        "scene_count": 2,
        "captions": [
            {"start": 0, "end": "00:01", "text": "Welcome"},
            {"start": 3, "end": "00:04", "text": "Part one"},
            {"start": 5, "end": "00:05", "text": "Part two"},
        ],
        "on_screen_text": ["Welcome", "Part one", "Part two"],
        "transcript": None,
    }


async def test_a_video_is_listened_to(
    forks: ForkServer, film: Film, observer: Observer, reels: Reels
) -> None:
    async def read(start: float, end: float) -> AsyncGenerator[Samples, None]:
        yield np.zeros(round((end - start) * SAMPLE_RATE), np.float32)

    async def look(image: Image, wanted: frozenset[FactName]) -> Facts:
        return done(observer.look(image, wanted))

    async def ask(question: str) -> str:
        request = EngineRequest("m", (EngineTurn("user", (video, question)),))
        evidence = await films.watch(video, replies.plan(request).asked, Means(look, uncompared, ears, reels))
        return replies.reply(request, evidence).text

    video, decoded = film(WELCOME, sound=Sound("audio/aac", 0.0, 1.0, 25, "silence", read))
    ears = Ears(forks)
    try:
        spoken = await ask("Is somebody speaking in this video?")
        unseen = list(decoded)
        summary = await ask("Summarize this video")
    finally:
        await ears.stop()

    assert spoken == "No speech was heard."
    assert unseen == []
    assert "with sound" in summary
    assert "No speech was heard." in summary


class Listening(Ears):
    """Has heard somebody speak, and has nobody to write it down."""

    async def speech(self, sound: Sound) -> tuple[SpeechSpan, ...]:
        return (SpeechSpan(0.2, 0.9, 0.9),)


async def test_what_it_takes_to_write_speech_down_is_said(
    film: Film, observer: Observer, reels: Reels
) -> None:
    async def silent(start: float, end: float) -> AsyncGenerator[Samples, None]:
        yield np.zeros(round((end - start) * SAMPLE_RATE), np.float32)

    async def look(image: Image, wanted: frozenset[FactName]) -> Facts:
        return done(observer.look(image, wanted))

    async def ask(question: str, schema: Json = None) -> Reply:
        form = OutputFormat("application/json", schema) if schema else OutputFormat()
        request = EngineRequest("m", (EngineTurn("user", (video, question)),), output=form)
        means = Means(look, uncompared, Listening(ForkServer()), reels)
        return replies.reply(request, await films.watch(video, replies.plan(request).asked, means))

    video, _ = film(WELCOME, sound=Sound("audio/aac", 0.0, 1.0, 25, "speech", silent))
    fields = {"type": "object", "properties": {"transcript": {"type": "string"}}, "required": ["transcript"]}

    summary = await ask("Summarize this video")
    spoken = await ask("Summarize the video and its music")
    filled = await ask("Extract", fields)

    assert "set --speech-model" in (summary.message or "")
    assert "set --speech-model" in spoken.text
    assert "set --speech-model" in (filled.message or "")


async def test_a_look_that_fails_ends_the_work(film: Film, reels: Reels) -> None:
    video, decoded = film(*TALK * 4)
    request = EngineRequest("m", (EngineTurn("user", (video, "What text is on screen?")),))

    async def look(image: Image, wanted: frozenset[FactName]) -> Facts:
        raise LookupError

    with pytest.raises(LookupError):
        await films.watch(
            video, replies.plan(request).asked, Means(look, uncompared, Ears(ForkServer()), reels)
        )

    assert len(decoded) < 24


async def test_two_videos_are_not_compared(film: Film) -> None:
    videos = [film(*TALK)[0] for _ in range(2)]
    request = EngineRequest("m", (EngineTurn("user", (*videos, "What is different between these videos?")),))

    assert replies.plan(request).asked.intent.name == "difference"
