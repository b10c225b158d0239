"""Record a link of each chart as it is issued now, for the test that old links open.

    python -m tests.links.record [CHART ...]

A recorded link is never changed or removed: where a chart's parameters change, `data.links.STEPS` gets a step instead.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import json
import sys
import tempfile
from pathlib import Path

import charts
from charts import pinned, registry
from data.blobs import Blobs
from data.links import SCHEMA_VERSION, plain
from data.settings import Settings
from data.store import Store

FOLDER = Path(__file__).parent / f"v{SCHEMA_VERSION}"


def record(names: list[str]) -> list[Path]:
    """Write a link of each of these charts (of all that have none yet, by default); return the files written."""
    charts.load_all()
    written = []
    with tempfile.TemporaryDirectory() as home:
        store = Store.open(Settings(home=Path(home), today=datetime.date(2026, 11, 24)))
        for chart in registry.CHARTS.values():
            states = {chart.params(): "defaults"}  # a preset may be the defaults themselves: that is one link
            for preset in chart.presets[:2]:
                states.setdefault(chart.params(**preset.params), preset.name)
            for params, label in states.items():
                path = FOLDER / f"{chart.id}-{label}.json"
                if path.exists() or (names and chart.id not in names):
                    continue
                link = pinned.make(store, chart, params)
                table = Blobs(store.home / "blobs").get(link.table_sha256)
                kept = {"link": plain(dataclasses.asdict(link)), "table": base64.b64encode(table).decode()}
                FOLDER.mkdir(exist_ok=True)
                path.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
                written.append(path)
        store.close()
    return written


if __name__ == "__main__":
    for file in record(sys.argv[1:]):
        print(file)
