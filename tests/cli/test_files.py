"""`twinlens files`, as a real process against a real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import images
from twinlens.cli.files import KEY_VARIABLES, SERVER_VARIABLES
from twinlens.settings import KNOBS, env

Files = Callable[..., "subprocess.CompletedProcess[str]"]
KEY = ("--key", "a-key")


@pytest.fixture
def at(server: Any) -> tuple[str, str]:
    return "--server", server.url


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.md"
    path.write_text("# Hello\n")
    return path


def resources(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_help_is_quick_because_no_server_and_no_client_is_loaded() -> None:
    code = (
        "import sys, twinlens.cli as c; c.main(['files', 'upload', '--help'], standalone_mode=False);"
        "print(*sys.modules, file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "--restart" in done.stdout
    heavy = {"httpx", "rich", "starlette", "uvicorn", "numpy", "twinlens.app", "twinlens.domain.media"}
    assert not heavy & set(done.stderr.split())


def test_the_variables_are_no_settings_of_the_server() -> None:
    assert not {env(knob.name) for knob in KNOBS} & {*SERVER_VARIABLES, *KEY_VARIABLES}


def test_a_file_is_uploaded_described_listed_and_deleted(
    files: Files, at: tuple[str, str], note: Path
) -> None:
    uploaded = files("upload", str(note), "--name", "my-note", *at)
    shown = files("get", "my-note", *at)
    listed = files("list", *at)
    deleted = files("delete", "files/my-note", *at)
    missing = files("get", "my-note", *at)

    assert uploaded.returncode == 0
    assert uploaded.stdout == shown.stdout
    fields = dict(line.split(None, 1) for line in uploaded.stdout.splitlines() if "display" not in line)
    assert fields["name"] == "files/my-note"
    assert fields["uri"] == f"{at[1]}/v1beta/files/my-note"
    assert (fields["state"], fields["type"], fields["size"]) == ("ACTIVE", "text/markdown", "8 bytes")
    assert "(in 47 h 59 min)" in fields["expires"]
    row = next(line for line in listed.stdout.splitlines() if line.startswith("files/my-note "))
    assert all(word in row for word in ("note.md", "text/markdown", "8 bytes", "ACTIVE", "47 h 59 min"))
    assert (deleted.returncode, deleted.stdout, deleted.stderr) == (0, "", "Deleted files/my-note.\n")
    assert missing.returncode == 1
    assert missing.stderr.startswith("Error: You do not have permission to access the File my-note")


def test_json_is_one_object_a_line_and_nothing_else(files: Files, at: tuple[str, str], note: Path) -> None:
    done = files("upload", str(note), str(note), "--json", *at)

    first, second = resources(done)
    assert first["name"] != second["name"]
    assert {"uri", "state", "mimeType", "sizeBytes", "expirationTime"} < set(first)
    assert resources(files("get", first["uri"], "--json", *at)) == [first]


def test_the_title_is_the_files_name_unless_another_is_given(
    files: Files, at: tuple[str, str], note: Path
) -> None:
    plain, titled = (
        resources(files("upload", str(note), "--json", *more, *at))[0]
        for more in ((), ("--display-name", "Große Pläne", "--mime-type", "text/plain; charset=utf-8"))
    )

    assert (plain["displayName"], plain["mimeType"]) == ("note.md", "text/markdown")
    assert (titled["displayName"], titled["mimeType"]) == ("Große Pläne", "text/plain")


def test_an_empty_file_is_uploaded(files: Files, at: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()

    (file,) = resources(files("upload", "empty.txt", "--json", *at))

    assert file.get("sizeBytes", "0") == "0"
    assert file["state"] == "ACTIVE"


def test_a_name_that_is_not_text_is_uploaded(files: Files, at: tuple[str, str], tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    (tmp_path / name).write_text("x")

    (file,) = resources(files("upload", name, "--json", *at))

    assert file["displayName"] == "caf\N{REPLACEMENT CHARACTER}.txt"


def test_what_a_terminal_would_obey_is_not_printed(files: Files, at: tuple[str, str], note: Path) -> None:
    title = "\x1b[2J[bold]evil"

    uploaded = files("upload", str(note), "--display-name", title, *at)
    listed = files("list", "--limit", "1", *at)

    for text in (uploaded.stdout, listed.stdout):
        assert "�[2J[bold]evil" in text
        assert "\x1b" not in text


def test_a_list_has_all_pages_and_the_newest_first(files: Files, own_server: Any, tmp_path: Path) -> None:
    at = ("--server", own_server().url)
    names = [f"file-{number}" for number in range(103)]
    for name in names:
        (tmp_path / f"{name}.txt").write_text(name)
    files("upload", *(f"{name}.txt" for name in names), "--json", *at)

    listed = resources(files("list", "--json", *at))
    limited = resources(files("list", "--json", "--limit", "102", *at))

    assert [file["displayName"] for file in listed] == [f"{name}.txt" for name in reversed(names)]
    assert limited == listed[:102]


def test_an_empty_list_is_said_to_be_empty(files: Files, own_server: Any) -> None:
    done = files("list", "--server", own_server().url)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "There are no files.\n")


def test_every_name_is_deleted_although_one_is_missing(files: Files, at: tuple[str, str], note: Path) -> None:
    name = resources(files("upload", str(note), "--json", *at))[0]["name"]

    done = files("delete", "nothing-there", name, *at)

    assert done.returncode == 1
    assert "File nothing-there or it may not exist" in done.stderr
    assert f"Deleted {name}." in done.stderr


def test_a_video_that_cannot_be_read_ends_with_its_error(
    files: Files, at: tuple[str, str], tmp_path: Path
) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video at all" * 1000)

    done = files("upload", "broken.mp4", "--json", *at)

    assert done.returncode == 1
    (file,) = resources(done)
    assert file["state"] == "FAILED"
    assert f"Error: broken.mp4: {file['error']['message']}" in done.stderr


def test_what_has_to_be_converted_needs_no_other_label(
    files: Files, at: tuple[str, str], tmp_path: Path
) -> None:
    (tmp_path / "picture.heif").write_bytes(images.heif_of(b"j2k1"))

    done = files("upload", "picture.heif", *at)

    assert done.returncode == 1
    assert "Convert it to PNG or JPEG" in done.stderr
    assert "--mime-type" not in done.stderr


def test_a_refused_file_does_not_keep_the_others_back(
    files: Files, at: tuple[str, str], note: Path, tmp_path: Path
) -> None:
    (tmp_path / "strange.bin").write_bytes(bytes(100))

    done = files("upload", "strange.bin", str(note), "--json", *at)

    assert done.returncode == 1
    assert "strange.bin: Unsupported MIME type" in done.stderr
    assert "--mime-type" in done.stderr
    assert [file["displayName"] for file in resources(done)] == ["note.md"]


def test_a_taken_name_is_refused_by_the_servers_words(files: Files, at: tuple[str, str], note: Path) -> None:
    files("upload", str(note), "--name", "taken", *at)

    done = files("upload", str(note), "--name", "taken", *at)

    assert done.returncode == 1
    assert "The File taken already exists." in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("upload", "nowhere.png"), "'nowhere.png' does not exist"),
        (("upload", "."), "is a directory"),
        (("upload",), "Missing argument"),
        (("upload", "note.md", "note.md", "--name", "x"), "are for one file"),
        (("upload", "note.md", "--name", "Not A Name"), "'Not A Name' is not the name of a file"),
        (("list", "--server", "ftp://host"), "'ftp://host' is not the address of a server"),
        (("list", "--server", "http://host:99999"), "is not the address of a server"),
        *(
            (("list", "--server", server), "is not the address of a server")
            for server in (
                *("http://a b", " http://a", "http://127.0.0.1\n:8080", "http://a..b", "http://.."),
                *("http://", "http://a%41", "http://[::x]", "http://[bad", f"http://{'a' * 300}"),
            )
        ),
        *(
            (("upload", "note.md", "--mime-type", kind), "is not a MIME type")
            for kind in (
                *("tëxt", "tëxt/plain", "text/\udcff", " text/plain", "text/plain ", "text/plain\n"),
                *("text", "text/", "/plain", "text/pl ain", "a/b/c", "", f"text/{'x' * 123}"),
            )
        ),
        *(
            ((command, name), "is not the name of a file")
            for command in ("get", "delete")
            for name in (".", "..", "", "q\udcff", "x" * 70_000, "files/a b", "http://h/")
        ),
        (("delete", "good", "."), "'.' is not the name of a file"),
        (("list", "--key", "a\nb"), "no spaces around it"),
        (("list", "--limit", "0"), "--limit"),
        (("nonsense",), "No such command"),
    ],
)
def test_a_wrong_command_has_status_2(
    files: Files, note: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    done = files(*arguments)

    assert done.returncode == 2
    assert sentence in done.stderr


@pytest.mark.parametrize("command", ["list", "get x", "delete x", "upload note.md"])
@pytest.mark.parametrize(
    ("code", "body"),
    [
        (200, b"<html>"),
        (200, b"[" * 200_000),
        (400, b'{"error": {"message": "m", "details": 5}}'),
        (302, b""),
    ],
)
def test_another_server_is_told_from_ours(
    files: Files, strange: Any, note: Path, command: str, code: int, body: bytes
) -> None:
    done = files(*command.split(), "--server", strange(code, body))

    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "Deleted" not in done.stderr


@pytest.mark.parametrize("command", ["list", "get x", "delete x", "upload note.md"])
def test_a_servers_words_are_not_obeyed_by_the_terminal(
    files: Files, strange: Any, note: Path, command: str
) -> None:
    server = strange(400, json.dumps({"error": {"message": "\x1b[2Jevil\nError: none"}}).encode())

    done = files(*command.split(), "--server", server)

    assert done.stderr.endswith("�[2Jevil�Error: none\n")


def test_a_title_that_is_not_text_is_uploaded(files: Files, at: tuple[str, str], note: Path) -> None:
    (file,) = resources(files("upload", "note.md", "--display-name", "caf\udce9", "--json", *at))

    assert file["displayName"] == "caf\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_an_output_with_few_letters_shows_what_it_can(
    files: Files, at: tuple[str, str], note: Path, encoding: str
) -> None:
    variables = {"PYTHONIOENCODING": encoding}
    options = ("--display-name", "Плани", *at)

    (file,) = resources(files("upload", "note.md", *options, "--json", **variables))
    shown = files("get", file["name"], *options[2:], **variables)
    listed = files("list", "--limit", "1", *options[2:], **variables)

    assert file["displayName"] == "Плани"
    assert shown.returncode == listed.returncode == 0
    title = "?????" if encoding == "latin-1" else "Плани"
    assert title in shown.stdout
    assert title in listed.stdout


@pytest.mark.parametrize("command", ["list", "list --json", "get full", "upload note.md"])
def test_an_output_that_is_full_is_told(
    files: Files, begin: Any, at: tuple[str, str], note: Path, command: str
) -> None:
    files("upload", "note.md", "--name", "full", *at)

    with open("/dev/full", "wb") as full:
        process = begin(*command.split(), *at, stdout=full.fileno())
        _, errors = process.communicate(timeout=300)

    assert process.returncode == 1
    assert errors.endswith("Error: The results cannot be written: no space left on device.\n")
    assert "Traceback" not in errors


@pytest.mark.parametrize("ending", ["/", "/v1", "/v1beta", "/v1alpha/", "//v1beta//"])
def test_an_address_may_end_with_a_version(files: Files, server: Any, ending: str) -> None:
    assert files("list", "--server", server.url + ending).returncode == 0


def test_a_name_is_taken_from_a_uri_with_a_query(files: Files, at: tuple[str, str], note: Path) -> None:
    files("upload", "note.md", "--name", "by-uri", *at)

    done = files("get", "https://elsewhere.test/v1beta/files/by-uri?y=z", *at)

    assert done.returncode == 0
    assert "files/by-uri" in done.stdout


def test_a_file_that_only_says_it_is_empty_is_not_uploaded(files: Files, at: tuple[str, str]) -> None:
    done = files("upload", "/proc/self/status", *at)

    assert done.returncode == 1
    assert "does not end where its size says" in done.stderr


def test_a_device_is_not_uploaded(files: Files, at: tuple[str, str]) -> None:
    done = files("upload", "/dev/zero", *at)

    assert (done.returncode, done.stderr) == (1, "Error: /dev/zero is not a regular file.\n")


@pytest.mark.parametrize("command", ["list", "get x", "delete x", "upload note.md"])
def test_a_server_that_is_not_there_is_named(files: Files, note: Path, command: str) -> None:
    done = files(*command.split(), "--server", "http://127.0.0.1:1")

    assert done.returncode == 1
    assert "http://127.0.0.1:1 cannot be reached (connection refused)" in done.stderr
    assert "`twinlens serve`" in done.stderr
    assert "goes on" not in done.stderr


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(files: Files, at: tuple[str, str]) -> None:
    assert files("list", *at, HTTP_PROXY="http://127.0.0.1:1", ALL_PROXY="http://127.0.0.1:1").returncode == 0


def test_a_wrong_key_is_told_with_the_option_to_change(files: Files, own_server: Any) -> None:
    at = ("--server", own_server("--api-key", "right").url)

    wrong, right = files("list", *at), files("list", *at, TWINLENS_KEY="right")

    assert wrong.returncode == 1
    assert "API key not valid" in wrong.stderr
    assert "--key or TWINLENS_KEY" in wrong.stderr
    assert right.returncode == 0


@pytest.mark.parametrize(
    "variables",
    [
        {"TWINLENS_SERVER": "{}", "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:1"},
        {"GOOGLE_GEMINI_BASE_URL": "{}/", "GEMINI_API_KEY": "k"},
    ],
)
def test_the_server_is_read_from_variables(files: Files, server: Any, variables: dict[str, str]) -> None:
    said = {name: value.format(server.url) for name, value in variables.items()}

    assert files("list", **said).returncode == 0


def test_an_address_needs_no_scheme(files: Files, server: Any) -> None:
    assert files("list", "--server", f"127.0.0.1:{server.port}").returncode == 0


def test_a_file_over_the_servers_limit_is_refused_unsent(
    files: Files, own_server: Any, tmp_path: Path
) -> None:
    (tmp_path / "big.txt").write_bytes(bytes(2000))

    done = files("upload", "big.txt", "--server", own_server("--max-file-bytes", "1000").url)

    assert done.returncode == 1
    assert "1000 bytes" in done.stderr


def test_a_full_project_is_told_at_once(files: Files, own_server: Any, tmp_path: Path) -> None:
    (tmp_path / "big.txt").write_bytes(bytes(2000))

    done = files("upload", "big.txt", "--server", own_server("--max-project-bytes", "1000").url)

    assert done.returncode == 1
    assert done.stderr.startswith("Error: big.txt: ")
    assert "Trying again" not in done.stderr
