"""Real proxies before a real server, set up as docs/deployment.md says, and Google's client through them."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from google import genai
from google.genai import types

PAGE = (Path(__file__).parents[2] / "docs" / "deployment.md").read_text()
MIB = 1024 * 1024
MODEL = "gemini-3-flash-preview"
ANSWERS = """
rules:
  - match: {text: for ever}
    answer: {chunks: [At once., {text: Late., delay: 600}]}
default: {text: done}
"""
NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {server}
}}
"""
PLAIN = "server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://{backend}; }} }}"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A way to run a proxy: its program, and what it is told."""

    program: str
    package: str

    def found(self) -> str:
        """Give the program's path, or skip the test where there is none."""
        path = shutil.which(self.program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        if path is None:
            pytest.skip(f"{self.program} is not installed (Debian's package {self.package})")
        return path


NGINX_PROXY, CADDY_PROXY = Proxy("nginx", "nginx-light"), Proxy("caddy", "caddy")


def blocks(language: str) -> list[str]:
    """Take the samples of one language out of the page, in their order."""
    return re.findall(rf"```{language}\n(.+?)```", PAGE, re.DOTALL)


def whole_nginx(port: int, backend: str) -> str:
    block = re.sub(r"listen 443 ssl;", f"listen 127.0.0.1:{port};", blocks("nginx")[0])
    # A certificate is nothing that a test can have of anybody.
    block = re.sub(r"    (server_name|ssl_certificate\w*) .*\n", "", block)
    return block.replace("127.0.0.1:8080", backend)


def nginx_below_a_path(port: int, backend: str) -> str:
    location = blocks("nginx")[1].replace("127.0.0.1:8080", backend)
    return f"server {{ listen 127.0.0.1:{port};\n{location} }}"


def whole_caddy(port: int, backend: str, block: int = 0) -> str:
    text = blocks("caddy")[block].replace("127.0.0.1:8080", backend)
    return re.sub(r"^\w+\.example \{", f"http://127.0.0.1:{port} {{", text)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, folder: Path) -> Iterator[str]:
    """Run a proxy until the block ends; give its address."""
    log = folder / "proxy.log"
    environment = os.environ | {
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, env=environment
        ) as process,
    ):
        try:
            for _ in range(1200):
                assert process.poll() is None, log.read_text()
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=5).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


@contextmanager
def nginx(folder: Path, server: Callable[[int, str], str], backend: str) -> Iterator[str]:
    program, port = NGINX_PROXY.found(), free_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, server=server(port, backend.removeprefix("http://"))))
    with running([program, "-p", str(folder), "-c", str(config), "-e", "stderr"], port, folder) as url:
        yield url


@contextmanager
def caddy(folder: Path, site: Callable[[int, str], str], backend: str) -> Iterator[str]:
    program, port = CADDY_PROXY.found(), free_port()
    config = folder / "Caddyfile"
    said = site(port, backend.removeprefix("http://"))
    config.write_text(f"{{\n\tadmin off\n\tgrace_period 1s\n\tauto_https off\n}}\n{said}")
    command = [program, "run", "--config", str(config), "--adapter", "caddyfile"]
    with running(command, port, folder) as url:
        yield url


Served = Callable[..., AbstractContextManager[str]]


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory, served: Served) -> Iterator[str]:
    """Run a server with a key that answers from a file; give its address."""
    folder = tmp_path_factory.mktemp("behind")
    (folder / "answers.yaml").write_text(ANSWERS)
    own = ("--engine", "script", "--script", str(folder / "answers.yaml"), "--api-key", "k")
    with served(folder, *own) as url:
        yield url


FRONTS = {
    "nginx": (nginx, whole_nginx, ""),
    "nginx below a path": (nginx, nginx_below_a_path, "/gemini"),
    "caddy": (caddy, whole_caddy, ""),
    "caddy below a path": (caddy, lambda port, backend: whole_caddy(port, backend, 1), "/gemini"),
}


@pytest.fixture(scope="module", params=list(FRONTS))
def front(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, backend: str
) -> Iterator[str]:
    """Run a proxy as the page says; give where clients reach the server through it."""
    run, written, prefix = FRONTS[request.param]
    with run(tmp_path_factory.mktemp("front"), written, backend) as url:
        yield url + prefix


@pytest.fixture
def through(front: str) -> Iterator[genai.Client]:
    """Point Google's Python client at the proxy."""
    with genai.Client(api_key="k", http_options={"base_url": front}) as opened:
        yield opened


def test_a_file_is_uploaded_through_it_and_its_urls_lead_through_it(
    through: genai.Client, front: str, tmp_path: Path
) -> None:
    # Three pieces of the client's, the last one short.
    (tmp_path / "notes.txt").write_bytes(b"A line of notes.\n" * (MIB + 1))

    file = through.files.upload(file=tmp_path / "notes.txt")

    assert file.uri == f"{front}/v1beta/{file.name}"
    assert file.size_bytes == 17 * (MIB + 1)
    assert through.files.get(name=file.name or "").state == types.FileState.ACTIVE


def test_a_question_about_a_file_is_answered_through_it(through: genai.Client, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("A note.")
    file = through.files.upload(file=tmp_path / "note.txt")

    question: list[types.File | str] = [file, "What is it?"]
    answer = through.models.generate_content(model=MODEL, contents=question)  # type: ignore[arg-type]

    assert answer.text == "done"


def test_an_upload_address_leads_through_it(front: str) -> None:
    headers = {"x-goog-api-key": "k", "x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}

    answer = httpx.post(f"{front}/upload/v1beta/files", headers=headers)

    assert answer.headers["x-goog-upload-url"].startswith(f"{front}/upload/v1beta/files?upload_id=")


def test_the_largest_request_gets_through_it(front: str) -> None:
    body = b'{"contents": [{"parts": [{"text": "Hello"}]}]' + b" " * 19 * MIB + b"}"

    answer = httpx.post(f"{front}/v1beta/models/{MODEL}:countTokens?key=k", content=body, timeout=120)

    assert answer.status_code == 200, answer.text


def test_a_stream_comes_through_it_piece_by_piece(front: str) -> None:
    body = {"contents": [{"parts": [{"text": "for ever"}]}]}
    url = f"{front}/v1beta/models/{MODEL}:streamGenerateContent?alt=sse&key=k"

    with httpx.stream("POST", url, json=body, timeout=120) as answer:
        # The second piece comes in ten minutes: who waits for it does not get the first.
        assert "At once." in next(filter(None, answer.iter_lines()))


def test_a_proxy_that_says_nothing_is_told_of_in_the_log_once(tmp_path: Path, served: Served) -> None:
    headers = {"x-goog-api-key": "k", "x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}
    with (
        served(tmp_path, "--engine", "script") as backend,
        nginx(tmp_path, lambda port, backend: PLAIN.format(port=port, backend=backend), backend) as url,
    ):
        answers = [httpx.post(f"{url}/upload/v1beta/files", headers=headers) for _ in range(3)]

    assert all(answer.headers["x-goog-upload-url"].startswith(backend) for answer in answers)
    told = (tmp_path / "server.log").read_text()
    assert told.count("--public-url") == 1
    assert "X-Forwarded-Host" in told
