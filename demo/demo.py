"""Start a server, put pictures, a video and a PDF through it with Google's client: what does resolution buy?

`make demo`, or `python demo/demo.py`. Nothing is downloaded; everything stays on this machine.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
from google import genai
from google.genai import errors, types
from pydantic import BaseModel, ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import recordings
import scenes
from scenes import Bill, Picture
from twinlens.domain.geometry import area32

MODEL = "gemini-3-flash-preview"
BUDGETS = {"LOW": 280, "MEDIUM": 560, "HIGH": 1120, "ULTRA_HIGH": 2240}
FRAMES = {"LOW": 70, "HIGH": 280}
OUTPUT = Path(__file__).parent.parent / "demo-output"

console = Console(highlight=False, record=True)


class DemoFailed(Exception):
    """Something did not go as the demo promises; the message is for the one who watches."""


class Invoice(BaseModel):
    """What is wanted of an invoice. It has no purchase order, and none may be made up."""

    invoice_number: str
    invoice_date: date
    customer: str
    total: float
    purchase_order: str | None


def main(svg: Path | None = None) -> int:
    """Run the demo, keep its output as a picture where wanted, and give the exit status."""
    start = time.perf_counter()
    try:
        with server() as url, genai.Client(api_key="any", http_options={"base_url": url}) as client:
            console.print(f"twinlens listens on {url}; the client is google-genai {genai.__version__}.\n")
            compare_resolutions(client)
            describe(client)
            extract(client)
            converse(client)
            detect(client)
            watch(client)
            study(client)
    except (DemoFailed, errors.APIError, httpx.HTTPError, ValidationError, OSError) as failure:
        console.print(f"\n[bold red]The demo failed:[/] {escape(str(failure))}")
        return 1
    except KeyboardInterrupt:
        return 130
    console.print(f"\nThe server is stopped. All of this took {time.perf_counter() - start:.0f} seconds.")
    if svg:
        console.save_svg(str(svg), title="make demo")
    return 0


@contextmanager
def server() -> Iterator[str]:
    """Run `twinlens serve` on a free port until the block ends; give its address."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "twinlens", "serve", "--port", "0", "--data-dir", folder]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            with console.status("Starting the server …"):
                url = _address(process)
                _wait_until_ready(url)
            yield url
        finally:
            process.terminate()
            process.communicate(timeout=60)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        _, found, address = line.partition(" listens on ")
        if found:
            return address.strip()
    raise DemoFailed("The server did not start; what it said stands above.")


def _wait_until_ready(url: str) -> None:
    for _ in range(600):
        if httpx.get(f"{url}/readyz").status_code == 200:
            return
        time.sleep(0.1)
    raise DemoFailed("The engine did not load within a minute.")


def ask(
    client: genai.Client, picture: Picture, question: str, level: str | None = None
) -> types.GenerateContentResponse:
    """Ask a question about a picture that is looked at in one resolution."""
    resolution = types.PartMediaResolutionLevel(f"MEDIA_RESOLUTION_{level}") if level else None
    part = types.Part.from_bytes(data=picture.png(), mime_type="image/png", media_resolution=resolution)
    contents: list[types.PartUnionDict] = [part, question]
    return client.models.generate_content(model=MODEL, contents=contents)


def compare_resolutions(client: genai.Client) -> None:
    """Show what each resolution costs, sees and reads."""
    table = Table(title="What media_resolution buys: “What text is in this picture?”", title_justify="left")
    table.add_column("picture")
    for name in ("resolution", "tokens", "pixels seen", "seconds", "words read"):
        table.add_column(name, justify="left" if name == "resolution" else "right")
    usual = ("LOW", "MEDIUM", "HIGH")
    plan = (
        (scenes.page(), (*usual, "ULTRA_HIGH")),
        (scenes.screenshot(), usual),
        (scenes.chart(), usual),
        (scenes.photograph(), usual),
    )
    read: dict[tuple[str, str], int] = {}
    for picture, levels in plan:
        for level in levels:
            with console.status(f"Looking at the {picture.name} in {level} …"):
                row, read[picture.name, level] = _row(client, picture, level)
            first = level == levels[0]
            table.add_row(f"{picture.name}, {picture.size}" if first else "", *row)
        table.add_section()
    console.print(table)
    if not read["small print", "LOW"] < read["small print", "HIGH"]:
        raise DemoFailed("LOW read as much of the small print as HIGH: media_resolution has no effect.")


