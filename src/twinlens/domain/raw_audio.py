"""Samples without a header: what their label has to say, and what it says.

`audio/L16` is RFC 2586's: linear samples of 16 bits in network byte order (the high byte first), with the
parameters `rate`, which must be there, and `channels`, which is 1 where it is left out.

Google's speech models label what they give `audio/L16;codec=pcm;rate=24000` and send the low byte first, as
their own samples for writing it into a WAV file show. None of the five documents says anything of it. So
`codec=pcm`, which is not the RFC's, stands for that order, and every other label for the RFC's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

RATES = range(8_000, 192_001)
CHANNELS = range(1, 9)
SAMPLE_BYTES = 2
PARAMETERS = ("rate", "channels", "codec")


@dataclass(frozen=True, slots=True)
class RawAudio:
    """How bytes are samples: so many a second, of so many channels in turn, in this order of bytes."""

    rate: int
    channels: int
    big_endian: bool

    @property
    def frame_bytes(self) -> int:
        """The bytes of one sample of all channels."""
        return SAMPLE_BYTES * self.channels


def raw_audio_of(parameters: Mapping[str, str]) -> RawAudio:
    """Parse the parameters of a label in which `flaw` finds nothing."""
    return RawAudio(
        int(parameters["rate"]), int(parameters.get("channels", "1")), parameters.get("codec") != "pcm"
    )


def flaw(parameters: Mapping[str, str]) -> str | None:
    """Return what is wrong with the parameters of a label, or missing; None where nothing is."""
    if "rate" not in parameters:
        return (
            "audio/l16 has no header, so its MIME type must tell the rate, and the channels where there are "
            "several. Write audio/l16;rate=16000 or audio/l16;rate=44100;channels=2."
        )
    for name, allowed in (("rate", RATES), ("channels", CHANNELS)):
        given = parameters.get(name)
        if given is not None and not (re.fullmatch("[0-9]{1,6}", given) and int(given) in allowed):
            return (
                f"The {name} of audio/l16 must be a whole number from {allowed[0]} to {allowed[-1]}, "
                f"not {given[:20]!r}."
            )
    if parameters.get("codec", "pcm") != "pcm":
        return "The codec of audio/l16 can only be pcm. Leave it out where the high byte comes first."
    return None
