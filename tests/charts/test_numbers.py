from __future__ import annotations

import datetime

import pytest

from charts import numbers


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (numbers.power, 946, "946 MW"),
        (numbers.power, 2263, "2.3 GW"),
        (numbers.power, 1000, "1 GW"),
        (numbers.power, 0.559, "559 kW"),
        (numbers.chips, 16_384, "16,384"),
        (numbers.chips, 128_000, "128k"),
        (numbers.count, 20_000, "20k"),
        (numbers.count, 1_111_673, "1.11M"),
        (numbers.count, 999_999, "1M"),
        (numbers.dollars, 37.5, "$37.50"),
        (numbers.dollars, 0.0585, "$0.0585"),
        (numbers.dollars, 5_576_000, "$5.58M"),
        (numbers.dollars, -3, "−$3.00"),
        (numbers.dollars, 2.649e12, "$2.65T"),
        (numbers.seconds, 4_682_880, "54.2 days"),
        (numbers.plain, 2368.0, "2,368"),
        (numbers.plain, float("nan"), "unknown"),
    ],
)
def test_amounts_are_written_as_the_field_writes_them(write, value, text):
    assert write(value) == text


def test_dates_keep_the_precision_they_were_given():
    assert [numbers.date(d) for d in ("2026", "2026-11", "2026-11-23")] == ["2026", "Nov 2026", "23 Nov 2026"]


def test_an_age_is_counted_from_the_first_day_of_a_month_or_year():
    today = datetime.date(2026, 11, 23)
    assert numbers.age_days("2026-11", today) == 22
    assert numbers.age_days("nonsense", today) is None


def test_log_ticks_are_1_2_5_steps_within_the_axis():
    ticks = numbers.log_ticks(40, 3000, numbers.power)
    assert ticks["tickvals"] == [50, 100, 200, 500, 1000, 2000]
    assert ticks["ticktext"][-1] == "2 GW"
