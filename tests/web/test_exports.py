"""Files made from a table: exact where they promise it, and never run by a spreadsheet."""

import csv
import io
import json

import numpy as np
import openpyxl
import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.links import from_parquet, parquet
from web import exports

HOSTILE = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "\ufeff=1", '=HYPERLINK("http://x","y")']


@pytest.mark.parametrize("text", HOSTILE)
def test_formula_cells_become_text(text):
    assert exports.neutral(text) == "'" + text


@pytest.mark.parametrize("text", ["-5", "+3.2%", "1e-9", "-1,200.50", "H100", "a=b", "", "Côte d'Ivoire", "3-5"])
def test_plain_text_and_numbers_stay(text):
    assert exports.neutral(text) == text


def hostile_table():
    return pd.DataFrame({"=name": HOSTILE, "v": np.linspace(-1, 1, len(HOSTILE)), "when": pd.to_datetime(["2026-11-24"] * len(HOSTILE))})


def test_csv_neutralises_cells_and_headers_and_keeps_numbers():
    rows = list(csv.reader(io.StringIO(exports.csv_bytes(hostile_table()).decode("utf-8"), newline="")))
    assert rows[0] == ["'=name", "v", "when"]
    assert all(row[0].startswith("'") for row in rows[1:])
    assert [float(row[1]) for row in rows[1:]] == list(np.linspace(-1, 1, len(HOSTILE)))
    assert rows[1][2] == "2026-11-24"


def test_xlsx_holds_text_and_no_formula():
    content = exports.xlsx_bytes(hostile_table(), [("title", "=1"), ("revision", 3)], {"inputs": [["label", "value"], ["=2", 1.5]]})
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["table", "about", "inputs"]
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert book["table"]["A2"].value == "=1+1"
    assert book["table"]["A2"].quotePrefix
    assert book["table"]["B2"].value == -1.0


@given(st.lists(st.tuples(st.none() | st.text(), st.floats()), min_size=1, max_size=10))
def test_any_table_becomes_every_form(rows):
    table = pd.DataFrame({"text": pd.Series([r[0] for r in rows], dtype=object), "value": pd.Series([r[1] for r in rows], dtype=float)})
    told = exports.json_rows(table)
    assert json.loads(json.dumps(told, allow_nan=False))["rows"][0]["text"] == rows[0][0]
    openpyxl.load_workbook(io.BytesIO(exports.xlsx_bytes(table, [])))
    read = list(csv.DictReader(io.StringIO(exports.csv_bytes(table).decode("utf-8", "surrogatepass"), newline="")))
    assert len(read) == len(rows)
    assert [float(r["value"]) if r["value"] else None for r in read] == [None if np.isnan(v) else v for v in table["value"]]


def test_parquet_is_exact_formula_cells_included():
    pd.testing.assert_frame_equal(from_parquet(parquet(hostile_table())), hostile_table())


def test_html_stands_alone_and_runs_no_text():
    bad = "</script><script>alert(1)</script>"
    page = exports.html_bytes(go.Figure(go.Bar(x=[bad], y=[1])), title=bad, alt=f"'>{bad}", lines=[bad]).decode()
    assert "<script>alert(1)" not in page
    assert "Plotly.newPlot" in page
    assert " src=" not in page.split("<body", 1)[0][:2000]


def test_a_map_in_html_brings_its_shapes():
    figure = go.Figure(go.Scattergeo(lon=[-90, 10], lat=[35, 50]))
    assert '"world_110m":{"type":"Topology"' in exports.html_bytes(figure, title="", alt="", lines=[]).decode()
    figure.update_geos(resolution=50)
    assert '"world_50m":{"type":"Topology"' in exports.html_bytes(figure, title="", alt="", lines=[]).decode()


def test_types_are_told_in_words():
    table = pd.DataFrame({"t": ["a"], "n": [1.5], "i": [1], "b": [True], "d": pd.to_datetime(["2026-01-02 03:04"])})
    told = exports.json_rows(table)
    assert [c["type"] for c in told["columns"]] == ["text", "number", "integer", "boolean", "date"]
    assert told["rows"] == [{"t": "a", "n": 1.5, "i": 1, "b": True, "d": "2026-01-02T03:04:00"}]


def test_file_names_are_plain():
    assert exports.file_name("clusters.power", 7, "csv") == "clusters.power-r7.csv"
    assert "/" not in exports.file_name("../x", 1, "csv")
