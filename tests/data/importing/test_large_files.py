"""Large plain files are read column by column: every text stays with its row, whatever the blocks they are read in."""

import datetime

import numpy as np

from data.importing import bulk, detect
from data.importing.columns import Coded, Rows
from data.importing.read import read
from data.importing.report import Report

DAY = datetime.date(2026, 11, 23)
HEADER = "cluster_id,country,as_of,chip_id,chip_count,source,quote_or_note\n"


def test_a_note_of_its_own_on_every_row_stays_with_its_row(tmp_path, monkeypatch):
    monkeypatch.setattr(bulk, "BLOCK_BYTES", 1 << 20)
    notes = [f"note {number}: {'größer' if number % 3 else 'as filed'} {number * 7919 % 100_003} " + "x" * 60 for number in range(60_000)]
    notes[41_000] = notes[7]  # a text that two blocks share
    path = tmp_path / "notes.csv"
    rows = [
        f"c-{number % 5_000},France,2026-01-0{1 + number % 9},h200,{8 + number},List {number // 5_000},{note}\n"
        for number, note in enumerate(notes)
    ]
    path.write_text(HEADER + "".join(rows), encoding="utf-8")
    assert path.stat().st_size > bulk.LEAST_BYTES
    found = bulk.read(path, detect.detect(path), "clusters", Report())
    assert found is not None
    columns = {column.name: column for column in found.columns}
    assert columns["cluster_id"].distinct == 5_000  # what blocks have in common is held once
    kept = columns["quote_or_note"]
    assert [kept.texts[code] for code in kept.codes] == notes
    frame = read(path, "clusters", "notes.csv", DAY).frame
    assert frame["quote_or_note"].tolist() == notes and frame["chip_count"].tolist() == [8 + number for number in range(60_000)]


def test_an_over_long_cell_is_left_to_the_careful_reader(tmp_path, monkeypatch):
    monkeypatch.setattr(bulk, "LEAST_BYTES", 0)
    path = tmp_path / "long.csv"
    path.write_text(HEADER + "c-1,France,2026-01-01,h200,8,List,short\nc-2,France,2026-01-01,h200,9,List," + "y" * 12_000 + "\n")
    assert bulk.read(path, detect.detect(path), "clusters", Report()) is None
    assert [reject.row for reject in read(path, "clusters", "long.csv", DAY).report.rejects] == [3]


def test_letting_go_of_columns_makes_no_text_of_them(monkeypatch):
    def spread(self):
        raise AssertionError("a column was put into rows only to be thrown away")

    held = Rows()
    held["quote_or_note"] = Coded.of(np.array(["a", None, "b"], dtype=object))
    monkeypatch.setattr(Coded, "plain", spread)
    held.clear()
    assert not len(held)


def test_measures_one_below_the_other_are_joined_also_in_a_file_of_many_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(bulk, "LEAST_BYTES", 0)
    monkeypatch.setattr(bulk, "BLOCK_BYTES", 1 << 12)
    sites = [f"Site number {number:04d} at the river" for number in range(300)]
    measures = {"IT power (MW)": lambda number: 10 + number, "GPUs": lambda number: 5_000 + number}
    path = tmp_path / "long.csv"
    rows = [f"{site},2025-03-01,{measure},{value(n)}\n" for measure, value in measures.items() for n, site in enumerate(sites)]
    path.write_text("Cluster,Date,Metric,Value\n" + "".join(rows), encoding="utf-8")
    found = bulk.read(path, detect.detect(path), "clusters", Report())
    assert found is not None and found.columns[0].distinct == 600  # blocks without texts in common are not compared
    result = read(path, "clusters", "long.csv", DAY)
    assert result.frame["name"].tolist() == sites and not result.report.rejects
    assert result.frame["chip_count"].tolist() == [5_000 + n for n in range(300)]
    assert result.frame["power_mw"].tolist() == [10 + n for n in range(300)]
