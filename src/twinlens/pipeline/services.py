"""What a request needs on its way: built once in `app.py`, handed down from there."""

from __future__ import annotations

from dataclasses import dataclass

from ..concurrency.pixel_limiter import PixelLimiter
from ..domain.clock import Clock
from ..engines.router import Engines
from ..fetch.fetcher import Fetcher
from ..fetch.youtube import YouTube
from ..store.contents import Contents
from ..store.files import FileStore
from .decoder import Decoder
from .inspection_cache import InspectionCache
from .processing import Processing


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of the server that outlive a request.

    `max_image_pixels` is checked before decoding; `max_fetched_bytes` is what one request may fetch,
    `work_limit_s` what its media may make the decoders do beyond what such media take.
    """

    engines: Engines
    files: FileStore
    contents: Contents
    clock: Clock
    processing: Processing
    inspections: InspectionCache
    decoder: Decoder
    fetcher: Fetcher
    youtube: YouTube
    pixel_limiter: PixelLimiter
    max_image_pixels: int
    max_fetched_bytes: int
    work_limit_s: float
