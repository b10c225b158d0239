"""Chips side by side against published figures, and what a cut means by kind of work."""

import pytest

from charts.chips import compare, effect


def ratio(table, chip_id, measure):
    return table.set_index(["chip_id", "measure"]).loc[(chip_id, measure), "ratio"]


def test_what_nvidia_cut_for_china(shipped):
    table = compare.table(compare.Params(), shipped)
    assert ratio(table, "h800-sxm", "scale-up link") == pytest.approx(400 / 900)  # Reuters 2023-03-21
    assert ratio(table, "h800-sxm", "TPP") == 1
    assert ratio(table, "h20", "TPP") == pytest.approx(0.15, abs=0.002)  # 148 of 989 dense 16-bit TFLOPS: not a third
    assert ratio(table, "h20", "memory bandwidth") == pytest.approx(1.19, abs=0.01)
    words = compare.words(table, compare.Params())
    assert "H20 SXM5 96GB cuts TPP to 0.15×" in words.finding


def test_an_unpublished_figure_has_no_ratio(shipped):
    table = compare.table(compare.Params(chips=("mi300x", "mi308x")), shipped)
    assert ratio(table, "mi308x", "TPP") != ratio(table, "mi308x", "TPP")  # NaN: no public rate
    assert any("MI308X" in note for note in compare.words(table, compare.Params(chips=("mi300x", "mi308x"))).notes)


def test_one_chip_says_so_and_an_unknown_one_proposes(shipped):
    one = compare.Params(chips=("h20",))
    assert compare.words(compare.table(one, shipped), one).empty
    twice = compare.Params(chips=("h20", "h20"))
    assert compare.words(compare.table(twice, shipped), twice).finding == "Choose two chips or more"
    none = compare.Params(chips=())
    assert compare.words(compare.table(none, shipped), none).empty
    with pytest.raises(ValueError, match="did you mean h800-sxm"):
        compare.table(compare.Params(chips=("h100-sxm", "h80-sxm")), shipped)


def test_the_cut_weighs_less_on_answers_than_on_training(shipped):
    table = effect.table(effect.Params(chips=("h20",)), shipped)
    row = table.iloc[0]
    assert row["training"] == pytest.approx(148 / 989.4, rel=0.01)
    assert row["training"] < row["prompts"] and row["training"] < row["answers"]
    words = effect.words(table, effect.Params(chips=("h20",)))
    assert "measured runs" in words.subtitle and words.notes[0].endswith("not legal advice.")
