"""Every kernel variant compiled for a Hopper GPU without having one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.bench
pytest.importorskip("triton", reason="our kernels need triton (requirements-bench.txt)")

from analytics.bench.aot import SHARED_MEMORY_LIMIT_BYTES, Compiled, _local_in_loops, variants  # noqa: E402
from analytics.bench.kernels.tiling import gqa_tiling, mla_tiling  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def compiled():
    """All variants, compiled in a process of its own so that no test's TRITON_INTERPRET reaches it."""
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}
    command = [sys.executable, "-W", "ignore", "-m", "analytics.bench", "aot", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=280)
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
    return {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}


def test_no_variant_spills_in_a_loop_or_outgrows_a_block(compiled):
    assert len(compiled) == len(variants())
    for row in compiled.values():
        assert row["fault"] is None
        assert row["registers"] <= 255
        assert row["shared_bytes"] <= SHARED_MEMORY_LIMIT_BYTES[90]
        assert row["spills_in_loops"] == 0


def test_gqa_variants_do_not_spill_at_all_and_leave_room_for_several_programs(compiled):
    for name, row in compiled.items():
        if name.startswith("gqa"):
            assert row["spill_instructions"] == 0 and row["stack_bytes"] == 0, name
            by_registers = 65_536 // (row["registers"] * 128)
            by_memory = (228 * 1024) // (row["shared_bytes"] + 1024)
            assert min(by_registers, by_memory) >= 2, name


def test_a_latent_fp8_cache_is_read_without_a_spill_in_a_third_of_a_block_s_memory(compiled):
    latent = {name: row for name, row in compiled.items() if name.startswith("mla") and "fp8e4nv" in name}
    assert {tuple(name.split()[1:3]) for name in latent} == {
        (h, how) for h in ("h16", "h32") for how in ("page64", "unsplit", "contiguous")
    }
    for name, row in latent.items():
        assert row["spill_instructions"] == 0 and row["stack_bytes"] == 0, name
        assert row["registers"] <= (176 if "h16" in name else 255) and row["shared_bytes"] <= 76 * 1024, name


def test_the_split_rule_counts_no_more_resident_programs_than_fit(compiled):
    """65,536 registers and 228 KiB of shared memory a multiprocessor (CUDA C++ programming guide, compute capability 9.0)."""
    for variant in variants():
        if variant.name.startswith(("gqa", "mla")):
            row = compiled[variant.name]
            group, width = variant.constants.get("G"), variant.constants.get("D")
            heads = {16: 16, 32: 32, 64: 128}[variant.constants["ROWS"]]
            kv_bytes = 1 if "fp8" in variant.name else 2
            tiling = gqa_tiling(group, width, kv_bytes) if group else mla_tiling(heads, kv_bytes)
            fit = min(65_536 // (row["registers"] * 32 * tiling.warps), (228 * 1024) // (row["shared_bytes"] + 1024))
            assert tiling.programs_per_sm <= max(1, fit), (variant.name, fit)


def test_caches_are_read_by_wide_asynchronous_copies_into_matrix_instructions(compiled):
    for name, row in compiled.items():
        if name.startswith(("gqa", "mla")):
            assert row["async_copies"] > 0, name
            assert row["warp_matrix_ops"] + row["group_matrix_ops"] > 0, name
    assert compiled[next(n for n in compiled if n.startswith("mla h128 page64"))]["group_matrix_ops"] > 0
    for name in ("read i32", "read i64", "read pages 8 KiB", "copy pages"):
        assert compiled[name]["wide_loads"] > 0


def test_a_fault_names_what_is_wrong():
    good = Compiled("k", 128, 0, 0, 0, 1000, 1, 1, 1, 0)
    assert good.fault() is None
    assert "spills in its loop" in Compiled("k", 255, 64, 9, 2, 1000, 1, 1, 1, 0).fault()
    assert "on the stack" in Compiled("k", 255, 512, 9, 0, 1000, 1, 1, 1, 0).fault()
    assert "shared memory" in Compiled("k", 128, 0, 0, 0, 240_000, 1, 1, 1, 0).fault()


def test_local_accesses_are_counted_inside_loops_only():
    sass = "\n".join(
        f"        /*{i * 16:04x}*/  {text} ;"
        for i, text in enumerate(["STL [R1], R2", "LDL R3, [R1]", "FADD R1, R1, R2", "@P0 BRA 0x10", "LDL R4, [R1]"])
    )
    assert _local_in_loops(sass) == 1
