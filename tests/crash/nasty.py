"""Requests made to stop a server: each a method, a path, and a body of a few bytes or of megabytes."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

GENERATE = "/v1beta/models/gemini-3-flash-preview:generateContent"
STREAM = "/v1beta/models/gemini-3-flash-preview:streamGenerateContent?alt=sse"
COUNT = "/v1beta/models/gemini-3-flash-preview:countTokens"
INTERACTIONS = "/v1beta/interactions"

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Nasty:
    """One request; its body is made when it is sent."""

    name: str
    body: Callable[[], bytes]
    path: str = GENERATE
    method: str = "POST"

    def __str__(self) -> str:
        return self.name


def text(*texts: str, **more: object) -> bytes:
    return asked([{"text": text} for text in texts], **more)


def asked(parts: list[Any], **more: object) -> bytes:
    return json.dumps({"contents": [{"role": "user", "parts": parts}], **more}).encode()


def with_schema(schema: Any, question: str = "Extract.", *parts: Any) -> bytes:
    form = {"responseMimeType": "application/json", "responseJsonSchema": schema}
    return asked([*parts, {"text": question}], generationConfig=form)


def inline(data: bytes, mime_type: str) -> dict[str, Any]:
    return {"inlineData": {"data": base64.b64encode(data).decode(), "mimeType": mime_type}}


def about(data: bytes, mime_type: str, question: str, **more: object) -> bytes:
    return asked([inline(data, mime_type), {"text": question}], **more)


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def page_of_text(width: int, height: int, step: int = 18) -> bytes:
    picture = Image.new("L", (width, height), 255)
    draw = ImageDraw.Draw(picture)
    for row, top in enumerate(range(4, height - step, step)):
        draw.text((4, top), f"Line {row} of the page 12.50", 0)
    return png(np.asarray(picture))


def bomb(width: int, height: int) -> bytes:
    """Make a PNG whose few bytes claim, and hold, very many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width + 7) // 8 + 1) * height, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def endless_choice(depth: int) -> Any:
    """Nest alternatives below the rows of a table."""
    definitions: dict[str, Any] = {f"d{depth}": {"type": "string"}}
    for level in range(depth):
        following = {"$ref": f"#/$defs/d{level + 1}"}
        definitions[f"d{level}"] = {"anyOf": [following, following]}
    row = {"type": "object", "properties": {"x": {"$ref": "#/$defs/d0"}}, "required": ["x"]}
    return {"$defs": definitions, "type": "array", "items": row}


def nested(depth: int) -> Any:
    schema: Any = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


def deep_json(depth: int) -> bytes:
    return b'{"contents": ' + b"[" * depth + b"]" * depth + b"}"


def interaction(**fields: object) -> bytes:
    return json.dumps({"model": "gemini-3-flash-preview", **fields}).encode()


def pattern(expression: str) -> bytes:
    return with_schema({"type": "string", "pattern": expression}, "Code: " + "a" * 200)


