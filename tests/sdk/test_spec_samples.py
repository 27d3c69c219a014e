"""The samples of the API's documents, as their users type them; only paths, addresses and models differ."""

from __future__ import annotations

import ast
import json
import re
import runpy
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

SAMPLES = Path(__file__).parent / "samples"
IMAGE_URL = "https://goo.gle/instrument-img"
API = "https://generativelanguage.googleapis.com"
G3 = "gemini-3-flash-preview"
G25 = "gemini-2.5-flash"
G20 = "gemini-2.0-flash"

AMENDS = {
    # What the document leaves to its reader, or names as the package does not.
    "js/resolution_of_a_part.mjs": (
        ("MediaResolution, Part }", "PartMediaResolutionLevel }"),
        ("Part.MediaResolutionLevel", "PartMediaResolutionLevel"),
    ),
    "js/resolution_of_all.mjs": (
        (
            "// ... (Image loading logic) ...",
            """const data = fs.readFileSync("image.jpg", { encoding: "base64" });
   const imagePart = { inlineData: { data, mimeType: "image/jpeg" } };""",
        ),
    ),
    "rest/resolution_of_all.sh": (
        ("# ... (Base64 encoding logic) ...", "DATA=$(base64 -w 0 path/to/image.jpg)"),
        (
            "[...]",
            """[{"parts": [
      {"text": "Describe this image:"},
      {"inline_data": {"mime_type": "image/jpeg", "data": "'"$DATA"'"}}
    ]}]""",
        ),
    ),
}
"""What is put into a sample, beside paths, addresses and model names, before it can run anywhere."""

CAPTION = "You asked “Caption this image.” about 1 pictures."
WHAT = "You asked “What is this image?” about 1 pictures."
DIFFERENCE = "You asked “What is different between these two images?” about 2 pictures."
DESCRIBE_ALL = "You asked “Describe these images:” about 1 pictures."
DESCRIBE = "You asked “Describe this image:” about 1 pictures."

