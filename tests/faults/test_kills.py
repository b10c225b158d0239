"""Twenty kills (SIGKILL) at random moments: the store stays sound, keeps what it acknowledged, and holds no half of anything."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest

from data import links
from data.integrity import faults
from data.settings import Settings
from data.store import Store
from tests.faults.worker import ROWS, TODAY, link_state

ROOT = Path(__file__).resolve().parents[2]
SEED = int(os.environ.get("KILL_SEED", "0")) or random.SystemRandom().randrange(1, 10_000)
KILLS = {"start": 4, "imports": 6, "undo": 4, "links": 6}
# The longest wait between the moment that counts and the kill [s]; the wait itself is drawn at random.
SPREAD_S = {"start": 2.0, "imports": 1.5, "undo": 2.0, "links": 0.4}


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RIDGEPOINT_")}
    return kept | {"RIDGEPOINT_HOME": str(home), "RIDGEPOINT_TODAY": TODAY.isoformat(), "PYTHONPATH": str(ROOT)}


def kill_one(home: Path, kind: str, seed: int) -> list[list[str]]:
    """Start a worker, kill it a random moment after its work began, and return the lines it said, as words."""
    wait_s = random.Random(seed).uniform(0.0, SPREAD_S[kind])
    begun = "opening" if kind == "start" else "open "
    command = [sys.executable, "-m", "tests.faults.worker", str(seed), kind]
    worker = subprocess.Popen(command, cwd=ROOT, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert worker.stdout is not None and worker.stderr is not None
    said: list[str] = []
    for line in worker.stdout:
        said.append(line)
        if line.startswith(begun):
            break
    timer = threading.Timer(wait_s, worker.send_signal, [signal.SIGKILL])
    timer.start()
    said += worker.stdout.readlines()
    errors = worker.stderr.read()
    assert worker.wait(60) == -signal.SIGKILL, f"the worker ended by itself: {errors[-2000:]}"
    return [line.split() for line in said if line.endswith("\n")]


def check_sound(home: Path) -> Store:
    """Open the store that is left and find no fault in it."""
    store = Store.open(Settings(home=home, today=TODAY))
    assert faults(store) == []
    assert store.head() >= 1
    return store


def rows_of(clusters: pd.DataFrame, number: int) -> int:
    return int(clusters["cluster_id"].str.startswith(f"kill-{number}-").sum())


@pytest.mark.parametrize(("kind", "times"), [(kind, times) for kind, times in KILLS.items() if kind != "start"])
def test_killed_while_writing(tmp_path, kind, times):
    print(f"seed {SEED}")
    for i in range(times):
        seed = SEED * 100 + i
        said = kill_one(tmp_path, kind, seed)
        store = check_sound(tmp_path)
        try:
            clusters = store.snapshot().table("clusters")
            done = {words[1]: words[2:] for words in said if words[0] == "import"}
            undone = {words[1] for words in said if words[0] == "undo"}
            undoing = {words[1] for words in said if words[0] == "undo?"}
            for number in {words[1] for words in said if words[0] == "import?"}:
                count = rows_of(clusters, int(number))
                assert count in (0, ROWS), f"half of import {number}: {count} of {ROWS} rows (seed {seed})"
                if number in done and number not in undoing:
                    assert count == ROWS, f"acknowledged import {number} is gone (seed {seed})"
                    assert store.snapshot(int(done[number][0])).rev == int(done[number][0])
                if number in undone:
                    assert count == 0, f"acknowledged undo of import {number} is gone (seed {seed})"
            for _, number, link_id in (words for words in said if words[0] == "link"):
                pd.testing.assert_frame_equal(links.table_of(store, links.load(store, link_id)), link_state(int(number))["table"])
        finally:
            store.close()


def test_killed_at_the_first_start(tmp_path):
    print(f"seed {SEED}")
    for i in range(KILLS["start"]):
        home = tmp_path / str(i)
        kill_one(home, "start", SEED * 100 + i)
        store = check_sound(home)
        assert len(store.snapshot().table("clusters")) > 50
        store.close()


def test_the_command_line_finds_no_fault_either(tmp_path):
    kill_one(tmp_path, "imports", SEED)
    command = [sys.executable, "-m", "data", "check"]
    done = subprocess.run(command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
