"""The token rules, against the documents' own numbers."""

from __future__ import annotations

from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlens.domain import budget
from twinlens.domain.errors import InvalidArgument
from twinlens.domain.generations import LINES, LineName
from twinlens.domain.geometry import PIXELS_PER_TOKEN, area32
from twinlens.domain.media import ImageInfo, Modality
from twinlens.domain.request import Level, Resolution

LEVELS: tuple[Level, ...] = ("UNSPECIFIED", "LOW", "MEDIUM", "HIGH", "ULTRA_HIGH")
sides = st.integers(1, 40_000)
lines = st.sampled_from(sorted(LINES))
levels = st.sampled_from(LEVELS)


def cost(
    line: LineName, size: tuple[int, int], overall: Level = "UNSPECIFIED", part: Resolution | None = None
) -> int:
    info = ImageInfo("PNG", "image/png", *size)
    return budget.plan(info, line, overall, part, "contents[0].parts[0]").billed


@pytest.mark.parametrize(
    ("level", "tokens"),
    [("UNSPECIFIED", 1120), ("LOW", 280), ("MEDIUM", 560), ("HIGH", 1120), ("ULTRA_HIGH", 2240)],
)
def test_h1_h2_gemini_3_bills_the_table_whatever_the_size(level: Level, tokens: int) -> None:
    assert {cost("gemini-3", size, level) for size in ((1, 1), (64, 64), (3000, 3000), (10, 9000))} == {
        tokens
    }


def test_h4_a_parts_resolution_wins_over_the_requests() -> None:
    assert cost("gemini-3", (100, 100), "LOW", Resolution("HIGH")) == 1120
    assert cost("gemini-3", (100, 100), "LOW", Resolution("UNSPECIFIED")) == 280


@pytest.mark.parametrize(
    ("size", "tokens"),
    [
        ((1, 1), 258),
        ((384, 384), 258),
        ((385, 384), 1032),
        ((384, 385), 1032),
        ((640, 480), 1032),
        ((960, 540), 1548),
        ((1920, 1080), 1548),
        ((1080, 1920), 1548),
        ((1024, 1024), 1032),
        ((3072, 3072), 1032),
        ((385, 1), 64 * 258),
    ],
)
@pytest.mark.parametrize("line", ["gemini-2.0", "gemini-2.5"])
def test_h9_gemini_2_bills_by_tiles(line: LineName, size: tuple[int, int], tokens: int) -> None:
    assert cost(line, size) == cost(line, size, "HIGH") == tokens


@pytest.mark.parametrize(
    ("size", "tokens"),
    [((385, 384), 1032), ((500, 200), 516), ((3072, 3072), 4128), ((4000, 3000), 6192), ((385, 1), 516)],
)
def test_gemini_1_5_clamps_the_crop_unit(size: tuple[int, int], tokens: int) -> None:
    assert cost("gemini-1.5", size) == tokens


@pytest.mark.parametrize("line", ["gemini-1.5", "gemini-2.0", "gemini-2.5"])
def test_h10_before_gemini_3_low_and_medium_are_flat(line: LineName) -> None:
    assert {cost(line, size, "LOW") for size in ((10, 10), (4000, 3000))} == {66}
    assert {cost(line, size, "MEDIUM") for size in ((10, 10), (4000, 3000))} == {258}


def test_ultra_high_counts_as_high_before_gemini_3() -> None:
    assert cost("gemini-2.5", (960, 540), "LOW", Resolution("ULTRA_HIGH")) == cost(
        "gemini-2.5", (960, 540), "HIGH"
    )


@pytest.mark.parametrize("line", sorted(LINES))
def test_num_tokens_is_an_exact_cap(line: LineName) -> None:
    assert cost(line, (4000, 3000), "HIGH", Resolution("LOW", 300)) == 300


@pytest.mark.parametrize("num_tokens", [-1, 0, 16_513])
def test_num_tokens_out_of_range_is_refused_by_name(num_tokens: int) -> None:
    with pytest.raises(InvalidArgument, match="num_tokens") as refusal:
        cost("gemini-3", (10, 10), "HIGH", Resolution(num_tokens=num_tokens))
    assert refusal.value.violations[0].field == "contents[0].parts[0].media_resolution.num_tokens"


@given(lines, levels, sides, sides)
def test_a_budget_is_positive_and_bounded(line: LineName, level: Level, width: int, height: int) -> None:
    info = ImageInfo("PNG", "image/png", width, height)

    planned = budget.plan(info, line, level, None, "x")

    assert 0 < planned.payload <= planned.billed <= 64 * 258
    assert planned.modality is Modality.IMAGE


