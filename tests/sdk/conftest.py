"""Real server processes, and pictures, for the clients that judge from outside."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import skimage
from google import genai
from PIL import ExifTags, Image, ImageDraw, ImageFont

NOTE = ("Winter opening hours", "Monday to Friday", "The library closes at seven")
MASK = Image.new("L", (40, 20), 255)
JS = Path(__file__).parent / "js"

STAND_INS = {
    "file": "import mimetypes, sys; print(mimetypes.guess_type(sys.argv[-1])[0])",
    "jq": """
import json, sys
values = [json.load(open(sys.argv[-1]))]
for step in sys.argv[-2].strip(".").split("."):
    values = [value[step.removesuffix("[]")] for value in values]
    values = [item for value in values for item in value] if step.endswith("[]") else values
for value in values:
    print(value if "-r" in sys.argv else json.dumps(value))
""",
}
"""Programs that the curl samples call beside curl, for machines that have them not."""


def _png_url(image: Image.Image) -> str:
    out = io.BytesIO()
    image.save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


BOX = {"box_2d": [100, 200, 300, 400], "label": "cup"}
MASKED = BOX | {"mask": _png_url(MASK)}
OUTLINED = BOX | {"mask": [[200, 100], [400, 100], [400, 300], [200, 300]]}
CALL = {"name": "get_weather", "args": {"city": "Paris"}}
STORY = ["Once ", "upon ", "a time."]
LINES = ["a\u2028b", "\u2029c\x85d", "e\u2028"]
SLOWLY = ["First. ", *({"text": f"{number}. ", "delay": 0.1} for number in range(2, 7)), "Last."]
SCRIPT = {
    "rules": [
        {"match": {"schema": ["boxes", "mask"]}, "answer": {"json": {"boxes": [OUTLINED]}}},
        {"match": {"text": "Detect the all of the prominent items"}, "answer": {"json": [BOX]}},
        {"match": {"text": "segmentation masks"}, "answer": {"json": [MASKED]}},
        {"match": {"schema": ["foo_bar", "mimeType"]}, "answer": {"json": {"foo_bar": 1, "mimeType": "x"}}},
        {"match": {"schema": ["title", "pages"]}, "answer": {"json": {"title": "Emma", "pages": 474}}},
        {"match": {"schema": ["box_2d"]}, "answer": {"json": [BOX]}},
        {"match": {"text": "which season"}, "answer": {"text": "winter"}},
        {"match": {"text": "tell me a story"}, "answer": {"chunks": STORY}},
        {"match": {"text": "ends of lines"}, "answer": {"chunks": LINES}},
        {"match": {"text": "think first"}, "answer": {"thoughts": "Hm.", "text": "Done."}},
        {"match": {"text": "say no more"}, "answer": {"block": "SAFETY"}},
        {"match": {"text": "too much"}, "answer": {"error": {"code": 429, "retry_after": 7}}},
        {"match": {"text": "overloaded"}, "answer": {"error": {"code": 503}}},
        {
            "match": {"text": "break off"},
            "answer": {"chunks": ["Once "], "error": {"code": 503, "message": "The teller is gone."}},
        },
        # The second piece comes long after every client's patience: who waits for it, fails.
        {"match": {"text": "for ever"}, "answer": {"chunks": ["At once.", {"text": "Late.", "delay": 600}]}},
        {"match": {"text": "count slowly"}, "answer": {"chunks": SLOWLY}},
        {"match": {"function_response": "get_weather"}, "answer": {"text": "The sky is blue."}},
        {"match": {"text": "weather in Paris", "tools": ["get_weather"]}, "answer": {"call": CALL}},
        {"match": {"text": "who are you", "system": "pirate"}, "answer": {"text": "A pirate."}},
        {"match": {"text": "who are you"}, "answer": {"text": "Nobody."}},
        # Each client is turned away once, and would be answered when it comes again.
        *(
            {
                "match": {"text": f"try again, {who}"},
                "answer": {"error": {"code": 429, "retry_after": 1}},
                "times": 1,
            }
            for who in ("Python", "JavaScript")
        ),
        {"match": {"text": "try again"}, "answer": {"text": "Welcome back."}},
    ],
    "default": {"text": "You asked “{text}” about {media} pictures."},
}


@pytest.fixture(scope="session")
def web(pictures: Path) -> Iterator[str]:
    """Serve the pictures over HTTP, as the web does; give the host, from which servers may fetch."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=pictures)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def builtin_server(tmp_path_factory: pytest.TempPathFactory, web: str) -> Iterator[str]:
    """Run a server that looks at the pictures; give its address."""
    with _served(tmp_path_factory.mktemp("builtin"), "--fetch-allow", web) as url:
        yield url


@pytest.fixture(scope="session")
def served() -> Callable[..., AbstractContextManager[str]]:
    """Give what runs a server in a folder with flags of a test's own, and tells its address."""
    return _served


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the script engine's answers."""
    answers = tmp_path_factory.mktemp("script") / "answers.yaml"
    answers.write_text(json.dumps(SCRIPT))
    return answers


@pytest.fixture(scope="session")
def script_server(tmp_path_factory: pytest.TempPathFactory, script: Path, web: str) -> Iterator[str]:
    """Run a server that answers from a file; give its address."""
    own = ("--engine", "script", "--script", str(script), "--fetch-allow", web)
    with _served(tmp_path_factory.mktemp("scripted"), *own) as url:
        yield url


