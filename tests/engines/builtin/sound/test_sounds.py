"""Answers to questions about a recording."""

from __future__ import annotations

import pytest

import speech
from twinlens.domain.clip import Span
from twinlens.domain.engine_media import Sound
from twinlens.domain.request import OutputFormat
from twinlens.engines.builtin import intents
from twinlens.engines.builtin.asked import Asked
from twinlens.engines.builtin.evidence import Answer, Evidence
from twinlens.engines.builtin.facts import Hearing, SpeechSpan, Words
from twinlens.engines.builtin.remote import Hears
from twinlens.engines.builtin.sound import sounds
from twinlens.engines.builtin.sound.ears import Ears
from twinlens.processes.fork_server import ForkServer

UNWRITTEN = "does not transcribe speech. To have what is said written down, install twinlens[speech]"


class Heard(Ears):
    """Has heard something already."""

    def __init__(self, hearing: Hearing, words: tuple[Words, ...] | None = None) -> None:
        super().__init__(ForkServer())
        self.asked_for_words = False
        self._hearing, self._words = hearing, words

    async def hearing(self, sound: Sound) -> Hearing:
        return self._hearing

    async def words(self, sound: Sound) -> tuple[Words, ...] | None:
        self.asked_for_words = True
        return self._words


TALK = Hearing((SpeechSpan(3, 9.1, 0.9), SpeechSpan(20.2, 41, 0.95)), (Span(10, 19),), -22.5)
SILENCE = Hearing((), (Span(0, 60),), -100)
WORDS = (
    Words(3, 6, "Good morning and welcome."),
    Words(6, 9, "The meeting starts at ten."),
    Words(20.2, 41, "Please send the budget to Maria."),
)


async def weigh(question: str, ears: Hears, output: OutputFormat | None = None) -> Evidence:
    intent = intents.read(question, 0, recordings=1)
    asked = Asked(intent, question, output or OutputFormat(), intent.wanted)
    return await sounds.hear(speech.sound_of(speech.tone(60)), asked, ears)


async def answer(question: str, hearing: Hearing = TALK, words: tuple[Words, ...] | None = None) -> Answer:
    return (await weigh(question, Heard(hearing, words))).answer


@pytest.mark.parametrize(
    "question", ["Is there any speech?", "Does somebody speak?", "Is anybody talking in the recording?"]
)
async def test_speech_is_told_with_its_times(question: str) -> None:
    found = await answer(question)

    assert found.text == "Yes. Speech from 00:03 to 00:09 and from 00:20 to 00:41 (27 s in all)."
    assert found.truth is True
    assert found.strings == ("00:03–00:09", "00:20–00:41")


async def test_when_somebody_speaks_is_no_yes_or_no() -> None:
    found = await answer("When does somebody speak?")

    assert found.text.startswith("Speech from 00:03 to 00:09")
    assert found.number == pytest.approx(26.9)


async def test_no_speech_is_told() -> None:
    found = await answer("Is there any speech?", SILENCE)

    assert (found.text, found.truth, found.strings) == ("No speech was heard.", False, ())


async def test_the_length_takes_no_listening() -> None:
    evidence = await weigh("How long is the recording?", Ears(ForkServer()))

    assert evidence.answer.text == "The recording lasts 01:00."
    assert evidence.answer.number == 60


@pytest.mark.parametrize(
    "question", ["Describe this audio.", "Summarize the recording in one sentence.", "What do you hear?"]
)
async def test_a_description_says_what_is_known(question: str) -> None:
    found = await answer(question)

    assert found.text == (
        "A recording of 01:00. Speech from 00:03 to 00:09 and from 00:20 to 00:41 (27 s in all). "
        "It is silent from 00:10 to 00:19."
    )
    assert UNWRITTEN in found.remark


@pytest.mark.parametrize(
    "question",
    [
        "Transcribe this recording.",
        "Generate a transcript of the speech.",
        "What is being said?",
        "What does the speaker say?",
        "Write down word for word what they say",
    ],
)
async def test_without_a_model_a_transcript_is_refused_with_the_times(question: str) -> None:
    found = await answer(question)

    assert found.text.startswith(
        "Speech from 00:03 to 00:09 and from 00:20 to 00:41 (27 s in all). The built-in"
    )
    assert UNWRITTEN in found.text
    assert "--speech-model" in found.text
    assert not found.known


