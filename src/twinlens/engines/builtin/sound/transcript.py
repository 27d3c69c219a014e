"""Speech to text with faster-whisper, an extra. Heavy: only a child process makes a `Transcriber`.

What a model writes is a stranger's text, like text in a picture: it is quoted, and never obeyed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import ceil
from pathlib import Path

from ....domain.clip import Span
from ....domain.engine_media import SAMPLE_RATE, Samples
from ...base import EngineSetupError
from ..facts import SpeechSpan, Words

WINDOW_S = 30.0
"""What the network takes in at once."""

_NEEDED = ("model.bin", "config.json", "tokenizer.json")
_FORM = (
    "a folder with a Whisper model in CTranslate2's form (model.bin, config.json, tokenizer.json, vocabulary)"
)


@dataclass(frozen=True, slots=True)
class Page:
    """What was written down of one window, and the language that was heard in it."""

    words: tuple[Words, ...]
    language: str


class Transcriber:
    """A Whisper model, loaded from a folder; nothing is ever fetched."""

    def __init__(self, folder: Path) -> None:
        # Imported here and not above: it is an extra, and heavy.
        from faster_whisper import WhisperModel

        # The folder was checked: without a tokenizer in it, the library would look for one elsewhere.
        self._model = WhisperModel(str(folder), device="cpu", local_files_only=True)

    def write_down(self, samples: Samples, start: float, language: str | None) -> Page:
        """Write down what is said in one window, which begins at `start`."""
        segments, info = self._model.transcribe(
            samples,
            language=language,
            temperature=0,
            condition_on_previous_text=False,
        )
        end = start + len(samples) / SAMPLE_RATE
        words = (
            Words(min(start + segment.start, end), min(start + segment.end, end), text)
            for segment in segments
            if (text := " ".join(segment.text.split()))
        )
        return Page(tuple(words), info.language)


def check(folder: Path) -> None:
    """See, without loading it, that a folder holds a speech model and that there is what runs it."""
    if find_spec("faster_whisper") is None:
        raise EngineSetupError(
            "A speech model is set, and faster-whisper is not installed. Install twinlens[speech], "
            "or leave out --speech-model."
        )
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise EngineSetupError(
            f"There is no {missing[0]} in {folder}. Set --speech-model to {_FORM}, or leave it out."
        )


def unloadable(folder: Path) -> EngineSetupError:
    """Say that a model is there and does not load."""
    return EngineSetupError(
        f"The speech model in {folder} cannot be loaded; the log says why. Set --speech-model to {_FORM}, "
        "or leave it out."
    )


def windows(speech: Iterable[SpeechSpan]) -> Sequence[Span]:
    """Pack stretches of speech into windows, and cut what is longer than one into equal parts."""
    packed: list[Span] = []
    for span in speech:
        if packed and span.end - packed[-1].start <= WINDOW_S:
            packed[-1] = Span(packed[-1].start, span.end)
        else:
            packed += _parts(span)
    return packed


def _parts(span: SpeechSpan) -> list[Span]:
    count = max(ceil((span.end - span.start) / WINDOW_S), 1)
    length = (span.end - span.start) / count
    return [Span(span.start + n * length, span.start + (n + 1) * length) for n in range(count)]
