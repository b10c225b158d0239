"""What a user relies on when a chip is asked against the rules: dates, destinations, unknowns, and monotone thresholds."""

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.chips.facts import chip_facts, needed
from analytics.chips.rules import OUTCOMES, RuleBook
from data import shipped

RULES, GROUPS = shipped.rows("export_rules"), shipped.rows("country_groups")
CHIPS = {row["chip_id"]: row for row in shipped.rows("chips")}
BOOK = RuleBook.from_rows(RULES, GROUPS)
NO_CLAUSE = OUTCOMES.index("no_clause_met")

days = st.dates(datetime.date(2022, 1, 1), datetime.date(2027, 12, 31))
chips = st.sampled_from(sorted(CHIPS))
places = st.sampled_from(["CN", "HK", "MO", "RU", "AE", "SG", "JP", "VN", "KH", "US", "PL"])
design = st.fixed_dictionaries(
    {
        "tpp": st.floats(0, 40_000),
        "pd": st.floats(0, 40),
        "io_total_bidirectional_gb_per_s": st.floats(0, 4000),
        "memory_bandwidth_gb_per_s": st.floats(0, 9000),
        "marketing": st.sampled_from(["datacenter", "not datacenter"]),
        "vendor": st.sampled_from(["NVIDIA", "AMD", "Other"]),
    }
)


def with_rule(**changes):
    base = next(row for row in RULES if row["rule_id"] == "2023-10-3A090.a.1")
    return {**base, "rule_id": "test", **changes}


def only(**changes):
    return RuleBook.from_rows([with_rule(**changes)], GROUPS)


@given(chips, places, days)
def test_a_rule_never_applies_before_its_date_or_after_its_end(chip_id, dest, day):
    answer = BOOK.evaluate(chip_facts(CHIPS[chip_id]), dest=dest, date=day)
    for clause in answer.clauses:
        assert clause.rule.begins <= day.isoformat()
        assert not clause.rule.ends or day.isoformat() < clause.rule.ends
    if day < datetime.date(2022, 8, 26) and dest not in ("RU", "BY", "CU", "IR", "KP", "SY"):  # those six: part 746
        assert answer.outcome == "no_clause_met"


def test_the_diffusion_rule_was_never_in_force():
    for rule in BOOK.rules:
        if rule.rule_id.startswith("2025-01-diff"):
            assert not any(rule.in_force(f"2025-05-{day:02d}") for day in range(1, 32))


@given(design, places, days, st.floats(0, 10_000), st.floats(0, 10_000))
def test_tightening_a_threshold_never_frees_a_chip(facts, dest, day, low, high):
    low, high = sorted((low, high))
    loose, tight = only(expr=f"tpp >= {high!r}"), only(expr=f"tpp >= {low!r}")
    if loose.evaluate(facts, dest=dest, date=day).outcome != "no_clause_met":
        assert tight.evaluate(facts, dest=dest, date=day).outcome != "no_clause_met"


@given(design, places, days, st.sets(st.sampled_from(["tpp", "pd", "io_total_bidirectional_gb_per_s", "memory_bandwidth_gb_per_s"])))
def test_forgetting_a_fact_never_changes_an_answer_only_loses_it(facts, dest, day, forgotten):
    known = BOOK.evaluate(facts, dest=dest, date=day).outcome
    partly = BOOK.evaluate({k: float("nan") if k in forgotten else v for k, v in facts.items()}, dest=dest, date=day).outcome
    assert partly in (known, "unknown")


@given(st.lists(design, min_size=1, max_size=8), places, places, days)
def test_many_designs_at_once_get_the_answers_of_one_at_a_time(designs, dest, hq, day):
    for designs_alike in (designs, [{**d, "pd": float("nan")} for d in designs]):
        columns = {name: np.array([d[name] for d in designs_alike]) for name in designs_alike[0]}
        together = BOOK.outcomes(columns, dest=dest, date=day, hq=hq)
        assert [OUTCOMES[code] for code in together] == [BOOK.evaluate(d, dest=dest, date=day, hq=hq).outcome for d in designs_alike]


def test_every_shipped_chip_has_an_answer_everywhere_on_every_turn_of_the_rules():
    turns = sorted({d for rule in BOOK.rules for d in (rule.begins, rule.ends) if d})
    for row in CHIPS.values():
        for day in turns:
            assert BOOK.evaluate(chip_facts(row), dest="CN", date=day).outcome in OUTCOMES


def test_a_missing_fact_is_named():
    answer = BOOK.evaluate(chip_facts(CHIPS["mi308x"]), dest="CN", date="2023-12-01")
    assert answer.outcome == "unknown" and needed(list(answer.missing)) == "needs a dense rate"
    row = {**CHIPS["h20"], "die_area_mm2": ""}
    assert BOOK.evaluate(chip_facts(row), dest="CN", date="2023-12-01").missing == ("pd",)


def test_a_clause_about_another_thing_is_not_asked_until_its_fact_is_given():
    status = {c.rule.rule_id: c.status for c in BOOK.evaluate(chip_facts(CHIPS["h20"]), dest="CN", date="2025-03-01").clauses}
    assert status["2024-12-3A090.c"] == status["2023-10-4A090.a"] == "not asked"
    assert BOOK.evaluate({"hbm_density_gb_s_mm2": 4.0}, dest="CN", date="2025-03-01").outcome == "licence_presumption_of_denial"
    assert BOOK.evaluate({"hbm_density_gb_s_mm2": 2.5}, dest="CN", date="2025-03-01").outcome == "no_clause_met"
    assert BOOK.evaluate({"contains_3a090a": True}, dest="CN", date="2025-03-01").outcome == "licence_presumption_of_denial"


