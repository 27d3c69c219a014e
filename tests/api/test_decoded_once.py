"""Asking again about the same file decodes nothing; /metrics of the whole app is the witness."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

import images

MODEL = "/v1beta/models/gemini-3-flash-preview"
PHOTO = images.encode(images.quarters(800, 600), "jpeg")
FilesApp = Callable[..., Awaitable[httpx.AsyncClient]]


async def value(http: httpx.AsyncClient, name: str, **labels: str) -> float:
    """Read one number of /metrics, which needs no key."""
    text = (await http.get("/metrics", headers={"x-goog-api-key": ""})).text
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return next(s.value for s in samples if s.name == name and s.labels == labels)


async def upload(http: httpx.AsyncClient) -> dict[str, Any]:
    headers = {"x-goog-upload-protocol": "raw", "x-goog-upload-header-content-type": "image/jpeg"}
    file: dict[str, Any] = (await http.post("/upload/v1beta/files", headers=headers, content=PHOTO)).json()[
        "file"
    ]
    return file


async def ask(
    http: httpx.AsyncClient,
    file: dict[str, Any],
    resolution: str = "MEDIUM",
    method: str = "generateContent",
    question: str = "What text is in this image?",
) -> None:
    part = {
        "fileData": {"fileUri": file["uri"]},
        "mediaResolution": {"level": f"MEDIA_RESOLUTION_{resolution}"},
    }
    answer = await http.post(f"{MODEL}:{method}", json={"contents": [{"parts": [part, {"text": question}]}]})
    assert answer.status_code == 200, answer.text


async def results(http: httpx.AsyncClient) -> dict[str, float]:
    return {
        result: await value(http, "twinlens_decoded_requests_total", result=result)
        for result in ("hit", "miss")
    }


async def test_another_question_is_answered_from_the_cache(files_app: FilesApp) -> None:
    http = await files_app(engine="builtin")
    file = await upload(http)

    await ask(http, file)
    await ask(http, file, question="What colours are in this image?")
    await ask(http, await upload(http), question="Is there a barcode in this image?")

    assert await results(http) == {"hit": 2, "miss": 1}


async def test_what_an_engine_remembers_is_not_even_read_again(files_app: FilesApp) -> None:
    http = await files_app(engine="builtin")
    file = await upload(http)

    for _ in range(3):
        await ask(http, file)

    assert await results(http) == {"hit": 0, "miss": 1}


async def test_an_image_that_no_question_is_about_is_decoded_once(files_app: FilesApp) -> None:
    http = await files_app()
    file = await upload(http)

    for resolution in ("LOW", "MEDIUM", "LOW"):
        await ask(http, file, resolution, question="Hello")

    assert await results(http) == {"hit": 0, "miss": 1}


async def test_another_budget_is_another_decode(files_app: FilesApp) -> None:
    http = await files_app(engine="builtin")
    file = await upload(http)

    for resolution in ("LOW", "MEDIUM"):
        await ask(http, file, resolution)

    assert await results(http) == {"hit": 0, "miss": 2}


async def test_what_was_decoded_outlives_a_restart(files_app: FilesApp) -> None:
    http = await files_app()
    file = await upload(http)
    await ask(http, file)

    http = await files_app()
    await ask(http, file)

    assert await results(http) == {"hit": 1, "miss": 0}


async def test_without_a_cache_every_question_decodes(files_app: FilesApp, tmp_path: Path) -> None:
    http = await files_app(engine="builtin", cache_max_bytes=0)
    file = await upload(http)

    await ask(http, file)
    await ask(http, file, question="What colours are in this image?")

    assert await results(http) == {"hit": 0, "miss": 2}
    assert not (tmp_path / "data" / "cache").exists()


async def test_counting_decodes_nothing(files_app: FilesApp) -> None:
    http = await files_app()

    await ask(http, await upload(http), method="countTokens")

    assert await results(http) == {"hit": 0, "miss": 0}


async def test_a_deleted_files_pixels_are_gone_from_the_disk(files_app: FilesApp, tmp_path: Path) -> None:
    http = await files_app()
    file, same = await upload(http), await upload(http)
    await ask(http, file)
    await http.delete(f"/v1beta/{file['name']}")
    await ask(http, same)
    assert await value(http, "twinlens_cache_entries") == 1

    await http.delete(f"/v1beta/{same['name']}")

    # Without waiting for the cache's writer, the restart would: closing it lets it end.
    http = await files_app()
    assert await value(http, "twinlens_cache_entries") == 0
    assert not [path for path in (tmp_path / "data" / "cache").rglob("*") if path.is_file()]


async def test_tokens_and_requests_are_counted(files_app: FilesApp) -> None:
    http = await files_app()
    file = await upload(http)

    await ask(http, file)
    await ask(http, file, method="streamGenerateContent")

    assert await value(http, "twinlens_tokens_total", kind="prompt", modality="IMAGE") == 2 * 560
    template = "/{version}/models/{model}:streamGenerateContent"
    assert await value(http, "twinlens_http_requests_total", method="POST", route=template, code="200") == 1
    assert await value(http, "twinlens_files") == 1
    assert await value(http, "twinlens_files_bytes") == len(PHOTO)