def _row(client: genai.Client, picture: Picture, level: str) -> tuple[tuple[str, ...], int]:
    start = time.perf_counter()
    response = ask(client, picture, "What text is in this picture?", level)
    seconds = time.perf_counter() - start
    billed = _image_tokens(response)
    if billed != BUDGETS[level]:
        raise DemoFailed(f"{level} was billed {billed} tokens, not {BUDGETS[level]}.")
    seen = area32(*picture.image.size, BUDGETS[level])
    read, there = picture.words_in(response.text or "")
    words = f"{read} of {there}  {read / there:4.0%}" if there else "no text there"
    return (level, str(billed), f"{seen.width} × {seen.height}", f"{seconds:.1f}", words), read


def _image_tokens(response: types.GenerateContentResponse) -> int:
    details = (response.usage_metadata and response.usage_metadata.prompt_tokens_details) or []
    return sum(d.token_count or 0 for d in details if d.modality == types.MediaModality.IMAGE)


def describe(client: genai.Client) -> None:
    """Show what is said of the photograph, and the values of the chart."""
    for picture, question in (
        (scenes.photograph(), "Describe this image."),
        (scenes.chart(), "What are the values of the bars in this chart?"),
    ):
        with console.status(f"Looking at the {picture.name} …"):
            answer = ask(client, picture, question).text or ""
        console.print(f"\n[bold]{picture.name}: {question}[/]\n{escape(answer.strip())}")


def extract(client: genai.Client) -> None:
    """Fill a pydantic class from an invoice, and compare it with what was printed."""
    bill = Bill()
    part = types.Part.from_bytes(data=scenes.invoice(bill).png(), mime_type="image/png")
    contents: list[types.PartUnionDict] = [part, "Extract the fields of this invoice."]
    with console.status("Reading the invoice …"):
        response = client.models.generate_content(
            model=MODEL,
            contents=contents,
            config=types.GenerateContentConfig(
                response_mime_type="application/json", response_schema=Invoice
            ),
        )
    found = response.parsed
    if not isinstance(found, Invoice):
        raise DemoFailed(f"The invoice came back as something else: {response.text}")
    console.print("\n[bold]invoice: a pydantic class, filled[/]")
    for name, value in found:
        right = value == getattr(bill, name, None)
        console.print(f"  {name:15} {value!s:15} {'[green]right[/]' if right else '[red]wrong[/]'}")


def converse(client: genai.Client) -> None:
    """Ask an invoice several questions as one conversation: the picture is sent and read once."""
    bill = Bill()
    picture = base64.b64encode(scenes.invoice(bill).png()).decode()
    table = Table(title="invoice: a stored conversation, the picture is sent once", title_justify="left")
    for name in ("question", "answer", "sent", "image tokens", "seconds"):
        table.add_column(name, justify="left" if name in ("question", "answer") else "right")
    image = {"type": "image", "data": picture, "mime_type": "image/png"}
    previous: dict[str, Any] = {}
    for question, value in (
        ("What is the invoice number?", bill.invoice_number),
        ("Who is the customer?", bill.customer),
        ("What is the total?", f"{bill.total:.2f}"),
    ):
        asked = {"type": "text", "text": question}
        contents: list[Any] = [asked] if previous else [image, asked]
        start = time.perf_counter()
        turn: Any = client.interactions.create(model=MODEL, input=contents, **previous)
        seconds, answer = time.perf_counter() - start, turn.steps[-1].content[0].text
        previous = {"previous_interaction_id": turn.id}
        if value not in answer:
            raise DemoFailed(f"{question} {answer}")
        tokens = {
            one.modality: one.tokens for one in (turn.usage and turn.usage.input_tokens_by_modality) or []
        }
        sent = len(json.dumps(contents))
        table.add_row(
            question, escape(answer.strip()), f"{sent:,} bytes", str(tokens["image"]), f"{seconds:.2f}"
        )
    console.print()
    console.print(table)