@pytest.fixture(scope="session")
def keyed_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a server that knows two keys, `first` and `second`; give its address."""
    keys = ("--api-key", "first", "--api-key", "second")
    with _served(tmp_path_factory.mktemp("keyed"), "--engine", "script", *keys) as url:
        yield url


@pytest.fixture(scope="session")
def hidden_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a server that says to be reached where nobody is; give its address."""
    public = ("--public-url", "http://192.0.2.1:9")
    with _served(tmp_path_factory.mktemp("hidden"), "--engine", "script", *public) as url:
        yield url


@contextmanager
def _served(folder: Path, *arguments: str) -> Iterator[str]:
    """Serve on a free port until the block ends; it must stop in order, and have logged no traceback."""
    log = folder / "server.log"
    own = ["--port", "0", "--data-dir", str(folder / "data"), "--decode-workers", "2"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TWINLENS_")}
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "twinlens", "serve", *own, *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            text=True,
        ) as process,
    ):
        try:
            url = _address(process, log)
            _wait_until_ready(url, process, log)
            yield url
        finally:
            process.terminate()
            try:
                code = process.wait(180)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
    assert code == 0, log.read_text()
    assert "Traceback" not in log.read_text(), log.read_text()


def _address(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        _, found, address = line.partition(" listens on ")
        if found:
            return address.strip()
    raise AssertionError(f"the server did not start: {log.read_text()}")


def _wait_until_ready(url: str, process: subprocess.Popen[str], log: Path) -> None:
    for _ in range(1800):
        if process.poll() is not None:
            break
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"the server is not ready: {log.read_text()}")


@pytest.fixture(scope="session")
def client(builtin_server: str) -> Iterator[genai.Client]:
    """Point Google's Python client at the server that looks at pictures."""
    with genai.Client(api_key="any", http_options={"base_url": builtin_server}) as opened:
        yield opened


@pytest.fixture(scope="session")
def scripted(script_server: str) -> Iterator[genai.Client]:
    """Point Google's Python client at the server that answers from a file."""
    with genai.Client(api_key="any", http_options={"base_url": script_server}) as opened:
        yield opened


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder of pictures: photo.jpg, photo.png, turned.jpg, changed.png, note.png."""
    folder = tmp_path_factory.mktemp("pictures")
    photo = Image.open(Path(skimage.__file__).parent / "data" / "astronaut.png").convert("RGB")
    photo.save(folder / "photo.jpg", quality=90)
    photo.save(folder / "photo.png")
    orientation = Image.Exif()
    orientation[ExifTags.Base.Orientation] = 6
    photo.transpose(Image.Transpose.ROTATE_90).save(folder / "turned.jpg", quality=90, exif=orientation)
    changed = photo.copy()
    ImageDraw.Draw(changed).rectangle((40, 300, 140, 400), fill="lime")
    changed.save(folder / "changed.png")
    _note().save(folder / "note.png")
    return folder


def _note() -> Image.Image:
    image = Image.new("RGB", (640, 240), "white")
    font = ImageFont.load_default(36)
    for row, line in enumerate(NOTE):
        ImageDraw.Draw(image).text((24, 20 + 70 * row), line, fill="black", font=font)
    return image


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., str]:
    """Give a runner of JavaScript files that knows Google's client, or skip where there is none."""
    program = _node()
    (tmp_path / "node_modules").symlink_to(JS / "node_modules")
    return _runner(tmp_path, program)


@pytest.fixture(scope="module")
def seen_by_javascript(script_server: str, pictures: Path) -> Callable[[str], dict[str, Any]]:
    """Give what runs a file of `js/`, which goes through the client's calls, and tells what came back."""

    def seen(name: str) -> dict[str, Any]:
        done = subprocess.run(
            [_node(), name, str(pictures / "note.png")],
            cwd=JS,
            env={"GOOGLE_GEMINI_BASE_URL": script_server, "GEMINI_API_KEY": "any"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    return seen


def _node() -> str:
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is not installed: the JavaScript client is not tried")
    if not (JS / "node_modules" / "@google" / "genai").is_dir():
        pytest.skip("@google/genai is missing: run `npm install --prefix tests/sdk/js`")
    return program


@pytest.fixture
def bash(tmp_path: Path) -> Callable[..., str]:
    """Give a runner of shell scripts, or skip where bash or curl is missing."""
    missing = [name for name in ("bash", "curl") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed: the curl samples are not tried")
    (tmp_path / "bin").mkdir()
    for name, code in STAND_INS.items():
        if shutil.which(name) is None:
            program = tmp_path / "bin" / name
            program.write_text(f"#!{sys.executable}\n{code}")
            program.chmod(0o755)
    return _runner(tmp_path, "bash")


def _runner(folder: Path, program: str) -> Callable[..., str]:
    """Run a file of the folder with the client's environment variables set; give what it printed."""

    def run(name: str, url: str, *arguments: str, key: str = "any") -> str:
        environment = {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(folder),
            "GOOGLE_GEMINI_BASE_URL": url,
            "GEMINI_API_KEY": key,
        }
        done = subprocess.run(
            [program, name, *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