@given(sides, sides)
def test_the_crop_unit_is_the_documents_floor(width: int, height: int) -> None:
    unit = max(floor(min(width, height) / 1.5), 1)
    tiles = min(ceil(width / unit) * ceil(height / unit), 64) if max(width, height) > 384 else 1

    assert budget.tile_count(width, height) == tiles


@given(sides, sides, st.integers(1, 5000))
def test_the_fit_never_spends_more_than_its_payload(width: int, height: int, payload: int) -> None:
    fit = area32(width, height, payload)

    assert fit.tokens <= payload
    assert fit.width * fit.height <= payload * PIXELS_PER_TOKEN
    assert 1 <= fit.width <= width
    assert 1 <= fit.height <= height


@given(st.integers(200, 8000), st.integers(200, 8000), st.integers(64, 2240))
def test_the_fit_uses_what_is_paid_for_and_keeps_the_shape(width: int, height: int, payload: int) -> None:
    fit = area32(width, height, payload)

    possible = min(width * height, payload * PIXELS_PER_TOKEN)
    assert fit.width * fit.height >= 0.97 * possible
    assert fit.width / fit.height == pytest.approx(width / height, rel=0.04)


def test_a_small_image_is_not_enlarged() -> None:
    assert area32(64, 48, 1120) == area32(64, 48, 280)
    assert (area32(64, 48, 1120).width, area32(64, 48, 1120).height) == (64, 48)


@pytest.mark.parametrize(
    ("line", "level", "frame", "page"),
    [
        ("gemini-3", "UNSPECIFIED", 70, 560),
        ("gemini-3", "LOW", 70, 280),
        ("gemini-3", "MEDIUM", 70, 560),
        ("gemini-3", "HIGH", 280, 1120),
        ("gemini-2.5", "UNSPECIFIED", 258, 258),
        ("gemini-2.5", "LOW", 66, 66),
        ("gemini-2.5", "MEDIUM", 258, 258),
        ("gemini-2.5", "HIGH", 258, 258),
        ("gemini-2.0", "LOW", 66, 66),
        ("gemini-1.5", "UNSPECIFIED", 258, 258),
    ],
)
def test_h12_i1_i2_frames_and_pages_cost_what_the_tables_say(
    line: LineName, level: Level, frame: int, page: int
) -> None:
    assert budget.plan_frame(line, level, None, "parts[0]").billed == frame
    assert budget.plan_page(line, level, None, "parts[0]").billed == page


def test_h12_pages_are_images_on_gemini_3_and_documents_before() -> None:
    assert budget.plan_page("gemini-3", "LOW", None, "").modality is Modality.IMAGE
    assert budget.plan_page("gemini-2.5", "LOW", None, "").modality is Modality.DOCUMENT
    assert budget.plan_frame("gemini-2.5", "LOW", None, "").modality is Modality.VIDEO


@pytest.mark.parametrize("plan", [budget.plan_frame, budget.plan_page])
@pytest.mark.parametrize("line", sorted(LINES))
def test_h7_ultra_high_is_for_images_alone(plan: budget.FramedPlan, line: LineName) -> None:
    with pytest.raises(InvalidArgument, match="is only supported for image parts") as refused:
        plan(line, "LOW", Resolution("ULTRA_HIGH"), "contents[0].parts[1]")

    assert refused.value.violations[0].field == "contents[0].parts[1].media_resolution.level"


def test_num_tokens_caps_each_frame_and_each_page() -> None:
    assert budget.plan_frame("gemini-3", "HIGH", Resolution(num_tokens=100), "").payload == 100
    assert budget.plan_page("gemini-2.5", "LOW", Resolution(num_tokens=100), "").payload == 98


@pytest.mark.parametrize(
    ("seconds", "line", "tokens"),
    [
        (60, "gemini-2.5", 1920),
        (60, "gemini-3", 1500),
        (10, "gemini-2.0", 320),
        (320, "gemini-2.5", 10_240),
        (60.021, "gemini-2.5", 1920),
        (59.99, "gemini-2.5", 1920),
        (2.5, "gemini-3", 63),
        (0.01, "gemini-3", 1),
    ],
)
def test_i1_i2_i11_sound_is_billed_by_the_second(seconds: float, line: LineName, tokens: int) -> None:
    assert budget.sound_tokens(seconds, line) == tokens
