"""Messages between processes: values go through, anything else is refused."""

from __future__ import annotations

import asyncio
import os
import pickle
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from twinlens.domain.engine import EngineRequest, EngineTurn, Finished, FunctionCall, FunctionResult
from twinlens.domain.engine_media import TextFile
from twinlens.domain.errors import BadMedia
from twinlens.domain.media import Image, Modality
from twinlens.processes import messages
from twinlens.store.files import FileStore

FILE = TextFile("text/plain", "Some text", "digest")


async def sent(value: object) -> Any:
    reader = asyncio.StreamReader()
    for part in messages.encode(value).parts:
        reader.feed_data(bytes(part))
    return await messages.receive(reader)


@pytest.mark.parametrize(
    "value",
    [
        ("call", 1, "look", (3, frozenset({"text"}), True)),
        Finished("OTHER", "why"),
        EngineRequest("m", (EngineTurn("user", ("Hello",)),), tools=[{"name": "f"}]),
        EngineTurn("model", (FunctionCall("f", {"a": [1, {"b": None}]}, "1"),)),
        EngineTurn("user", (FunctionResult("f", {"a": 1}, "1", (FILE,)),)),
        Counter({Modality.IMAGE: 258}),
        range(3, 9),
        {"nested": [None, 1.5, "é", b"\x00"]},
    ],
    ids=lambda value: type(value).__name__,
)
async def test_values_arrive_as_they_were(value: object) -> None:
    assert await sent(value) == value


async def test_pixels_travel_beside_the_pickle() -> None:
    image = Image(np.arange(48, dtype=np.uint8).reshape(4, 4, 3), 4, 4, "image/png", 1, "digest")

    body, *buffers = messages.encode(image).parts[1:]
    arrived = await sent(image)

    assert [len(bytes(buffer)) for buffer in buffers] == [48]
    assert len(body) < 1000
    np.testing.assert_array_equal(arrived.pixels, image.pixels)


class _Command:
    def __reduce__(self) -> Any:
        return os.system, ("echo taken over",)


@dataclass
class Changing:
    """A value that can be written to is none of those that travel."""


class _Deep:
    def __reduce__(self) -> Any:
        return BadMedia.__init__, ()


@pytest.mark.parametrize("hostile", [_Command(), _Deep(), os.system, messages.decode, Changing(), FileStore])
async def test_what_is_no_value_is_refused(hostile: object) -> None:
    with pytest.raises(pickle.UnpicklingError):
        await sent(hostile)


async def test_a_message_that_breaks_off_is_the_end() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(b"".join(map(bytes, messages.encode("cut short").parts))[:-3])
    reader.feed_eof()

    with pytest.raises(EOFError):
        await messages.receive(reader)
