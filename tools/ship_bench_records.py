"""Write data/sources/bench_records.csv from record files: python tools/ship_bench_records.py FILE.jsonl ...

Rows that could not run are left out, except one a reason: what is shipped is what was measured.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from analytics.bench import record as records  # noqa: E402
from data.bench_records import TABLE, to_frame  # noqa: E402
from data.meta import load_meta  # noqa: E402


def main(files: list[str]) -> int:
    """Read every file whole (a bad line refuses it), keep what was measured, write the table."""
    kept, reasons = [], set()
    for row in (row for file in files for row in records.read(file)):
        reason = (row["op"], row["backend"], row["message"])
        if row["status"] == "unsupported" and reason in reasons:
            continue
        reasons.add(reason)
        kept.append(row)
    frame = to_frame(kept).sort_values(["session_id", "row_key"], kind="stable")
    frame.to_csv(load_meta(TABLE).path, index=False, lineterminator="\n")
    print(f"{len(frame)} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