# The documents leave files, sockets and clients open.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def image_url(pictures: Path) -> Iterator[str]:
    """Serve the photograph over HTTP, as the web does; give its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=pictures)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/photo.jpg"
        server.shutdown()


@pytest.fixture
def place(tmp_path: Path, pictures: Path, image_url: str, script_server: str) -> Callable[..., str]:
    """Give a function that puts a sample and the pictures it names into the working folder."""

    def put(kind: str, name: str, *, model: str = G3, url: str = script_server) -> str:
        for path, picture in {
            "path/to/small-sample.jpg": "photo.jpg",
            "path/to/sample.jpg": "photo.jpg",
            "path/to/image.jpg": "photo.jpg",
            "path/to/image1.jpg": "photo.jpg",
            "path/to/your/image1.jpg": "photo.jpg",
            "path/to/image.png": "photo.png",
            "path/to/image2.png": "note.png",
            "image.jpg": "photo.jpg",
            "img.png": "note.png",
        }.items():
            target = tmp_path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(pictures / picture, target)
        text = (SAMPLES / kind / name).read_text()
        for old, new in AMENDS.get(f"{kind}/{name}", ()):
            assert old in text
            text = text.replace(old, new)
        for old, new in ((IMAGE_URL, image_url), (API, url), ('"/path/', '"path/'), (G3, model)):
            text = text.replace(old, new)
        (tmp_path / name).write_text(text)
        return name

    return put


@pytest.fixture
def python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], script_server: str
) -> Callable[..., tuple[str, dict[str, Any]]]:
    """Give a runner of Python samples: what one printed, and its variables at the end."""

    def run(name: str, url: str = script_server) -> tuple[str, dict[str, Any]]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
        monkeypatch.setenv("GEMINI_API_KEY", "any")
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", url)
        variables = runpy.run_path(name, run_name="__main__")
        return capsys.readouterr().out.strip(), variables

    return run


Runner = Callable[..., Any]


@pytest.mark.parametrize("model", [G3, G25])
@pytest.mark.parametrize(
    ("name", "printed", "image_tokens"),
    [
        pytest.param("inline_image.py", CAPTION, {G3: 1120, G25: 4 * 258}, id="inline_image"),
        pytest.param("image_from_url.py", WHAT, {G3: 1120, G25: 4 * 258}, id="image_from_url"),
        pytest.param("uploaded_image.py", CAPTION, {G3: 1120, G25: 4 * 258}, id="uploaded_image"),
        pytest.param(
            "several_images.py", DIFFERENCE, {G3: 2 * 1120, G25: 4 * 258 + 8 * 258}, id="several_images"
        ),
        pytest.param("resolution_of_all.py", DESCRIBE, {G3: 1120, G25: 4 * 258}, id="resolution_of_all"),
        pytest.param(
            "resolution_of_a_part.py", DESCRIBE_ALL, {G3: 1120, G25: 1120}, id="resolution_of_a_part"
        ),
    ],
)
def test_a_python_sample_runs(
    name: str, printed: str, image_tokens: dict[str, int], model: str, place: Runner, python: Runner
) -> None:
    output, variables = python(place("python", name, model=model))

    assert output == printed
    details = variables["response"].usage_metadata.prompt_tokens_details
    assert {d.modality.value: d.token_count for d in details}["IMAGE"] == image_tokens[model]


@pytest.mark.parametrize("model", [G3, G25])
def test_the_detection_sample_scales_the_boxes(model: str, place: Runner, python: Runner) -> None:
    output, _ = python(place("python", "object_detection.py", model=model))

    assert output.splitlines() == ["Image size:  512 512", "Bounding boxes: [[102, 51, 204, 153]]"]


@pytest.mark.parametrize("model", [G3, G25])
def test_the_segmentation_sample_saves_a_mask(
    model: str, place: Runner, python: Runner, tmp_path: Path
) -> None:
    output, _ = python(place("python", "segmentation.py", model=model))

    assert output == "Saved mask and overlay for cup to segmentation_outputs"
    assert {path.name for path in (tmp_path / "segmentation_outputs").iterdir()} == {
        "cup_0_mask.png",
        "cup_0_overlay.png",
    }


def test_the_detection_sample_runs_where_pictures_are_looked_at(
    place: Runner, python: Runner, builtin_server: str
) -> None:
    output, _ = python(place("python", "object_detection.py"), builtin_server)

    size, boxes = output.splitlines()
    assert size == "Image size:  512 512"
    assert isinstance(ast.literal_eval(boxes.removeprefix("Bounding boxes:").strip()), list)


def test_the_segmentation_sample_runs_where_pictures_are_looked_at(
    place: Runner, python: Runner, builtin_server: str, tmp_path: Path
) -> None:
    python(place("python", "segmentation.py"), builtin_server)

    assert (tmp_path / "segmentation_outputs").is_dir()


@pytest.mark.parametrize(
    ("name", "printed", "model"),
    [
        pytest.param("inline_image.mjs", CAPTION, G3, id="inline_image G3"),
        pytest.param("image_from_url.mjs", CAPTION, G3, id="image_from_url G3"),
        pytest.param("uploaded_image.mjs", CAPTION, G3, id="uploaded_image G3"),
        pytest.param("several_images.mjs", DIFFERENCE, G3, id="several_images G3"),
        pytest.param("resolution_of_a_part.mjs", DESCRIBE_ALL, G3, id="resolution_of_a_part G3"),
        pytest.param("resolution_of_all.mjs", DESCRIBE, G3, id="resolution_of_all G3"),
        pytest.param("resolution_of_all.mjs", DESCRIBE, G25, id="resolution_of_all G25"),
    ],
)
def test_a_javascript_sample_runs(
    name: str, printed: str, model: str, place: Runner, node: Runner, script_server: str
) -> None:
    assert node(place("js", name, model=model), script_server).strip() == printed


REST = [
    pytest.param("inline_image.sh", CAPTION, {G3: 1120, G25: 4 * 258, G20: 4 * 258}, id="inline_image"),
    pytest.param("image_from_url.sh", CAPTION, {G3: 1120, G25: 4 * 258, G20: 4 * 258}, id="image_from_url"),
    pytest.param("uploaded_image.sh", CAPTION, {G3: 1120, G25: 4 * 258, G20: 4 * 258}, id="uploaded_image"),
    pytest.param(
        "several_images.sh", DIFFERENCE, {G3: 2 * 1120, G25: 12 * 258, G20: 12 * 258}, id="several_images"
    ),
    pytest.param(
        "resolution_of_a_part.sh", DESCRIBE_ALL, {G3: 1120, G25: 1120, G20: 1120}, id="resolution_of_a_part"
    ),
    pytest.param(
        "resolution_of_all.sh", DESCRIBE, {G3: 1120, G25: 4 * 258, G20: 4 * 258}, id="resolution_of_all"
    ),
]


@pytest.mark.parametrize("model", [G3, G25])
@pytest.mark.parametrize(("name", "text", "image_tokens"), REST)
def test_a5_and_a6_a_rest_sample_runs(
    name: str,
    text: str,
    image_tokens: dict[str, int],
    model: str,
    place: Runner,
    bash: Runner,
    script_server: str,
) -> None:
    output = bash(place("rest", name, model=model), script_server)

    check(output, text, image_tokens[model])


@pytest.mark.parametrize(("name", "text", "image_tokens"), REST[:4])
def test_a2_a_rest_sample_with_the_key_in_its_address_runs(
    name: str,
    text: str,
    image_tokens: dict[str, int],
    place: Runner,
    bash: Runner,
    script_server: str,
    tmp_path: Path,
) -> None:
    script = tmp_path / place("rest", name, model=G20)
    with_header = re.compile(r'" \\\n *-H "x-goog-api-key: \$GEMINI_API_KEY" \\')
    # The older document's caption of an upload leaves the variable to nobody: the type is the text itself.
    older = script.read_text().replace(
        """{"mime_type": "'"${MIME_TYPE}"'",""", '{"mime_type": "${MIME_TYPE}",'
    )
    script.write_text(with_header.sub(r'?key=$GEMINI_API_KEY" \\', older))

    output = bash(name, script_server)

    check(output, text, image_tokens[G20])


def check(output: str, text: str, image_tokens: int) -> None:
    """See that the response among the lines printed holds this text and these tokens."""
    start = output.index("{")
    response, _ = json.JSONDecoder().raw_decode(output[start:])
    assert response["candidates"][0]["content"]["parts"] == [{"text": text}]
    details = response["usageMetadata"]["promptTokensDetails"]
    assert {d["modality"]: d["tokenCount"] for d in details}["IMAGE"] == image_tokens
