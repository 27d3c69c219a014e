"""Damaged files of every kind cost a clear refusal at most: the whole road, as a caller sees it.

`TWINLENS_TEST_MUTATIONS=2000` makes it longer, and `TWINLENS_TEST_SEED` makes it another run. With
`--junitxml` the report holds what came of each kind.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import logging
import math
import os
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from crash import eater
from crash.damage import damaged
from crash.lengths import lengths
from crash.lives import SEED
from crash.serving import PATIENCE_S
from crash.targets import PAGE_TOKENS, TARGETS, Target
from twinlens.app import create_app
from twinlens.settings import Settings

MODEL = "/v1beta/models/gemini-3-flash-preview"
QUESTION = "What is in it?"
WORKERS = 3
AT_ONCE = 4

REFUSALS = tuple(
    map(
        re.compile,
        (
            r"The (video|audio|PDF) data is damaged or incomplete\. Check the file and send it again\.",
            r"(The document has no pages\. )?The data is labelled [\w/.+-]+ but looks like .+\. Send .+\.",
            r"The file holds no video and no audio\. Check the file and send it again\.",
            r"The codec( [a-z0-9_]+)? is not supported\. Convert the \w+ to [\w. ]+ and send it again\.",
            r"The video's frames have no size, or more than 200 million pixels\. Check the file or .*",
            r"Reading the \w+ takes (more than 512 MiB of memory|longer than 5 s)\. [\w ]+\.",
            r"The decoder cannot handle this \w+\. Convert it to [\w. ]+ and send it again\.",
            r"The reader cannot handle this document\. Save it anew as PDF and send it again\.",
            r"The document has no pages\.",
            r"The document is protected by a password\. Remove the password and send it again\.",
            r"The document contains \d+ pages which exceeds the supported page limit of 1000\.",
            r"Page \d+ of the document is damaged\. Save the document anew as PDF and send it again\.",
            r"The audio of this request lasts [\d.]+ hours; the limit is [\d.]+\. Clip it .*\.",
            r"The input token count \(\d+\) exceeds the maximum number of tokens allowed \(\d+\)\.",
        ),
    )
)
"""All that a caller may be told."""

on_one_loop = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """Start the whole app with the engine that takes everything; its workers have little of all."""
    folder = tmp_path_factory.mktemp("fuzz")
    eater.install(folder)
    settings = Settings(
        engine=eater.NAME,
        data_dir=folder / "data",
        decode_workers=WORKERS,
        decode_timeout_s=5,
        decode_memory_mib=512,
        cache_max_bytes=0,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        app = create_app(settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        client.headers["x-goog-api-key"] = "any"
        yield client


class Writer(logging.Handler):
    """Writes a record out before others keep it: it may hold an exception, and with that the file."""

    def emit(self, record: logging.LogRecord) -> None:
        """Leave the words alone."""
        record.msg, record.args, record.exc_info = self.format(record).strip(), None, None


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """Give what has been logged during a test, of what an operator sees."""
    logger, writer = logging.getLogger("twinlens"), Writer()
    logger.addHandler(writer)
    yield lambda: [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    logger.removeHandler(writer)


@dataclass
class Tally:
    """What has come of the files of one kind, and which took longest."""

    answers: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, int] = (0, 0)

    def __str__(self) -> str:
        """Say it all."""
        seconds, number = self.slowest
        return f"{self.answers} answers, {self.refusals}; the slowest took {seconds:.2f} s: {number}"


@on_one_loop
@pytest.mark.parametrize("name", TARGETS)
@lengths("TWINLENS_TEST_MUTATIONS", brief=100, long=1000)
async def test_damage_costs_a_refusal_at_most(
    client: httpx.AsyncClient,
    name: str,
    length: int,
    said: Callable[[], list[str]],
    record_testsuite_property: Callable[[str, object], None],
    tmp_path: Path,
) -> None:
    target = TARGETS[name]
    whole = target.make()
    tally, begun = Tally(), time.monotonic()
    wrecks = damaged(whole, f"{SEED} {name}", target.numbers)
    waiting = enumerate(map(target.mend, islice(wrecks, length)))

    async def lane() -> None:
        for number, data in waiting:
            try:
                await ask(client, target, data, number, tally)
            except BaseException as error:
                (tmp_path / str(number)).write_bytes(data)
                error.add_note(f"TWINLENS_TEST_SEED={SEED}, mutation {number} of {name}")
                raise

    async with asyncio.TaskGroup() as lanes:
        for _ in range(AT_ONCE):
            lanes.create_task(lane())

    assert tally.answers + tally.refusals.total() == length
    reasons = Counter(words.splitlines()[-1] for words in said())
    record_testsuite_property(name, f"{time.monotonic() - begun:.1f} s, {tally}; lost: {reasons}")
    assert all(words.startswith("worker lost") for words in said())
    assert not any(await asyncio.gather(*(answered(client, target, whole) for _ in range(AT_ONCE))))
    await let_go()


async def ask(client: httpx.AsyncClient, target: Target, data: bytes, number: int, tally: Tally) -> None:
    """Ask about a damaged file, and count what comes of it."""
    begun = time.monotonic()
    refusal = await answered(client, target, data, number)
    tally.slowest = max(tally.slowest, (time.monotonic() - begun, number))
    tally.answers += not refusal
    tally.refusals.update([refusal] if refusal else [])


async def answered(client: httpx.AsyncClient, target: Target, data: bytes, number: int = 0) -> str | None:
    """Ask for the tokens, then for an answer, and hold both to the contract; give the refusal."""
    more = target.more[number % len(target.more)]
    inline = {"mimeType": target.mime_type, "data": base64.b64encode(data).decode()}
    asked = {"contents": [{"parts": [{"inlineData": inline, **more}, {"text": QUESTION}]}]}
    counted = await client.post(f"{MODEL}:countTokens", json=asked)
    answer = await client.post(f"{MODEL}:generateContent", json=asked)
    if counted.status_code == answer.status_code == 200:
        check_answer(counted.json(), answer.json())
        return None
    if counted.status_code != 200:
        check_refusal(counted)
    return check_refusal(answer)


def check_refusal(answer: httpx.Response) -> str:
    assert answer.status_code == 400, answer.text
    message: str = answer.json()["error"]["message"]
    assert any(refusal.fullmatch(message) for refusal in REFUSALS), message
    return message


def check_answer(counted: dict[str, Any], answer: dict[str, Any]) -> None:
    """Hold the tokens against one another, and against what the engine has been given."""
    usage = answer["usageMetadata"]
    assert usage["promptTokenCount"] == counted["totalTokens"]
    assert usage["promptTokensDetails"] == counted["promptTokensDetails"]
    tokens = {one["modality"]: one["tokenCount"] for one in usage["promptTokensDetails"]}
    (eaten,) = json.loads(answer["candidates"][0]["content"]["parts"][0]["text"])
    expected = {
        "TEXT": math.ceil(len(QUESTION) / 4) + math.ceil(eaten.get("characters", 0) / 4),
        "VIDEO": 70 * eaten.get("frames", 0),
        "AUDIO": eaten.get("sound tokens", 0),
        "IMAGE": PAGE_TOKENS * eaten.get("pages", 0),
    }
    assert tokens == {modality: count for modality, count in expected.items() if count}


async def let_go() -> None:
    """Wait until nobody holds a file of a request any more, and all workers are there."""
    patience = time.monotonic() + PATIENCE_S
    # Each worker has a file for its results, which is held on the server's side.
    while media_held() != WORKERS or len(workers()) != WORKERS:
        assert time.monotonic() < patience, (media_held(), workers())
        gc.collect()
        await asyncio.sleep(0.01)


def media_held() -> int:
    """Count the files of media that the server and its workers hold open."""
    folders = [Path(f"/proc/{pid}/fd") for pid in (os.getpid(), *workers())]
    return sum(_target(link).startswith("/memfd:media") for folder in folders for link in folder.iterdir())


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except FileNotFoundError:
        return ""


def workers() -> list[int]:
    """List the worker processes of this one; a process is the child of the thread that began it."""
    lists = [task / "children" for task in Path("/proc/self/task").iterdir()]
    children = [pid for listed in lists for pid in listed.read_text().split()]
    return [int(pid) for pid in children if b"media.worker.main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
