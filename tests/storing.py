"""Builds what stands on a data folder, as the server does it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from twinlens.store.cleanup import CleanupJob
from twinlens.store.interactions import InteractionStore
from twinlens.store.storage import Storage
from twinlens.store.uploads import Uploads


def uploads_of(storage: Storage, **options: Any) -> Uploads:
    """Receive uploads into a data folder."""
    return Uploads(
        storage.records.uploads, storage.files, storage.contents, storage.parts, storage.clock, **options
    )


def interactions_of(
    storage: Storage, lifetime: timedelta = timedelta(days=1), max_bytes: int = 1_000_000
) -> InteractionStore:
    """Keep interactions in a data folder."""
    return InteractionStore(
        storage.records.interactions, storage.contents, storage.clock, lifetime=lifetime, max_bytes=max_bytes
    )


def cleanup_of(
    storage: Storage, uploads: Uploads | None = None, interactions: InteractionStore | None = None
) -> CleanupJob:
    """Sweep a data folder."""
    uploads = uploads or uploads_of(storage)
    return CleanupJob(storage.files, uploads, storage.contents, interactions=interactions)
