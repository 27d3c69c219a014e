"""The name of what a blob holds, found out off the event loop where that takes long."""

from __future__ import annotations

import hashlib
from functools import partial

from .. import media
from ..concurrency.off_loop import ON_LOOP_BYTES, off_loop_unless
from ..domain.media import Blob, Data
from ..domain.media_types import essential


async def content_of(blob: Blob) -> str:
    """Name a blob's content: equal names, equal bytes."""
    if blob.digest is not None:
        return blob.digest
    return await off_loop_unless(len(blob.data) <= ON_LOOP_BYTES, partial(media.digest, blob.data))


def named_for(project: str, content: str) -> str:
    """Name a content of a project for whatever remembers it: another project's has another name."""
    return f"{project}/{content}"


def read_as(content: str, mime_type: str | None) -> str:
    """Name a content as its label has it read: the same bytes are other samples at another rate."""
    label = essential(mime_type)
    return f"{content} as {label}" if ";" in label else content


async def sha256_of(data: Data) -> str:
    """Name bytes as the store does, by their SHA-256 in hexadecimal."""
    return (await off_loop_unless(len(data) <= ON_LOOP_BYTES, partial(hashlib.sha256, data))).hexdigest()
