"""Files as people and programs read them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from twinlens.cli.output import print_file, print_table, printable, shorten, size_of, time_left, write_json
from twinlens.client.files import File


def file(name: str = "files/abc", title: str = "", **changes: object) -> File:
    own: dict[str, object] = {
        "uri": f"http://127.0.0.1/v1beta/{name}",
        "state": "ACTIVE",
        "mime_type": "image/png",
        "size": 1234,
        "display_name": title,
    }
    return File(name, **{**own, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("count", "written"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_999, "1.0 MB"),
        (2_500_000, "2.5 MB"),
        (20 * 10**9, "20.0 GB"),
        (3 * 10**15, "3000.0 TB"),
    ],
)
def test_a_size_has_the_unit_that_suits_it(count: int, written: str) -> None:
    assert size_of(count) == written


@pytest.mark.parametrize(
    ("left", "written"),
    [
        (timedelta(hours=47, minutes=59, seconds=30), "47 h 59 min"),
        (timedelta(minutes=5, seconds=30), "5 min"),
        (timedelta(seconds=-1), "now"),
    ],
)
def test_the_time_that_is_left_has_its_largest_units(left: timedelta, written: str) -> None:
    assert time_left(file(expires=datetime.now(UTC) + left)) == written


def test_a_file_without_an_end_has_no_time_left() -> None:
    assert time_left(file()) == ""


def test_what_a_terminal_would_obey_is_shown_instead() -> None:
    assert printable("a\x1b[31mb\nc") == "a�[31mb�c"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("short", "short"), ("much too long", "much to…"), ("画像画像画像", "画像画…")],
)
def test_a_text_that_is_wider_than_its_place_is_cut(text: str, shown: str) -> None:
    assert shorten(text, 8) == shown


def test_programs_get_the_resource_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    write_json(file(resource={"name": "files/abc", "displayName": "Bücher\n"}))

    (line,) = capsys.readouterr().out.splitlines()
    assert line.isascii()
    assert json.loads(line) == {"name": "files/abc", "displayName": "Bücher\n"}


def test_a_file_is_shown_with_what_is_known_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_file(file(title="cat", sha256="ff"))

    lines = dict(
        line.split(maxsplit=1)
        for line in capsys.readouterr().out.splitlines()
        if line.split()[0] != "display"
    )
    assert lines["name"] == "files/abc"
    assert lines["size"] == "1.2 kB (1234 bytes)"
    assert "duration" not in lines


def test_a_table_has_a_line_for_each_file(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([file("files/one", "cat"), file("files/two", "a dog")])

    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[0] == "NAME"
    assert [row.split()[0] for row in rows] == ["files/one", "files/two"]


def test_that_there_are_no_files_is_no_result(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([])

    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "There are no files.\n")
