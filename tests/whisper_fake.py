"""Makes a tiny Whisper model that loads for real and transcribes every window as the same few words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ctranslate2.specs import WhisperSpec
from ctranslate2.specs.model_spec import LayerSpec
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

_SIZE = 64
_MELS = 80
_ENCODED, _LONGEST = 1500, 448
_SPECIAL = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    *("<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"),
    "<|notimestamps|>",
)
_TIMES = tuple(f"<|{number * 0.02:.2f}|>" for number in range(1501))


def whisper(folder: Path, words: Sequence[str], start: float = 0.0, end: float = 1.0) -> Path:
    """Make a model that transcribes these words between two times of every window."""
    folder.mkdir()
    vocabulary = ["<unk>", *dict.fromkeys(words), *_SPECIAL, *_TIMES]
    ids = {token: number for number, token in enumerate(vocabulary)}
    said = [f"<|{start:.2f}|>", *words, f"<|{end:.2f}|>", f"<|{end:.2f}|>", "<|endoftext|>"]
    spec = WhisperSpec(1, 1, 1, 1)
    _empty(spec, len(vocabulary))
    # A place in the text shows through all layers, and makes the token that belongs there the likeliest.
    spec.decoder.position_encodings.encodings = np.eye(_LONGEST, _SIZE, dtype=np.float32)
    for place, token in enumerate(said):
        spec.decoder.projection.weight[ids[token], place] = 1
    spec.register_vocabulary(vocabulary)
    spec.config.suppress_ids = spec.config.suppress_ids_begin = spec.config.lang_ids = []
    spec.config.alignment_heads = [(0, 0)]
    spec.validate()
    spec.optimize()
    spec.save(str(folder))
    Tokenizer(WordLevel(ids, unk_token="<unk>")).save(str(folder / "tokenizer.json"))
    return folder


def _empty(spec: WhisperSpec, words: int) -> None:
    """Set all weights to nothing, in the shapes that they must have."""
    found: list[tuple[LayerSpec, str]] = []
    spec._visit(lambda part, path, _value: found.append((part, path)))
    for part, path in found:
        for ending, shape in _SHAPES.items():
            if path.endswith(ending):
                filled = float(ending == "/gamma")
                sizes = [words if size < 0 else size for size in shape]
                setattr(part, path.rpartition("/")[2], np.full(sizes, filled, np.float32))


_SHAPES = {
    "/conv1/weight": (_SIZE, _MELS, 3),
    "/conv2/weight": (_SIZE, _SIZE, 3),
    "/conv1/bias": (_SIZE,),
    "/conv2/bias": (_SIZE,),
    "/gamma": (_SIZE,),
    "/beta": (_SIZE,),
    "/self_attention/linear_0/weight": (3 * _SIZE, _SIZE),
    "/self_attention/linear_1/weight": (_SIZE, _SIZE),
    "/attention/linear_0/weight": (_SIZE, _SIZE),
    "/attention/linear_1/weight": (2 * _SIZE, _SIZE),
    "/attention/linear_2/weight": (_SIZE, _SIZE),
    "/ffn/linear_0/weight": (4 * _SIZE, _SIZE),
    "/ffn/linear_1/weight": (_SIZE, 4 * _SIZE),
    "/embeddings/weight": (-1, _SIZE),
    "/projection/weight": (-1, _SIZE),
    "encoder/position_encodings/encodings": (_ENCODED, _SIZE),
}
