"""The process that listens: sound in pieces, answers remembered, a speech model where there is one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import speech
from twinlens.domain.engine_media import Samples, Sound
from twinlens.engines.base import EngineSetupError
from twinlens.engines.builtin.sound.ears import Ears
from twinlens.processes.fork_server import ForkServer
from whisper_fake import whisper

SPOKEN = ((1.0, 3.0), (5.0, 6.5))


@pytest.fixture(scope="module")
def sound() -> Sound:
    return speech.sound_of(speech.recording(8, SPOKEN), piece_s=3)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whisper(tmp_path_factory.mktemp("models") / "tiny", ["hello", "there"], end=2)


@pytest.fixture
async def ears(forks: ForkServer) -> AsyncIterator[Ears]:
    ears = Ears(forks)
    yield ears
    await ears.stop()


async def test_speech_is_heard_piece_by_piece(ears: Ears, sound: Sound) -> None:
    found = await ears.speech(sound)

    np.testing.assert_allclose([(span.start, span.end) for span in found], SPOKEN, rtol=0, atol=0.15)


async def test_what_was_heard_is_not_decoded_again(ears: Ears, sound: Sound) -> None:
    reads = []

    def read(start: float, end: float) -> AsyncGenerator[Samples, None]:
        reads.append((start, end))
        return sound.read(start, end)

    counted = replace(sound, read=read)
    assert await ears.speech(counted) == await ears.speech(counted)
    await ears.hearing(replace(counted, start=1, duration=2))

    assert reads == [(0, 8), (1, 3)]


async def test_without_a_model_nothing_is_written_down(ears: Ears, sound: Sound) -> None:
    await ears.start()

    assert await ears.words(sound) is None


async def test_a_model_writes_down_what_is_said_with_its_times(
    forks: ForkServer, sound: Sound, model: Path
) -> None:
    ears = Ears(forks, model)
    try:
        await ears.start()
        words = await ears.words(sound)
        again = await ears.words(sound)
    finally:
        await ears.stop()

    assert words is not None
    assert again == words
    assert {word.text for word in words} == {"hello there"}
    assert words[0].start == pytest.approx(SPOKEN[0][0], abs=0.15)
    assert all(word.start <= word.end <= SPOKEN[1][1] + 0.15 for word in words)


@pytest.mark.parametrize("lacking", ["model.bin", "config.json", "tokenizer.json"])
def test_a_model_that_lacks_a_file_is_refused_before_the_start(
    tmp_path: Path, model: Path, lacking: str
) -> None:
    for name in {"model.bin", "config.json", "tokenizer.json"} - {lacking}:
        (tmp_path / name).write_bytes((model / name).read_bytes())

    with pytest.raises(EngineSetupError) as caught:
        Ears(ForkServer(), tmp_path)

    assert f"There is no {lacking} in {tmp_path}. Set --speech-model to a folder" in str(caught.value)


async def test_a_broken_model_is_refused_at_the_start(forks: ForkServer, tmp_path: Path, model: Path) -> None:
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.json"):
        (tmp_path / name).write_bytes((model / name).read_bytes()[:500])
    ears = Ears(forks, tmp_path)

    try:
        with pytest.raises(EngineSetupError) as caught:
            await ears.start()
    finally:
        await ears.stop()

    assert str(caught.value).startswith(f"The speech model in {tmp_path} cannot be loaded")