async def test_with_a_model_the_transcript_has_times() -> None:
    found = await answer("Transcribe this recording.", TALK, WORDS)

    assert found.text == (
        "00:03 Good morning and welcome.\n"
        "00:06 The meeting starts at ten.\n"
        "00:20 Please send the budget to Maria."
    )
    assert found.strings == tuple(words.text for words in WORDS)
    assert found.remark == sounds.BY_A_MODEL


async def test_silence_has_no_transcript() -> None:
    assert (await answer("Transcribe this.", SILENCE)).text == (
        "No speech was heard, so there is nothing to transcribe."
    )


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("What is said at 00:07?", "00:06 The meeting starts at ten."),
        ("Transcribe from 00:15 to 00:50.", "00:20 Please send the budget to Maria."),
    ],
)
async def test_only_what_is_said_at_the_time_is_told(question: str, wanted: str) -> None:
    assert (await answer(question, TALK, WORDS)).text == wanted


async def test_a_time_beyond_the_end_is_named() -> None:
    found = await answer("Provide a transcript from 02:30 to 03:29.")

    assert found.text == "The recording goes from 00:00 to 01:00: there is nothing at 02:30."
    assert not found.known


async def test_a_time_that_is_none_is_named() -> None:
    found = await answer("What is said at 00:99?", TALK, WORDS)

    assert found.text.startswith("“00:99” was not understood as a time")


async def test_silence_written_down_is_no_yes_or_no() -> None:
    found = await answer("Transcribe this.", SILENCE)

    assert (found.truth, found.strings) == (None, ())


async def test_a_question_is_answered_by_what_was_said() -> None:
    found = await answer("Who should get the budget?", TALK, WORDS)

    assert found.text == "00:20 Please send the budget to Maria."


async def test_what_nobody_said_is_not_made_up() -> None:
    found = await answer("Which colours did he promise?", TALK, WORDS)

    assert not found.known


@pytest.mark.parametrize(
    ("question", "limit"),
    [
        ("What music is playing?", "cannot tell what else is to be heard"),
        ("Who is speaking?", "cannot tell what else is to be heard, or whose voice it is"),
        ("What is the speaker's emotion?", "cannot tell emotions or moods"),
        ("How many people are talking?", "cannot tell what else is to be heard"),
    ],
)
async def test_what_cannot_be_heard_is_refused(question: str, limit: str) -> None:
    found = await answer(question)

    assert limit in found.text
    assert found.text.startswith("A recording of 01:00. Speech from 00:03")
    assert not found.known


async def test_silence_is_told() -> None:
    assert (await answer("Where is it silent?")).text == "It is silent from 00:10 to 00:19."


async def test_loudness_is_told() -> None:
    assert (await answer("How loud is it?")).number == -22.5


async def test_words_are_written_down_only_where_they_matter() -> None:
    ears = Heard(TALK, WORDS)

    await weigh("Is there any speech?", ears)

    assert not ears.asked_for_words


async def test_a_schema_gets_all_there_is() -> None:
    output = OutputFormat("application/json", {"type": "object"})

    evidence = await weigh("Describe the recording.", Heard(TALK, WORDS), output)

    spoken = next(one.value for one in evidence.named if "utterance" in one.names)
    assert [record["text"] for record in spoken] == [words.text for words in WORDS]
    assert spoken[0]["start"] == "00:03"
    assert next(one.value for one in evidence.named if "duration" in one.names) == 60


async def test_what_was_weighed_is_listed() -> None:
    thoughts = (await weigh("Is there any speech?", Heard(TALK))).thoughts

    assert "- speech: 00:03–00:09 (0.90)" in thoughts


async def test_a_real_recording_takes_the_same_road(forks: ForkServer) -> None:
    ears = Ears(forks)
    intent = intents.read("When does somebody speak?", 0, recordings=1)
    sound = speech.sound_of(speech.recording(5, [(1, 3)]), start=60)

    try:
        evidence = await sounds.hear(
            sound, Asked(intent, intent.question, OutputFormat(), intent.wanted), ears
        )
    finally:
        await ears.stop()

    assert evidence.answer.text == "Speech from 01:01 to 01:03 (2 s in all)."
