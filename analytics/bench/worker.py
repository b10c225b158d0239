"""The process that measures: it takes one request a line and answers one line, so that a hung or crashed case costs only itself."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import Any

from analytics.bench.ceilings import measure_ceilings
from analytics.bench.device import Device
from analytics.bench.env import facts
from analytics.bench.operation import Case
from analytics.bench.ops import operations
from analytics.bench.predict import Ceilings, Spec
from analytics.bench.protocol import Session, run_case
from analytics.bench.timing import StopRule


def answer(request: dict[str, Any], device: Device) -> dict[str, Any]:
    """Carry out one request: `facts`, `ceilings` or `case`."""
    if request["do"] == "facts":
        return {"facts": facts(device)}
    if request["do"] == "ceilings":
        return {"ceilings": asdict(measure_ceilings(device, request["session_id"], request["small"]))}
    asked, shared = request["case"], request["session"]
    case = Case(asked["op"], asked["params"], asked["dtype"], asked["dtype_kv"])
    session = Session(
        shared["session_id"],
        shared["facts"],
        Ceilings(**shared["ceilings"]),
        Spec(**shared["spec"]),
        StopRule(**shared["rule"]),
        shared["seconds"],
        shared["timer"],
        shared["most_sets"],
    )
    return {"rows": run_case(operations()[case.op], case, device, session, request["backends"], request["seed"])}


def main(device_name: str, threads: int) -> int:
    """Answer requests until the input ends. Whatever a library prints goes to the error stream."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    try:
        device = Device(device_name, threads)
    except ValueError as error:
        out.write(json.dumps({"refused": str(error)}) + "\n")
        return 2
    out.write(json.dumps({"ready": True}) + "\n")
    for line in sys.stdin:
        out.write(json.dumps(answer(json.loads(line), device), allow_nan=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
