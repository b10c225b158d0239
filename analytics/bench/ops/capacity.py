"""The largest batch that fits: weights and caches allocated until memory runs out, in a process of its own, against the prediction."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from analytics import accounting
from analytics.bench.operation import Backend, Case, Operation, Work, measured_whole

MIB = 2**20
LLAMA_8B_WEIGHTS = 16_060_522_496  # bytes of Llama-3.1-8B in bf16
ROOT = Path(__file__).resolve().parents[3]


def cases(suite: str, device: str) -> list[Case]:
    if suite == "smoke" or device == "cpu":
        # A CPU case has its own limit, so that the machine's memory is not what is exhausted.
        shape = {"weight_bytes": 64 * MIB, "kv_bytes_per_token": 32_768, "limit_bytes": 512 * MIB}
        return [Case("capacity", {"S": s, **shape}, priority=0 if s == 128 else 1) for s in ((128,) if suite == "smoke" else (128, 512))]
    shape = {"weight_bytes": LLAMA_8B_WEIGHTS, "kv_bytes_per_token": accounting.gqa_kv_bytes_per_token(32, 8, 128), "limit_bytes": 0}
    return [Case("capacity", {"S": s, **shape}, priority=0 if s == 4096 else 1) for s in (4096, 32768)]


def account(case: Case) -> Work:
    return Work(case["weight_bytes"], path="none", kernels=0)


def predicted_batch(case: Case, free_bytes: float) -> int:
    """Sequences that fit in `free_bytes` beside the weights, nothing kept in reserve."""
    return int(accounting.sequences_that_fit(free_bytes, case["weight_bytes"], case["S"] * case["kv_bytes_per_token"], 1.0, 0.0))


def measure(case: Case, backend: str, device: Any, seconds: float) -> dict[str, Any]:
    """Bisect the batch in a fresh process; the prediction is made there too, from the memory free before anything is allocated."""
    device.release()
    request = json.dumps({"params": dict(case.params), "device": device.torch_device})
    command = [sys.executable, "-m", "analytics.bench.ops.capacity", request]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=max(120.0, 4 * seconds))
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return {"status": "failed", "message": f"the process that fills the memory ended with {done.returncode}: {last}"[:500]}
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    return {
        "status": "ok",
        "value_name": "largest_batch",
        "value": answer["largest"],
        "value_pred": answer["predicted"],
        "mem_peak_bytes": answer["used_bytes"],
        "ratio_pred": answer["largest"] / answer["predicted"] if answer["predicted"] else None,
        "message": f"{answer['overhead_bytes'] / MIB:,.0f} MiB of the free memory could not be used",
    }


def _virtual_data_bytes() -> int:
    match = re.search(r"VmData:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
    return int(match.group(1)) * 1024 if match else 0


def fill(case: Case, device: str) -> dict[str, Any]:
    """Largest batch whose weights and caches can be allocated together; both are really allocated at every trial."""
    import torch

    weights_bytes, per_sequence = case["weight_bytes"], case["S"] * case["kv_bytes_per_token"]
    torch.zeros(1, device=device)  # the context of the device is not part of what is to be filled
    if case["limit_bytes"]:
        import resource

        base = _virtual_data_bytes()
        resource.setrlimit(resource.RLIMIT_DATA, (base + case["limit_bytes"], base + case["limit_bytes"]))
        free = case["limit_bytes"]
    else:
        free = torch.cuda.mem_get_info()[0]
    predicted = predicted_batch(case, free)

    def fits(batch: int) -> bool:
        held = []
        try:
            held.append(torch.empty(weights_bytes, dtype=torch.uint8, device=device))
            held.append(torch.empty(max(1, batch * per_sequence), dtype=torch.uint8, device=device))
        except RuntimeError:  # out of memory is a RuntimeError on every device
            return False
        finally:
            held.clear()
            if device != "cpu":
                torch.cuda.empty_cache()
        return True

    low, high = 0, predicted + max(4, predicted // 4)
    if not fits(0):
        return {"largest": 0, "predicted": predicted, "used_bytes": 0, "overhead_bytes": free}
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    used = weights_bytes + low * per_sequence
    return {"largest": low, "predicted": predicted, "used_bytes": used, "overhead_bytes": max(0, free - used)}


OPERATIONS = [
    Operation(
        "capacity",
        "Largest batch in memory",
        cases,
        account,
        lambda case, device, seed: {},
        None,
        [Backend("torch", measured_whole)],
        measure=measure,
    )
]

if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    print(json.dumps(fill(Case("capacity", asked["params"]), asked["device"])))
