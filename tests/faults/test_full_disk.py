"""A disk that fills up: each write gets its sentence, reading goes on, and afterwards the store is whole and writes again."""

import json
import subprocess
import sys

import pytest

from tests.faults.test_kills import ROOT, check_sound, environment, rows_of
from tests.faults.worker import ROWS


@pytest.mark.parametrize("room", [0, 3_000, 30_000])
def test_a_full_disk_refuses_with_a_sentence_and_leaves_no_half(tmp_path, room):
    command = [sys.executable, "-m", "tests.faults.full_disk", str(room)]
    done = subprocess.run(command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=120)
    assert done.stdout, done.stderr[-3000:]
    said = json.loads(done.stdout)
    assert said["room"] == said["again"] == said["link again"] == "done"
    assert "nothing was written" in said["link"]
    if room == 0:
        assert "nothing was written" in said["import"] and "nothing was written" in said["undo"]
    assert int(said["rows"]) > 50
    store = check_sound(tmp_path)
    clusters = store.snapshot().table("clusters")
    undone = said["undo"] == "done"
    expected = {1: ROWS, 2: ROWS if said["import"] == "done" else 0, 3: ROWS}
    if undone:
        expected[2 if said["import"] == "done" else 1] = 0
    assert {number: rows_of(clusters, number) for number in expected} == expected
    store.close()
