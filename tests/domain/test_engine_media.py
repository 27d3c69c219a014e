"""Media that are taken a piece at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import numpy as np

from twinlens.domain.engine_media import Document, PageText, Sound, TextLine, Video
from twinlens.domain.regions import Box


def asked_of() -> tuple[list[Any], Any]:
    """Make a reader that notes what it was asked for and gives nothing."""
    asked: list[Any] = []

    async def read(*which: Any) -> AsyncGenerator[Any, None]:
        asked.append(tuple(which[0]) if len(which) == 1 and isinstance(which[0], Sequence) else which)
        return
        yield np.empty(0)

    return asked, read


def video(read: Any) -> Video:
    return Video("video/mp4", 1.0, 3.0, 1.0, (1.0, 2.0, 3.0), 8, 8, 80, 80, 70, "d", None, read)


async def test_all_frames_of_a_video_are_given_where_nothing_is_said() -> None:
    asked, read = asked_of()
    film = video(read)

    assert [frame async for frame in film.frames()] == []
    assert [frame async for frame in film.frames([2])] == []

    assert asked == [(0, 1, 2), (2,)]


def test_the_moment_of_a_frame_has_a_name() -> None:
    assert video(asked_of()[1]).label(1) == "00:02"


async def test_all_of_a_sound_is_from_its_start_to_its_end() -> None:
    asked, read = asked_of()

    assert [piece async for piece in Sound("audio/wav", 5.0, 2.5, 80, "d", read).samples()] == []

    assert asked == [(5.0, 7.5)]


async def test_pages_go_by_their_numbers_from_one() -> None:
    texts, read_texts = asked_of()
    images, read_images = asked_of()
    document = Document("application/pdf", 3, "d", read_texts, read_images)

    assert [page async for page in document.texts()] == []
    assert [page async for page in document.images([3, 1])] == []

    assert (texts, images) == ([(1, 2, 3)], [(3, 1)])


def test_the_text_of_a_page_is_its_lines() -> None:
    lines = tuple(TextLine(text, Box(0, 0, 1, 1)) for text in ("one", "two"))

    assert PageText(1, lines).text == "one\ntwo"
