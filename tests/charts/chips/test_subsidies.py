"""Subsidies: the sourced amounts at the stated rate, the claim marked as one, nothing added that is inside another."""

import pytest

from analytics.chips.totals import amount_a_year, in_dollars
from charts.chips import subsidies
from charts.look import Look
from data.links import from_parquet, parquet

LOOKS = [Look(theme, width) for theme in ("light", "dark") for width in ("desk", "phone")]


def test_big_fund_iii_is_47_5_billion_dollars_at_the_rate_printed_beside_it():
    """Reuters, 2024-05-27: 344 billion yuan ($47.5 billion), $1 = 7.2449 yuan."""
    assert in_dollars(344, 7.2449) == pytest.approx(47.5, abs=0.05)
    assert amount_a_year(50.0, 5.0) == 10.0


def test_amounts_are_sourced_and_the_claim_is_marked(shipped):
    table = subsidies.table(subsidies.Params(), shipped)
    own = table.set_index("subsidy_id")
    assert own.loc["cn-bigfund-3", "bn_usd"] == pytest.approx(47.5, abs=0.05)
    assert own.loc["us-chips-fund-2022", "bn_usd"] == 50
    assert own.loc["cn-ai-fund-2025", "inside"] == "cn-bigfund-3"
    assert table.attrs["funds"] == pytest.approx((138.7 + 204 + 344) / 7.2449)  # the AI fund is paid out of the third
    assert set(table.loc[table["rung"] == "claim", "kind"]) == {"claim"} and (table["rung"] == "claim").sum() == 3
    assert table["source"].notna().all()


def test_a_year_leaves_out_what_states_no_years_and_says_so(shipped):
    params = subsidies.Params(per="year")
    table = subsidies.table(params, shipped)
    assert table["years"].notna().all() and "cn-bigfund-3" not in set(table["subsidy_id"])
    assert table.set_index("subsidy_id").loc["us-chips-fund-2022", "bn_usd"] == 10
    assert any("state no years" in note for note in subsidies.words(table, params).notes)


@pytest.mark.parametrize("params", [subsidies.Params(), subsidies.Params(per="year"), subsidies.Params(country="US", yuan=6.3)])
def test_it_draws_from_a_kept_table_everywhere(shipped, params):
    table = from_parquet(parquet(subsidies.table(params, shipped)))
    for look in LOOKS:
        assert len(subsidies.figure(table, params, look).data) == 1
    assert subsidies.receipt(params, shipped).inputs
