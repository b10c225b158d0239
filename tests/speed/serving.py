"""Speed of the serving model: evaluations and replays a second, one call, and compiling a deployment, against bare numpy."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from analytics.serving import (
    Calibration,
    Chip,
    Deployment,
    Fleet,
    KernelTable,
    Layout,
    Precision,
    Shape,
    Workload,
    evaluate,
    evaluate_many,
    replay,
)
from analytics.serving.step import Compiler
from data import shipped

COUNT, THREADS, BLOCK = 1_000_000, 2, 16_384


def _fastest(run: Callable[[], object], times: int = 3) -> float:
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best


def _chain(block: np.ndarray) -> np.ndarray:
    """Twenty plain operations on a block."""
    x = block
    for _ in range(5):
        x = np.sqrt(x * 1.0001 + 1.0) - 0.5
    return x


def _fleet() -> Fleet:
    shapes = {row["model"]: Shape.from_row(row) for row in shipped.rows("models")}
    rows = {row["chip_id"]: row for row in shipped.rows("chips")}
    kernels = KernelTable.from_rows(shipped.rows("kernel_efficiency"))
    deployments = []
    for chip_id in ("h100-sxm", "h200-sxm", "b200", "gb300", "mi300x"):
        chip = Chip.from_row(rows[chip_id])
        deployments += [Deployment(shapes["Llama-3.3-70B"], chip, Layout(tensor=n), Precision.of("fp8")) for n in (2, 4, 8)]
        deployments += [Deployment(shapes["DeepSeek-V3"], chip, Layout(data=n, expert=n), Precision.of("fp8_block")) for n in (8, 16, 32)]
        deployments += [Deployment(shapes["gpt-oss-120b"], chip, Layout(tensor=n), Precision.of("mxfp4")) for n in (1, 2)]
    return Fleet(deployments, kernels, Calibration.from_rows(shipped.rows("serving_calibration")))


def figures() -> dict[str, dict[str, object]]:
    """Evaluations a second on two threads over 40 deployments, replays a second, one call and one compilation."""
    fleet = _fleet()
    rng = np.random.default_rng(20_261_124)
    which = rng.integers(0, len(fleet.deployments), COUNT)
    batch, inputs, outputs = rng.integers(1, 1024, COUNT), rng.integers(16, 32_768, COUNT), rng.integers(16, 4096, COUNT)
    work = Workload(inputs, outputs)
    evaluated = _fastest(lambda: evaluate_many(fleet, which, batch, work, THREADS, BLOCK))
    plain = rng.random(COUNT)

    def bare() -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(_chain, [plain[i : i + BLOCK] for i in range(0, COUNT, BLOCK)]))

    chain = _fastest(bare)
    runs = 1000
    few = Workload(rng.integers(128, 8192, runs), rng.integers(128, 2048, runs))
    replayed = _fastest(lambda: replay(fleet, which[:runs], few, 2000), 1)
    one = _fastest(lambda: [evaluate(fleet, 1, 64, Workload(1024, 1024)) for _ in range(200)]) / 200
    first = fleet.deployments[4]
    compiler = Compiler(first.shape, first.chip, first.layout, first.precision, KernelTable.from_rows(shipped.rows("kernel_efficiency")))
    compiled = _fastest(compiler.curves)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    chain_name = "a bare numpy chain of twenty operations"
    return {
        "serving: evaluations": {
            "figure": COUNT / evaluated,
            "unit": "1/s",
            "ratio": evaluated / chain,
            "against": f"time of {chain_name}",
        },
        "serving: a thousand replays of 2,000 requests": {
            "figure": replayed,
            "unit": "s",
            "ratio": replayed / runs / one,
            "against": "one evaluation, each",
        },
        "serving: one evaluation, one call": {"figure": one * 1e3, "unit": "ms", "ratio": None, "against": ""},
        "serving: compiling one deployment": {"figure": compiled * 1e3, "unit": "ms", "ratio": None, "against": ""},
        "serving: peak memory of the process": {"figure": peak, "unit": "GB", "ratio": None, "against": ""},
    }
