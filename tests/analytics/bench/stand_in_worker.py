"""A measuring process that answers by rote, for the tests of the runner: it hangs, dies or answers as the case's `act` says."""

import json
import sys
import time

FACTS = {"device_kind": "cpu", "device": "stand-in", "torch": "0", "python": "3"}
CEILINGS = {"device": "stand-in", "bytes_per_s": {"read": 1e10}, "flop_per_s": {}, "launch_floor_s": 1e-6}

print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    if request["do"] == "facts":
        answer = {"facts": FACTS}
    elif request["do"] == "ceilings":
        answer = {"ceilings": {**CEILINGS, "session_id": request["session_id"]}}
    else:
        act = request["case"]["params"]["act"]
        if act == "hang":
            time.sleep(3600)
        if act == "die":
            sys.exit(9)
        from analytics.bench import record as records

        row = records.blank(
            **FACTS,
            session_id=request["session"]["session_id"],
            started_utc="2026-01-01T00:00:00+00:00",
            op=request["case"]["op"],
            backend="b",
            params=request["case"]["params"],
            dtype="fp32",
            timer="wall",
            n=5,
            min_us=1.0,
            median_us=2.0,
            max_us=3.0,
            pred_us=1.0,
            status="ok",
        )
        if act == "wrong":
            row = {
                **row,
                "status": "wrong",
                "message": "off",
                "timer": "none",
                "n": None,
                "min_us": None,
                "median_us": None,
                "max_us": None,
            }
        row["row_key"] = records.row_key(row)
        answer = {"rows": [row]}
    print(json.dumps(answer), flush=True)
