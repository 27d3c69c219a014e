"""An engine that takes everything it is given, holds it to what was planned, and says how much it was."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path
from typing import Any

import numpy as np

from twinlens.domain.engine import Capabilities, EngineRequest, Event, Finished, Medium, Text
from twinlens.domain.engine_media import SAMPLE_RATE, Document, Sound, TextFile, Video
from twinlens.domain.geometry import area32
from twinlens.engines.base import count_characters
from twinlens.engines.options import NoOptions

NAME = "eater"


def install(folder: Path) -> None:
    """Leave the engine in a folder as an installer would; the folder has still to be put on the path."""
    info = folder / f"{NAME}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[twinlens.engines]\n{NAME} = {__name__}:Eater\n")


class Eater:
    """The engine. Its answer is JSON: how much of each sort of thing there was."""

    capabilities = Capabilities(NAME, "eater-1", area32)

    def __init__(self, options: NoOptions) -> None:
        """Take no notice of the options."""

    async def start(self) -> None:
        """Be ready at once."""

    async def stop(self) -> None:
        """Have nothing to let go of."""

    def count_text(self, text: str) -> int:
        """Count by characters."""
        return count_characters(text)

    async def generate(self, request: EngineRequest) -> AsyncGenerator[Event, None]:
        """Take all media, one after the other."""
        yield Text(json.dumps([await _EATEN[type(medium)](medium) for medium in request.media]))
        yield Finished()


async def _video(video: Video) -> dict[str, int]:
    count = 0
    async for frame in video.frames():
        assert (frame.index, frame.time, frame.label) == (count, video.times[count], video.label(count))
        assert frame.image.pixels.shape == (video.height, video.width, 3)
        assert frame.image.pixels.dtype == np.uint8
        count += 1
    assert count == len(video.times)
    return {"frames": count, **(await _sound(video.sound) if video.sound else {})}


async def _sound(sound: Sound) -> dict[str, int]:
    count = 0
    async for samples in sound.samples():
        assert samples.dtype == np.float32
        assert np.abs(samples).max(initial=0) <= 1
        count += len(samples)
    first, last = (round(time * SAMPLE_RATE) for time in (sound.start, sound.start + sound.duration))
    assert count == last - first
    return {"samples": count, "sound tokens": sound.tokens}


async def _document(document: Document) -> dict[str, int]:
    every = list(range(1, document.pages + 1))
    assert [text.number async for text in document.texts()] == every
    assert [page.number async for page in document.images()] == every
    return {"pages": document.pages}


async def _text(file: TextFile) -> dict[str, int]:
    return {"characters": len(file.text.encode().decode())}


_EATEN: dict[type[Medium], Callable[[Any], Coroutine[Any, Any, dict[str, int]]]] = {
    Video: _video,
    Sound: _sound,
    Document: _document,
    TextFile: _text,
}