_TABLE = b"|a|b|\n" * (MEGABYTE // 6)
_SENTENCES = "This is a sentence without a line break after it. " * 4000
_ROWS = [inline(page_of_text(300, 1800), "image/png")] * 50

NASTY = (
    Nasty(
        "a string to be rewritten",
        lambda: b"{'contents':[{'parts':[{'text':\"\\'" + b"a" * 10 * MEGABYTE + b'\\""}]}]}',
    ),
    Nasty(
        "a text without a line break", lambda: about(_SENTENCES.encode(), "text/plain", "Transcribe it all")
    ),
    Nasty("the same as inline text", lambda: text(_SENTENCES, "Transcribe all the text.")),
    Nasty("nested repeats", lambda: pattern("^(a+)+$")),
    Nasty("alternatives of the same", lambda: pattern("^(?:a|a)*c$")),
    Nasty("optional alternatives", lambda: pattern("^" + "(?:a|a)?" * 16 + "a{16}c$")),
    Nasty("a repeat of repeats", lambda: pattern("^((a{0,100}){0,100}){0,100}b$")),
    Nasty("a look-ahead", lambda: pattern("^(?=(a+)+b)a*$")),
    Nasty("choices below table rows", lambda: with_schema(endless_choice(18), "Rows", _table())),
    Nasty("choices of choices", lambda: with_schema(endless_choice(40))),
    Nasty("a megabyte of table", lambda: about(_TABLE, "text/markdown", "What is in row 7?")),
    Nasty("a megabyte of HTML tags", lambda: about(b"<div>" * 200_000, "text/html", "Summarize")),
    Nasty("a megabyte of one word", lambda: about(b"a" * MEGABYTE, "text/plain", "Who is a?")),
    Nasty("a megabyte of spaces", lambda: about(b" \t" * (MEGABYTE // 2), "text/plain", "Summarize")),
    Nasty("a megabyte of nested JSON", lambda: about(b'{"a":' * 200_000, "application/json", "Summarize")),
    Nasty("a megabyte of RTF groups", lambda: about(b"{\\rtf1" + b"{" * MEGABYTE, "text/rtf", "Summarize")),
    Nasty("XML entities", lambda: about(_entities(), "text/xml", "Summarize")),
    Nasty("a wide CSV", lambda: about(b"," * MEGABYTE, "text/csv", "How many columns?")),
    Nasty("a question of 4 MB", lambda: text("What is this? " * 300_000)),
    Nasty("a question of one long word", lambda: text("a" * 4 * MEGABYTE)),
    Nasty("a question of quotes", lambda: text("“" * MEGABYTE)),
    Nasty("a question of digits and colons", lambda: text("1:2" * MEGABYTE)),
    Nasty("a question about sound of 4 MB", lambda: text("said spoken speech " * 200_000)),
    Nasty("a system instruction of 4 MB", lambda: text("Hello", systemInstruction=_said("word " * 800_000))),
    Nasty("a million parts", lambda: asked([{"text": "a"}] * 1_000_000)),
    Nasty("a hundred thousand turns", lambda: _turns(100_000)),
    Nasty("a hundred thousand functions", lambda: text("Hi", tools=[_functions(100_000)])),
    Nasty("an enum of a hundred thousand", lambda: with_schema({"enum": [str(n) for n in range(100_000)]})),
    Nasty("a hundred thousand properties", lambda: with_schema(_properties(100_000))),
    Nasty("a schema of a thousand levels", lambda: with_schema(nested(900))),
    Nasty("a number of a million digits", lambda: b'{"contents": [' + b"1" * MEGABYTE + b"]}"),
    Nasty("JSON of a hundred thousand levels", lambda: deep_json(100_000)),
    Nasty("18 MB that are no JSON", lambda: b"[" + b"1," * 9_000_000),
    Nasty("18 MB of base64", lambda: about(bytes(13 * MEGABYTE), "image/png", "What is this?")),
    Nasty("18 MB of broken base64", lambda: _broken_base64(18 * MEGABYTE)),
    Nasty("fifty pages of a hundred lines", lambda: asked([*_ROWS, {"text": "Transcribe all"}])),
    Nasty("a long picture", lambda: about(page_of_text(200, 20_000), "image/png", "Transcribe")),
    Nasty("a picture of noise", lambda: about(_noise(1500), "image/png", "Detect everything")),
    Nasty("a picture of too many pixels", lambda: about(bomb(60_000, 60_000), "image/png", "What?")),
    Nasty("a picture of 180 million pixels", lambda: about(bomb(13_000, 13_000), "image/png", "What?")),
    Nasty("the tokens of 4 MB", lambda: text("word " * 800_000), COUNT),
    Nasty(
        "a stream of 200 kB", lambda: about(_SENTENCES.encode(), "text/plain", "Transcribe it all"), STREAM
    ),
    Nasty("stop sequences in a long answer", lambda: _stopped()),
    Nasty("an interaction of 4 MB", lambda: interaction(input="What is this? " * 300_000), INTERACTIONS),
    Nasty("an interaction of many contents", lambda: _contents(300_000), INTERACTIONS),
)


def _entities() -> bytes:
    lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    return f'<!DOCTYPE x [<!ENTITY e0 "lol">{lines}]><x>&e11;</x>'.encode()


def _table() -> Mapping[str, Any]:
    return inline("".join(f"{row},{row * 3},name {row}\n" for row in range(300)).encode(), "text/csv")


def _said(words: str) -> Mapping[str, Any]:
    return {"parts": [{"text": words}]}


def _turns(count: int) -> bytes:
    turns = [{"role": ("user", "model")[n % 2], "parts": [{"text": "a"}]} for n in range(count + 1)]
    return json.dumps({"contents": turns}).encode()


def _functions(count: int) -> Mapping[str, Any]:
    return {"functionDeclarations": [{"name": f"f{n}", "description": "x"} for n in range(count)]}


def _properties(count: int) -> Mapping[str, Any]:
    return {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(count)}}


def _broken_base64(size: int) -> bytes:
    head, tail = about(b"", "image/png", "What?").split(b'"data": ""')
    return head + b'"data": "' + b"A-+/ " * (size // 5) + b'!"' + tail


def _noise(side: int) -> bytes:
    return png(np.random.default_rng(1).integers(0, 255, (side, side, 3), np.uint8))


def _stopped() -> bytes:
    stops = {"stopSequences": ["x" * 40 + str(n) for n in range(5)], "maxOutputTokens": 60_000}
    return about(_SENTENCES.encode(), "text/plain", "Transcribe it all", generationConfig=stops)


def _contents(count: int) -> bytes:
    return interaction(input=[{"type": "text", "text": "a"}] * count)
