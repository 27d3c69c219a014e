"""Pages of a PDF, written for the server."""

from __future__ import annotations

import io
import json
import os

import clips
import pdfs
from twinlens.descriptors import anonymous_file
from twinlens.media.decoders.pages import write_images, write_texts
from twinlens.media.worker.time_slice import TimeSlice


def left(room: int) -> bytes:
    return os.pread(room, os.fstat(room).st_size, 0)


def test_each_page_is_a_line_of_json() -> None:
    file = io.BytesIO(pdfs.document([pdfs.Page(pdfs.text_at(text, 72, 700)) for text in ("One", "Two")]))
    with anonymous_file() as room:
        said = write_texts(file, [2, 1], room.fileno(), TimeSlice(longest_s=60))
        lines = [json.loads(line) for line in left(room.fileno()).splitlines()]

    assert said == {"pages": 2}
    assert [line["lines"][0][0] for line in lines] == ["Two", "One"]


def test_pages_are_drawn_one_behind_the_other() -> None:
    with anonymous_file() as room:
        said = write_images(
            io.BytesIO(clips.pdf()), [1], [(20, 10)], "pixels", room.fileno(), TimeSlice(longest_s=60)
        )

        assert said == {"pages": 1}
        assert len(left(room.fileno())) == 20 * 10 * 3
