"""Ranking, quarters, promises, shares, growth, editions, power, map: figures against sources, and words where nothing is left."""

from __future__ import annotations

import datetime

import pandas as pd
import pytest

from charts import compute, registry
from charts.labels import text_width
from charts.look import Look
from data.queries.promises import promises
from data.revisions import TableChange
from tests.charts.clusters.conftest import cluster

VIEWS = ["ranking", "quarters", "promised", "concentration", "growth", "secured", "editions", "map", "file"]


def shown(name, snapshot, **params):
    chart = registry.get(f"clusters.{name}")
    return compute.compute(chart, chart.params(**params), snapshot)


def test_the_ranking_is_led_by_colossus_2_and_rainier(shipped):
    # Epoch AI, AI Data Centers, export of August 2026.
    top = shown("ranking", shipped).table
    assert top["name"].tolist()[:2] == ["xAI Colossus 2", "Project Rainier (New Carlisle)"]


def test_a_ranking_as_of_a_day_knows_nothing_later(shipped):
    rows = shown("ranking", shipped, on=datetime.date(2024, 12, 31)).table
    assert (pd.to_datetime(rows["as_of"]) <= pd.Timestamp("2026-11-23")).all()
    assert "xAI Colossus 2" not in rows["name"].tolist()
    assert rows.set_index("name")["value"]["xAI Colossus 1"] == pytest.approx(139)


def test_a_whisker_stands_only_where_several_voices_speak(shipped):
    rows = shown("ranking", shipped, rows=60).table
    assert (rows["low"].notna() == (rows["voices"] > 1)).all()
    colossus = rows.set_index("name").loc["xAI Colossus 1"]
    assert (colossus["low"], colossus["high"]) == (300, 340)  # the tenant says 300 MW in May 2026


def test_quarters_add_up_to_the_levels(shipped):
    table = shown("quarters", shipped, quarters=40).table
    seen = table[~table["planned"].astype(bool)]["added"].sum()
    total = shown("concentration", shipped).table.attrs["total"]
    assert seen == pytest.approx(total)


def test_abilene_s_first_section_came_late(shipped):
    # Promised in February 2025 for 2025-09-30 at 200 MW; Epoch AI saw 211 MW on 2025-12-24.
    row = promises(shipped, "power_mw").set_index("phase").loc["first section"]
    assert row["outcome"] == "late"
    assert row["slip_months"] == pytest.approx(85 / 30.4375)


def test_a_promise_due_after_the_last_reading_is_due_and_never_late(shipped):
    rows = promises(shipped, "power_mw")
    due = rows[(rows["promised_day"] > "2026-08-03") & (rows["promised_day"] <= "2026-11-23")]
    assert len(due) == 8 and set(due["outcome"]) == {"due"} and due["slip_months"].isna().all()


def test_a_plan_that_a_later_revision_moved_stays_a_promise(of_rows):
    first = of_rows(
        cluster("a", power_mw=50, as_of="2025-01-01", online_date="2025-01-01"),
        cluster("a", phase="2", status="planned", power_mw=500, as_of="2025-06-01", online_date="2026-01-01"),
    )
    old = promises(first, "power_mw")
    assert old["outcome"].tolist() == ["due"]
    store = first.store
    gone = first.table("clusters").set_index("phase").loc["2", "fact_key"]
    moved = cluster("a", phase="2", status="planned", power_mw=400, as_of="2026-05-01", online_date="2027-01-01")
    store.apply([TableChange("clusters", pd.DataFrame([moved]), [gone])], kind="import", author="test")
    both = promises(store.snapshot(today=first.today), "power_mw")
    assert sorted(both["promised"]) == [400, 500]


def test_shares_add_up_and_google_leads_owners(shipped):
    table = shown("concentration", shipped).table
    assert table["share"].sum() == pytest.approx(1)
    assert table["group"].iloc[0] == "Google"


def test_growth_names_its_interval_and_n(shipped):
    result = shown("growth", shipped)
    fit = result.table.attrs["fit"]
    assert fit["growth_low"] < fit["growth"] < fit["growth_high"]
    assert f"n = {fit['n']}" in result.words.notes[0]


