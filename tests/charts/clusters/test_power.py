"""Online over time: the shipped figures against their source, and how odd rows are read."""

from __future__ import annotations

import datetime

import pytest

from charts import compute, registry
from charts.look import Look
from tests.charts.clusters.conftest import cluster


def shown(snapshot, **params):
    chart = registry.get("clusters.power")
    return compute.compute(chart, chart.params(**params), snapshot)


def last_seen(result):
    seen = result.table[~result.table["planned"].astype(bool)]
    return seen.drop_duplicates("line", keep="last").set_index("line")["value"]


def test_colossus_and_rainier_run_what_epoch_sees(shipped):
    # Epoch AI, AI Data Centers, export of August 2026 (CC BY 4.0): 946 MW and 910 MW of IT power.
    seen = last_seen(shown(shipped))
    assert seen["xAI Colossus 2"] == pytest.approx(946)
    assert seen["Project Rainier (New Carlisle)"] == pytest.approx(910)


def test_the_total_is_the_sum_of_latest_levels_not_of_phases(shipped):
    result = shown(shipped)
    assert result.table.attrs["total"] == pytest.approx(float(last_seen(result).sum()))
    assert result.table.attrs["total"] < 10_000  # adding phases up would give several times as much


def test_colossus_1_fell_when_power_ran_short(shipped):
    # Same source: 340 MW in July 2025, 268 MW in September, 340 MW in November and, with less for cooling, in February 2026.
    line = shown(shipped, find="colossus 1").table
    assert line["value"].tolist()[-4:] == [340, 268, 340, 340]


def test_plans_past_their_day_are_due_not_running(shipped):
    result = shown(shipped, find="abilene")
    due = result.table[result.table["planned"].astype(bool)]
    assert due["value"].max() == pytest.approx(843)  # buildings 1 to 8, planned for November 2026
    assert last_seen(result)["Stargate Abilene"] == pytest.approx(421)  # buildings 1 to 4
    assert any("unconfirmed" in note for note in result.words.notes)


def test_h100_equivalents_by_16_bit_rates_count_chips(shipped):
    # 25,000 H100 are 25,000 H100e on either basis; 50,400 GB200 are 50,400 x 2,500 / 989.4 by dense 16-bit.
    rows = shown(shipped, quantity="h100e_16bit", find="abilene").table
    first = rows.sort_values("day").iloc[0]["value"]
    assert first == pytest.approx(50_400 * 2500 / 989.4, rel=0.02)


def test_fleets_and_superseded_rows_stay_out(of_rows):
    snapshot = of_rows(
        cluster("a"),
        cluster("b", phase="fleet", power_mw=900),
        cluster("c", status="superseded", power_mw=800),
        cluster("d", name="Next (generic)", power_mw=700),
    )
    assert last_seen(shown(snapshot)).to_dict() == {"A": 100}


def test_chips_of_several_kinds_on_one_day_are_added_up_and_two_phases_are_not(of_rows):
    snapshot = of_rows(
        cluster("a", chip_id="h100-sxm", chip_count=100),
        cluster("a", chip_id="h200-sxm", chip_count=50),
        cluster("b", phase="1", chip_count=10),
        cluster("b", phase="2", chip_count=30),
    )
    assert last_seen(shown(snapshot, quantity="chip_count")).to_dict() == {"A": 150, "B": 30}


def test_a_retired_site_falls_to_zero(of_rows):
    snapshot = of_rows(cluster("a"), cluster("b", status="retired", as_of="2026-01-31", power_mw=40))
    result = shown(snapshot, by="owner")
    assert result.table["value"].tolist() == [140, 100]


def test_a_site_that_changes_its_chip_is_not_counted_twice(of_rows):
    snapshot = of_rows(
        cluster("a", chip_id="h100-sxm", chip_count=100, online_date="2025-01-01", as_of="2025-01-01"),
        cluster("a", phase="2", chip_id="gb200", chip_count=300, online_date="2026-01-01", as_of="2026-01-01"),
    )
    result = shown(snapshot, by="chip", quantity="chip_count")
    last = result.table.drop_duplicates("line", keep="last").set_index("line")["value"]
    assert last.to_dict() == {"gb200": 300, "h100-sxm": 0}


def test_the_newest_voice_speaks_for_each_site(of_rows):
    snapshot = of_rows(
        cluster("a", power_mw=100, source="Old", as_of="2025-08-01"),
        cluster("a", power_mw=150, source="New", as_of="2026-08-01"),
        cluster("b", power_mw=70, source="Old", as_of="2025-08-01"),
    )
    assert last_seen(shown(snapshot, voices="newest")).to_dict() == {"A": 150, "B": 70}
    assert shown(snapshot, voices="all", by="owner").table["value"].iloc[-1] == 220
    assert sorted(last_seen(shown(snapshot, voices="all"))) == [70, 100, 150]


@pytest.mark.parametrize(
    ("rows", "params"),
    [
        ([cluster("a", online_date="")], {}),
        ([cluster("a", power_mw="")], {}),
        ([cluster("a")], {"owners": ("Nobody",)}),
        ([cluster("a")], {"find": "zzz"}),
        ([cluster("a")], {"source": "Nobody"}),
    ],
)
def test_nothing_to_draw_is_said_in_words_with_a_way_out(of_rows, rows, params):
    result = shown(of_rows(*rows), **params)
    assert result.words.empty and result.words.way_out is not None
    assert result.receipt.assumptions
    result.figure(Look())


@pytest.mark.parametrize("rows", [[cluster("a")], [cluster("a", status="planned", online_date="2028-01-01")], [cluster("a", power_mw=0.2)]])
def test_one_point_and_only_plans_are_drawn(of_rows, rows):
    result = shown(of_rows(*rows))
    assert not result.words.empty
    for theme in ("light", "dark"):
        assert result.figure(Look(theme, "phone")).data


def test_names_from_files_are_shown_letter_for_letter(of_rows):
    result = shown(of_rows(cluster("a", name="<b>Bold</b><script>")))
    assert "<script>" not in result.figure(Look()).to_json().replace("\\u003c", "<").replace("&lt;", "")


def test_the_day_is_the_snapshot_s_own(shipped_store):
    early = shown(shipped_store.snapshot(today=datetime.date(2025, 1, 1)))
    assert early.table.attrs["today"] == "2025-01-01"
