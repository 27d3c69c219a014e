"""What the Interactions API costs: storing, going on with a conversation, telling it again, and many of them.

Run it alone: `python bench/interactions.py [part …]`. Servers are real processes of one worker on loopback.
The baseline is always the request that does without: generateContent, generateContent with the
whole conversation and its media, what is known of a file, or a server that has stored next to nothing. CPU
is read from /proc, so it runs on Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from again import cpu_with_children, photos
from latency import image_request
from measuring import NOTHING, Client, Json, Result, Server, Step, got, measured, posted, twinlens
from pages import text_document
from servers import cpu_seconds
from twinlens.domain.clock import now
from twinlens.domain.engine import Text, Usage
from twinlens.domain.interaction import Interaction, Outcome
from twinlens.domain.media import Modality
from twinlens.store.interactions import InteractionStore
from twinlens.store.storage import open_storage
from video import X264, Made, film

MODEL = "gemini-3-flash-preview"
GENERATE = f"/v1beta/models/{MODEL}:generateContent"
INTERACTIONS = "/v1beta/interactions"
FILLER = b"A" * 400
"""What fills up the picture of `image_request`, in base64: any other letters do as well."""
UPLOAD = "X-Goog-Upload-Protocol: raw\r\nX-Goog-Upload-Header-Content-Type: text/plain\r\n"
ROUNDS = 4
"""In which the ways take turns, so that what else the machine does touches all of them."""
PIECES, PIECE = 6500, "Forty characters are about ten tokens.  "
"""An answer of 65 000 tokens."""
FEW = 5
"""As good as no stored interactions: one conversation."""
QUESTION = "Caption this."
"""Asked again and again, so that the engine, which remembers what it saw, is left out of later turns."""
SHOWN = {1: "first", 2: "second", 5: "fifth", 6: "after a restart"}
CLIP = Made("mp4", "libx264", {**X264, "g": "60"}, 600, 20, (1280, 720), 2_500_000)


def main() -> None:
    """Run the parts that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], help="leave out for all")
    parser.add_argument("--stored", type=int, default=100_000, help="interactions to fill a store with")
    arguments = parser.parse_args()
    for name in arguments.part or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            PARTS[name](Path(folder), arguments.stored)