def test_no_rate_is_fitted_to_two_records(of_rows):
    result = shown("growth", of_rows(cluster("a", power_mw=10), cluster("b", power_mw=20, online_date="2026-01-01")), quantity="power_mw")
    assert result.table.attrs["fit"] is None
    assert "Fewer than three records" in result.words.notes[0]


def test_a_file_puts_testimony_side_by_side(shipped):
    result = shown("file", shipped, cluster="gpt4-iowa", quantity="chip_count")
    # 20,000 by the podcast of February 2025, 25,000 by Epoch AI.
    assert {v["value"] for v in result.table.attrs["voices"]} == {20_000, 25_000}
    assert result.table.attrs["ratio"] == pytest.approx(1.25)


def test_derived_figures_take_no_part_in_what_is_implied(shipped):
    # Epoch's capital is 37.882M USD per MW of its own MW: it must not confirm itself.
    for row in shown("file", shipped, cluster="xai-colossus2").table.attrs["implied"]:
        assert "capex_per_mw_usd" not in row


@pytest.mark.parametrize(
    ("cluster_id", "quantity", "value"),
    [
        ("highflyer-ff2", "chip_count", 10_000),  # C2
        ("deepseek-fleet", "chip_count", 50_000),  # C3
        ("meta-llama4", "chip_count", 128_000),  # C4
        ("msft-goodyear", "chip_count", 100_000),  # C5
        ("xai-colossus1", "chip_count", 200_000),  # C6: 100,000 H100 and 100,000 H200
        ("stargate-programme", "capex_usd", 500e9),  # C7
        ("anthropic-rainier", "chip_count", 400_000),  # C8
        ("bytedance-fleet", "chip_count", 500_000),  # C11
    ],
)
def test_each_claim_stands_in_its_cluster_s_file(shipped, cluster_id, quantity, value):
    table = shown("file", shipped, cluster=cluster_id, quantity=quantity).table
    said = table[table["source"].str.startswith("Lex Fridman")].groupby(["phase", "as_of"])["value"].sum()
    assert value in said.tolist()


def test_a_cluster_that_is_not_there_is_named(shipped):
    words = shown("file", shipped, cluster="no-such").words
    assert "no-such" in words.empty and words.way_out == {"cluster": "xai-colossus2"}


def test_the_edition_of_august_2026_is_held_against_that_of_december_2025(shipped):
    # Epoch AI, AI Data Centers, public copies of 14 Dec 2025 and of August 2026 (CC BY 4.0), what both say of 14 Dec 2025 in MW of
    # site power: Zhangbei 339 and 102, Colossus 1 498 and 442, Colossus 2 276 and 323, Omaha 189 in both.
    result = shown("editions", shipped)
    rows = result.table.set_index("cluster_id")
    assert (rows.loc["alibaba-zhangbei", "before"], rows.loc["alibaba-zhangbei", "after"]) == (339, 102)
    assert (rows.loc["xai-colossus1", "before"], rows.loc["xai-colossus1", "after"]) == (498, 442)
    assert rows.loc["xai-colossus2", "change"] == pytest.approx(323 / 276 - 1)
    assert rows.loc["google-omaha", "change"] == 0
    assert result.words.finding.endswith("(Aug 2026) against Dec 2025: 8 sites revised, −86 % to +17 %")
    assert "14 Dec 2025" in result.words.subtitle and "CC BY 4.0" in result.words.credit


def test_plans_of_two_editions_can_be_compared_too(shipped):
    # Abilene: ten buildings and 2,121 MW by March 2027 in the older edition, eight and 1,180 MW in the newer.
    rows = shown("editions", shipped, at="last").table.set_index("cluster_id")
    assert (rows.loc["stargate-abilene", "before"], rows.loc["stargate-abilene", "after"]) == (2121, 1180)


