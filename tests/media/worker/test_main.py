"""What a worker process may do while it has a stranger's file in hand."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from twinlens.media.worker.main import nothing_opened


def test_no_file_and_no_socket_is_opened_while_a_file_is_looked_into() -> None:
    with nothing_opened():
        with pytest.raises(OSError, match="Too many open files"):
            Path(__file__).read_bytes()
        with pytest.raises(OSError, match="Too many open files"):
            socket.socket()

    assert Path(__file__).read_bytes()
