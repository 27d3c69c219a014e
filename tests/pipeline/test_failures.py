"""What a failure means to a caller, and what the log is told of it."""

from __future__ import annotations

import errno
import logging

import pytest

from twinlens.domain.errors import Internal, InvalidArgument, ResourceExhausted, Unavailable
from twinlens.pipeline.failures import drop_tracebacks, report, to_api_error


def test_an_error_of_ours_is_told_as_it_is() -> None:
    error = InvalidArgument("fps must be above 0.", field="contents")

    assert to_api_error(error) is error


def test_what_nobody_has_translated_is_our_fault_and_says_nothing_of_its_inside() -> None:
    error = to_api_error(ValueError("inside"))

    assert isinstance(error, Internal)
    assert "inside" not in error.message
    assert isinstance(error.__cause__, ValueError)


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, ResourceExhausted), (errno.EROFS, Unavailable), (errno.EIO, Internal)]
)
def test_what_the_system_has_run_out_of_can_be_told(number: int, kind: type[Exception]) -> None:
    assert type(to_api_error(OSError(number, "words of the system"))) is kind


def test_a_fault_of_ours_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    report(to_api_error(ValueError("inside")), "a stream")

    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.ERROR, "a stream broke")
    assert "ValueError: inside" in caplog.text


def test_what_caused_a_refusal_is_logged_in_a_line(caplog: pytest.LogCaptureFixture) -> None:
    refusal = InvalidArgument("The PNG data is damaged.", field="contents")
    refusal.__cause__ = ValueError("chunk 7")

    with caplog.at_level(logging.INFO):
        report(refusal, "a stream")

    assert [record.getMessage() for record in caplog.records] == ["The PNG data is damaged.: chunk 7"]


def test_a_plain_refusal_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        report(InvalidArgument("fps must be above 0.", field="contents"), "a stream")

    assert not caplog.records


def test_the_frames_of_an_error_and_of_all_it_refers_to_are_let_go() -> None:
    def fail() -> None:
        try:
            raise ValueError
        except ValueError as cause:
            raise ExceptionGroup("both", [cause]) from cause

    with pytest.raises(ExceptionGroup) as caught:
        fail()
    error = caught.value
    drop_tracebacks(error)

    assert [each.__traceback__ for each in (error, error.__cause__, *error.exceptions) if each] == [None] * 3
