"""One definition, three notations: they must agree with the number that is computed."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.formula import formula, number_text


@formula(
    name="Total processing performance",
    symbol="TPP",
    unit="TOPS × bit",
    inputs={"dense_tops": ("R", "TOPS"), "bit_length": ("b", "bit")},
    source="15 CFR 774 supplement 1",
)
def tpp(dense_tops, bit_length):
    """Rate times width."""
    return dense_tops * bit_length


@formula(
    name="Blend",
    symbol="P",
    unit="$/Mtok",
    inputs={"a": ("a", ""), "b": ("b", ""), "c": ("c", "")},
    source="test",
)
def mixed(a, b, c):
    top = a - (b - c)
    return np.maximum(top / (b * c + 1), -a) ** 2 + np.where(a > b, a, b) * np.sqrt(c)


def test_text_and_latex_of_h20():
    # TPP of the H20: 296 dense INT8 TOPS at 8 bit, published as 2,368 (H20 leaflet).
    assert tpp(296, 8) == 2368
    assert tpp.formula.text_with(dense_tops=296, bit_length=8).replace("\u00a0", " ") == (
        "Total processing performance = 296 TOPS × 8 bit = 2,368 TOPS × bit"
    )
    assert tpp.formula.latex() == r"TPP = R \times b"
    assert tpp.formula.latex_with(dense_tops=296, bit_length=8) == r"TPP = 296 \times 8 = 2{,}368"
    assert tpp.formula.spreadsheet({"dense_tops": "B2", "bit_length": "B3"}) == "=B2*B3"


def test_arrays_broadcast():
    np.testing.assert_array_equal(tpp(np.array([1, 2]), 8), [8, 16])


numbers = st.floats(0.1, 1e4, allow_nan=False)


@given(numbers, numbers, numbers)
def test_the_spreadsheet_cell_computes_the_same(a, b, c):
    cell = mixed.formula.spreadsheet({"a": "A1", "b": "B1", "c": "C1"})
    python = cell[1:].replace("^", "**").replace("A1", f"({a!r})").replace("B1", f"({b!r})").replace("C1", f"({c!r})")
    python = re.sub(r"IF\(", "IFF(", python)
    # A spreadsheet binds unary minus tighter than ^; the formula keeps the minus inside MAX, where both agree.
    names = {"MAX": max, "SQRT": math.sqrt, "IFF": lambda t, x, y: x if t else y}
    assert math.isclose(eval(python, {"__builtins__": {}}, names), mixed(a, b, c), rel_tol=1e-9)  # noqa: S307 - our own text


def test_a_minus_before_a_power_survives_the_spreadsheet():
    @formula(name="x", symbol="x", unit="", inputs={"a": ("a", "")}, source="test")
    def negative_square(a):
        return -(a**2)

    assert negative_square.formula.spreadsheet({"a": "A1"}) == "=-(A1^2)"


def test_nested_subtraction_keeps_its_parentheses():
    assert r"a - \left(b - c\right)" in mixed.formula.latex()


def declare(function, **inputs):
    return formula(name="x", symbol="x", unit="", inputs=inputs, source="test")(function)


def loops(a):
    for _ in range(2):
        a = a * a
    return a


def calls(a):
    return open(a)


def reads_elsewhere(a):
    return a * outside  # noqa: F821


@pytest.mark.parametrize("function", [loops, calls, reads_elsewhere])
def test_what_cannot_be_shown_is_refused(function):
    with pytest.raises(TypeError, match=function.__name__):
        declare(function, a=("a", ""))


def test_inputs_must_match_parameters():
    with pytest.raises(TypeError, match="differ"):
        declare(lambda a: a, b=("b", ""))
    with pytest.raises(ValueError, match="takes dense_tops, bit_length"):
        tpp.formula.value(dense_tops=1)


@pytest.mark.parametrize(
    "value, text",
    [(0, "0"), (2368.0, "2,368"), (0.0585, "0.0585"), (1.5, "1.5"), (-3, "−3"), (2.5e-7, "2.5e−7"), (1e26, "1e26"), (math.nan, "unknown")],
)
def test_numbers_read_as_people_write_them(value, text):
    assert number_text(value) == text