def test_an_older_edition_is_no_second_voice(shipped):
    rows = shown("ranking", shipped, quantity="site_power_mw", voices="all", rows=60).table
    assert not rows["source"].str.contains("Dec 2025").any()
    voices = shown("file", shipped, cluster="xai-colossus1", quantity="site_power_mw").table.attrs["voices"]
    assert len({v["source"] for v in voices if "AI Data Centers" in v["source"]}) == 1
    old = "Epoch AI, AI Data Centers (export Dec 2025, CC BY 4.0)"
    asked = shown("ranking", shipped, quantity="site_power_mw", source=old).table.set_index("cluster_id")["value"]
    assert asked["xai-colossus1"] == 498  # heard where it is asked for
    edition = ("export of December 2025 (public copy of 2025-12-14)",)
    assert set(shown("ranking", shipped, quantity="site_power_mw", voices="all", editions=edition).table["source"]) == {old}


def test_plans_of_an_older_edition_are_promises_the_newer_one_can_keep(shipped):
    # December 2025: Atlanta's four buildings at 919,478 H100e by 26 March 2026; August 2026 saw 768,769 on 14 June: not reached.
    rows = promises(shipped, "h100e").set_index(["cluster_id", "phase"])
    assert rows.loc[("msft-fairwater-atl", "4 buildings"), "outcome"] == "overdue"
    # Rainier's 16 buildings, 685,914 H100e by 9 January 2026, were seen on 23 March.
    assert rows.loc[("anthropic-rainier", "16 buildings"), "slip_months"] == pytest.approx(73 / 30.4375)


def test_a_new_edition_is_told_as_one(of_rows):
    old, new = "House, Sites (export Dec 2025)", "House, Sites (export Aug 2026)"
    snapshot = of_rows(
        cluster("a", power_mw=339, source=old, as_of="2025-12-01"),
        cluster("b", power_mw=498, source=old, as_of="2025-12-01"),
        cluster("a", power_mw=203, source=new, as_of="2026-08-01"),
        cluster("b", power_mw=425, source=new, as_of="2026-08-01"),
        cluster("added", power_mw=5, source=new, as_of="2026-08-01"),
    )
    result = shown("editions", snapshot, quantity="power_mw")
    assert result.words.finding == "House, Sites (Aug 2026) against Dec 2025: 2 sites revised, −40 % to −15 %"
    assert any("1 site is new" in note for note in result.words.notes)
    elsewhere = shown("editions", snapshot, quantity="capex_usd").words
    assert "IT power" in elsewhere.empty and elsewhere.way_out == {"quantity": "power_mw"}


def test_a_revision_can_be_held_against_the_one_before(of_rows):
    snapshot = of_rows(cluster("a", power_mw=100), cluster("b", power_mw=50))
    store = snapshot.store
    store.apply([TableChange("clusters", pd.DataFrame([cluster("a", power_mw=120)]))], kind="import", author="test")
    result = shown("editions", store.snapshot(today=snapshot.today), quantity="power_mw")
    assert result.table["change"].tolist() == pytest.approx([0.2])
    with pytest.raises(ValueError, match="revisions 2 to 2"):
        shown("editions", store.snapshot(today=snapshot.today), compare="rev:9")


@pytest.mark.parametrize("name", VIEWS)
def test_an_empty_store_gets_words(of_rows, name):
    result = shown(name, of_rows(cluster("gone", power_mw="", online_date="", status="claimed")))
    assert result.words.empty or name == "file"
    result.receipt  # noqa: B018 - it must be there too


PLANNED = {"status": "planned", "as_of": "2026-06-01", "online_date": "2028-01-01"}


@pytest.mark.parametrize("name", ["power", "ranking", "quarters", "promised", "concentration", "growth", "map", "file"])
@pytest.mark.parametrize(
    ("rows", "params"),
    [
        ([cluster("a", **PLANNED), cluster("b", **PLANNED)], {}),  # plans alone
        ([cluster("a", online_date=""), cluster("b", online_date="", status="claimed")], {}),  # nothing has a day
        ([cluster("a", latitude=60, longitude=10)], {}),  # one point
        ([cluster("a")], {"owners": ("Nobody",)}),  # a filter leaves nothing
    ],
)
def test_thin_facts_get_a_chart_or_words(of_rows, name, rows, params):
    snapshot = of_rows(*rows)
    if name == "file":
        params = {"cluster": "a"}
    result = shown(name, snapshot, **params)
    if result.words.empty:
        assert result.words.empty.endswith(".") and result.words.finding
    else:
        assert result.words.alt and len(result.table)
    for width in ("desk", "phone"):
        result.figure(Look("dark", width))
    assert result.receipt.assumptions or result.receipt.formulas


