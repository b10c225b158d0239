"""Export control charts: published outcomes and values, and what is said where a fact is missing."""

import pytest

from charts.chips import case, clauses, plane
from charts.look import Look


def test_the_plane_puts_h20_just_under_the_lines(shipped):
    table = plane.table(plane.Params(), shipped).set_index("chip_id")
    # H20: 296 dense INT8 TOPS x 8 bit = 2,368, over 814 mm2 = 2.91: 32 short of 3A090.b.1 (88 FR 73458).
    assert table.loc["h20", "tpp"] == 2368 and table.loc["h20", "pd_per_mm2"] == pytest.approx(2.91, abs=0.005)
    assert table.loc["h20", "outcome"] == "no_clause_met"
    assert table.loc["h800-sxm", "outcome"] == table.loc["h100-sxm", "outcome"] == "licence_presumption_of_denial"


def test_h800_was_free_of_clauses_in_2022(shipped):
    table = plane.table(plane.Params(on="2022-11-15"), shipped).set_index("chip_id")
    # 400 GB/s of NVLink and PCIe stay under the 600 GB/s of October 2022 (87 FR 62186).
    assert table.loc["h800-sxm", "outcome"] == "no_clause_met"
    assert table.loc["h100-sxm", "outcome"] == "licence_presumption_of_denial"


@pytest.mark.parametrize("theme, width", [("light", "desk"), ("dark", "phone")])
def test_both_charts_draw(shipped, theme, width):
    for module in (plane, case):
        table = module.table(module.Params(), shipped)
        assert module.figure(table, module.Params(), Look(theme=theme, width=width)).data


def test_the_case_file_of_h20_names_the_letter_and_what_would_change_it(shipped):
    table = case.table(case.Params(), shipped)
    words = case.words(table, case.Params())
    assert "company letter, by 2025-04-letters" in words.finding
    assert any("4,800 or more" in note for note in words.notes) and words.notes[-1].endswith("not legal advice.")
    assert "2025-04-letters is reported: its text was not published or could not be confirmed." in words.notes


def test_a_clause_that_cannot_be_evaluated_is_named_as_the_reason_of_unknown(shipped):
    params = case.Params(chip="a30", dest="AE", on="2026-08-01")
    table = case.table(params, shipped)
    assert "unknown, 2026-07-uae-b not evaluated: whether exception ACA still lifts it" in case.words(table, params).finding
    assert "Unknown stays unknown: 2026-07-uae-b not evaluated" in case.receipt(params, shipped).error[0]
    asked = clauses.Params(chips=["a30"], dest="AE", on="2026-08-01")
    notes = clauses.words(clauses.table(asked, shipped), asked).notes
    assert any("A30 PCIe 2026-07-uae-b not evaluated" in note for note in notes)


def test_a_missing_fact_stays_unknown_and_says_which(shipped):
    words = case.words(case.table(case.Params(chip="mi308x"), shipped), case.Params(chip="mi308x"))
    assert "unknown, needs" in words.finding


def test_an_unknown_chip_gets_a_sentence(shipped):
    with pytest.raises(ValueError, match="no chip 'h999' in the chips table"):
        case.table(case.Params(chip="h999"), shipped)


def test_no_chip_that_is_counted_lies_outside_the_axes(shipped):
    table = plane.table(plane.Params(), shipped)
    drawn = plane.figure(table, plane.Params(), Look())
    (x0, x1), (y0, y1) = drawn.layout.xaxis.range, drawn.layout.yaxis.range
    assert 10**x0 < table["tpp"].min() and table["tpp"].max() < 10**x1
    assert 10**y0 < table["pd_per_mm2"].min() and table["pd_per_mm2"].max() < 10**y1


def test_an_unknown_name_to_show_gets_a_sentence(shipped):
    with pytest.raises(ValueError, match="named holds nope"):
        plane.table(plane.Params(named=("nope",)), shipped)


def test_a_parent_in_china_and_a_shipment_from_elsewhere_are_asked_about(shipped):
    def outcome(**asked):
        return case.table(case.Params(chip="h200-sxm", on="2026-02-01", **asked), shipped).attrs["outcome"]

    assert outcome() == "licence_case_by_case"
    assert outcome(from_us=False) == "licence_presumption_of_denial"  # 91 FR 1684: re-exports stay presumption of denial
    assert outcome(dest="SG") == "no_clause_met"
    assert outcome(dest="SG", chinese_parent=True) == "licence_presumption_of_denial"


def test_a_chip_designed_where_it_would_go_is_said_to_be_classified(shipped):
    params = case.Params(chip="ascend-910c")
    assert any("not an export" in note for note in case.words(case.table(params, shipped), params).notes)


def test_chips_at_one_point_share_a_name_and_a_moved_name_keeps_a_line_to_its_chip(shipped):
    params = plane.Params()
    figure = plane.figure(plane.table(params, shipped), params, Look(width="desk"))
    words = {a.text: a for a in figure.layout.annotations}
    assert "<b>H20 SXM5 96GB and 1 more</b>" in words and not any("H20 SXM5 141GB" in text for text in words)
    moved = [a for a in words.values() if max(abs(a.ax or 0), abs(a.ay or 0)) > 0 and a.showarrow]
    assert moved and all(a.text.startswith("<b>") for a in moved)


def test_names_on_a_phone_tell_chips_of_one_family_apart(shipped):
    params = clauses.Params()
    figure = clauses.figure(clauses.table(params, shipped), params, Look(width="phone"))
    names = figure.layout.yaxis.ticktext
    assert len(set(names)) == len(names) and {"RTX 4090", "RTX 4090 D", "MI300X", "MI308X"} <= set(names)
    assert not any("…" in a.text for a in figure.layout.annotations)
