"""Google's Go client: the checks of `go/`, and the documents' Go samples, against a server of ours.

They run where Go 1.23 and the client's modules are at hand: `(cd tests/sdk/go && go mod download all)`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

GO = Path(__file__).parent / "go"
SAMPLES = Path(__file__).parent / "samples" / "go"
OLDEST = (1, 23)
OWN = {"GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOSUMDB": "off", "GOTOOLCHAIN": "local", "GOWORK": "off"}
"""Nothing is downloaded, and what is missing is not looked for elsewhere."""

IMAGE_URL = "https://goo.gle/instrument-img"
CAPTION = "You asked “Caption this image.” about 1 pictures."
DIFFERENCE = "You asked “What is different between these two images?” about 2 pictures."
FRAME = """package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"google.golang.org/genai"
)

func main() {{
	ctx := context.Background()
	client, err := genai.NewClient(ctx, nil)
	if err != nil {{
		log.Fatal(err)
	}}
{}
}}
"""
"""What the document's shorter samples stand in."""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Give a runner of Go in a copy of `go/`, or skip where there is no Go, or not the client."""
    program = shutil.which("go")
    if program is None:
        pytest.skip("go is not installed: the Go client is not tried")
    folder = tmp_path_factory.mktemp("go") / "sdk"
    shutil.copytree(GO, folder)

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *arguments],
            cwd=folder,
            env=_environment(variables),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    found = re.search(r"go(\d+)\.(\d+)", run("version").stdout)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        pytest.skip(f"go is older than {'.'.join(map(str, OLDEST))}: the Go client is not tried")
    if run("list", "-deps", "-test", ".").returncode:
        pytest.skip("the Go client's modules are missing: run `go mod download all` in tests/sdk/go")
    return run


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Keep what tells Go where its things are, and none of the client's variables of this machine."""
    kept: dict[str, str] = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GOOGLE_", "GEMINI_", "TWINLENS_"))
    }
    return {**kept, **OWN, **variables}


def test_the_checks_are_formatted() -> None:
    program = shutil.which("gofmt")
    if program is None:
        pytest.skip("gofmt is not installed")

    done = subprocess.run([program, "-l", str(GO)], capture_output=True, text=True, check=True)

    assert done.stdout == ""


def test_the_go_clients_calls_are_answered(go: Run, script_server: str, pictures: Path) -> None:
    done = go(
        *("test", "-count=1", "."),
        GOOGLE_GEMINI_BASE_URL=script_server,
        GEMINI_API_KEY="any",
        PICTURES=str(pictures),
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("inline_image", CAPTION),
        ("image_from_url", CAPTION),
        ("uploaded_image", CAPTION),
        ("several_images", DIFFERENCE),
    ],
)
def test_a_go_sample_runs(
    name: str, printed: str, go: Run, script_server: str, pictures: Path, web: str, tmp_path: Path
) -> None:
    text = _whole((SAMPLES / f"{name}.go.txt").read_text())
    text = text.replace(IMAGE_URL, f"http://{web}/photo.jpg")
    program = tmp_path / "main.go"
    program.write_text(text.replace("path/to", str(_named(tmp_path, pictures))))

    done = go("run", str(program), GOOGLE_GEMINI_BASE_URL=script_server, GEMINI_API_KEY="any")

    assert (done.returncode, done.stdout.strip()) == (0, printed), done.stdout + done.stderr


def _whole(text: str) -> str:
    """Make a program of a sample: the document leaves out one import, and has one too many."""
    if not text.startswith("package"):
        return FRAME.format(text)
    if "os." not in text:
        text = text.replace('  "os"\n', "")
    return text.replace("import (\n", 'import (\n  "log"\n')


def _named(folder: Path, pictures: Path) -> Path:
    """Put the pictures where the samples name them."""
    for name in ("small-sample.jpg", "sample.jpg", "image1.jpg", "image2.jpeg"):
        shutil.copyfile(pictures / "photo.jpg", folder / name)
    return folder
