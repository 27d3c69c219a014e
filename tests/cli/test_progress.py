"""What is told of the server's look at a file, to a log and on a terminal."""

from __future__ import annotations

import pytest

from twinlens.cli.progress import inspected


def test_a_log_is_told_of_each_quarter_once(capsys: pytest.CaptureFixture[str]) -> None:
    with inspected("clip.mp4") as look:
        for percent in (None, 3, 26, 30, 49, 80, 90, 100):
            look.moved(percent)

    assert capsys.readouterr().err == (
        "clip.mp4: the server looks at the file.\nclip.mp4: 25 % looked at.\nclip.mp4: 75 % looked at.\n"
    )


def test_a_log_hears_no_more_of_a_look_whose_progress_is_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    with inspected("clip.mp4") as look:
        look.moved(None)
        look.moved(None)

    assert capsys.readouterr().err == "clip.mp4: the server looks at the file.\n"
