"""The digest of a blob's bytes, computed off the event loop where they are many."""

from __future__ import annotations

import hashlib
from functools import partial

from .. import media
from ..concurrency.off_loop import ON_LOOP_BYTES, off_loop_unless
from ..domain.media import Blob, Data
from ..domain.media_types import essential


async def content_of(blob: Blob) -> str:
    """Return the digest of a blob's content: equal digests, equal bytes."""
    if blob.digest is not None:
        return blob.digest
    return await off_loop_unless(len(blob.data) <= ON_LOOP_BYTES, partial(media.digest, blob.data))


def named_for(project: str, content: str) -> str:
    """Return a cache name for a content of a project: another project's differs."""
    return f"{project}/{content}"


def read_as(content: str, mime_type: str | None) -> str:
    """Return a name for a content with its label's parameters: at another rate, bytes are other samples."""
    label = essential(mime_type)
    return f"{content} as {label}" if ";" in label else content


async def sha256_of(data: Data) -> str:
    """Return the SHA-256 of bytes in hexadecimal, under which the store has them."""
    return (await off_loop_unless(len(data) <= ON_LOOP_BYTES, partial(hashlib.sha256, data))).hexdigest()
