"""The price frontier as a chart: numbers, words, receipt, and every switch."""

import json

import pandas as pd
import pytest

from charts.prices import level_fit
from charts.prices.level import CHART, Params


def made(snapshot, **state):
    params = Params(**state)
    table = CHART.table(params, snapshot)
    return table, CHART.words(table, params), params


def test_gpt4_level(snapshot):
    table, words, params = made(snapshot)
    records = table[table["record"]]
    # GPT-4 of 14 March 2023 at 30/60 is 37.50 at 3:1.
    assert records["price_usd_per_mtok"].iloc[0] == 37.5 and records["date"].iloc[0] == "2023-03-14"
    assert records["price_usd_per_mtok"].is_monotonic_decreasing
    assert "$37.50" in words.finding and "2023" in words.finding
    rate = table.attrs["rate"]
    assert rate["fold_low"] < rate["fold"] < rate["fold_high"] and rate["fold"] < rate["major_axis_fold"] < rate["inverse_fold"]
    assert rate["loo_low"] <= rate["fold"] <= rate["loo_high"]


def test_deepseek_v3_is_on_the_tenfold_line_and_the_test_is_stated(snapshot):
    table, words, _ = made(snapshot, test="deepseek-v3")
    promotion, listed = table.attrs["test"]
    assert listed["price"] == pytest.approx(0.4775) and listed["tenfold_ratio"] == pytest.approx(1.031, rel=2e-3)
    assert promotion["price"] == pytest.approx(0.175) and promotion["tenfold_ratio"] < 0.35
    assert "DeepSeek-V3 sits on a ten-fold-a-year line" in words.finding
    assert sum("degrees of freedom" in note for note in words.notes) == 2


def test_the_claim_of_1200_times(snapshot):
    table, _, _ = made(snapshot, level="gpt3", blend="avg", quantised=True, until="2024-12-31")
    assert table.attrs["rate"]["total_fold"] == pytest.approx(1500) and table.attrs["rate"]["n"] == 12


def test_fewer_than_four_records_draw_no_rate_and_say_why(snapshot, look):
    table, words, params = made(snapshot, buyable=True)
    assert table.attrs["rate"]["why"] == "Only 3 price records reach this level; a rate needs 4." and "fit" not in table.attrs["rate"]
    assert words.notes == (table.attrs["rate"]["why"],)
    texts = " ".join(str(a.text) for a in CHART.figure(table, params, look).layout.annotations)
    assert "no rate" in texts and "a year" not in texts
    assert "today" in words.finding


def test_nothing_reaches_the_level(snapshot, look):
    table, words, params = made(snapshot, level="own", benchmark="MMLU", threshold=1.0)
    assert table.empty and "No offer reaches MMLU ≥ 100 %" in words.empty and "highest score" in words.empty
    assert not made(snapshot, **{**params.model_dump(), **words.way_out})[0].empty
    CHART.figure(table, params, look)


def test_an_early_last_day_is_said_and_not_taken_for_today(snapshot):
    _, words, _ = made(snapshot, until="2023-05-01")
    assert words.finding.endswith("in 2023; no cheaper offer is listed by 1 May 2023")
    assert words.subtitle.endswith("Small dots: the one offer of 1 model that reaches the level. Line: the one that set a record.")
    assert words.coverage.startswith("1 offer of 1 model; ") and words.coverage.endswith("lie outside the days chosen or are switched off")
    assert "; the lowest offer by 1 Jun 2024, in March 2024, was" in made(snapshot, until="2024-06-01")[1].finding
    assert "; the lowest offer since, in" in made(snapshot)[1].finding


def test_the_line_ends_on_the_last_day_chosen(snapshot, look):
    table, _, params = made(snapshot, until="2023-12-31")
    figure = CHART.figure(table, params, look)
    assert str(figure.layout.xaxis.range[1]).startswith("2023-12-31") and not figure.layout.shapes
    if look.width != "phone":
        assert any("lowest by<br>31 Dec 2023" in a.text for a in figure.layout.annotations)
    assert not any("lowest so far" in a.text for a in figure.layout.annotations)


def test_days_before_any_offer_are_left_by_the_way_out(snapshot):
    table, words, params = made(snapshot, until="2020-01-01")
    assert table.empty and words.finding == "No offer to 1 Jan 2020 reaches GPT-4 (GPQA Diamond ≥ 35.7 %) under these switches"
    assert "offers would." in words.empty
    assert not made(snapshot, **{**params.model_dump(), **words.way_out})[0].empty


def test_a_model_under_test_without_an_offer_is_said(snapshot):
    _, words, _ = made(snapshot, test="deepseek-v3", until="2024-06-01")
    assert words.notes[0] == "No offer of DeepSeek-V3 that reaches the level is among these: no test is drawn."


def test_free_offers_are_shown_but_never_fitted(snapshot, look):
    without, _, _ = made(snapshot)
    table, _, params = made(snapshot, free=True)
    free = table[table["free"]]
    assert free["provider"].tolist() == ["Azure"] and not free["record"].any()
    assert table.attrs["rate"] == without.attrs["rate"]
    assert "free" in " ".join(str(a.text) for a in CHART.figure(table, params, look).layout.annotations)


