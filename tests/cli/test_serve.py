"""`twinlens serve`, as a real process."""

from __future__ import annotations

import base64
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from PIL import Image

import documented
import images
from twinlens import __version__
from twinlens.settings import KNOBS, env, flag

COMMAND = (sys.executable, "-m", "twinlens")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        env=os.environ | {"COLUMNS": "100"} | environment,
    )


@contextmanager
def serving(
    data: Path,
    *arguments: str,
    limits: tuple[int, int] | None = None,
    stderr: int = subprocess.PIPE,
    path: Path | None = None,
) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Start a server on a free port; give the process, its address and what it has printed.

    `limits` are those of open files: the one that holds, and the one up to which it may be raised. `path` is
    where further packages are installed.
    """
    command = [*COMMAND, "serve", "--port", "0", "--data-dir", str(data), *arguments]
    if limits:
        shell = f'ulimit -Sn {limits[0]}; ulimit -Hn {limits[1]}; exec "$@"'
        command = ["sh", "-c", shell, "sh", *command]
    environment = os.environ | ({"PYTHONPATH": str(path)} if path else {})
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment)
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if line.startswith("Stop with"):
            break
    try:
        yield process, re.search(r"http://\S+", printed)[0], printed  # type: ignore[index]
    finally:
        process.kill()
        process.communicate()


def test_help_lists_every_setting_with_its_variable_and_default() -> None:
    text = run("serve", "--help").stdout

    for knob in KNOBS:
        assert flag(knob.name) in text
        assert env(knob.name) in text
        assert not knob.metadata["unit"] or knob.metadata["unit"].upper() in text
    assert "default: 8080]" in " ".join(text.split())
    assert "default: 127.0.0.0/8 ::1]" in " ".join(text.split())


def test_the_version_is_told() -> None:
    assert __version__ in run("--version").stdout


def test_the_server_says_where_it_listens_and_how_to_point_clients_at_it(tmp_path: Path) -> None:
    with serving(tmp_path, "--engine", "script") as (_, address, printed):
        assert "script" in printed
        assert all(word in printed for word in ("Python", "JavaScript", "curl", address))
        assert len(printed.splitlines()) < 24


def test_the_start_screen_shows_each_engine_and_then_what_becomes_of_it(tmp_path: Path) -> None:
    documented.install(tmp_path)
    path = tmp_path / "engines.toml"
    path.write_text(
        '[[engine]]\nname = "canned"\nkind = "script"\nanswers = ["gemini-*-flash*"]\n'
        '[[engine]]\nkind = "ruler"\nunit = "megapixels"\nanswers = ["*"]\n'
    )
    with serving(tmp_path / "data", "--engines", str(path), path=tmp_path) as (process, _, printed):
        assert (
            "  engines canned (script, twinlens-script) answers gemini-*-flash* twinlens-script: loading\n"
            "          ruler (ruler-1) answers *: loading\n" in printed
        )
        assert process.stdout is not None
        ends = {process.stdout.readline(), process.stdout.readline()}

    assert ends == {"The engine canned is ready.\n", "The engine ruler is ready.\n"}


def test_an_installed_engine_is_run_with_its_own_option_and_its_own_geometry(tmp_path: Path) -> None:
    documented.install(tmp_path)
    flags = ("--engine", "ruler", "--engine-option", "unit=megapixels", "--engine-usage")
    data = base64.b64encode(images.encode(Image.new("RGB", (2000, 1000)), "png")).decode()
    asked = {
        "contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": data}}]}],
        "generationConfig": {"mediaResolution": "MEDIA_RESOLUTION_LOW"},
    }
    with serving(tmp_path / "data", *flags, path=tmp_path) as (_, address, _printed):
        answer = httpx.post(
            f"{address}/v1/models/gemini-3-pro:generateContent?key=k", json=asked, timeout=180
        )

    assert answer.json()["candidates"][0]["content"]["parts"] == [{"text": "2 megapixels\n"}]
    assert answer.json()["usageMetadata"]["engineUsage"] == {"mediaTokenCount": 280}


def test_clients_of_this_machine_are_pointed_at_it_where_it_listens_on_every_address(tmp_path: Path) -> None:
    open_to_all = ("--host", "0.0.0.0", "--api-key", "k")
    with serving(tmp_path, "--engine", "script", *open_to_all) as (_, address, printed):
        assert address.startswith("http://0.0.0.0:")
        assert printed.count("http://127.0.0.1:") == 4


def test_ctrl_c_at_a_terminal_is_answered(tmp_path: Path) -> None:
    try:
        ours, theirs = pty.openpty()
    except OSError as error:
        pytest.skip(f"no terminal can be had here: {error}")
    with serving(tmp_path, "--engine", "script", stderr=theirs) as (process, _, _printed):
        os.close(theirs)
        process.send_signal(signal.SIGINT)

        assert process.wait(60) == 0
        assert b"Stopping within 30 s. Ctrl-C again stops at once." in os.read(ours, 65_536)
    os.close(ours)


def test_the_server_may_open_as_many_files_as_the_system_allows(tmp_path: Path) -> None:
    with serving(tmp_path, "--engine", "script", limits=(256, 600)) as (_, address, _printed):
        figures = urllib.request.urlopen(f"{address}/metrics").read().decode()

    assert "process_max_fds 600.0" in figures


def test_the_server_ends_cleanly_on_sigterm(tmp_path: Path) -> None:
    with serving(tmp_path, "--engine", "script") as (process, _, _printed):
        process.send_signal(signal.SIGTERM)

        assert process.wait(180) == 0


def test_sigterm_lets_a_request_in_flight_finish(tmp_path: Path) -> None:
    script = tmp_path / "answers.yaml"
    script.write_text("default: {chunks: [begun, {text: done, delay: 1.5}]}\n")
    with serving(tmp_path / "data", "--engine", "script", "--script", str(script)) as (process, address, _):
        asked = {"contents": [{"parts": [{"text": "x"}]}]}
        path = "/v1/models/gemini-3-pro:streamGenerateContent?key=k&alt=sse"
        with httpx.stream("POST", address + path, json=asked, timeout=180) as stream:
            pieces = stream.iter_text()
            assert '"text":"begun"' in next(pieces)
            process.send_signal(signal.SIGTERM)

            assert '"text":"done"' in "".join(pieces)
        assert process.wait(180) == 0


def test_a_setting_is_read_from_its_variable(tmp_path: Path) -> None:
    answer = run("serve", TWINLENS_PORT="99999")

    assert answer.returncode == 2
    assert "--port must be at most 65535" in answer.stderr


def test_an_open_address_without_a_key_is_refused() -> None:
    answer = run("serve", "--host", "0.0.0.0")

    assert answer.returncode == 2
    assert "--api-key" in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--engine", "nope"), "There is no engine 'nope'; there are: builtin, script."),
        (("--engine", "script", "--script", "/nowhere/answers.yaml"), "/nowhere/answers.yaml"),
        (("--max-running", "0"), "--max-running must be at least 1"),
        (("--script", "x.yaml"), "Add --engine script"),
        (("--engines", "/nowhere/e.toml"), "/nowhere/e.toml cannot be read: No such file or directory."),
        (("--engines", "e.toml", "--engine", "script"), "--engines and --engine exclude each other"),
        (("--engines", "e.toml", "--engine", "builtin"), "--engines and --engine exclude each other"),
        (("--engines", "e.toml", "--model", "x"), "--engines and --model exclude each other"),
        (
            ("--engine-option", "processes=0"),
            "--engine-option processes, engine builtin: must be a whole number from 1, not 0",
        ),
        (
            ("--engine-option", "process=2"),
            "--engine-option process, engine builtin: there is no such option; did you mean 'processes'?",
        ),
        (("--engine-option", "processes"), "--engine-option processes, engine builtin: must be KEY=VALUE"),
        (
            ("--model", "x", "--engine-option", "model=y"),
            "--model, engine builtin: stands in --engine-option too",
        ),
        (
            ("--engine", "script", "--speech-model", "/nowhere"),
            "--speech-model, engine script: there is no such option; known: model, script",
        ),
        (("--fetch-allow", "http://x/y"), "--fetch-allow"),
        (("--public-url", "twin.example"), "--public-url must be http(s)://host[:port][/prefix]"),
        (("--file-uri-base", "https://example.com"), "and a version, such as"),
        (("--max-project-bytes", "0"), "--max-project-bytes must be at least 1"),
        (("--request-timeout-s", "nan"), "--request-timeout-s must be a number, not nan"),
        (("--decode-timeout-s", "inf"), "--decode-timeout-s must be a number, not inf"),
        (("--fetch-allow", "x:99999"), "'x:99999' is not HOST or HOST:PORT"),
        (("--youtube-resolver", "/nowhere"), "--youtube-resolver /nowhere is no program that can be run"),
        (("--speech-model", "/nowhere"), "/nowhere"),
        (("--max-file-bytes", "2Gi"), "'2Gi' is not a number of bytes"),
        (("--interaction-lifetime-s", "55 years"), "'55 years' is not a number of seconds"),
        (("--upload-lifetime-s", "99999999999"), "--upload-lifetime-s must be at most 3153600000 seconds"),
        (("--cache-max-bytes", "99999TiB"), "--cache-max-bytes must be at most"),
        (("--host", "localhost:8080"), "--host must be one address or name, without a port"),
        (("--allow-host", "http://twin.lan"), "--allow-host must be host[:port]"),
        (("--allow-host", "*"), "--allow-host must be host[:port]"),
        (("--allow-origin", "app.example"), "--allow-origin must be scheme://host[:port]"),
        (("--allow-origin", "null"), "--allow-origin must be scheme://host[:port]"),
        (("--allow-origin", "*"), "To let in any page, set --api-key"),
        (("--allow-origin", "https://app.example/page"), "--allow-origin must be scheme://host[:port]"),
        (
            ("--allow-host", "twin.lan", "--api-key", "k"),
            "A server with keys answers every Host and every page: leave out",
        ),
        (("--trusted-proxies", "proxy.lan"), "--trusted-proxies must be an address or a network"),
        (("--trusted-proxies", "10.0.0.0/99"), "--trusted-proxies must be an address or a network"),
        (("--metrics-key", "k", "--api-key", "k"), "--metrics-key must be no --api-key"),
        (("--metrics-key", "k", "--open-metrics"), "stand without --open-metrics"),
        (
            ("--api-key", ""),
            "--api-key must be letters, digits and signs of ASCII, without spaces. Repeat the",
        ),
        (("--api-key", "a b"), "--api-key must be letters"),
        (("--api-key", "k", "--api-key", "schlüssel"), "--api-key must be letters"),
        (("--metrics-key", ""), "--metrics-key must have letters"),
        (("--metrics-key", "a b"), "--metrics-key must have letters"),
        (("--metrics-key", "schlüssel"), "--metrics-key must have letters"),
        (("--no-such-option",), "--no-such-option"),
    ],
)
def test_a_wrong_setting_is_named_without_a_traceback(
    tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    answer = run("serve", "--port", "0", "--data-dir", str(tmp_path), *arguments)

    assert answer.returncode == 2
    assert sentence in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_taken_port_is_named_without_a_traceback(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        answer = run("serve", "--port", str(taken.getsockname()[1]), "--data-dir", str(tmp_path))

    assert answer.returncode == 1
    assert "Choose another --port" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_builtin_engine_becomes_ready(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, address, _printed):
        for _ in range(1800):
            try:
                if urllib.request.urlopen(f"{address}/readyz").status == 200:
                    return
            except urllib.error.HTTPError:
                time.sleep(0.1)

    pytest.fail("the engine did not load within minutes")


def test_sigterm_lets_those_go_who_follow_work_in_the_background(tmp_path: Path) -> None:
    answers = tmp_path / "answers.yaml"
    answers.write_text("default: {chunks: [At once., {text: Late., delay: 600}]}\n")
    asked = {"model": "gemini-3-flash-preview", "input": "x", "background": True}
    with (
        serving(tmp_path / "data", "--engine", "script", "--script", str(answers)) as (process, url, _),
        httpx.Client(base_url=f"{url}/v1beta", headers={"x-goog-api-key": "k"}, timeout=180) as http,
    ):
        begun = http.post("/interactions", json=asked).json()["id"]
        with http.stream("GET", f"/interactions/{begun}?stream=true") as stream:
            lines = filter(None, stream.iter_lines())
            while "At once." not in next(lines):
                pass
            process.send_signal(signal.SIGTERM)
            told = list(lines)

        assert told[-4] == "event: error"
        assert "goes on when it is back" in told[-3]
        assert told[-1] == "data: [DONE]"
        assert process.wait(180) == 0


def test_a_stream_that_the_servers_end_cuts_off_is_told_so(tmp_path: Path) -> None:
    answers = tmp_path / "answers.yaml"
    answers.write_text("default: {chunks: [At once., {text: Late., delay: 600}]}\n")
    asked = {"model": "gemini-3-flash-preview", "input": "x", "stream": True}
    flags = ("--engine", "script", "--script", str(answers), "--shutdown-timeout-s", "1")
    with (
        serving(tmp_path / "data", *flags) as (process, url, _),
        httpx.Client(base_url=f"{url}/v1beta", headers={"x-goog-api-key": "k"}, timeout=180) as http,
        http.stream("POST", "/interactions", json=asked) as stream,
    ):
        lines = filter(None, stream.iter_lines())
        while "At once." not in next(lines):
            pass
        process.send_signal(signal.SIGTERM)
        told = list(lines)

        assert "overloaded" in told[-3]
        assert told[-1] == "data: [DONE]"


def test_an_answers_file_that_cannot_be_read_as_one_is_a_wrong_option(tmp_path: Path) -> None:
    answers = tmp_path / "answers.yaml"
    answers.write_text("rules: [unclosed\n")

    answer = run("serve", "--port", "0", "--engine", "script", "--script", str(answers))

    assert answer.returncode == 2
    assert "answers.yaml" in answer.stderr


def test_a_folder_that_cannot_be_used_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")

    answer = run("serve", "--port", "0", "--data-dir", str(tmp_path / "data"), "--engine", "script")

    assert answer.returncode == 1
    assert "is not a folder" in answer.stderr


@pytest.mark.parametrize("command", [("serve", "--port", "99999"), ("files", "list", "--limit", "0")])
def test_a_mistyped_variable_is_named_by_every_command(command: tuple[str, ...]) -> None:
    answer = run(*command, TWINLENS_MAX_FILE_BYTE="5")

    assert "TWINLENS_MAX_FILE_BYTE is set" in answer.stderr
    assert "did you mean TWINLENS_MAX_FILE_BYTES?" in answer.stderr
    assert answer.returncode == 2


def test_a_variable_may_have_a_unit_too() -> None:
    answer = run(
        "serve", "--port", "99999", TWINLENS_MAX_FILE_BYTES="2GiB", TWINLENS_REQUEST_TIMEOUT_S="5min"
    )

    assert "--port must be at most 65535" in answer.stderr
    assert "TWINLENS_MAX" not in answer.stderr


def test_several_values_stand_in_one_variable(tmp_path: Path) -> None:
    answer = run("serve", TWINLENS_ALLOW_HOST="twin.lan a/b", TWINLENS_TRUSTED_PROXIES="10.0.0.1 ::1")

    assert answer.returncode == 2
    assert "--allow-host must be host[:port], not 'a/b'" in answer.stderr
    assert "--trusted-proxies" not in answer.stderr
