"""The codec of state: every field written, exact on the way back, a sentence for what cannot be read."""

from __future__ import annotations

import datetime
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charts import state
from charts.params import ChartParams, choice, day, flag, many, number, words


class Params(ChartParams):
    by: Literal["site", "user"] = choice("site", label="By", help="by what", labels={"site": "By site", "user": "By user"})
    mw: float = number(10, ge=1, le=10_000, label="MW", help="least", unit="MW")
    batch: int = number(7, ge=1, le=100, label="Batch", help="size")
    log: bool = flag(True, label="Log", help="scale")
    chips: tuple[str, ...] = many((), label="Chips", help="which")
    find: str = words("", label="Find", help="letters")
    on: datetime.date | None = day(None, label="On", help="day")


text = st.text(st.characters(blacklist_categories=("Cs",)), max_size=40)
params = st.builds(
    Params,
    by=st.sampled_from(["site", "user"]),
    mw=st.floats(1, 10_000),
    batch=st.integers(1, 100),
    log=st.booleans(),
    chips=st.lists(text.filter(bool), max_size=5).map(tuple),
    find=text,
    on=st.none() | st.dates(),
)


@given(params)
def test_what_is_written_is_read_back_exactly(given_params):
    again, ignored = state.decode(Params, state.split(state.encode(given_params)))
    assert again == given_params
    assert ignored == []


def test_every_field_is_written_defaults_too():
    assert state.encode(Params(mw=10.0)) == "by=site&mw=10.0&batch=7&log=true&chips=&find="


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("mw=abc", "ignored mw=abc: a number from 1 to 10,000 MW"),
        ("mw=0", "ignored mw=0: a number from 1 to 10,000 MW"),
        ("mw=nan", "ignored mw=nan"),
        ("mw=inf", "ignored mw=inf"),
        ("batch=7.5", "ignored batch=7.5: a whole number from 1 to 100"),
        ("by=planet", "ignored by=planet: one of site, user"),
        ("log=0", "ignored log=0: true or false"),
        ("on=2026/02/03", "ignored on=2026/02/03: a day as YYYY-MM-DD"),
        ("nosuch=1", "ignored nosuch=1: this chart's parameters are by, mw"),
        ("find=" + "x" * 201, "a text of at most 200 characters"),
    ],
)
def test_what_cannot_be_read_is_named_and_left_at_its_default(query, said):
    got, ignored = state.decode(Params, state.split(query))
    assert got == Params()
    assert len(ignored) == 1 and said in ignored[0]


def test_a_whole_number_written_as_a_float_is_read():
    assert state.decode(Params, state.split("batch=7.0"))[0].batch == 7


def test_reserved_names_are_no_parameters():
    assert state.decode(Params, state.split("rev=3&s=abc&embed=true&chart=x.y"))[1] == []
