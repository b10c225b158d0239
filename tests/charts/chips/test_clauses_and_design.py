"""Chip by clause on published days, and designs held against the lines."""

import pytest

from charts.chips import clauses, design


def outcome(snapshot, chip_id, **params):
    table = clauses.table(clauses.Params(chips=(chip_id,), **params), snapshot)
    return table["outcome"].iloc[0], table


def test_published_outcomes_of_december_2023(shipped):
    # NVIDIA 8-K of 2023-10-17 lists A100, A800, H100, H800, L40, L40S and RTX 4090; SemiAnalysis 2023-11-09 H20, L20, L2 as just under
    for chip_id in ("a100-sxm-80", "a800-sxm-80", "h100-sxm", "h800-sxm", "l40s"):
        assert outcome(shipped, chip_id, on="2023-12-01")[0] == "licence_presumption_of_denial"
    assert outcome(shipped, "rtx4090", on="2023-12-01")[0] == outcome(shipped, "l40", on="2023-12-01")[0] == "notification_nac"
    for chip_id in ("h20", "l20", "l2", "rtx4090d"):
        assert outcome(shipped, chip_id, on="2023-12-01")[0] == "no_clause_met"


def test_a_chinese_parent_carries_the_rule_to_singapore(shipped):
    assert outcome(shipped, "h100-sxm", dest="SG", chinese_parent=True)[0] == "licence_presumption_of_denial"
    alone = clauses.Params(chips=("h100-sxm",), dest="SG")
    assert clauses.words(clauses.table(alone, shipped), alone).empty or outcome(shipped, "h100-sxm", dest="SG")[0] == "no_clause_met"


def test_the_unknown_is_marked_and_named(shipped):
    found, table = outcome(shipped, "mi308x")
    assert found == "unknown" and (table["status"] == "unknown").any()
    assert any("needs a dense rate" in note for note in clauses.words(table, clauses.Params(chips=("mi308x",))).notes)


def test_the_h20s_own_sheet_gets_the_h20s_answer(shipped):
    table = design.table(design.Params(), shipped)
    assert table.attrs["outcome"] == "company_letter" and table.attrs["tpp"] == 2368
    assert design.table(design.Params(on="2025-03-01"), shipped).attrs["outcome"] == "no_clause_met"
    assert design.table(design.Params(vendor="another"), shipped).attrs["outcome"] == "no_clause_met"  # letters bind the addressee


def test_the_letters_lowered_the_best_design(shipped):
    before, after = (design.table(design.Params(on=day), shipped).attrs["best"] for day in ("2025-03-01", "2025-06-01"))
    assert before["bandwidth"] == 8000 and after["bandwidth"] < 1400
    assert after["rate"] < before["rate"]
    for best in (before, after):
        again = design.Params(
            dies=int(best["dies"]), tops=best["tops"], area=best["area"], bandwidth=best["bandwidth"], link=best["link"], on="2025-03-01"
        )
        assert design.table(again, shipped).attrs["outcome"] == "no_clause_met"


def test_work_that_does_not_fit_says_so(shipped):
    params = design.Params(weight_gb=671)
    words = design.words(design.table(params, shipped), params)
    assert any("none meets no clause and holds" in note for note in words.notes)
    with pytest.raises(ValueError, match="less than or equal to 16"):
        design.Params(dies=99)
