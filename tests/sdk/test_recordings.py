"""Videos, sound and PDFs with Google's client on real servers, and the documents' own video samples."""

from __future__ import annotations

import json
import runpy
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

import clips

SAMPLES = Path(__file__).parent / "samples" / "python"
CLIENT = "from google import genai\nfrom google.genai import types\nclient = genai.Client()\n"
"""What the document begins its samples with, but one that goes on where another ends."""
G25, G3 = "gemini-2.5-flash", "gemini-3-flash-preview"
SUMMARY = "You asked “Please summarize the video in 3 sentences.” about 1 pictures."

# The documents leave files, sockets and clients open.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder of films: ten seconds whose frames show their numbers, and one of 1600 seconds."""
    folder = tmp_path_factory.mktemp("films")
    numbered = clips.video(seconds=10, fps=10, size=(640, 360), sound=True, draw=clips.count)
    (folder / "numbered.mp4").write_bytes(numbered)
    (folder / "long.mp4").write_bytes(clips.video(seconds=1600, fps=1, size=(32, 16)))
    return folder


@pytest.fixture(scope="module")
def youtube_server(
    films: Path, tmp_path_factory: pytest.TempPathFactory, served: Callable[..., Any], script: Path
) -> Iterator[str]:
    """Run a server for which this machine is YouTube: every video is the long one."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    folder = tmp_path_factory.mktemp("youtube")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=films)) as web:
        Thread(target=web.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{web.server_port}"
        film = {"url": f"http://{host}/long.mp4", "ext": "mp4", "protocol": "https", "height": 16}
        found = {"availability": "public", "formats": [film | {"vcodec": "avc1", "acodec": "none"}]}
        program = folder / "resolver"
        program.write_text(f"#!{sys.executable}\nprint({json.dumps(found)!r})")
        program.chmod(0o755)
        own = ("--engine", "script", "--script", str(script), "--youtube-resolver", str(program))
        with served(folder, *own, "--fetch-allow", host) as url:
            yield url
        web.shutdown()


@pytest.fixture
def run(
    tmp_path: Path, films: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[str, types.GenerateContentResponse]]:
    """Give a runner of samples: what one printed, and its response."""

    def sample(name: str, url: str) -> tuple[str, types.GenerateContentResponse]:
        for path in ("path/to/sample.mp4", "path/to/your/video.mp4"):
            target = tmp_path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(films / "numbered.mp4", target)
        text = (SAMPLES / name).read_text().replace('"/path/', '"path/')
        (tmp_path / name).write_text(text if text.startswith("from") else CLIENT + text)
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
        monkeypatch.setenv("GEMINI_API_KEY", "any")
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", url)
        variables = runpy.run_path(name, run_name="__main__")
        return capsys.readouterr().out.strip(), variables["response"]

    return sample


def before(medium: types.File | types.Part, question: str) -> Any:
    """Put a medium before its question; the client's own type for such lists leaves mixed ones out."""
    return [medium, question]


def tokens(response: types.GenerateContentResponse) -> dict[str, int | None]:
    """Give the prompt's tokens by modality, without the text's."""
    assert response.usage_metadata is not None
    details = response.usage_metadata.prompt_tokens_details or []
    return {d.modality.value: d.token_count for d in details if d.modality and d.modality.value != "TEXT"}


def test_the_upload_sample_runs(run: Callable[..., Any], script_server: str) -> None:
    printed, response = run("uploaded_video.py", script_server)

    assert printed.startswith("You asked “Summarize this video. Then create a quiz")
    assert tokens(response) == {"VIDEO": 2580, "AUDIO": 320}


def test_the_inline_sample_runs(run: Callable[..., Any], script_server: str) -> None:
    _, response = run("inline_video.py", script_server)

    assert response.text == SUMMARY
    assert tokens(response) == {"VIDEO": 2580, "AUDIO": 320}


def test_the_frame_rate_sample_samples_five_times_as_much(
    run: Callable[..., Any], script_server: str
) -> None:
    _, response = run("video_fps.py", script_server)

    assert response.text == SUMMARY
    assert tokens(response) == {"VIDEO": 5 * 2580, "AUDIO": 320}


@pytest.mark.parametrize(("name", "seconds"), [("youtube_video.py", 1600), ("clipped_video.py", 1570 - 1250)])
def test_i8_the_youtube_samples_run(
    run: Callable[..., Any], youtube_server: str, name: str, seconds: int
) -> None:
    _, response = run(name, youtube_server)

    assert response.text == SUMMARY
    assert tokens(response) == {"VIDEO": seconds * 258}


def test_the_samples_questions_are_answered_from_what_is_seen(client: genai.Client, films: Path) -> None:
    film = client.files.upload(file=films / "numbered.mp4")

    def ask(question: str) -> str:
        return client.models.generate_content(model=G25, contents=before(film, question)).text or ""

    shown = ask("What are the examples given at 00:05 and 00:07 supposed to show us?")
    said = ask(
        "Transcribe the audio from this video, giving timestamps for salient events in the video. "
        "Also provide visual descriptions."
    )

    assert "00:05" in shown
    assert "50" in shown
    assert "70" in shown
    assert "No speech was heard" in said
    assert "00:09" in said


def test_a_counter_in_the_film_tells_which_frames_were_seen(client: genai.Client, films: Path) -> None:
    """Ten frames a second, and each shows its number."""
    film = types.Part(
        inline_data=types.Blob(data=(films / "numbered.mp4").read_bytes(), mime_type="video/mp4"),
        video_metadata=types.VideoMetadata(start_offset="2.5s", end_offset="6s", fps=2),
    )

    answer = client.models.generate_content(
        model=G3, contents=types.Content(parts=[film, types.Part(text="What text is on screen, and when?")])
    )

    assert answer.text is not None
    for number, time in (("25", "00:02.5"), ("30", "00:03.0"), ("40", "00:04.0"), ("55", "00:05.5")):
        assert number in answer.text
        assert time in answer.text
    assert "60" not in answer.text


def test_counting_equals_usage(client: genai.Client, films: Path) -> None:
    film = client.files.upload(file=films / "numbered.mp4")
    asked: Any = [film, "How long is it?"]

    counted = client.models.count_tokens(model=G3, contents=asked)
    answered = client.models.generate_content(model=G3, contents=asked)

    assert answered.usage_metadata is not None
    assert counted.total_tokens == answered.usage_metadata.prompt_token_count
    assert tokens(answered) == {"VIDEO": 700, "AUDIO": 250}


def test_pages_are_read_and_counted(client: genai.Client) -> None:
    pdf = types.Part.from_bytes(data=clips.pdf(3), mime_type="application/pdf")

    answer = client.models.generate_content(model=G3, contents=before(pdf, "What does page 2 say?"))

    assert "Page 2" in (answer.text or "")
    assert tokens(answer) == {"IMAGE": 1680}


def test_a_bad_clip_is_told_by_its_field(client: genai.Client, films: Path) -> None:
    film = types.Part(
        inline_data=types.Blob(data=(films / "numbered.mp4").read_bytes(), mime_type="video/mp4"),
        video_metadata=types.VideoMetadata(start_offset="1250s"),
    )

    with pytest.raises(errors.ClientError, match=r"start_offset \(1250s\) must be before the end") as refused:
        client.models.generate_content(model=G3, contents=types.Content(parts=[film]))

    assert refused.value.code == 400
