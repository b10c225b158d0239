"""Our decode kernels in Triton's interpreter against float64: ragged lengths, page sizes, group sizes, empty parts, window edges."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.bench
pytest.importorskip("torch", reason="the benchmarks need torch (requirements-bench.txt)")
pytest.importorskip("triton", reason="our kernels need triton (requirements-bench.txt)")

ROOT = Path(__file__).resolve().parents[3]


def interpreted(*command):
    environment = {**os.environ, "TRITON_INTERPRET": "1", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-W", "ignore", *command], capture_output=True, text=True, cwd=ROOT, env=environment, timeout=280
    )


def test_decode_kernels_over_a_lattice_of_shapes():
    """bf16 inputs, products in float32 in the interpreter: what is left is the rounding of the output to bf16, 2**-9 at most."""
    done = interpreted(str(Path(__file__).parent / "kernel_lattice.py"))
    assert done.returncode == 0, done.stderr[-2000:]
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) > 40
    bad = [r for r in results if not r["finite"] or r["rel_l2"] > 6e-3]
    assert not bad, bad


def test_every_triton_backend_of_the_smoke_suite():
    done = interpreted("-m", "analytics.bench", "check", "--device", "cpu", "--backend", "triton,triton-form2,triton-form3")
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert sum(line.startswith("right") for line in lines) >= 17 + 18
    assert not [line for line in lines if line.startswith("WRONG")]
