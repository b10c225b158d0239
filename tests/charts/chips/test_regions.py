"""Regions of a regime and of a draft: who falls in and out on published days, exact edges, refused expressions."""

import json

import numpy as np
import pytest

from analytics.chips.rules import OUTCOMES
from charts.chips import draft, regime
from charts.chips.regions import Regions
from charts.look import Look
from data.links import from_parquet, parquet


def moved(snapshot, **params):
    table = regime.table(regime.Params(**params), snapshot).set_index("chip_id")
    return table, {chip for chip in table.index if table.loc[chip, "moved"]}


def test_the_letters_of_april_2025_catch_the_h20(shipped):
    table, who = moved(shipped)
    assert {"h20", "h20-141"} <= who
    assert table.loc["h20", ["outcome_before", "outcome"]].tolist() == ["no_clause_met", "company_letter"]  # NVIDIA 8-K of 2025-04-15


def test_october_2023_catches_the_h800_and_a800(shipped):
    table, who = moved(shipped, plane="tpp_pd", on="2023-11-17", since="2023-10-20")
    assert {"h800-sxm", "a800-sxm-80"} <= who and table.loc["h800-sxm", "outcome_before"] == "no_clause_met"
    words = regime.words(table.reset_index(), regime.Params(plane="tpp_pd", on="2023-11-17", since="2023-10-20"))
    assert "fell under a clause" in words.finding


def test_the_edges_of_a_region_are_the_thresholds_themselves(shipped):
    table, _ = moved(shipped, plane="tpp_memory", on="2026-01-15", base="h200-sxm")
    found = Regions.from_json(json.loads(json.dumps(table.attrs["regions"])))
    # TPP under 21,000 and bandwidth under 6,500 GB/s (91 FR 1684)
    assert 21_000 in found.x and 6_500 in found.y
    code = OUTCOMES.index("licence_case_by_case")
    columns = np.flatnonzero((found.codes == code).any(axis=0))
    assert found.x[columns.max() + 1] == 21_000 and found.x[columns.min()] == pytest.approx(4_800, rel=0.01)


def test_a_draft_names_what_it_newly_catches(shipped):
    table = draft.table(draft.Params(), shipped).set_index("chip_id")
    assert table.loc["rtx4090d", "newly"] and not table.loc["h100-sxm", "newly"]
    assert (
        table.loc["gaudi3", "caught"] == "true"
        and table.loc["tpu-v4", "caught"] == "unknown"
        and "die area" in table.loc["tpu-v4", "needs"]
    )


@pytest.mark.parametrize("expr", ["", "tpp >", "tpp >= 1 or os.system('x')", "(" * 300])
def test_a_draft_that_cannot_be_read_is_refused_with_its_place(shipped, expr):
    with pytest.raises(ValueError, match=r"^position \d+: "):
        draft.table(draft.Params(expr=expr), shipped)


@pytest.mark.parametrize("module", [regime, draft])
@pytest.mark.parametrize("plane", ["memory_io", "tpp_pd", "io_tpp", "tpp_memory"])
def test_every_plane_draws_from_a_kept_table(shipped, module, plane):
    params = module.Params(plane=plane)
    kept = from_parquet(parquet(module.table(params, shipped)))
    for look in (Look("light", "desk"), Look("dark", "phone")):
        assert module.figure(kept, params, look).data
