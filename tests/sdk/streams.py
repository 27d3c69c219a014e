"""Read streams with the google-genai client on the path; print one JSON object of what came.

A program of its own, so that another version of the client than the tests' can be put on its path. Its
argument is the server's address.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from google import genai

QUESTIONS = {"lines": "ends of lines", "whole": "tell me a story", "broken": "break off"}


def read(client: genai.Client, question: str) -> dict[str, Any]:
    pieces: list[str | None] = []
    try:
        stream = client.models.generate_content_stream(model="gemini-3-flash-preview", contents=question)
        pieces.extend(chunk.text for chunk in stream)
    except genai.errors.APIError as error:
        return {"pieces": pieces, "error": f"{type(error).__name__}: {error.code} {error.message}"}
    return {"pieces": pieces, "error": None}


with genai.Client(api_key="any", http_options={"base_url": sys.argv[1]}) as opened:
    seen = {name: read(opened, question) for name, question in QUESTIONS.items()}
json.dump(seen | {"version": genai.__version__}, sys.stdout)
