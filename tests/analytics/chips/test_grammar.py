"""The parser reads every shipped expression, refuses everything else with a position, and never runs anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.chips.grammar import COMPARISONS, RuleSyntaxError, leaves, names, parse
from analytics.chips.names import NAMES
from data import shipped

NUMBERS = sorted(n for n, known in NAMES.items() if known.type == "number")
TEXTS = sorted(n for n, known in NAMES.items() if known.type == "text")
BOOLEANS = sorted(n for n, known in NAMES.items() if known.type == "boolean")

number = st.one_of(st.sampled_from(NUMBERS), st.floats(0, 1e30).map(repr), st.integers(0, 10**9).map(str))
total = st.lists(number, min_size=1, max_size=3).map(" + ".join)
quoted = st.text("ABCdef019:- ", max_size=6).map(lambda t: f"'{t}'")
comparison = st.one_of(
    st.tuples(total, st.sampled_from(COMPARISONS), total).map(" ".join),
    st.tuples(st.sampled_from(TEXTS), st.sampled_from(COMPARISONS), quoted).map(" ".join),
    st.tuples(st.sampled_from(BOOLEANS), st.sampled_from(["==", "!="]), st.sampled_from(["true", "false"])).map(" ".join),
    st.tuples(st.sampled_from(TEXTS), st.lists(quoted, min_size=1, max_size=3)).map(lambda t: f"{t[0]} in [{', '.join(t[1])}]"),
    st.tuples(st.sampled_from(TEXTS), quoted).map(lambda t: f"{t[0]} in group({t[1]})"),
    st.sampled_from([*BOOLEANS, "true", "false"]),
)
condition = st.recursive(
    comparison,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]}) {t[1]} {t[2]}"), inner.map(lambda t: f"not ({t})")
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("column", ["expr", "destination_expr", "goods_condition"])
def test_every_shipped_expression_is_in_the_grammar(column):
    for row in shipped.rows("export_rules"):
        if row[column]:
            parse(row[column])


@given(condition)
def test_every_sentence_of_the_grammar_is_read(text):
    assert set(names(parse(text))) <= set(NAMES)


@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(st.sampled_from([*"()[]<>=+,'!.", "tpp", "dest", "and", "or", "not", "in", "group", "1e3", " "])).map("".join),
    )
)
def test_anything_else_is_refused_with_a_position_inside_the_text(text):
    try:
        parse(text)
    except RuleSyntaxError as error:
        assert 1 <= error.position <= len(text) + 1
        assert str(error).startswith(f"position {error.position}: ")


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("tpp >= 1e999", 8, "too large"),
        ("", 1, "empty"),
        ("tpp >= ", 7, "the expression ends"),
        ("tpp >= 4800 and", 16, "the expression ends"),
        ("tpp => 4800", 5, "'='"),
        ("tp >= 4800", 1, "did you mean tpp?"),
        ("tpp >= '4800'", 5, "a number cannot be compared with a text"),
        ("dest == 7", 6, "a text cannot be compared with a number"),
        ("has_hbm > true", 9, "no order"),
        ("tpp", 4, "a comparison"),
        ("1600 <= tpp < 4800", 13, "one comparison at a time"),
        ("tpp in ['a']", 1, "only a text"),
        ("dest in []", 10, "a text in single quotes"),
        ("dest in 'CN'", 9, "a list"),
        ("dest in group(D)", 15, "a text in single quotes"),
        ("dest in group(D:5)", 16, "':'"),
        ("dest == 'CN", 9, "closing"),
        ("dest + hq == 'CN'", 1, "numbers only"),
        ("(tpp >= 1", 10, ")"),
        ("tpp >= 1)", 9, "the end"),
        ("tpp >= -1", 8, "'-'"),
        ("__import__('os')", 1, "not a known name"),
        ("tpp.__class__ == 1", 4, "'.'"),
        ("t\u0440p >= 1", 2, "not part of the grammar"),
    ],
)
def test_refusals_say_where_and_what(text, position, words):
    with pytest.raises(RuleSyntaxError) as error:
        parse(text)
    assert error.value.position == position
    assert words in error.value.message


def test_depth_and_length_are_bounded():
    with pytest.raises(RuleSyntaxError, match="deep"):
        parse("(" * 1000 + "true" + ")" * 1000)
    with pytest.raises(RuleSyntaxError, match="characters"):
        parse("tpp >= 1 or " * 1000 + "true")


def test_leaves_come_in_reading_order_once():
    tree = parse("tpp >= 2400 and not (pd >= 1.6 or has_hbm) and tpp >= 2400")
    assert names(tree) == ["tpp", "pd", "has_hbm"]
    assert len(leaves(tree)) == 3