def detect(client: genai.Client) -> None:
    """Find the face, and draw its box into a picture."""
    portrait = scenes.photograph()
    with console.status("Looking for faces …"):
        text = ask(client, portrait, "Detect all faces. Return box_2d and label as JSON.").text or ""
    boxes = json.loads(text.removeprefix("```json").strip().removesuffix("```"))
    if not boxes:
        raise DemoFailed("No face was found in the photograph.")
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / "faces.png"
    scenes.with_boxes(portrait.image, [(box["box_2d"], box["label"]) for box in boxes]).save(path)
    shown = escape(", ".join(f"{box['label']} {box['box_2d']}" for box in boxes))
    console.print(f"\n[bold]photograph: Detect all faces.[/]\n{shown}, drawn in {os.path.relpath(path)}")


def watch(client: genai.Client) -> None:
    """Show what a video costs and tells in two resolutions, and what is on screen at a moment of it."""
    with console.status("Making a video and sending it …"):
        film = client.files.upload(
            file=io.BytesIO(recordings.film()), config=types.UploadFileConfig(mime_type="video/mp4")
        )
    table = Table(title="video: 1280 × 720, half a minute with sound, a frame a second", title_justify="left")
    for name in ("resolution", "frame", "video", "sound", "seconds", "captions read", "small print read"):
        table.add_column(name, justify="left" if name == "resolution" else "right")
    summaries = {level: _summary(client, film, level, table) for level in FRAMES}
    console.print()
    console.print(table)
    if not all(caption in summaries["HIGH"] for caption in recordings.CAPTIONS):
        raise DemoFailed("Not every caption of the video was read.")
    for question in ("When does the word coffee appear?", "What is on screen at 00:05?"):
        answer = client.models.generate_content(model=MODEL, contents=_about(film, question)).text or ""
        console.print(f"\n[bold]video: {question}[/]\n{escape(answer.strip())}")


def _summary(client: genai.Client, film: types.File, level: str, table: Table) -> str:
    start = time.perf_counter()
    config = types.GenerateContentConfig(
        media_resolution=types.MediaResolution(f"MEDIA_RESOLUTION_{level}"),
    )
    with console.status(f"Watching the video in {level} …"):
        response = client.models.generate_content(
            model=MODEL, contents=_about(film, "Summarize this video."), config=config
        )
    seconds, said = time.perf_counter() - start, response.text or ""
    details = (response.usage_metadata and response.usage_metadata.prompt_tokens_details) or []
    billed = {str(d.modality and d.modality.value): d.token_count for d in details}
    if billed["VIDEO"] != recordings.SECONDS * FRAMES[level]:
        raise DemoFailed(f"{level} was billed {billed['VIDEO']} tokens.")
    read = (sum(text in said for text in texts) for texts in (recordings.CAPTIONS, recordings.SMALL_PRINT))
    costs = (str(FRAMES[level]), str(billed["VIDEO"]), str(billed["AUDIO"]), f"{seconds:.1f}")
    table.add_row(level, *costs, *(f"{count} of 3" for count in read))
    return said


def study(client: genai.Client) -> None:
    """Ask a PDF, one page of which is a scan."""
    with console.status("Making a PDF …"):
        document = types.Part.from_bytes(data=recordings.document(), mime_type="application/pdf")
    console.print("\n[bold]PDF: three pages, the second is a scan[/]")
    for question in ("What does the insurance pay?", "What is the due date?"):
        answer = client.models.generate_content(model=MODEL, contents=_about(document, question)).text or ""
        console.print(f"{question} {escape(answer.strip())}")
        if "page" not in answer:
            raise DemoFailed(f"The PDF did not tell: {question}")


def _about(medium: types.File | types.Part, question: str) -> list[types.PartUnionDict]:
    return [medium, question]


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--svg", type=Path, help="keep what is printed as a picture in this file")
    sys.exit(main(arguments.parse_args().svg))
