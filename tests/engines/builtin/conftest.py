"""Facts made by hand: what a look at certain pictures would find; and the reader, loaded once."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from stills import still
from twinlens.domain.clip import label
from twinlens.domain.engine import EngineRequest, EngineTurn
from twinlens.domain.engine_media import Frame, Sound, StillImage, Video
from twinlens.domain.media import Image, Json, Pixels
from twinlens.domain.regions import Box
from twinlens.domain.request import OutputFormat
from twinlens.engines.builtin import pictures, replies
from twinlens.engines.builtin.facts import (
    Bar,
    Chart,
    Code,
    Colour,
    Difference,
    Face,
    Facts,
    Kind,
    Line,
    Quality,
    Table,
    Word,
)
from twinlens.engines.builtin.replies import Reply
from twinlens.engines.builtin.text import Reader
from twinlens.processes.fork_server import ForkServer

Ask = Callable[..., Reply]


@pytest.fixture
async def forks() -> AsyncIterator[ForkServer]:
    """What forks worker processes, if any are needed."""
    forks = ForkServer()
    yield forks
    await forks.stop()


def line(text: str, x: int, y: int, block: int = 0, height: int = 20, wide: int = 9) -> Line:
    """Make a line of text whose words stand one letter apart."""
    words, at = [], x
    for said in text.split():
        words.append(Word(said, Box(y, at, y + height, at + wide * len(said))))
        at += wide * (len(said) + 1)
    return Line(text, 0.98, Box(y, x, y + height, at - wide), tuple(words), block)


@pytest.fixture(scope="session")
def reader() -> Reader:
    """The networks, loaded once for all tests."""
    return Reader()


@pytest.fixture
def photo() -> Facts:
    return Facts(
        width=512,
        height=512,
        seen_width=512,
        seen_height=512,
        lines=(),
        codes=(),
        faces=(Face(0.9, Box(160, 400, 343, 560)),),
        colours=(
            Colour("beige", 0.4, 0.8, (Box(0, 0, 1000, 1000),)),
            Colour("black", 0.3, 0.8, (Box(500, 0, 900, 300),)),
            Colour("grey", 0.2, 0.7, ()),
            Colour("green", 0.04, 0.7, (Box(10, 20, 110, 220), Box(600, 700, 700, 800))),
        ),
        kind=Kind("photograph", 0.9, grey=False),
        quality=Quality("sharp", 0.9, "normal", 0.8),
        tables=(),
        charts=(),
    )


@pytest.fixture
def invoice() -> Facts:
    rows = (
        ("Item", "Qty", "Unit price", "Amount"),
        ("Widget", "2", "$4.50", "$9.00"),
        ("Gadget", "1", "$1,200.00", "$1,200.00"),
        ("", "", "Subtotal", "$1,209.00"),
        ("", "", "VAT 19%", "$229.71"),
        ("", "", "Total due (USD)", "$1,438.71"),
    )
    columns = (50, 400, 550, 800)
    cells = [
        line(cell, columns[column], 300 + 30 * row, block=2)
        for row, texts in enumerate(rows)
        for column, cell in enumerate(texts)
        if cell
    ]
    head = (
        line("ACME GmbH", 50, 40, height=40, wide=15),
        line("INVOICE", 700, 40, height=40, wide=15),
        line("Invoice No.", 50, 120, block=1),
        line("INV-2026-001", 250, 120, block=1),
        line("Invoice date: 20 Nov 2026", 550, 120, block=1),
        line("Due date", 50, 150, block=1),
        line("12/20/2026", 250, 150, block=1),
        line("Bill to", 50, 200, block=1),
        line("Jane Doe", 50, 225, block=1),
    )
    foot = (line("Questions? billing@acme.example", 50, 600, block=3),)
    return Facts(
        width=1000,
        height=1400,
        seen_width=800,
        seen_height=1120,
        lines=(*head, *cells, *foot),
        codes=(),
        faces=(),
        colours=(Colour("white", 0.95, 0.9, (Box(0, 0, 1000, 1000),)),),
        kind=Kind("document", 0.95, grey=True),
        quality=Quality("sharp", 0.9, "normal", 0.8),
        tables=(Table(rows, 0.9, Box(300, 50, 480, 900)),),
        charts=(),
    )


@pytest.fixture
def poster() -> Facts:
    """A drawing with a few words, a QR code and a bar chart."""
    return Facts(
        width=800,
        height=600,
        seen_width=800,
        seen_height=600,
        lines=(line("OPEN 24 HOURS", 100, 50), line("Exit", 800, 900, block=1)),
        codes=(Code("QR code", "https://example.com/x", 1.0, Box(600, 100, 800, 250)),),
        faces=(),
        colours=(Colour("red", 0.2, 0.9, (Box(0, 0, 300, 400),)),),
        kind=Kind("drawing", 0.9, grey=False),
        quality=Quality("blurred", 0.7, "dark", 0.8),
        tables=(),
        charts=(Chart((Bar("North", 12.5), Bar("South", 30.0)), "Sales", 0.9, Box(400, 400, 800, 900)),),
    )


@pytest.fixture
def picture() -> Callable[..., StillImage]:
    """Make a picture; what is in it does not matter where its facts are made by hand."""

    def make(name: str = "a") -> StillImage:
        return still(Image(np.zeros((8, 8, 3), np.uint8), 8, 8, "image/png", 1, name))

    return make


@pytest.fixture
def ask(picture: Callable[..., StillImage]) -> Ask:
    """Ask a question about pictures with the given facts, and get the reply."""

    def put(
        question: str,
        *facts: Facts,
        schema: Json = None,
        mime_type: str | None = None,
        changed: Difference | None = None,
    ) -> Reply:
        form = OutputFormat(
            mime_type or ("application/json" if schema is not None else "text/plain"),  # type: ignore[arg-type]
            schema,
        )
        images = tuple(picture(str(index)) for index in range(len(facts)))
        request = EngineRequest("m", (EngineTurn("user", (question, *images)),), output=form)
        plan = replies.plan(request)
        if not plan.media:
            return replies.reply(request, replies.without_media(request, plan.asked))
        looked = facts if len(plan.media) == len(facts) else facts[-len(plan.media) :]
        return replies.reply(request, pictures.evidence(plan.asked, looked, changed))

    return put


Slide = tuple[str, str]
"""A colour, and the text that stands on it."""


def slide(ground: str, text: str = "", size: tuple[int, int] = (640, 360)) -> Pixels:
    """Draw a plain ground with a line of text at its foot."""
    picture = Picture.new("RGB", size, ground)
    if text:
        ink = "white" if ground in ("black", "navy", "darkgreen") else "black"
        font = ImageFont.load_default(size=36)
        ImageDraw.Draw(picture).text((60, size[1] - 80), text, fill=ink, font=font)
    return np.asarray(picture)


@pytest.fixture
def film() -> Callable[..., tuple[Video, list[int]]]:
    """Make a video of slides or pictures, one a frame; and a list of the frames that are decoded of it."""

    def make(
        *slides: Slide | Pixels, fps: float = 1.0, start: float = 0.0, sound: Sound | None = None
    ) -> tuple[Video, list[int]]:
        decoded: list[int] = []
        name = uuid4().hex
        pixels = [slide(*shown) if isinstance(shown, tuple) else shown for shown in slides]
        times = tuple(start + index / fps for index in range(len(slides)))
        height, width = pixels[0].shape[:2]

        async def read(which: Sequence[int]) -> AsyncGenerator[Frame, None]:
            for index in which:
                decoded.append(index)
                digest = f"{name}/{index}"
                image = Image(pixels[index], 2 * width, 2 * height, "video/mp4", 70, digest)
                yield Frame(image, index, times[index], label(times[index], fps))

        video = Video(
            mime_type="video/mp4",
            start=start,
            duration=len(slides) / fps,
            fps=fps,
            times=times,
            width=width,
            height=height,
            source_width=2 * width,
            source_height=2 * height,
            tokens=70,
            digest=name,
            sound=sound,
            read=read,
        )
        return video, decoded

    return make
