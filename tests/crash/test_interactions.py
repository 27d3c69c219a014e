"""Stored conversations outlive crashes: `kill -9` and power cuts at any moment, and full disks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from crash.conversations import Conversations, Folder, digest
from crash.disks import Disk, Plugged, failing_disk, small_disk
from crash.lengths import lengths
from crash.samples import png
from crash.serving import PATIENCE_S, Answer, Server, wait_until_gone
from crash.talks import MAX_ATTEMPTS, SCRIPT, URL, Fields, Talk, picture, talking

MIB = 1024 * 1024
BIG = png(Random(1), 3 * MIB)
OTHER = png(Random(2), 2 * MIB)
SMALL = picture(png(Random(3), 50_000))
ENDLESS = "default: {chunks: [So, {text: much, delay: 60}]}"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """Write down what is answered."""
    path = tmp_path / "answers.yaml"
    path.write_text(SCRIPT)
    return path


@lengths("TWINLENS_TEST_KILLS", brief=3, long=60)
def test_conversations_survive_any_kill(length: int, script: Path, tmp_path: Path) -> None:
    data = folder_in(tmp_path)

    Conversations(lambda: Server(data.path, tmp_path, "--script", str(script)), data, talkers=3).run(length)

    assert wait_until_gone(tmp_path) == set()


@lengths("TWINLENS_TEST_KILLS", brief=3, long=60)
def test_conversations_survive_a_power_cut(length: int, script: Path, tmp_path: Path) -> None:
    with failing_disk(tmp_path / "disk") as disk:

        def serve() -> Server:
            # The disk cannot be taken out while a process of the last life still has a file of it.
            assert wait_until_gone(tmp_path) == set()
            disk.plug_in()
            return Plugged(disk, tmp_path, "--script", str(script))

        Conversations(serve, folder_on(disk), talkers=2).run(max(1, length // 6))


def test_what_ends_the_server_again_and_again_is_given_up(tmp_path: Path) -> None:
    data = folder_in(tmp_path)
    interaction_id, attempts = "", []
    for _ in range(MAX_ATTEMPTS):
        with serving(data, tmp_path, ENDLESS, killed=True) as talk:
            if not interaction_id:
                interaction_id = created(talk, SMALL, background=True)["id"]
            events = talk.events("GET", f"{URL}/{interaction_id}?stream=true")
            # One that was not taken up yet has not been tried.
            event = next(event for event in events if event["event_type"] == "step.delta")
            attempts.append(event["event_id"].partition(".")[0])

    with serving(data, tmp_path, ENDLESS) as talk:
        found = read(talk, interaction_id)

        assert attempts == ["1", "2", "3"]
        assert (found["status"], found["input"]) == ("failed", SMALL)
        assert [error["code"] for error in found["errors"]] == ["aborted"]
        assert "Send the request again" in found["errors"][0]["message"]
        assert talk.delete(interaction_id).status == 200
        data.check_empty()


def test_work_in_the_background_goes_on_by_itself_unless_it_was_ended(tmp_path: Path) -> None:
    data = folder_in(tmp_path)
    with serving(data, tmp_path, ENDLESS, killed=True) as talk:
        goes_on, cancelled, deleted = (created(talk, SMALL, background=True)["id"] for _ in range(3))
        assert talk.ask("POST", f"{URL}/{cancelled}/cancel").status == 200
        assert talk.delete(deleted).status == 200

    with serving(data, tmp_path, SCRIPT) as talk:
        wait_until(lambda: not data.query("SELECT id FROM interactions WHERE unfinished = 1"))

        assert read(talk, goes_on)["steps"][-1]["content"][0]["text"] == "Heard  with 1 media."
        assert read(talk, cancelled)["status"] == "cancelled"
        assert talk.get(deleted).status == 404


def test_more_work_than_there_is_room_for_waits_after_a_restart(tmp_path: Path) -> None:
    data = folder_in(tmp_path)
    with serving(data, tmp_path, ENDLESS, killed=True) as talk:
        known = [created(talk, "Hello", background=True)["id"] for _ in range(4)]

    with serving(data, tmp_path, SCRIPT, "--max-running", "1", "--max-waiting", "0") as talk:
        wait_until(lambda: not data.query("SELECT id FROM interactions WHERE unfinished = 1"))

        assert [read(talk, one)["status"] for one in known] == ["completed"] * 4


def test_a_full_disk_keeps_nothing_by_half_until_there_is_room(disk: Folder, tmp_path: Path) -> None:
    with serving(disk, tmp_path, SCRIPT) as talk:
        first = created(talk, picture(BIG))["id"]
        disk.mounted.fill()

        refused = [
            talk.post({"input": picture(OTHER), **more})
            for more in ({}, {"stream": True}, {"background": True}, {"previous_interaction_id": first})
        ]

        for answer in refused:
            assert_full(answer)
        assert disk.stored() == {digest(BIG)} == disk.named()
        assert not disk.parts()
        assert disk.query("SELECT id FROM interactions") == [[first]]
        assert read(talk, first)["input"] == picture(BIG)

        assert talk.delete(first).status == 200
        assert talk.get(first).status == 404
        second = created(talk, picture(OTHER))["id"]
        assert created(talk, "And?", previous_interaction_id=second)["status"] == "completed"
        assert disk.stored() == {digest(OTHER)}


def test_what_cannot_be_written_down_is_told_as_failed(disk: Folder, tmp_path: Path) -> None:
    script = json.dumps({"default": {"chunks": ["So", {"text": "x" * MIB, "delay": 2}]}})
    with serving(disk, tmp_path, script) as talk:
        interaction_id = created(talk, "Hello", background=True)["id"]
        filler = disk.mounted.fill()
        wait_until(lambda: b"in_progress" not in talk.get(interaction_id).body)
        filler.unlink()

        found = read(talk, interaction_id)

        assert (found["status"], len(found["errors"])) == ("failed", 1)
        assert talk.delete(interaction_id).status == 200
        disk.check_empty()


def test_what_cannot_be_written_down_is_told_while_the_disk_is_full(disk: Folder, tmp_path: Path) -> None:
    script = json.dumps({"default": {"chunks": ["So", {"text": "x" * MIB, "delay": 2}]}})
    with serving(disk, tmp_path, script) as talk:
        interaction_id = created(talk, "Hello", background=True)["id"]
        disk.mounted.fill()
        wait_until(lambda: b"in_progress" not in talk.get(interaction_id).body)

        assert read(talk, interaction_id)["status"] == "failed"


def test_what_cannot_be_begun_anew_is_not_under_way_for_ever(disk: Folder, tmp_path: Path) -> None:
    with serving(disk, tmp_path, ENDLESS, killed=True) as talk:
        known = [created(talk, "x" * 200_000, background=True)["id"] for _ in range(3)]

    script = json.dumps({"default": {"text": "y" * 100_000, "delay": 0.2}})
    with serving(disk, tmp_path, script, "--max-running", "1", "--max-waiting", "0") as talk:
        filler = disk.mounted.fill()
        time.sleep(0.6)
        filler.unlink()

        wait_until(lambda: not any(b"in_progress" in talk.get(one, "").body for one in known))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Folder]:
    """Mount a disk of 8 MiB, for a data folder."""
    with small_disk(tmp_path / "disk", "8m") as mounted:
        yield folder_on(mounted)


def folder_on(disk: Disk) -> Folder:
    """Give the data folder of a server on a disk."""
    return Folder(disk.folder / "data", disk.seen / "data", disk)


def folder_in(folder: Path) -> Folder:
    """Give the data folder of a server that needs no disk of its own."""
    return Folder(folder / "data", folder / "data")


@contextmanager
def serving(data: Folder, folder: Path, script: str, *flags: str, killed: bool = False) -> Iterator[Talk]:
    """Serve a data folder for a block, then kill the server, or see that it stops in order."""
    answers = folder / "answers.yaml"
    answers.write_text(script)
    with Server(data.path, folder, "--script", str(answers), *flags, within=data.within) as server:
        with talking(server.address()) as talk:
            yield talk
        if killed:
            server.kill()
        else:
            server.stop()
    assert "Traceback" not in server.log.read_text(), server.log.read_text()


def created(talk: Talk, given: Any, **more: Any) -> Fields:
    """Create an interaction."""
    answer = talk.post({"input": given, **more})
    assert answer.status == 200, answer
    found: Fields = json.loads(answer.body)
    return found


def read(talk: Talk, interaction_id: str) -> Fields:
    """Read an interaction."""
    answer = talk.get(interaction_id)
    assert answer.status == 200, answer
    found: Fields = json.loads(answer.body)
    return found


def assert_full(answer: Answer) -> None:
    """See that a full disk is told as this API tells errors."""
    assert answer.status == 429, answer
    error = json.loads(answer.body)["error"]
    assert error["code"] == "too_many_requests"
    assert "disk is full" in error["message"]
    assert int(answer.headers["Retry-After"]) >= 1


def wait_until(done: Callable[[], bool]) -> None:
    """Look again and again."""
    patience = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < patience
        time.sleep(0.05)
