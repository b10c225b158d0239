"""Terms, margins, the nearest change, and the best design that meets no clause."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.chips import design, explain
from analytics.chips.facts import chip_facts
from analytics.chips.rules import RuleBook
from data import shipped

CHIPS = {row["chip_id"]: row for row in shipped.rows("chips")}
BOOK = RuleBook.from_rows(shipped.rows("export_rules"), shipped.rows("country_groups"))


def terms_of(chip_id, rule_id, day="2024-01-01"):
    facts = BOOK.question(chip_facts(CHIPS[chip_id]), day, "CN")
    return explain.terms(BOOK.rule(rule_id).condition, facts, BOOK)


def test_h20_is_32_under_the_first_line_of_the_middle_band():
    first = terms_of("h20", "2023-10-3A090.b.1")[0]
    assert (first.words, first.margin, first.truth) == ("TPP ≥ 2,400", -32, "false")
    assert first.relative == pytest.approx(-32 / 2400)


def test_a_term_without_its_fact_has_no_margin():
    term = next(t for t in terms_of("gaudi3", "2023-10-3A090.a.2") if t.name == "performance density")
    assert (term.value, term.margin, term.truth) == (None, None, "unknown")


def test_nearest_changes_of_published_near_misses():
    """H20: 32 TPP short of b.1; RTX 4090 D: 92.8 short of 4,800; H100 at the 2023 lines: nothing near."""

    def said(chip_id, day):
        return [explain.change_words(c) for c in explain.single_changes(BOOK, chip_facts(CHIPS[chip_id]), dest="CN", date=day)]

    assert said("h20", "2024-06-01")[0] == "TPP 32 higher (2,400 or more)"
    assert said("rtx4090d", "2024-06-01")[0] == "TPP 92.8 higher (4,800 or more)"
    assert said("h100-sxm", "2024-06-01") == ["TPP 14,232 lower (under 1,600)"]
    assert "memory bandwidth 1,700 GB/s higher (6,500 GB/s or more)" in said("h200-sxm", "2026-02-01")


@given(st.sampled_from(sorted(CHIPS)), st.sampled_from(["2022-12-01", "2024-01-01", "2025-06-01", "2026-06-01"]))
def test_a_named_change_does_change_the_outcome_and_half_of_it_does_not(chip_id, day):
    facts = chip_facts(CHIPS[chip_id])
    now = BOOK.evaluate(facts, dest="CN", date=day).outcome
    for change in explain.single_changes(BOOK, facts, dest="CN", date=day):
        beyond = change.becomes_at * (1 + 1e-9 * (np.sign(change.difference) or -1))
        assert BOOK.evaluate({**facts, change.name: beyond}, dest="CN", date=day).outcome == change.outcome != now
        halfway = (change.value + change.becomes_at) / 2
        if abs(change.difference) > 1e-6 * change.value:
            assert BOOK.evaluate({**facts, change.name: halfway}, dest="CN", date=day).outcome == now


def test_every_shipped_condition_has_words():
    for rule in BOOK.rules:
        for condition in filter(None, (rule.condition, rule.destination, rule.goods)):
            words = explain.in_words(condition)
            assert words and "_" not in words.replace("model_weights", "")


def test_status_says_what_is_missing():
    clause = BOOK.ask(BOOK.rule("2023-10-3A090.b.1"), BOOK.question({"tpp": 3000.0, "marketing": "datacenter"}, "2024-01-01", "CN"))
    assert explain.status_words(clause.status, clause.missing, clause.rule) == "unknown: needs die area"


def test_a_design_with_the_sheet_of_the_h20_measures_as_the_h20():
    facts, h20 = design.Design().facts(), chip_facts(CHIPS["h20"])
    for name in ("tpp", "pd", "io_total_bidirectional_gb_per_s", "memory_bandwidth_gb_per_s"):
        assert float(facts[name]) == pytest.approx(h20[name], rel=1e-9), name


def test_stack_bandwidth_is_the_published_one():
    assert design.stack_bandwidth(1, 6.4, 1024) == pytest.approx(819.2)  # JEDEC JESD238, HBM3
    assert design.stack_bandwidth(1, 3.6, 1024) == pytest.approx(460.8)  # JEDEC JESD235, HBM2E


def test_the_best_design_meets_no_clause_and_nothing_better_does():
    space = design.design_space(
        {
            "dies": [1, 2],
            "dense_8bit_tops_per_die": np.linspace(50, 600, 12),
            "die_area_mm2": [400, 814],
            "memory_bandwidth_gb_per_s": [800, 1300, 4000, 8000],
            "scale_up_bidirectional_gb_per_s": [0, 400, 900],
        }
    )
    score = design.roofline_decode_rate(32, 37, 0.2, 74, space.memory_bandwidth_gb_per_s, space.dense_tops)
    before, outcome = design.best_design(space, score, BOOK, dest="CN", date="2025-03-01", vendor="NVIDIA")
    assert before is not None and outcome[before] == design.NO_CLAUSE
    assert not np.any((outcome == design.NO_CLAUSE) & (score > score[before]))
    assert space.memory_bandwidth_gb_per_s[before] == 8000  # no clause of that day looks at memory
    after, _ = design.best_design(space, score, BOOK, dest="CN", date="2025-06-01", vendor="NVIDIA")
    assert after is not None and space.memory_bandwidth_gb_per_s[after] == 1300  # the letters of April 2025 do
    assert design.design_at(space, after).memory_bandwidth_gb_per_s == 1300


def test_no_design_left_says_none():
    space = design.design_space({"dense_8bit_tops_per_die": [1000.0, 2000.0]})
    assert design.best_design(space, np.ones(2), BOOK, dest="CN", date="2024-01-01")[0] is None


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ({"diez": [1]}, "a design has no diez"),
        ({"dies": []}, "is empty"),
        ({"dies": range(1, 2000), "memory_gb": range(1, 2000)}, "at most 2,000,000"),
        ({"die_area_mm2": [0]}, "die_area_mm2 must be over 0, got 0"),
    ],
)
def test_bad_spaces_get_a_sentence(axes, words):
    with pytest.raises(ValueError, match=words):
        design.design_space(axes)