def test_a_cluster_that_vanished_keeps_its_file_at_the_revision_that_had_it(of_rows):
    first = of_rows(cluster("a"), cluster("b"))
    gone = first.table("clusters").set_index("cluster_id").loc["b", "fact_key"]
    first.store.apply([TableChange("clusters", None, [gone])], kind="import", author="test")
    later = first.store.snapshot(today=first.today)
    words = shown("file", later, cluster="b").words
    assert "No row names b" in words.empty and words.way_out == {"cluster": "a"}
    assert len(shown("file", first.store.snapshot(first.rev, today=first.today), cluster="b").table) == 1
    assert "b" in registry.get("clusters.file").unknown(registry.get("clusters.file").params(cluster="b"), later)["cluster"]


def test_names_the_store_does_not_have_are_told_with_the_nearest(shipped):
    chart = registry.get("clusters.power")
    said = chart.unknown(chart.params(owners=("Google", "Amazn"), countries=("China",), source="TOP500 list"), shipped)
    assert set(said) == {"owners", "source"}
    assert said["owners"].startswith("owners=Amazn") and said["owners"].endswith("the nearest is Amazon")
    assert "TOP500 list, " in said["source"]


@pytest.mark.parametrize("name", ["power", "ranking", "quarters", "concentration", "map"])
def test_coverage_stands_under_every_total_with_its_source(shipped, name):
    assert "Epoch AI, AI chip sales" in shown(name, shipped).words.coverage
    assert "No published total of the world counts capital" in shown(name, shipped, quantity="capex_usd").words.coverage


def test_groups_keep_each_site_in_one_group_at_a_time(of_rows):
    snapshot = of_rows(
        cluster("a", owner="First", power_mw=100, online_date="2025-01-01", as_of="2025-01-01"),
        cluster("a", owner="Second", phase="2", power_mw=130, online_date="2026-01-01", as_of="2026-01-01"),
        cluster("b", owner="First", power_mw=0.1, online_date="2025-06-01", as_of="2025-06-01"),
    )
    table = shown("power", snapshot, by="owner").table
    assert table[["line", "value", "sites"]].to_numpy().tolist() == [
        ["First", 100, 1],
        ["First", 100.1, 2],
        ["First", 0.1, 1],
        ["Second", 130, 1],
    ]


def test_lines_of_many_steps_are_thinned_to_the_last_of_a_month_and_say_so(of_rows):
    days = pd.date_range("2018-01-01", periods=1500, freq="2D").strftime("%Y-%m-%d")
    rows = [cluster(f"s{i}", owner=f"Owner {i % 2}", online_date=day, as_of="2026-06-01") for i, day in enumerate(days)]
    result = shown("power", of_rows(*rows), by="owner")
    assert len(result.table) <= 900
    assert any("only the last is drawn" in note for note in result.words.notes)
    assert result.table.drop_duplicates("line", keep="last")["value"].sum() == pytest.approx(result.table.attrs["total"])


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_names_in_the_growth_chart_stand_beside_their_records_once_each(shipped, width):
    result = shown("growth", shipped)
    named = [a for a in result.figure(Look("light", width)).layout.annotations if a.text]
    assert len(named) >= 3 and len({a.text for a in named}) == len(named)
    for label in named:
        assert abs(label.yshift) <= 40 and abs(label.xshift) <= 40 + text_width(label.text, 12) / 2, label.text


def test_one_promise_that_was_reached_is_told_in_the_singular(shipped):
    words = shown("promised", shipped).words
    assert words.finding == "Eight plans are due but unconfirmed; the one reached was late"
    assert words.notes == ("Slip of the one reached: +2.8 months.",)