def test_headquarters_follow_the_buyer_and_default_to_the_destination():
    h100 = chip_facts(CHIPS["h100-sxm"])
    assert BOOK.evaluate(h100, dest="SG", date="2024-06-01").outcome == "no_clause_met"
    assert BOOK.evaluate(h100, dest="SG", hq="CN", date="2024-06-01").outcome == "licence_presumption_of_denial"


def test_a_clause_that_applies_and_cannot_be_evaluated_leaves_the_answer_unknown():
    a30, h100 = chip_facts(CHIPS["a30"]), chip_facts(CHIPS["h100-sxm"])
    answer = BOOK.evaluate(a30, dest="AE", date="2026-08-01")  # 91 FR 43034 keeps a licence for .b items; the exception was not read
    assert (answer.outcome, answer.deciding.rule.rule_id) == ("unknown", "2026-07-uae-b")
    assert BOOK.evaluate(a30, dest="AE", date="2026-07-09").outcome == "no_clause_met"
    assert BOOK.evaluate(h100, dest="AE", date="2026-08-01").outcome == "licence_required"  # .a decides above it
    assert BOOK.evaluate(h100, dest="GB", date="2026-08-01").outcome == "no_clause_met"
    assert BOOK.evaluate({**h100, "buyer_on_entity_list": True}, dest="GB", date="2026-08-01").outcome == "unknown"
    both = {name: np.array([a30[name], h100[name]]) for name in ("tpp", "pd", "marketing", "vendor")}
    assert [OUTCOMES[code] for code in BOOK.outcomes(both, dest="AE", date="2026-08-01")] == ["unknown", "licence_required"]


@given(design, st.permutations(["met", "stricter", "laxer"]), st.booleans())
def test_of_equal_rules_an_unknown_stricter_one_leaves_the_answer_unknown_and_a_laxer_one_does_not(facts, order, stricter):
    rows = {
        "met": with_rule(rule_id="met", expr="tpp >= 0", goods_condition="true", outcome="licence_required"),
        "stricter": with_rule(rule_id="stricter", expr="pd >= 5", goods_condition="true", outcome="licence_presumption_of_denial"),
        "laxer": with_rule(rule_id="laxer", expr="pd >= 5", goods_condition="true", outcome="notification_nac"),
    }
    left_out = "laxer" if stricter else "stricter"
    book = RuleBook.from_rows([rows[name] for name in order if name != left_out], GROUPS)
    facts = {**facts, "pd": float("nan")}
    asked = {"dest": "CN", "date": "2024-01-01"}
    assert book.evaluate(facts, **asked).outcome == ("unknown" if stricter else "licence_required")
    assert OUTCOMES[int(book.outcomes(facts, **asked))] == book.evaluate(facts, **asked).outcome


def test_a_letter_binds_its_addressee_only():
    facts = {**chip_facts(CHIPS["h20"]), "chip_id": "design"}
    asked = {"dest": "CN", "date": "2025-05-01"}
    assert BOOK.evaluate(facts, **asked).outcome == "company_letter"
    assert BOOK.evaluate({**facts, "vendor": "Other"}, **asked).outcome == "no_clause_met"
    del facts["vendor"]
    answer = BOOK.evaluate(facts, **asked)
    assert (answer.outcome, answer.missing) == ("unknown", ("vendor",))


def test_country_groups_are_dated():
    assert "KH" in BOOK.groups.members("D:5", "2025-11-06")
    assert "KH" not in BOOK.groups.members("D:5", "2025-11-07")
    assert "ET" not in BOOK.groups.members("D:5", "2025-01-01")  # disputed rows do not count
    with pytest.raises(ValueError, match="did you mean D:5"):
        BOOK.groups.members("D5", "2025-01-01")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"expr": "tpp >=> 4800"}, r"row 2 \(test\), column expr, position 7"),
        ({"expr": ""}, "column expr, position 1: the expression is empty"),
        ({"destination_expr": "dest in group('D:9')"}, "column destination_expr, position 16: no country group"),
        ({"goods_condition": "market == 'x'"}, "did you mean marketing"),
        ({"outcome": "forbidden"}, "column outcome: 'forbidden' is not one of licence_presumption_of_denial"),
        ({"role": "law"}, "column role"),
        ({"precedence": "high"}, "column precedence: a whole number is expected, got 'high'"),
        ({"effective_date": "17/11/2023"}, "column effective_date: date must be a day written YYYY-MM-DD"),
        ({"evaluable": "perhaps"}, "column evaluable"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_its_place(changes, words):
    with pytest.raises(ValueError, match=words):
        only(**changes)


def test_bad_questions_get_a_sentence():
    with pytest.raises(ValueError, match="did you mean tpp"):
        BOOK.evaluate({"tp": 1.0}, dest="CN", date="2024-01-01")
    with pytest.raises(ValueError, match="YYYY-MM-DD, got '2024-13-01'"):
        BOOK.evaluate({"tpp": 1.0}, dest="CN", date="2024-13-01")
    with pytest.raises(ValueError, match="no rule '2023-10-3A090.a.3'; did you mean"):
        BOOK.rule("2023-10-3A090.a.3")


def test_rules_read_the_same_from_a_data_frame():
    frame = shipped.frame("export_rules")
    book = RuleBook.from_rows(frame.to_dict("records"), shipped.frame("country_groups").to_dict("records"))
    assert book.rules == BOOK.rules
