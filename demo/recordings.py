"""The video and the document of the demo, made when it runs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction

import av
import matplotlib as mpl
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from PIL import Image, ImageDraw

from scenes import DARK, font, photograph

SIZE = (1280, 720)
PHOTOGRAPHS = ("astronaut.png", "coffee.png", "rocket.jpg")
FPS, SECONDS, SAMPLES_HZ = 10, 30, 16_000
CAPTIONS = ("Welcome to the tour", "Fresh coffee every day", "Launch at 09:30 on Monday")
SMALL_PRINT = ("Photograph by NASA", "Served until 18:00", "Tickets at the north gate")
"""What stands in the film: large, from the second to the seventh second of each scene, and small below it."""


PAGES = (
    (
        "Annual report 2025",
        "Revenue grew by 14 percent to 3.2 million euros.",
        "Greta Holm founded it in 1987.",
    ),
    ("Risks", "Delayed parts remain the largest risk.", "The insurance pays up to 500,000 euros."),
    ("Invoice", "Invoice number: INV-2025-118", "Due date: 2025-12-31", "Total: 1,250.00 EUR"),
)
"""The pages of the document: a title, and its lines."""


def film() -> bytes:
    """Make half a minute of three scenes, with captions and a tone."""
    body = io.BytesIO()
    with av.open(body, "w", format="mp4") as output:
        pictures = output.add_stream("libx264", FPS, options={"preset": "ultrafast", "crf": "23"})
        assert isinstance(pictures, VideoStream)
        pictures.width, pictures.height, pictures.pix_fmt = *SIZE, "yuv420p"
        sound = output.add_stream("aac", SAMPLES_HZ, layout="mono")
        assert isinstance(sound, AudioStream)
        for number, image in enumerate(_frames()):
            frame = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            output.mux(pictures.encode(frame))
        output.mux(pictures.encode(None))
        _add_tone(output, sound)
    return body.getvalue()


def _frames() -> Iterator[Image.Image]:
    scenes = [photograph(name).image.resize(SIZE) for name in PHOTOGRAPHS]
    for number in range(SECONDS * FPS):
        scene, second = divmod(number // FPS, 10)
        image = scenes[scene].copy()
        if 2 <= second < 8:
            pen = ImageDraw.Draw(image)
            pen.rectangle((80, 540, 1200, 680), fill=DARK)
            pen.text((110, 550), CAPTIONS[scene], fill="white", font=font(54))
            pen.text((112, 634), SMALL_PRINT[scene], fill="white", font=font(21))
        yield image


def _add_tone(output: OutputContainer, stream: AudioStream) -> None:
    times = np.arange(SECONDS * SAMPLES_HZ) / SAMPLES_HZ
    wave = (np.sin(times * 2 * np.pi * 440) * 8000).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(wave[None, :], format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = SAMPLES_HZ, 0, Fraction(1, SAMPLES_HZ)
    output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def document() -> bytes:
    """Make a PDF of three pages; the second is a scan, which carries no text."""
    body = io.BytesIO()
    with mpl.rc_context({"pdf.fonttype": 42}), PdfPages(body) as pdf:
        for number, (title, *lines) in enumerate(PAGES):
            page = Figure(figsize=(8.27, 11.69))
            page.text(0.1, 0.9, title, fontsize=20)
            for row, line in enumerate(lines):
                page.text(0.1, 0.84 - 0.035 * row, line, fontsize=12)
            pdf.savefig(_scanned(page) if number == 1 else page)
    return body.getvalue()


def _scanned(page: Figure) -> Figure:
    """Take a picture of a page, and make a page of the picture."""
    body = io.BytesIO()
    page.savefig(body, format="png", dpi=150)
    scan = Figure(figsize=(8.27, 11.69))
    scan.figimage(np.asarray(Image.open(body).convert("RGB").resize((827, 1169))), resize=False)
    scan.set_dpi(100)
    return scan
