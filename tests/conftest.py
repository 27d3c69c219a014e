"""Lets every test import the makers beside this file: `images`, `clips`, `pdfs`, `speech` and others."""

from __future__ import annotations

import gc
import os
import sys
from collections import Counter
from pathlib import Path

# Before anybody loads numpy: on few cores, threads of its own only get in the way of the workers.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

sys.path.append(str(Path(__file__).parent))

# A busy machine is no fault of the test's.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Know the list of what may be left out."""
    parser.addoption(
        "--allowed-skips",
        metavar="FILE",
        type=Path,
        help="Fail when a test is skipped for a reason that begins like no line of this file.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Hold skipped tests against that list, if there is one."""
    if config.option.allowed_skips:
        lines = config.option.allowed_skips.read_text().splitlines()
        allowed = tuple(line for line in lines if line and not line.startswith("#"))
        config.pluginmanager.register(_Skips(allowed))


def pytest_collection_finish() -> None:
    """Set aside what collecting the tests has made: the decoders have garbage collected, as in a worker."""
    gc.collect()
    gc.freeze()


class _Skips:
    """Counts the tests that were left out without leave, and fails the run over them."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self._allowed = allowed
        self._reasons: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Look at a test."""
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Look at a file: it may be left out as a whole."""
        self._note(report)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name what was left out."""
        for reason, count in self._reasons.items():
            terminalreporter.write_line(f"LEFT OUT, and on no list: {reason} ({count})", red=True)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail."""
        if self._reasons and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if not report.skipped or hasattr(report, "wasxfail"):
            return
        said = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = said.removeprefix("Skipped: ")
        if not reason.startswith(self._allowed):
            self._reasons[reason] += 1