def test_the_best_model_of_its_day_at_its_developer(snapshot, look):
    table, words, params = made(snapshot, own=True)
    own = table.attrs["own"]
    assert own["steps"][0]["price"] == 37.5 and len(own["steps"]) == own["rate"]["n"]
    assert all(a["score"] < b["score"] for a, b in zip(own["steps"], own["steps"][1:]))
    # It falls far more slowly than the price of a fixed level.
    assert own["rate"]["fold"] < table.attrs["rate"]["fold_low"]
    assert words.notes[0].startswith("Best model of its day: GPT-4") and "Dashed" in words.subtitle
    lines = len(CHART.figure(table, params, look).data)
    assert lines == len(CHART.figure(*made(snapshot)[::2], look).data) + 2
    assert made(snapshot)[0].attrs["own"] is None


@pytest.mark.parametrize(
    ("state", "check"),
    [
        ({"quantised": True}, lambda t: t["quantised"].eq(1).any()),
        ({"off_peak": True}, lambda t: t["tier"].eq("off-peak").any()),
        ({"buyable": True}, lambda t: t["buyable"].all()),
        ({"blend": "out"}, lambda t: t["price_usd_per_mtok"].equals(t["output_usd_per_mtok"])),
        ({"until": "2024-06-30"}, lambda t: (t["date"] <= "2024-06-30").all()),
        ({"since": "2024-01-01"}, lambda t: (t["date"] >= "2024-01-01").all() and t["date"].eq("2024-01-01").any()),
        ({"level": "o1"}, lambda t: (t["score"] >= 0.757).all()),
    ],
)
def test_switches_do_what_they_say(snapshot, state, check):
    table, _, _ = made(snapshot, **state)
    assert len(table) and check(table)


def test_caching_and_batch_only_make_it_cheaper(snapshot):
    plain = made(snapshot)[0].set_index(["model_id", "provider", "effective_date"])["price_usd_per_mtok"]
    for state in ({"cache_hit_share": 0.5}, {"batch": True}):
        other = made(snapshot, **state)[0].set_index(["model_id", "provider", "effective_date"])["price_usd_per_mtok"]
        both = pd.concat([plain, other], axis=1, keys=["plain", "other"]).dropna()
        assert (both["other"] <= both["plain"] * (1 + 1e-12)).all() and (both["other"] < both["plain"]).any()


def test_receipt_shows_the_last_record_and_its_doubts(snapshot):
    receipt = CHART.receipt(Params(), snapshot)
    blended = receipt.formulas[0]
    table, _, _ = made(snapshot)
    assert blended.result == pytest.approx(table[table["record"]]["price_usd_per_mtok"].iloc[-1])
    assert any("Score choice" in line for line in receipt.error) and any("Leaving out" in line for line in receipt.error)
    assert {row.rung for row in receipt.inputs} <= {"primary", "reported", "modelled", "claim"}


def test_the_table_survives_parquet_with_its_facts(snapshot, tmp_path, look):
    table, _, params = made(snapshot, test="deepseek-v3")
    assert json.loads(json.dumps(table.attrs)) == table.attrs
    table.to_parquet(tmp_path / "t.parquet")
    back = pd.read_parquet(tmp_path / "t.parquet")
    assert CHART.words(back, params) == CHART.words(table, params)
    assert len(CHART.figure(back, params, look).data) == len(CHART.figure(table, params, look).data)


def test_an_uploaded_offer_sets_a_record_and_is_safe_to_draw(snapshot, look):
    row = pd.DataFrame(
        [
            {
                "model_id": "gpt-4o-mini",
                "model_name": "<b>Mini</b> <script>alert(1)</script>",
                "provider": "My <i>host</i>",
                "effective_date": "2026-11-01",
                "input_usd_per_mtok": 0.01,
                "output_usd_per_mtok": 0.02,
            }
        ]
    )
    draft = snapshot.with_draft({"api_prices": row})
    table, words, params = made(draft)
    last = table[table["record"]].iloc[-1]
    assert last["provider"] == "My <i>host</i>" and last["price_usd_per_mtok"] == pytest.approx(0.0125) and last["buyable"]
    drawn = CHART.figure(table, params, look).to_json()
    assert "<script>" not in drawn and "\\u003cscript" not in drawn and "<i>host" not in drawn
    assert CHART.receipt(params, draft).formulas[0].result == pytest.approx(0.0125)


def test_offers_without_an_output_price_are_left_out(snapshot):
    row = pd.DataFrame([{"model_id": "gpt-4o-mini", "provider": "Half", "effective_date": "2026-11-01", "input_usd_per_mtok": 0.01}])
    table, _, _ = made(snapshot.with_draft({"api_prices": row}))
    assert not table["provider"].eq("Half").any()


def test_the_line_a_model_is_held_against_keeps_records_that_the_model_itself_undercut():
    days = [0.0, 50.0, 100.0, 150.0, 200.0, 250.0]
    offers = [("a", 10.0), ("x", 0.1), ("b", 5.0), ("c", 2.5), ("d", 1.25), ("x", 0.625)]
    rows = pd.DataFrame({"from_day": days, "weights_id": [m for m, _ in offers], "price_usd_per_mtok": [p for _, p in offers]})
    rows = rows.assign(provider="seller", developer="maker", record=[True, True, False, False, False, False])
    first, second = level_fit.test_facts(rows, "x")
    assert first["n"] == 1 and second["n"] == 4 and second["expected"] < 1.25
