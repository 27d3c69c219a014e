"""What a label says of bare samples."""

from __future__ import annotations

from twinlens.domain.raw_audio import RawAudio, raw_audio_of


def test_the_high_byte_comes_first_and_there_is_one_channel_unless_the_label_says_otherwise() -> None:
    assert raw_audio_of({"rate": "8000"}) == RawAudio(8_000, 1, big_endian=True)
    assert raw_audio_of({"rate": "48000", "channels": "6"}).frame_bytes == 12


def test_the_label_of_googles_speech_models_means_the_low_byte_first() -> None:
    assert raw_audio_of({"rate": "24000", "codec": "pcm"}) == RawAudio(24_000, 1, big_endian=False)
