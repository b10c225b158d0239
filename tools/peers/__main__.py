"""python -m tools.peers [--json] [NAME ...]: seconds a query of other serving estimators takes, next to one of ours.

Each peer is installed in an environment of its own under RIDGEPOINT_HOME/peers (default var/peers), pinned, and asked there in process
after its imports. Ours is asked for 10,000 configurations at once and for one alone. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import venv
from pathlib import Path

import numpy as np

from analytics.serving import Calibration, Chip, Deployment, Fleet, KernelTable, Layout, Precision, Shape, Workload, evaluate, evaluate_many
from data import shipped

HERE = Path(__file__).parent
#: Peer -> what pip installs and the script that asks it.
PEERS = {
    "aiconfigurator": ("aiconfigurator==0.12.0", "ask_aiconfigurator.py"),
    "GenZ-LLM": ("genz-llm==0.0.16", "ask_genz_llm.py"),
    "llm-analysis": ("llm-analysis==0.2.2", "ask_llm_analysis.py"),
}
BATCH = 10_000


def ours() -> dict[str, float]:
    """Seconds of one query in a batch of 10,000, and of one alone."""
    shape = next(Shape.from_row(row) for row in shipped.rows("models") if row["model"] == "Llama-3.1-70B")
    chip = next(Chip.from_row(row) for row in shipped.rows("chips") if row["chip_id"] == "h200-sxm")
    kernels = KernelTable.from_rows(shipped.rows("kernel_efficiency"))
    constants = Calibration.from_rows(shipped.rows("serving_calibration"))
    fleet = Fleet([Deployment(shape, chip, Layout(tensor=n), Precision.of("fp8")) for n in (1, 2, 4, 8)], kernels, constants)
    rng = np.random.default_rng(1)
    which, batch = rng.integers(0, 4, BATCH), rng.integers(1, 512, BATCH)
    work = Workload(rng.integers(16, 8192, BATCH), rng.integers(16, 2048, BATCH))
    evaluate_many(fleet, which, batch, work)
    start = time.perf_counter()
    for _ in range(10):
        evaluate_many(fleet, which, batch, work)
    many = (time.perf_counter() - start) / 10 / BATCH
    start = time.perf_counter()
    for number in range(100):
        evaluate(fleet, 1, 64 + number, Workload(1024, 1024))
    return {"query_s": many, "alone_s": (time.perf_counter() - start) / 100}


def ask(name: str, folder: Path) -> dict[str, float | str]:
    """Install a peer where it is not yet, and ask it; {"error": ...} when it cannot be installed or run."""
    package, script = PEERS[name]
    home = folder / package.replace("==", "-")
    python = home / "bin" / "python"
    try:
        if not (home / "installed").exists():
            venv.create(home, with_pip=True, clear=True)
            subprocess.run([python, "-m", "pip", "install", "-q", package], check=True, capture_output=True, text=True, timeout=900)
            (home / "installed").touch()
        found = subprocess.run([python, HERE / script], check=True, capture_output=True, text=True, timeout=600, cwd=home)
        return json.loads(found.stdout.strip().splitlines()[-1])
    except subprocess.CalledProcessError as error:
        return {"error": (error.stderr or error.stdout or "no output").strip().splitlines()[-1]}
    except (subprocess.TimeoutExpired, OSError, ValueError, IndexError) as error:
        return {"error": str(error)}


def main() -> int:
    """Print the comparison; 2 for an unknown peer."""
    asked = argparse.ArgumentParser(prog="python -m tools.peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--json", action="store_true", help="print JSON")
    asked.add_argument("names", nargs="*", help=f"of {', '.join(PEERS)} (default all)")
    options = asked.parse_args()
    unknown = [name for name in options.names if name not in PEERS]
    if unknown:
        print(f"no peer {', '.join(unknown)}; there are {', '.join(PEERS)}", file=sys.stderr)
        return 2
    folder = Path(os.environ.get("RIDGEPOINT_HOME", "var")).resolve() / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    mine = ours()
    result: dict[str, dict[str, float | str]] = {"Ridgepoint": dict(mine)}
    for name in options.names or PEERS:
        found = ask(name, folder)
        if "query_s" in found:
            found["ratio_to_one_of_10000"] = float(found["query_s"]) / mine["query_s"]
            found["ratio_alone"] = float(found["query_s"]) / mine["alone_s"]
        result[name] = found
    if options.json:
        print(json.dumps(result, indent=1))
        return 0
    print(f"{'Ridgepoint':<16}{mine['query_s'] * 1e6:12.3g} us a query of {BATCH:,}, {mine['alone_s'] * 1e6:.3g} us alone")
    for name, found in list(result.items())[1:]:
        if "error" in found:
            print(f"{name:<16} not asked: {found['error']}")
            continue
        times = f"{found['ratio_to_one_of_10000']:,.0f} x one of {BATCH:,}, {found['ratio_alone']:,.1f} x one alone"
        print(f"{name:<16}{float(found['query_s']) * 1e6:12.4g} us a query after the first, {times} (version {found['version']})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
