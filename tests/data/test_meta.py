"""Every shipped table agrees with what its meta.yml declares."""

import pandas as pd
import pytest

from data import shipped
from data.frames import csv_text, fact_keys, typed, with_rung
from data.meta import RUNGS, load_meta, table_names


@pytest.mark.parametrize("name", table_names())
def test_columns_keys_choices_and_ranges(name):
    meta, rows = load_meta(name), shipped.frame(name)
    assert list(shipped.rows(name)[0]) == list(meta.columns)
    keys = fact_keys(rows, meta)
    assert len(set(keys)) == len(rows) > 0
    for column in meta.columns.values():
        values = rows[column.name].dropna()
        if column.choices:
            assert set(values) <= set(column.choices), column.name
        if column.minimum is not None:
            assert (values >= column.minimum).all(), column.name
        if column.type == "date":
            assert values.str.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?").all(), column.name
        if column.required:
            assert rows[column.name].notna().all(), column.name
    assert set(with_rung(rows, meta)["rung"]) <= set(RUNGS)


@pytest.mark.parametrize("name", table_names())
def test_every_word_of_confidence_has_its_rung(name):
    meta, rows = load_meta(name), shipped.frame(name)
    if meta.rung_column:
        assert set(rows[meta.rung_column].dropna()) <= set(meta.rung_words)


@pytest.mark.parametrize("name", table_names())
def test_exact_csv_reads_back_unchanged(name, tmp_path):
    meta, rows = load_meta(name), shipped.frame(name)
    path = tmp_path / "out.csv"
    path.write_text(csv_text(rows), encoding="utf-8")
    back = typed(pd.read_csv(path, dtype=str, keep_default_na=False), meta)
    pd.testing.assert_frame_equal(back, rows)


def test_an_unknown_table_names_those_there_are():
    with pytest.raises(ValueError, match="clusters"):
        load_meta("../secrets")
