"""Uploads as a client of the resumable protocol makes them, for tests of whatever is uploaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

import images

PNG = images.png(1, 1, iter([b"\x12\x34\x56"])).ljust(100, b"\0")
"""A true picture, in a hundred bytes; what comes after its end is nobody's."""
START = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}


async def start(
    http: httpx.AsyncClient,
    size: int | None = None,
    mime_type: str = "image/png",
    body: str = "",
    **headers: str,
) -> httpx.Response:
    said = START | {"x-goog-upload-header-content-type": mime_type} | headers
    if size is not None:
        said["x-goog-upload-header-content-length"] = str(size)
    return await http.post("/upload/v1beta/files", headers=said, content=body)


async def send(
    http: httpx.AsyncClient, url: str, command: str, data: bytes = b"", offset: int | None = None
) -> httpx.Response:
    headers = {"x-goog-upload-command": command, "content-type": "application/json"}
    if offset is not None:
        headers["x-goog-upload-offset"] = str(offset)
    request = http.build_request("POST", url, headers=headers, content=data)
    # The URL itself is the credential.
    del request.headers["x-goog-api-key"]
    return await http.send(request)


async def session(http: httpx.AsyncClient, size: int | None = None, **known: str) -> str:
    answer = await start(http, size, **known)
    assert answer.status_code == 200, answer.text
    return str(answer.headers["x-goog-upload-url"])


async def upload(http: httpx.AsyncClient, data: bytes = PNG, **known: str) -> dict[str, Any]:
    url = await session(http, len(data), **known)
    answer = await send(http, url, "upload, finalize", data, 0)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["file"]
    return found


def failure(answer: httpx.Response) -> tuple[int, str, str]:
    error: Mapping[str, Any] = answer.json()["error"]
    assert error["code"] == answer.status_code
    return answer.status_code, error["status"], error["message"]
