"""Links keep what a chart showed: same state, same id; the table comes back exactly; old formats are read."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import links
from data.settings import Settings
from data.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store.open(Settings(home=tmp_path_factory.mktemp("home"), today=datetime.date(2026, 11, 24)))
    yield store
    store.close()


def state(**changes):
    table = pd.DataFrame({"site": ["Colossus", "Stargate Abilene", None], "it_mw": [150.0, np.nan, 0.1 + 0.2]})
    table.attrs = {"fit": {"slope": 1.25}, "dates": ["2026-11-24"]}
    made = {"page": "clusters", "chart": "clusters.power", "params": {"by": "site", "mw": 10.0}, "rev": 1, "model": "m1", "table": table}
    return made | {"receipt": {"inputs": []}, "words": {"finding": "x"}, "today": datetime.date(2026, 11, 24)} | changes


def test_same_state_gives_the_same_link_and_another_state_another(store):
    first = links.save(store, **state())
    assert links.save(store, **state(params={"mw": 10.0, "by": "site"}, today=datetime.date(2026, 11, 25))).id == first.id
    others = {
        links.save(store, **state(params={"by": "site", "mw": 11.0})).id,
        links.save(store, **state(rev=2)).id,
        links.save(store, **state(model="m2")).id,
        links.save(store, **state(table=pd.DataFrame({"site": ["Colossus"], "it_mw": [151.0]}))).id,
    }
    assert len(others | {first.id}) == 5


def test_a_link_opens_on_exactly_the_table_it_showed(store):
    shown = state()["table"]
    table = links.table_of(store, links.load(store, links.save(store, **state()).id))
    pd.testing.assert_frame_equal(table, shown)
    assert table.attrs == shown.attrs


def test_text_keeps_its_type_and_its_way_to_be_missing():
    table = pd.DataFrame(
        {"o": pd.Series(["a", None], dtype=object), "s": pd.Series(["a", None], dtype="str"), "n": [1, 2], "d": [True, False]}
    )
    back = links.from_parquet(links.parquet(table))
    pd.testing.assert_frame_equal(back, table)
    assert back["o"].iloc[1] is None


@pytest.mark.parametrize("name", ["nosuch", "", "../../etc/passwd", "A" * 12, "aaaaaaaaaaaa", "a' OR 1=1 --"])
def test_an_unknown_link_is_named(store, name):
    with pytest.raises(links.UnknownLink, match="no link"):
        links.load(store, name)


def test_a_missing_or_damaged_table_is_said_and_not_shown(store):
    link = links.save(store, **state(rev=3))
    path = next((store.home / "blobs").rglob(link.table_sha256))
    kept = path.read_bytes()
    path.write_bytes(kept[:-1])
    with pytest.raises(links.UnknownLink, match="damaged"):
        links.table_of(store, link)
    path.unlink()
    with pytest.raises(links.UnknownLink, match="cannot be read"):
        links.table_of(store, link)
    path.write_bytes(kept)


def test_steps_bring_an_old_state_to_the_newest_names_without_touching_it():
    steps = {
        1: lambda s: {**s, "params": {("site" if k == "location" else k): v for k, v in s["params"].items()}},
        2: lambda s: {**s, "chart": s["chart"].replace("clusters.mw", "clusters.power")},
    }
    old = {"page": "clusters", "chart": "clusters.mw", "params": {"location": "Memphis"}}
    assert links.upgraded(old, 1, steps) == {"page": "clusters", "chart": "clusters.power", "params": {"site": "Memphis"}}
    assert links.upgraded(old, 2, steps)["params"] == {"location": "Memphis"}
    assert links.upgraded(old, 3, steps) == old
    assert old["chart"] == "clusters.mw"


def test_an_attention_link_of_the_first_format_loses_the_prompt_its_context_settled():
    old = {"page": "serving", "chart": "serving.attention", "params": {"context": 4096, "input_tokens": 1024, "cached_share": 0.5}}
    kept = {"chart": "serving.cost", "page": "serving", "params": old["params"]}
    assert links.upgraded(old, 1)["params"] == {"context": 4096}
    assert links.upgraded(old, 2) == old and links.upgraded(kept, 1) == kept


def test_what_json_cannot_hold_is_kept_as_null_or_text(store):
    receipt = {"formulas": ({"result": float("nan"), "inputs": {"x": np.float64(2.0)}},), "day": datetime.date(2026, 1, 2)}
    link = links.save(store, **state(receipt=receipt, rev=4))
    assert link.receipt == {"formulas": [{"result": None, "inputs": {"x": 2.0}}], "day": "2026-01-02"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=5))
def test_canonical_json_reads_back_and_does_not_depend_on_order(value):
    import json

    text = links.canonical(value)
    assert json.loads(text) == value
    assert links.canonical(dict(reversed(value.items()))) == text


@given(st.lists(st.tuples(st.none() | st.text(max_size=6), st.floats(allow_nan=True)), max_size=20))
def test_tables_survive_parquet_exactly(rows):
    table = pd.DataFrame({"text": pd.Series([r[0] for r in rows], dtype=object), "value": pd.Series([r[1] for r in rows], dtype=float)})
    pd.testing.assert_frame_equal(links.from_parquet(links.parquet(table)), table, check_exact=True, check_dtype=bool(rows))
