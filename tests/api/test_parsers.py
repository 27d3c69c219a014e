"""Where texts that somebody else made are parsed: in processes, never in the server's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CODE = """
import base64, sys
from pathlib import Path
from starlette.testclient import TestClient
from twinlens.app import create_app
from twinlens.settings import Settings

texts = {
    "text/html": "<title>Trip</title><table><tr><td>Hotel<td>300</table>",
    "application/xml": "<order><total>5.00</total></order>",
    "text/csv": "a;b\\n1;2\\n",
    "application/json": '{"a": [{"b": 1}]}',
    "application/x-ndjson": '{"a": 1}\\n{"a": 2}\\n',
    "text/rtf": "{\\\\rtf1 total 5\\\\par}",
    "text/markdown": "# Guide\\n\\n| a | b |\\n|---|---|\\n| 1 | 2 |\\n",
    "text/plain": "Съешь ещё этих мягких французских булок, да выпей чаю.",
}
app = create_app(Settings(data_dir=Path(sys.argv[1]), decode_workers=1))
with TestClient(app, base_url="http://localhost") as client:
    while client.get("/readyz").status_code != 200:
        pass
    for mime_type, text in texts.items():
        data = base64.b64encode(text.encode("cp1251")).decode()
        parts = [{"inlineData": {"mimeType": mime_type, "data": data}}, {"text": "Read it."}]
        answer = client.post(
            "/v1beta/models/gemini-3-flash-preview:generateContent",
            json={"contents": [{"parts": parts}]},
            headers={"x-goog-api-key": "k"},
        )
        assert answer.status_code == 200, (mime_type, answer.text)
        print("answered", mime_type)
    for name in sys.modules:
        print("loaded", name)
"""
PARSERS = (
    "twinlens.media.decoders.",
    "twinlens.engines.builtin.documents.",
    *("chardet", "charset_normalizer", "selectolax", "lxml", "markdown_it"),
    *("html.parser", "xml.etree", "xml.dom", "xml.sax", "xml.parsers"),
)
"""What reads texts. `json` and `csv` are the server's too: who calls them for texts is in these packages."""


def test_no_parser_of_texts_is_loaded_in_the_server_whatever_it_is_sent(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", CODE, str(tmp_path)], capture_output=True, text=True)

    assert ended.returncode == 0, ended.stderr
    lines = [line.split() for line in ended.stdout.splitlines()]
    assert len([name for word, name in lines if word == "answered"]) == 8
    loaded = [name for word, name in lines if word == "loaded" and name.startswith(PARSERS)]
    assert loaded == []
