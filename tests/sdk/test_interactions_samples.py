"""The Interactions document's samples, as their users type them; only paths and addresses differ."""

from __future__ import annotations

import json
import runpy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google import genai

SAMPLES = Path(__file__).parent / "samples"
ZOD = Path(__file__).parent / "js" / "node_modules" / "zod"
API = "https://generativelanguage.googleapis.com"
WEB = "https://example.com"

CAPTION = "You asked “Caption this image.” about 1 pictures."
DIFFERENCE = "You asked “What is different between these two images?” about 2 pictures."
PLAIN = [
    pytest.param("interactions_uploaded_organ", CAPTION, 1, id="uploaded_organ"),
    pytest.param("interactions_inline_image", CAPTION, 1, id="inline_image"),
    pytest.param("interactions_uploaded_image", CAPTION, 1, id="uploaded_image"),
    pytest.param("interactions_several_images", DIFFERENCE, 2, id="several_images"),
]
BOXED = ["interactions_object_detection", "interactions_segmentation"]

# The documents leave files, sockets and clients open.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

Runner = Callable[..., Any]


@pytest.fixture
def place(tmp_path: Path, pictures: Path, web: str) -> Callable[..., str]:
    """Give a function that puts a sample and the pictures it names into the working folder."""

    def put(kind: str, name: str, url: str) -> str:
        for path in ("organ.jpg", "small-sample.jpg", "sample.jpg", "your/image1.jpg"):
            target = tmp_path / "path" / "to" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(pictures / "photo.jpg", target)
        text = (SAMPLES / kind / name).read_text()
        for old, new in (
            (API, url),
            ('"/path/', '"path/'),
            (f"{WEB}/image1.jpg", f"http://{web}/photo.jpg"),
            (f"{WEB}/image2.jpg", f"http://{web}/turned.jpg"),
            (f"{WEB}/image.png", f"http://{web}/photo.png"),
        ):
            text = text.replace(old, new)
        (tmp_path / name).write_text(text)
        return name

    return put


@pytest.fixture
def python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: Runner
) -> Callable[[str, str], tuple[str, dict[str, Any]]]:
    """Give a runner of Python samples: what one printed, and its variables at the end."""

    def run(name: str, url: str) -> tuple[str, dict[str, Any]]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
        monkeypatch.setenv("GEMINI_API_KEY", "any")
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", url)
        variables = runpy.run_path(place("python", f"{name}.py", url), run_name="__main__")
        return capsys.readouterr().out.strip(), variables

    return run


@pytest.fixture
def javascript(place: Runner, node: Runner) -> Callable[[str, str], str]:
    """Give a runner of JavaScript samples: what one printed."""

    def run(name: str, url: str) -> str:
        printed: str = node(place("js", f"{name}.mjs", url), url)
        return printed.strip()

    return run


@pytest.fixture
def rest(place: Runner, bash: Runner, tmp_path: Path, pictures: Path) -> Callable[[str, str], dict[str, Any]]:
    """Give a runner of curl samples: the response one printed. What a sample wants uploaded, is."""

    def run(name: str, url: str) -> dict[str, Any]:
        script = tmp_path / place("rest", f"{name}.sh", url)
        if "YOUR_FILE_URI" in script.read_text():
            with genai.Client(api_key="any", http_options={"base_url": url}) as client:
                uri = client.files.upload(file=pictures / "photo.jpg").uri
            script.write_text(script.read_text().replace("YOUR_FILE_URI", str(uri)))
        response: dict[str, Any] = json.loads(bash(script.name, url))
        return response

    return run


@pytest.mark.parametrize(("name", "printed", "pictures_sent"), PLAIN)
def test_j5_a_python_sample_runs(
    name: str, printed: str, pictures_sent: int, python: Runner, script_server: str
) -> None:
    output, variables = python(name, script_server)

    assert output == printed
    by_modality = variables["interaction"].usage.input_tokens_by_modality
    assert {d.modality: d.tokens for d in by_modality}["image"] == pictures_sent * 1120


@pytest.mark.parametrize("name", BOXED)
def test_j8_a_python_sample_gets_boxes_with_outlines(name: str, python: Runner, script_server: str) -> None:
    output, variables = python(name, script_server)

    (box,) = variables["items" if "segmentation" in name else "bounding_boxes"].boxes
    assert (box.box_2d, box.label) == ([100, 200, 300, 400], "cup")
    assert box.mask == [[200, 100], [400, 100], [400, 300], [200, 300]]
    assert "label='cup'" in output


@pytest.mark.parametrize("name", ["interactions_inline_image", "interactions_several_images", *BOXED])
def test_a_python_sample_runs_where_pictures_are_looked_at(
    name: str, python: Runner, builtin_server: str
) -> None:
    output, variables = python(name, builtin_server)

    assert output
    assert variables["interaction"].status == "completed"


@pytest.mark.parametrize(("name", "printed", "pictures_sent"), PLAIN)
def test_j5_a_javascript_sample_runs(
    name: str, printed: str, pictures_sent: int, javascript: Runner, script_server: str
) -> None:
    assert javascript(name, script_server) == printed


@pytest.mark.skipif(not ZOD.is_dir(), reason="zod is missing: run `npm install --prefix tests/sdk/js`")
@pytest.mark.parametrize("name", BOXED)
def test_j8_a_javascript_sample_gets_boxes_with_outlines(
    name: str, javascript: Runner, script_server: str
) -> None:
    output = javascript(name, script_server)

    assert "label: 'cup'" in output
    assert "box_2d: [" in output


@pytest.mark.parametrize(("name", "printed", "pictures_sent"), PLAIN)
def test_j1_a_rest_sample_runs(
    name: str, printed: str, pictures_sent: int, rest: Runner, script_server: str
) -> None:
    response = rest(name, script_server)

    assert (response["object"], response["status"]) == ("interaction", "completed")
    last = response["steps"][-1]
    assert (last["type"], last["content"][0]) == ("model_output", {"type": "text", "text": printed})
    by_modality = response["usage"]["input_tokens_by_modality"]
    assert {d["modality"]: d["tokens"] for d in by_modality}["image"] == pictures_sent * 1120


@pytest.mark.parametrize("name", BOXED)
def test_j8_a_rest_sample_gets_boxes_with_outlines(name: str, rest: Runner, script_server: str) -> None:
    response = rest(name, script_server)

    (box,) = json.loads(response["steps"][-1]["content"][0]["text"])["boxes"]
    assert box["mask"] == [[200, 100], [400, 100], [400, 300], [200, 300]]
    assert box.keys() == {"box_2d", "mask", "label"}
