"""A link's notice names what differs: matched by labels, largest change first, nothing where nothing changed."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from data.link_changes import difference


def table(**mw):
    return pd.DataFrame({"site": list(mw), "it_mw": [float(v) for v in mw.values()]})


def test_equal_tables_do_not_differ_even_in_another_order():
    found = difference(table(a=1, b=np.nan, c=3), table(c=3, a=1, b=np.nan))
    assert not found
    assert found.sentence() == ""


def test_rounding_does_not_count_but_the_last_tenth_percent_does():
    assert not difference(table(a=0.3), table(a=0.1 + 0.2))
    assert difference(table(a=1000.0), table(a=1000.001))


def test_changed_new_and_gone_are_counted_and_the_largest_change_is_told():
    found = difference(table(Colossus=150, Abilene=200, Memphis=5), table(Colossus=300, Abilene=201, Hyperion=9))
    assert (found.changed, found.rows_new, found.rows_gone) == (2, 1, 1)
    assert found.sentence() == "2 values differ (Colossus: it_mw 150 → 300), 1 row is new, 1 row is gone"
    assert found.to_json()["changes"][0] == {"row": "Colossus", "column": "it_mw", "old": 150.0, "new": 300.0}


def test_a_row_is_named_by_each_word_once_and_by_its_day():
    then = pd.DataFrame({"line": ["xAI"], "name": ["xAI"], "day": pd.to_datetime(["2026-07-01"]), "it_mw": [1.0]})
    assert difference(then, then.assign(it_mw=2.0)).changes[0].row == "xAI · 2026-07-01"


def test_a_blank_that_became_a_number_is_a_change():
    found = difference(table(a=np.nan), table(a=2))
    assert found.sentence() == "1 value differs (a: it_mw blank → 2)"
    assert found.to_json()["changes"][0]["old"] is None


def test_rows_with_the_same_labels_are_matched_in_order():
    twice = pd.DataFrame({"site": ["a", "a"], "it_mw": [1.0, 2.0]})
    assert not difference(twice, twice)
    assert difference(twice, twice.assign(it_mw=[1.0, 3.0])).changed == 1


def test_columns_that_came_or_went_count_in_every_row():
    assert difference(table(a=1, b=2), table(a=1, b=2).assign(site_mw=1.0)).changed == 2
    assert difference(table(), table()).changed == 0


@given(st.lists(st.tuples(st.text(max_size=3), st.floats(allow_nan=True)), max_size=30), st.randoms())
def test_a_table_never_differs_from_itself(rows, random):
    made = pd.DataFrame({"name": [r[0] for r in rows], "value": np.array([r[1] for r in rows], dtype=float)})
    assert not difference(made, made.copy())
