"""The commands of docs/files.md, run as they stand there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from click import Command, Group, Option
from PIL import Image

from twinlens.cli.files import files

PAGE = (Path(__file__).parent.parent.parent / "docs" / "files.md").read_text()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with what the page speaks of: the command, a photo and a clip."""
    noise = np.random.default_rng(3).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.png")
    with av.open(str(tmp_path / "clip.mp4"), "w") as clip:
        stream = clip.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        clip.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24")))
        clip.mux(stream.encode())
    command = tmp_path / "bin" / "twinlens"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m twinlens "$@"\n')
    command.chmod(0o755)
    return tmp_path


def test_the_commands_of_the_page_run_as_they_are(server: Any, folder: Path) -> None:
    missing = [name for name in ("curl", "jq") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed: the page's commands are not tried")
    script = "set -eu\n" + "\n".join(re.findall(r"```sh\n(.+?)```", PAGE, re.DOTALL))

    done = subprocess.run(
        ["sh", "-c", script.replace("http://127.0.0.1:8080", server.url)],
        cwd=folder,
        env={
            "PATH": f"{folder / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder),
            "TWINLENS_SERVER": server.url,
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "clip.mp4: " in done.stderr
    assert "duration" in done.stdout
    assert "Deleted my-photo." in done.stderr
    assert f"{server.url}/v1beta/files/" in done.stdout
    assert '"displayName":"A photo"' in done.stdout
    assert done.stdout.rstrip().endswith("{}")


def test_the_page_names_every_command_and_option() -> None:
    assert isinstance(files, Group)
    for name, command in files.commands.items():
        assert f"twinlens files {name}" in PAGE
        assert isinstance(command, Command)
        for option in command.params:
            if isinstance(option, Option):
                assert option.opts[0] in PAGE, f"docs/files.md does not name {option.opts[0]}"