def print_costs(folder: Path, _: int) -> None:
    """Print what an interaction costs on top of generateContent."""
    print("\n### One question\n")
    print("| question | asked as | p50 ms | p99 ms | server CPU ms | p50 ratio | CPU ratio |")
    print("| --- | --- | --: | --: | --: | --: | --: |")
    picture = inline(image_request(5_000_000))
    with twinlens(folder / "data") as server:
        for name, medium, is_new, count in (
            ("tiny text", None, False, 400),
            ("5 MB JPEG, the same each time", picture, False, 40),
            ("5 MB JPEG, a new one each time", picture, True, 40),
        ):
            requests = asked_as(medium)
            for request, way in requests.values():
                way(server.client, request)
            size = 5_000_000 if medium else 300
            bare = f"write and fsync of {size} bytes alone"
            results: dict[str, Result] = {}
            for _round in range(ROUNDS):
                for way_name, (request, way) in requests.items():
                    steps = each(server.client, request, way, count // ROUNDS, is_new=is_new)
                    result = measured(partial(cpu_seconds, server.pid), steps)
                    results[way_name] = results.get(way_name, NOTHING) + result
                result = measured(time.process_time, written(folder, size, count // ROUNDS))
                results[bare] = results.get(bare, NOTHING) + result
            for way_name, result in results.items():
                print(f"| {name} | {way_name} | {result.cells(results['generateContent'])}", flush=True)


def asked_as(medium: Json | None) -> dict[str, tuple[bytes, Callable[[Client, bytes], object]]]:
    """Write one question in every way, each with what to do with it."""
    text = "Caption this image." if medium else "Hello"
    body, post = interaction(text, medium), partial(posted, INTERACTIONS)
    return {
        "generateContent": (posted(GENERATE, {"contents": [turn(text, medium)]}), Client.ask),
        "interaction, not stored": (post(body | {"store": False}), Client.ask),
        "interaction, stored": (post(body), Client.ask),
        "interaction, stored and streamed": (post(body | {"stream": True}), Client.ask),
        "interaction, in the background, to its end": (
            post(body | {"background": True}),
            until_completed,
        ),
    }


def until_completed(client: Client, request: bytes) -> None:
    """Ask in the background, and follow the stream to its end."""
    begun = json.loads(client.ask(request))
    client.ask(got(f"{INTERACTIONS}/{begun['id']}?stream=true"))


def each(
    client: Client, request: bytes, way: Callable[[Client, bytes], object], count: int, *, is_new: bool
) -> Iterator[Step]:
    """Repeat a request, each time with a new picture where that is wanted."""
    at = request.find(FILLER) + 16
    for _ in range(count):
        if is_new:
            letters = base64.b64encode(next(NUMBERS).to_bytes(6, "big"))
            request = request[:at] + letters + request[at + len(letters) :]
        yield partial(way, client, request)


NUMBERS = itertools.count(1)


def written(folder: Path, size: int, count: int) -> Iterator[Step]:
    """Write new files and sync each, as somebody does who only wants the bytes to be safe."""
    data = os.urandom(size)

    def write() -> None:
        with (folder / f"bare-{next(NUMBERS)}").open("wb", buffering=0) as file:
            file.write(data)
            os.fsync(file.fileno())

    return itertools.repeat(write, count)


def print_follow_ups(folder: Path, _: int) -> None:
    """Print what the next question of a conversation costs, against sending all of it again."""
    print("\n### The next question\n")
    print("| about, engine | question | kB sent | instead of | p50 ms | instead of | ratio ", end="")
    print("| CPU ms | instead of | ratio |")
    print("| --- | --- | --: | --: | --: | --: | --: | --: | --: | --: |")
    photo, document = next(photos(1)), text_document(20)
    clip = film(CLIP, folder / "clip.mp4").read_bytes()
    shots = [inlined("image/jpeg", numbered_photo(photo, number)) for number in range(30)]
    clips = [inlined("video/mp4", clip + free_box(number)) for number in range(3)]
    documents = [inlined("application/pdf", document + b"%% %d\n" % number) for number in range(3)]
    for about, engine, media, repeats in (
        ("12 MP photo", "script", shots, 8),
        ("12 MP photo", "builtin", shots[:6], 30),
        ("video of 20 s", "builtin", clips, 30),
        ("PDF of 20 pages", "builtin", documents, 30),
    ):
        whole: list[Talk] = [Whole(medium) for medium in media]
        going_on: list[Talk] = [GoingOn(medium) for medium in media]
        for turns in ((1, 2, 3, 4, 5), (6,)):
            with twinlens(folder / f"{about}, {engine}", "--engine", engine) as server:
                for number in turns:
                    count = repeats if number in (2, 5) else 1
                    again, next_one = (conversed(server, talks, count) for talks in (whole, going_on))
                    if number in SHOWN:
                        cells = compared(next_one, again)
                        print(f"| {about}, {engine} | {SHOWN[number]} | {cells} |", flush=True)


def conversed(server: Server, talks: Sequence[Talk], repeats: int) -> tuple[int, Result]:
    """Ask the next question in every conversation; give the bytes that one sends."""
    requests = [talk.request() for talk in talks]
    answers: dict[Talk, bytes] = {}

    def ask(talk: Talk, request: bytes) -> None:
        answers[talk] = server.client.ask(request)

    steps = [partial(ask, *each) for each in zip(talks, requests, strict=True)] * repeats
    result = measured(partial(cpu_with_children, server.pid), steps)
    for talk, answer in answers.items():
        talk.take(json.loads(answer))
    return len(requests[0]), result


def compared(ours: tuple[int, Result], baseline: tuple[int, Result]) -> str:
    """Write the cells of one question: what it sends, how long it takes and what it costs, each twice."""
    (size, result), (whole_size, whole) = ours, baseline
    cells = [f"{size / 1000:.1f}", f"{whole_size / 1000:.1f}"]
    for took, before in ((result.percentile(0.5), whole.percentile(0.5)), (result.cpu_ms, whole.cpu_ms)):
        cells += [f"{took:.1f}", f"{before:.1f}", f"{took / before:.2f}"]
    return " | ".join(cells)


class Whole:
    """A conversation that is sent whole with each question."""

    def __init__(self, medium: Json) -> None:
        self._medium = medium
        self._contents: list[Json] = []

    def request(self) -> bytes:
        """Write the next question."""
        self._contents.append(turn(QUESTION, None if self._contents else self._medium))
        return posted(GENERATE, {"contents": self._contents})

    def take(self, answer: Json) -> None:
        """Take the answer to it."""
        self._contents.append(answer["candidates"][0]["content"])


class GoingOn:
    """A conversation that the server keeps: each question names the interaction before."""

    def __init__(self, medium: Json) -> None:
        self._body = interaction(QUESTION, medium)

    def request(self) -> bytes:
        """Write the next question."""
        return posted(INTERACTIONS, self._body)

    def take(self, answer: Json) -> None:
        """Take the answer to it."""
        if answer["status"] != "completed":
            raise SystemExit(f"the server answered {answer}")
        self._body = interaction(QUESTION) | {"previous_interaction_id": answer["id"]}


Talk = Whole | GoingOn


def print_replays(folder: Path, _: int) -> None:
    """Print what it costs to read an interaction again."""
    print("\n### Reading again\n")
    print("| GET | kB received | p50 ms | p99 ms | server CPU ms | p50 ratio | CPU ratio |")
    print("| --- | --: | --: | --: | --: | --: | --: |")
    answers = {
        "rules": [{"match": {"text": "long"}, "answer": {"chunks": [PIECE] * PIECES}}],
        "default": {"text": "ok"},
    }
    (folder / "answers.yaml").write_text(json.dumps(answers))
    script = "--script", str(folder / "answers.yaml")
    results: dict[str, Result] = {}
    with twinlens(folder / "data", "--engine", "script", *script) as server:
        for what, (path, count) in replayed(server).items():
            request = got(path)
            size = len(server.client.ask(request))
            steps = itertools.repeat(partial(server.client.ask, request), count)
            results[what] = measured(partial(cpu_seconds, server.pid), steps)
            baseline = next(iter(results.values()))
            print(f"| {what} | {size / 1000:.1f} | {results[what].cells(baseline)}", flush=True)


def replayed(server: Server) -> dict[str, tuple[str, int]]:
    """Ask, and give the paths of what can be read afterwards, each with how often to read it."""
    file = server.post("/upload/v1beta/files", b"a file", UPLOAD)["file"]["name"]
    picture = inline(image_request(5_000_000))
    short, shown, long = (
        f"{INTERACTIONS}/{server.post(INTERACTIONS, body)['id']}"
        for body in (interaction("Hello"), interaction("Caption this.", picture), interaction("long"))
    )
    stream = server.client.ask(got(f"{long}?stream=true"))
    last = int(stream.rpartition(b'"event_id":"1.')[2].split(b'"')[0])
    return {
        "file (baseline)": (f"/v1beta/{file}", 400),
        "interaction of text": (short, 400),
        "interaction with a 5 MB JPEG": (shown, 40),
        "interaction with an answer of 65 000 tokens": (long, 400),
        "its stream from the start": (f"{long}?stream=true", 400),
        "its stream, the last 100 characters": (f"{long}?stream=true&last_event_id=1.{last - 102}", 400),
    }


def print_many(folder: Path, stored: int) -> None:
    """Print what requests cost when many interactions are stored, against a few."""
    print(f"\n### {stored} stored interactions\n")
    print("| request | stored | p50 ms | p99 ms | server CPU ms | p50 ratio | CPU ratio |")
    print("| --- | --: | --: | --: | --: | --: | --: |")
    last = {count: fill(folder / f"data-{count}", count) for count in (FEW, stored)}
    with twinlens(folder / "first"):
        """What the machine reads for the first time, it reads for this one."""
    results: dict[tuple[str, int], Result] = {}
    with ExitStack() as stack:
        running: dict[int, Server] = {}
        for count in last:
            start = time.perf_counter()
            running[count] = stack.enter_context(twinlens(folder / f"data-{count}"))
            took, cpu_s = time.perf_counter() - start, cpu_seconds(running[count].pid)
            results["start of the server", count] = Result([took], cpu_s)
        for _, count in itertools.product(range(ROUNDS), last):
            pid, client = running[count].pid, running[count].client
            for name, request in asked_of_many(last[count]).items():
                result = measured(partial(cpu_seconds, pid), [partial(client.ask, request)] * 100)
                results[name, count] = results.get((name, count), NOTHING) + result
    for name in dict.fromkeys(name for name, _ in results):
        for count in last:
            print(f"| {name} | {count} | {results[name, count].cells(results[name, FEW])}", flush=True)


def asked_of_many(last: str) -> dict[str, bytes]:
    """Write what is asked; `last` is the fifth turn of a conversation."""
    question = interaction("Hello")
    return {
        "create": posted(INTERACTIONS, question),
        "create, the sixth turn": posted(INTERACTIONS, question | {"previous_interaction_id": last}),
        "get": got(f"{INTERACTIONS}/{last}"),
        "/metrics": got("/metrics"),
    }


def fill(folder: Path, count: int) -> str:
    """Store conversations of five turns, and give the id of the last. Memory syncs sooner than a disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as place:
        last = asyncio.run(filled(Path(place), count))
        shutil.copytree(place, folder)
    return last


async def filled(folder: Path, count: int) -> str:
    """Store conversations in a folder."""
    storage, previous = open_storage(folder), None
    store = InteractionStore(
        storage.records.interactions,
        storage.contents,
        now,
        lifetime=timedelta(days=55),
        max_bytes=1 << 40,
    )
    usage = Usage({Modality.TEXT: 20}, candidates=50)
    answer = Outcome("completed", (Text("What was said, in some two hundred characters. " * 4),), usage)
    for number in range(count):
        sent = json.dumps({"model": MODEL, "input": f"What was asked, the {number}th time, in a few words."})
        asked = Interaction(f"v1_{number:032}", MODEL, sent.encode(), now(), now(), outcome=answer)
        await store.add("default", replace(asked, previous=previous if number % 5 else None))
        previous = asked.id
    await storage.close()
    return asked.id


def turn(text: str, medium: Json | None = None) -> Json:
    """Write a question for generateContent."""
    parts: list[Json] = [{"inlineData": medium}] if medium else []
    return {"role": "user", "parts": [*parts, {"text": text}]}


def interaction(text: str, medium: Json | None = None) -> Json:
    """Write the body of an interaction."""
    question = {"type": "text", "text": text}
    if medium is None:
        return {"model": MODEL, "input": [question]}
    kind = medium["mimeType"].partition("/")[0].replace("application", "document")
    shown = {"type": kind, "mime_type": medium["mimeType"], "data": medium["data"]}
    return {"model": MODEL, "input": [shown, question]}


def inline(request: bytes) -> Json:
    """Take the medium out of a request of generateContent."""
    medium: Json = json.loads(request)["contents"][0]["parts"][0]["inlineData"]
    return medium


def inlined(mime_type: str, data: bytes) -> Json:
    """Write a medium as generateContent has it."""
    return {"mimeType": mime_type, "data": base64.b64encode(data).decode()}


def numbered_photo(photo: bytes, number: int) -> bytes:
    """Make another file of the same photo, by its comment."""
    return photo.replace(b"photo 0", b"ph %4d" % number, 1)


def free_box(number: int) -> bytes:
    """Write what players of MP4 pass over."""
    return b"\0\0\0\x10free%8d" % number


PARTS: Mapping[str, Callable[[Path, int], None]] = {
    "costs": print_costs,
    "follow-ups": print_follow_ups,
    "replays": print_replays,
    "many": print_many,
}


if __name__ == "__main__":
    main()
