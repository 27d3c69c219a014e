"""How a task says how far it is: seldom, rising, and by what it has read."""

from __future__ import annotations

import time
from pathlib import Path

from twinlens.media.worker.reporting import MIN_PAUSE_S, Coverage, heard_by, report
from twinlens.media.worker.source import DescriptorReader


def test_a_report_that_nobody_listens_to_is_lost() -> None:
    heard: list[float] = []
    with heard_by(heard.append):
        pass

    report(0.5)

    assert heard == []


def test_reports_are_passed_on_with_pauses_and_only_where_they_say_more() -> None:
    heard: list[float] = []

    with heard_by(heard.append):
        report(0.1)
        for fractions in ((0.2, 0.3), (0.1, 0.205, 0.9, 1.0)):
            time.sleep(MIN_PAUSE_S)
            for fraction in fractions:
                report(fraction)

    assert heard == [0.2, 0.9]


def test_a_file_that_is_read_through_tells_how_far_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(bytes(1000))
    heard: list[float] = []

    with path.open("rb") as file:
        source = DescriptorReader(file.fileno(), Coverage(1000, heard.append).read)
        while source.read(125):
            pass

    assert heard == [0.13, 0.25, 0.38, 0.5, 0.63, 0.75, 0.88, 1.0]


def test_a_look_at_the_end_and_a_second_reading_do_not_count_as_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(bytes(1000))
    heard: list[float] = []

    with path.open("rb") as file:
        source = DescriptorReader(file.fileno(), Coverage(1000, heard.append).read)
        for place in (0, 990, 5000, 0, 5, 10):
            source.seek(place)
            source.readinto(memoryview(bytearray(10)))

    assert heard == [0.01, 0.02, 0.03]


def test_an_empty_file_is_read_without_a_report(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.touch()
    heard: list[float] = []

    with path.open("rb") as file:
        assert DescriptorReader(file.fileno(), Coverage(0, heard.append).read).read() == b""

    assert heard == []
