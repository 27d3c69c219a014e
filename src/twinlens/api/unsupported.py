"""Requests that cannot be served: for services that are not offered, and by paths with a wrong version.

Both are met by programs that are otherwise right; the answer says what to change.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import takewhile

from ..domain.errors import NotFound, TwinlensError, Unimplemented
from ..domain.versions import VERSIONS

METHODS: Mapping[str, str] = {
    "embedContent": "Embedding",
    "batchEmbedContents": "Embedding",
    "asyncBatchEmbedContent": "Embedding",
    "embedText": "Embedding",
    "batchEmbedText": "Embedding",
    "batchGenerateContent": "The Batch API",
    "bidiGenerateContent": "The Live API",
    "predict": "Image generation",
    "predictLongRunning": "Video generation",
    "generateAnswer": "Semantic retrieval",
    "generateText": "The PaLM API",
    "generateMessage": "The PaLM API",
    "countTextTokens": "The PaLM API",
    "countMessageTokens": "The PaLM API",
}
"""Methods of models, and whose they are."""

COLLECTIONS: Mapping[str, str] = {
    "batches": "The Batch API",
    "cachedContents": "Context caching",
    "tunedModels": "Tuning",
    "tuningJobs": "Tuning",
    "operations": "The API of long-running operations",
    "corpora": "Semantic retrieval",
    "ragStores": "File search",
    "fileSearchStores": "File search",
    "files:register": "Registering files of Google Cloud Storage",
    "generatedFiles": "Video generation",
    "auth_tokens": "The Live API",
    "ws": "The Live API",
    "dynamic": "Serving by dynamic names",
    "agents": "The Agents API",
    "environments": "The Agents API",
    "credentials": "The Agents API",
    "triggers": "The Agents API",
    "webhooks": "The Webhooks API",
    "voices": "Speech synthesis",
    "decisions": "The Decisions API",
    "openai": "The OpenAI-compatible API",
    "projects": "Vertex AI's API",
}
"""What stands behind the version in a path, and whose it is."""

MAX_ECHO = 200
"""Characters of a path that an error repeats."""

_VERSION = re.compile(r"v[0-9]+(?:(?:alpha|beta)[0-9]*)?")
_OURS = frozenset({"models", "files", "interactions"})
_UPLOAD = "upload"


def unserved_method(method: str, target: str) -> TwinlensError:
    """Say why a model's method cannot be called; `target` is the model with the method."""
    if method in METHODS:
        return not_offered(METHODS[method])
    return NotFound(f"There is no method {method or target!r} on models.")


def unserved_path(method: str, path: str) -> TwinlensError | None:
    """Say why nothing answers at a path, as far as more can be said than that; else None."""
    segments = [segment for segment in path.split("/") if segment]
    before = list(takewhile(lambda one: one == _UPLOAD or bool(_VERSION.fullmatch(one)), segments))
    after = segments[len(before) :]
    name = after[0] if after else ""
    service = COLLECTIONS.get(name) or COLLECTIONS.get(name.partition(":")[0])
    if service is None and name.partition(":")[0] not in _OURS:
        return None
    versions = [one for one in before if one != _UPLOAD]
    wrong = _misdirected(f"{method} {path[:MAX_ECHO]}", path, versions, before, after)
    if name == "tunedModels" and len(after) > 1:
        return wrong or NotFound("There are no tuned models on this server.")
    if service and (len(versions) == 1 or name == "ws"):
        return not_offered(service)
    return wrong


def not_offered(service: str) -> Unimplemented:
    """Say that a service is none of ours."""
    return Unimplemented(f"{service} is not offered by twinlens.")


def _misdirected(
    asked: str, path: str, versions: list[str], before: list[str], after: list[str]
) -> NotFound | None:
    version = next((one for one in reversed(versions) if one in VERSIONS), VERSIONS[0])
    right = "/".join(["", *([_UPLOAD] if _UPLOAD in before else []), version, *after])[:MAX_ECHO]
    if not versions:
        return NotFound(
            f"{asked}: there is no version in this path. Send it to {right}; "
            "clients write the version themselves behind the base URL, which is http://HOST:PORT."
        )
    if len(versions) > 1:
        return NotFound(
            f"{asked}: there are two versions in this path. Send it to {right}: take the version from the "
            "end of the base URL, which is http://HOST:PORT, since the client adds it."
        )
    if versions[0] not in VERSIONS:
        return NotFound(f"{asked}: there is no version {versions[0]} of this API. Send it to {right}.")
    if "//" in path:
        return NotFound(
            f"{asked}: there is an empty step in this path. Send it to {right}: "
            "take the slash from the end of the base URL."
        )
    return None
