"""Cells of number columns, as people write them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.importing import units
from data.importing.numbers import decimal_mark, parse


@pytest.mark.parametrize(
    ("text", "value", "low", "high"),
    [
        ("200,000+", 200_000, 200_000, None),
        ("~550,000", 550_000, None, None),
        ("US$7\u00a0billion", 7e9, None, None),
        ("≥1.2 GW", 1.2, 1.2, None),
        ("0.5 million", 500_000, None, None),
        ("500,000–700,000", 600_000, 500_000, 700_000),
        ("$5-6B", 5.5e9, 5e9, 6e9),
        ("12 bis 15 MW", 13.5, 12, 15),
        ("5 GW (1 GW for OpenAI)", 5, None, None),
        ("1.00E+05", 100_000, None, None),
        ("150E", 150, None, None),
        ("up to 2 GW", 2, None, 2),
        ("100 000", 100_000, None, None),
        ("20万", 200_000, None, None),
        ("12[3]", 12, None, None),
        ("12¹", 12, None, None),
        ("١٠٠", 100, None, None),
        ("1,5 Mrd. €", 1.5e9, None, None),
        ("10.836244557", 10.836244557, None, None),
    ],
)
def test_value_and_range(text, value, low, high):
    found = parse(text)
    assert found.value == pytest.approx(value, rel=1e-12)
    assert (None if math.isnan(found.low) else found.low) == low
    assert (None if math.isnan(found.high) else found.high) == high


@pytest.mark.parametrize("text", ["", "TBA", "—", "N/A", "?", "n/a", "#N/A", "unknown", "-"])
def test_words_for_missing(text):
    assert parse(text).missing


@pytest.mark.parametrize("text", ["H100", "Q1", "see note", "#REF!", "inf", "-Infinity"])
def test_no_number(text):
    assert parse(text).error


def test_brackets_alone_are_ambiguous():
    assert parse("(140)").missing and parse("(140)").warning


@pytest.mark.parametrize(
    ("text", "rest"), [("~500k Trainium 2", "Trainium 2"), ("100,800 GB200", "GB200"), ("0 H100", "H100"), ("44544 MI300A", "MI300A")]
)
def test_the_chip_behind_a_count_is_left_over(text, rest):
    assert parse(text).rest == rest


@pytest.mark.parametrize(
    ("text", "value", "unit"), [("814 mm²", 814, "mm2"), ("814mm²", 814, "mm2"), ("8.14 cm²", 8.14, "cm2"), ("814²", 814, "")]
)
def test_a_square_is_part_of_a_unit_and_elsewhere_a_footnote(text, value, unit):
    found = parse(text)
    assert (found.value, found.unit) == (value, unit)


@pytest.mark.parametrize(
    ("text", "mark", "value"), [("1.234,5", ",", 1234.5), ("1,5", ",", 1.5), ("1.234", ",", 1234), ("1.234", ".", 1.234)]
)
def test_decimal_marks(text, mark, value):
    assert parse(text, mark).value == value


def test_the_decimal_mark_of_a_column():
    assert decimal_mark(["13,1", "1.234,5"], ";") == (",", "shown")
    assert decimal_mark(["1.234", "5.678"], ";") == (".", "ambiguous")
    assert decimal_mark(["1,234", "5.5"], ",") == (".", "shown")


@given(st.floats(min_value=0, max_value=1e15, allow_nan=False))
def test_any_plain_number_reads_back(number):
    assert parse(repr(number)).value == number


@given(st.text(max_size=60))
def test_any_text_gets_an_answer(text):
    found = parse(text)
    assert found.missing or found.error or math.isfinite(found.value)


def test_factors_between_units():
    assert units.factor("GW", "MW") == 1000 and units.factor("kW", "MW") == 0.001
    assert units.factor("TB/s", "GB/s") == 1000 and units.factor("GB/s", "MW") is None


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("Capex, $m", (1e6, "", "USD")),
        ("Current total capital cost (2025 USD billions)", (1e9, "", "USD")),
        ("Power (kW)", (None, "kW", "")),
        ("GPUs (k)", (1e3, "", "")),
        ("memory_bandwidth_gb_per_s", (None, "GB/s", "")),
        ("Link (Gbit per second)", (None, "Gbit/s", "")),
    ],
)
def test_units_in_headers(header, found):
    assert units.in_words(header) == found
