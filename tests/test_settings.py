"""What is wrong with settings is said before anything starts."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from twinlens.settings import KNOBS, Settings, env, flag

NUMBERS = [knob for knob in KNOBS if type(knob.default) in (int, float)]


def problems(**changes: Any) -> list[str]:
    return replace(Settings(), **changes).problems()


def test_the_defaults_are_right() -> None:
    assert Settings().problems() == []


def test_a_setting_is_spelt_as_a_flag_and_as_a_variable() -> None:
    assert (flag("data_dir"), env("data_dir")) == ("--data-dir", "TWINLENS_DATA_DIR")


@pytest.mark.parametrize("name", [knob.name for knob in NUMBERS])
def test_every_number_has_a_least(name: str) -> None:
    (said,) = problems(**{name: -1})

    assert said.startswith(f"{flag(name)} must be at least ")


@pytest.mark.parametrize("name", [knob.name for knob in NUMBERS if isinstance(knob.default, float)])
@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_an_amount_is_a_number(name: str, value: float) -> None:
    assert problems(**{name: value}) == [f"{flag(name)} must be a number, not {value}."]


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("port", 0),
        ("max_file_bytes", 1),
        ("upload_lifetime_s", 1),
        ("processing_wait_s", 0),
        ("sweep_interval_s", 0.1),
        ("cache_max_bytes", 0),
        ("max_image_pixels", 1),
        ("request_timeout_s", 0.001),
        ("max_running", 1),
        ("max_waiting", 0),
        ("decode_workers", 1),
        ("decode_memory_mib", 256),
        ("engine_processes", 1),
        ("shutdown_timeout_s", 0),
    ],
)
def test_the_least_is_still_allowed(name: str, least: float) -> None:
    assert problems(**{name: least}) == []


@pytest.mark.parametrize(
    ("name", "value", "limit"),
    [
        ("port", 65_536, "65535"),
        ("max_file_bytes", 2**53 + 1, "9007199254740992 bytes"),
        ("upload_lifetime_s", 10**12, "3153600000 seconds"),
        ("decode_memory_mib", 2**33 + 1, "8589934592 MiB"),
    ],
)
def test_what_was_mistyped_is_said(name: str, value: int, limit: str) -> None:
    assert problems(**{name: value}) == [f"{flag(name)} must be at most {limit}, not {value}."]


def test_who_listens_to_others_needs_a_key() -> None:
    (said,) = problems(host="0.0.0.0")

    assert "Add --api-key KEY" in said
    assert problems(host="0.0.0.0", api_key=("secret",)) == []


@pytest.mark.parametrize("host", ["127.0.0.1:80", "", "a b"])
def test_a_host_is_one_address_or_name(host: str) -> None:
    assert any(said.startswith("--host must be one address") for said in problems(host=host))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"public_url": "ftp://host"}, "--public-url must be http"),
        ({"file_uri_base": "https://host"}, "--file-uri-base must be http"),
        ({"trusted_proxies": ("10.0.0.0/99",)}, "--trusted-proxies must be an address"),
        ({"allow_host": ("http://a",)}, "--allow-host must be host[:port]"),
        ({"allow_origin": ("*",)}, "--allow-origin must be scheme://host"),
        ({"api_key": ("a b",)}, "--api-key must be letters"),
        ({"api_key": ("a",), "allow_origin": ("http://a",)}, "A server with keys answers"),
        ({"metrics_key": "a", "open_metrics": True}, "--metrics-key must be no --api-key"),
        ({"metrics_key": "a\n"}, "--metrics-key must have letters"),
        ({"script": Path("answers.yaml")}, "--script is read by the script engine only"),
        ({"youtube_resolver": Path("/nowhere")}, "--youtube-resolver /nowhere is no program"),
    ],
)
def test_a_setting_that_does_not_fit_is_named_by_its_flag(changes: dict[str, Any], said: str) -> None:
    (found,) = problems(**changes)

    assert found.startswith(said)


def test_a_secret_is_never_shown() -> None:
    said = problems(api_key=("se cret",), metrics_key="hid den")

    assert not any("cret" in each or "den" in each for each in said)


def test_a_program_that_can_be_run_may_find_videos() -> None:
    assert problems(youtube_resolver=Path(sys.executable)) == []
