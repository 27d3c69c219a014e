"""`twinlens files upload` when it is interrupted, from either side and from between."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pty
import random
import re
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

MIB = 1024 * 1024
SIZE = 20 * MIB
CHUNK = 8 * MIB
HEADERS = 64 * 1024
"""More than all requests' headers together."""

Files = Callable[..., "subprocess.CompletedProcess[str]"]
Begin = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def data() -> bytes:
    return random.Random(8).randbytes(SIZE)


@pytest.fixture
def big(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "big.txt"
    path.write_bytes(data)
    return path


@pytest.fixture
def stopped(begin: Begin, server: Any, wire: Any, big: Path) -> Callable[..., tuple[Any, Any]]:
    """Give a starter of an upload over a wire that stands still after 12 MiB; give command and wire."""

    def start(at: Any = None) -> tuple[Any, Any]:
        laid = wire(at or server)
        laid.hold(12 * MIB)
        command = begin("upload", str(big), "--json", "--server", laid.url)
        assert laid.held.wait(300)
        return command, laid

    return start


def uploaded(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def sha256(file: dict[str, Any]) -> str:
    return base64.b64decode(file["sha256Hash"]).decode()


def remembered(tmp_path: Path) -> list[dict[str, Any]]:
    text = (tmp_path / "state" / "twinlens" / "uploads.json").read_text()
    found: list[dict[str, Any]] = json.loads(text)["uploads"]
    return found


def test_a_large_file_arrives_as_it_is(
    files: Files, server: Any, wire: Any, big: Path, data: bytes, tmp_path: Path
) -> None:
    laid = wire(server)

    file = uploaded(files("upload", str(big), "--json", "--server", laid.url))

    assert (sha256(file), file["sizeBytes"]) == (hashlib.sha256(data).hexdigest(), str(SIZE))
    assert SIZE < laid.sent < SIZE + HEADERS
    assert remembered(tmp_path) == []


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_same_command_goes_on_after_one_that_was_ended(
    files: Files, stopped: Any, big: Path, data: bytes, tmp_path: Path, end: signal.Signals
) -> None:
    command, laid = stopped()
    command.send_signal(end)
    _, errors = command.communicate(timeout=300)
    assert remembered(tmp_path)
    laid.release()

    done = files("upload", str(big), "--json", "--server", laid.url)

    assert sha256(uploaded(done)) == hashlib.sha256(data).hexdigest()
    assert laid.sent < SIZE - CHUNK + HEADERS
    assert "resumed at" in done.stderr
    assert remembered(tmp_path) == []
    if end == signal.SIGINT:
        assert command.returncode == 130
        assert errors == "big.txt: interrupted. The same command goes on where it stopped.\n"


def test_a_connection_that_breaks_is_made_again(stopped: Any, data: bytes) -> None:
    command, laid = stopped()

    laid.release()
    out, errors = command.communicate(timeout=300)

    assert sha256(json.loads(out)) == hashlib.sha256(data).hexdigest()
    assert "broke. Trying again in 0.5 s." in errors
    assert laid.sent < SIZE - CHUNK + HEADERS


def test_a_server_that_is_killed_and_comes_back_gets_the_rest(
    stopped: Any, own_server: Any, data: bytes
) -> None:
    server = own_server()
    command, laid = stopped(server)

    server.kill()
    laid.release()
    server.start()
    out, errors = command.communicate(timeout=300)

    assert sha256(json.loads(out)) == hashlib.sha256(data).hexdigest(), errors
    assert "Trying again" in errors
    assert laid.sent < SIZE - CHUNK + HEADERS


def test_a_server_that_comes_back_on_another_port_gets_the_rest(
    files: Files, stopped: Any, own_server: Any, big: Path, data: bytes
) -> None:
    server = own_server()
    command, laid = stopped(server)
    command.kill()
    command.communicate()
    laid.release()
    server.kill()
    server.port = 0
    server.start()

    done = files("upload", str(big), "--json", "--server", server.url)

    assert sha256(uploaded(done)) == hashlib.sha256(data).hexdigest()
    assert "resumed at" in done.stderr


def test_a_last_answer_that_is_lost_is_asked_for_again(
    files: Files, server: Any, wire: Any, big: Path, data: bytes, tmp_path: Path
) -> None:
    laid = wire(server)
    laid.lose = b"x-goog-upload-status: final"

    done = files("upload", str(big), "--json", "--server", laid.url)

    assert laid.lose is None
    assert sha256(uploaded(done)) == hashlib.sha256(data).hexdigest()
    assert laid.sent < SIZE + HEADERS


def test_a_file_that_changed_meanwhile_is_sent_anew(
    files: Files, stopped: Any, big: Path, tmp_path: Path
) -> None:
    command, laid = stopped()
    command.kill()
    command.communicate()
    laid.release()
    (known,) = remembered(tmp_path)
    big.write_bytes(b"short now")

    done = files("upload", str(big), "--json", "--server", laid.url)

    assert uploaded(done)["sizeBytes"] == "9"
    assert "resumed" not in done.stderr
    assert remembered(tmp_path) == []
    assert session_status(laid.url, known) != "active"


def test_restart_begins_anew_and_cancels_what_was_there(
    files: Files, stopped: Any, big: Path, data: bytes, tmp_path: Path
) -> None:
    command, laid = stopped()
    command.kill()
    command.communicate()
    laid.release()
    (known,) = remembered(tmp_path)

    done = files("upload", str(big), "--json", "--restart", "--server", laid.url)

    assert sha256(uploaded(done)) == hashlib.sha256(data).hexdigest()
    assert laid.sent > SIZE
    assert "resumed" not in done.stderr
    assert session_status(laid.url, known) != "active"


def session_status(url: str, known: dict[str, Any]) -> str | None:
    answer = httpx.post(
        url + known["session"]["path"], headers={"X-Goog-Upload-Command": "query"}, timeout=60
    )
    status: str | None = answer.headers.get("x-goog-upload-status")
    return status


def test_another_key_or_another_label_is_another_upload(files: Files, stopped: Any, big: Path) -> None:
    command, laid = stopped()
    command.kill()
    command.communicate()
    laid.release()

    for other in (("--key", "other"), ("--display-name", "other")):
        done = files("upload", str(big), "--json", "--server", laid.url, *other)

        assert uploaded(done)["sizeBytes"] == str(SIZE)
        assert "resumed" not in done.stderr

    assert "resumed at" in files("upload", str(big), "--json", "--server", laid.url).stderr


def test_an_upload_that_the_server_has_forgotten_begins_anew(
    files: Files, stopped: Any, own_server: Any, big: Path, data: bytes, tmp_path: Path
) -> None:
    command, laid = stopped()
    command.kill()
    command.communicate()
    laid.release()
    session = remembered(tmp_path)[0]["session"]["path"]
    assert (
        httpx.post(laid.url + session, headers={"X-Goog-Upload-Command": "cancel"}, timeout=60).status_code
        == 200
    )

    done = files("upload", str(big), "--json", "--server", laid.url)

    assert sha256(uploaded(done)) == hashlib.sha256(data).hexdigest()
    assert "resumed" not in done.stderr


def test_the_state_is_for_the_user_alone_and_holds_no_key(
    begin: Begin, server: Any, wire: Any, big: Path, tmp_path: Path
) -> None:
    laid = wire(server)
    laid.hold(MIB)
    command = begin("upload", str(big), "--key", "very-secret", "--server", laid.url)
    assert laid.held.wait(300)
    command.kill()
    command.communicate()

    state = tmp_path / "state" / "twinlens" / "uploads.json"
    assert state.stat().st_mode & 0o777 == 0o600
    assert state.parent.stat().st_mode & 0o777 == 0o700
    assert "very-secret" not in state.read_text()


def test_a_state_that_cannot_be_kept_is_said_and_does_no_harm(
    files: Files, server: Any, big: Path, tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("this is no folder")

    done = files("upload", str(big), "--json", "--server", server.url)

    assert uploaded(done)["sizeBytes"] == str(SIZE)
    assert "if interrupted, this upload will begin anew" in done.stderr


def test_a_state_that_is_damaged_does_no_harm(files: Files, server: Any, big: Path, tmp_path: Path) -> None:
    state = tmp_path / "state" / "twinlens" / "uploads.json"
    state.parent.mkdir(parents=True)
    state.write_text('{"uploads": [{"subject"')

    assert uploaded(files("upload", str(big), "--json", "--server", server.url))["sizeBytes"] == str(SIZE)
    assert remembered(tmp_path) == []


def test_a_file_that_shrinks_while_it_is_sent_is_refused(
    stopped: Any, files: Files, big: Path, tmp_path: Path
) -> None:
    command, laid = stopped()
    os.truncate(big, 10 * MIB)

    laid.release()
    _, errors = command.communicate(timeout=300)

    assert command.returncode == 1
    assert "changed while it was being sent" in errors
    assert "Traceback" not in errors
    assert remembered(tmp_path) == []


def test_a_terminal_gets_a_bar_and_a_pipe_gets_the_result(
    begin: Begin, server: Any, big: Path, tmp_path: Path
) -> None:
    try:
        ours, theirs = pty.openpty()
    except OSError as error:
        pytest.skip(f"no terminal can be had here: {error}")
    command = begin("upload", str(big), "--json", "--server", server.url, stderr=theirs, TERM="xterm")
    os.close(theirs)
    out = command.communicate(timeout=300)[0]
    shown = read_all(ours)

    assert json.loads(out)["sizeBytes"] == str(SIZE)
    assert "big.txt" in shown
    assert "21.0/21.0 MB" in shown
    assert "\x1b[" in shown


def test_a_terminal_gets_a_bar_for_the_servers_look(begin: Begin, own_server: Any, tmp_path: Path) -> None:
    server = own_server()
    slow = tmp_path / "slow.pdf"
    slow.write_bytes(b"%PDF-1.4\n")
    # A hole that takes seconds to search, where a second is enough to be seen.
    os.truncate(slow, 500 * MIB)
    try:
        ours, theirs = pty.openpty()
    except OSError as error:
        pytest.skip(f"no terminal can be had here: {error}")
    command = begin("upload", str(slow), "--server", server.url, stderr=theirs, TERM="xterm")
    os.close(theirs)
    # As it comes: a terminal that nobody reads holds up who writes to it.
    shown = read_all(ours)
    command.communicate(timeout=300)

    assert command.returncode == 1
    assert "slow.pdf: the server looks at the file." in shown
    assert re.search(r"[1-9]\d? %", shown.partition("the server looks")[2])


def read_all(descriptor: int) -> str:
    """Read what a terminal was shown; its end is an error where the other side is closed."""
    shown = b""
    with suppress(OSError), open(descriptor, "rb", buffering=0) as terminal:
        while data := terminal.read(65536):
            shown += data
    return shown.decode()


def test_a_log_gets_no_bar_whatever_the_variables_say(files: Files, server: Any, big: Path) -> None:
    done = files("upload", str(big), "--server", server.url, FORCE_COLOR="1", TERM="xterm")

    assert re.fullmatch(r"big\.txt: 21\.0 MB sent in \d+\.\d s\.\n", done.stderr)
