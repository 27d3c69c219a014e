"""Images as an engine gets them, of pixels that a test has made."""

from __future__ import annotations

from twinlens.domain.engine_media import StillImage
from twinlens.domain.media import Image


def still(image: Image) -> StillImage:
    """Return an image that loads to these pixels."""

    async def read() -> Image:
        return image

    return StillImage(
        mime_type=image.mime_type,
        width=image.width,
        height=image.height,
        source_width=image.source_width,
        source_height=image.source_height,
        tokens=image.tokens,
        digest=image.digest,
        read=read,
    )
