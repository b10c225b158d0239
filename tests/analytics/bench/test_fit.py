"""Records -> efficiencies, on records made from a law that is known, so that the fit has to find it again."""

import json

import numpy as np
import pytest

from analytics.bench import record as records
from analytics.bench.fit import critical_batches, efficiencies, fit, goals, inversions, roofline_us
from analytics.bench.operation import Case
from analytics.bench.ops import operations
from analytics.bench.report import compare, statuses, table
from analytics.serving.kernels import AXES, KernelTable


def made(
    op,
    params,
    *,
    overhead_us=5.0,
    efficiency=0.9,
    noise=0.0,
    backend="triton",
    device="made up GPU",
    session="s1",
    kv=None,
    dtype="bf16",
    **changes,
):
    """A record of a device that never was: time = overhead + roofline / efficiency."""
    case = Case(op, params, dtype, kv)
    work = operations()[op].account(case)
    row = records.blank(
        session_id=session,
        started_utc="2026-01-01T00:00:00+00:00",
        device_kind="cuda",
        device=device,
        op=op,
        backend=backend,
        params=params,
        dtype=dtype,
        dtype_kv=kv,
        bytes_min=work.bytes_min,
        flops=work.flops,
        timer="graph",
        n=30,
        ceiling_gb_per_s=4000.0,
        spec_gb_per_s=5000.0,
        ceiling_tflop_per_s=700.0,
        spec_tflop_per_s=1000.0,
        torch="0.0",
        pred_bound="mem",
        status="ok",
    )
    row["pred_us"] = roofline_us(row) + 3.0
    median = (overhead_us + roofline_us(row) / efficiency) * (1 + noise)
    row.update(min_us=median * 0.98, p10_us=median * 0.99, median_us=median, p90_us=median * 1.01, max_us=median * 1.05, iqr_rel=0.01)
    row.update(changes)
    row["intensity"] = work.flops / work.bytes_min
    row["gb_per_s"] = work.bytes_min / row["median_us"] / 1e3
    row["tflop_per_s"] = work.flops / row["median_us"] / 1e6
    row["ratio_pred"] = row["median_us"] / row["pred_us"]
    row["row_key"] = records.row_key(row)
    return records.validate(row)


def gqa(batch, context, page=64, **extra):
    return {"B": batch, "S": context, "H": 32, "K": 8, "D": 128, "page": page, **extra}


SWEEP = [
    made("attn.decode", gqa(b, s), noise=0.01 * (-1) ** i)
    for i, (b, s) in enumerate((b, s) for b in (1, 8, 64) for s in (1024, 4096, 16384))
]


def test_the_fit_finds_the_law_and_says_its_error_on_records_left_out():
    found = fit(SWEEP)
    assert len(found) == 1
    one = found[0]
    assert (one.op, one.n_fitted, one.n_held_out) == ("attn.decode", 5, 4)
    assert one.overhead_us == pytest.approx(5.0, rel=0.1)
    assert one.efficiency == pytest.approx(0.9, rel=0.03)
    assert 0 < one.held_out_median_error < 0.03


def test_each_device_has_its_own_fit():
    slow = [made("attn.decode", row["params"], efficiency=0.3, overhead_us=40.0, device="another GPU", session="s2") for row in SWEEP]
    found = {one.device: one for one in fit(SWEEP + slow)}
    assert set(found) == {"made up GPU", "another GPU"}
    assert found["made up GPU"] == fit(SWEEP)[0]
    assert found["another GPU"].efficiency == pytest.approx(0.3, rel=1e-6)
    assert found["another GPU"].overhead_us == pytest.approx(40.0, rel=1e-6)


def test_too_few_records_are_not_fitted_and_bad_ones_not_used():
    assert fit(SWEEP[:3]) == []
    noisy = [{**row, "status": "noisy"} for row in SWEEP]
    assert fit(noisy) == []


def test_an_overhead_is_never_negative():
    rows = [made("attn.decode", gqa(b, 4096), overhead_us=0.0, efficiency=0.5 if b < 16 else 0.45) for b in (1, 2, 4, 8, 16, 32, 64, 128)]
    assert fit(rows)[0].overhead_us >= 0


def test_a_larger_shape_that_is_faster_marks_both():
    rows = [made("attn.decode", gqa(b, 4096), overhead_us=0) for b in (1, 2, 4)]
    fast = made("attn.decode", gqa(8, 4096), overhead_us=0, efficiency=0.99, noise=-0.6, spec_gb_per_s=None)
    assert inversions([*rows, fast]) == [(rows[2]["row_key"], fast["row_key"])]
    assert inversions(rows) == []


def test_efficiencies_come_in_the_layout_of_the_serving_model_and_are_used_by_it():
    rows = [
        *SWEEP,
        *[made("attn.mla", {"B": b, "S": 4096, "H": 16, "latent": 512, "rope": 64, "page": 64}) for b in (16, 64)],
        *[made("gemm", {"M": m, "N": 28672, "K": 4096}, backend="torch") for m in (1, 256)],
        *[
            made("moe.grouped", {"n": n, "E": 128, "k": 8, "hidden": 2048, "ffn": 768, "skew": "balanced"}, backend="torch-grouped")
            for n in (128, 512)
        ],
        *[
            made("attn.prefill", {"B": 1, "T": t, "past": 0, "H": 32, "K": 8, "D": 128, "Dv": 128}, backend="torch-sdpa")
            for t in (2048, 8192)
        ],
    ]
    out = efficiencies(rows, {"made up GPU": "h200-sxm"})
    assert {row["op"] for row in out} == {"attention_decode", "mla_decode", "gemm", "expert_gemm", "attention_prefill"}
    for row in out:
        assert set(AXES[row["op"]]) <= set(row) and 0 < row["fraction"] <= 1 and row["chip_id"] == "h200-sxm"
    distilled = [{**row, "fraction": 0.123, "source": "other"} for row in out]
    own = KernelTable.from_rows(distilled, out)
    key = own.key("attention_decode", "h200-sxm", "h100-sxm", "bf16")
    got = own.fraction(key, streams=64 * 8, context=16384, group=4, head_dim=128)
    work = operations()["attn.decode"].account(Case("attn.decode", gqa(64, 16384)))
    measured = next(row for row in SWEEP if row["params"] == gqa(64, 16384))
    assert got == pytest.approx(work.bytes_min / 5000e3 / measured["median_us"], rel=1e-6)
    assert "own benchmark" in own.sources[key]


def test_efficiencies_take_the_best_backend_and_leave_out_unknown_chips():
    slow, quick = made("attn.decode", gqa(32, 4096), backend="torch-sdpa", efficiency=0.4), made("attn.decode", gqa(32, 4096))
    out = efficiencies([slow, quick], {"made up GPU": "h200-sxm"})
    assert len(out) == 1 and out[0]["source"] == "own benchmark, triton"
    assert efficiencies([slow, quick], {}) == []
    cpu = {**quick, "device": "cpu: x"}
    assert efficiencies([cpu], {"made up GPU": "h200-sxm"}) == []


def test_a_latent_fp8_cache_has_its_own_efficiency_and_values_narrower_than_keys_have_none():
    latent = {"B": 64, "S": 8192, "H": 16, "latent": 512, "rope": 64, "page": 64}
    rows = [made("attn.mla", latent), made("attn.mla", latent, kv="fp8", efficiency=0.7)]
    narrow = made("attn.decode", {"B": 16, "S": 8192, "H": 64, "K": 4, "D": 192, "Dv": 128, "page": 0}, backend="torch-sdpa")
    out = {row["dtype"]: row for row in efficiencies([*rows, narrow], {"made up GPU": "h200-sxm"})}
    assert set(out) == {"bf16", "fp8"} and {row["op"] for row in out.values()} == {"mla_decode"}
    # 304.2 MB at the stated 5 TB/s over 5 us + 304.2 MB at 0.7 of 4 TB/s
    assert out["fp8"]["fraction"] == pytest.approx(60.84 / (5.0 + 108.65), rel=1e-3)
    lowest = {line["goal"]: line["lowest"] for line in goals(rows)}
    share = lowest["Latent decode with 16 heads and a bf16 cache from 256 MB, share of measured read bandwidth"]
    assert share == pytest.approx(151.55 / (5.0 + 151.55 / 0.9), rel=1e-3)  # the fp8 record, at 0.68, is no part of it


def test_critical_batch_of_a_step_with_a_known_crossing():
    """t = a + c B has d ln t / d ln B = c B / (a + c B), which is 0.5 at B = a / c = 64."""
    shape = {"layers": 8, "hidden": 4096, "H": 32, "K": 8, "D": 128, "ffn": 14336, "vocab": 128256, "S": 1024}
    rows = [
        made("step", {"B": b, **shape}, min_us=1.0, p10_us=1.0, median_us=640.0 + 10.0 * b, p90_us=1e5, max_us=1e6, spec_gb_per_s=None)
        for b in (1, 4, 16, 32, 48, 64, 80, 96, 128, 256)
    ]
    (found,) = critical_batches(rows)
    assert found["critical_batch"] == pytest.approx(64, rel=0.05)
    assert critical_batches(rows[:2]) == []
    assert critical_batches(rows[:4])[0]["critical_batch"] is None


def test_goals_are_blank_until_a_gpu_was_measured():
    assert all(line["lowest"] is None and line["shapes"] == 0 for line in goals([]))
    rows = [
        made("attn.decode", gqa(32, 4096), overhead_us=0, efficiency=0.95),
        made("attn.decode", gqa(32, 4096, 0), overhead_us=0, efficiency=0.97),
        made("attn.decode", gqa(32, 4096), overhead_us=0, efficiency=0.5, backend="torch-sdpa"),
        made("kv.copy", {"pages": 4096, "page_bytes": 65_536}, overhead_us=0, efficiency=0.90),
        made("kv.copy", {"pages": 4096, "page_bytes": 65_536}, overhead_us=0, efficiency=0.92, backend="torch"),
    ]
    reached = {line["goal"]: line["lowest"] for line in goals(rows)}
    assert reached["GQA decode from 256 MB of cache, share of measured read bandwidth"] == pytest.approx(0.95)
    assert reached["Paged against contiguous GQA decode, ratio of speeds"] == pytest.approx(0.95 / 0.97)
    assert reached["Our decode kernels against the best backend, ratio of speeds"] == pytest.approx(0.95 / 0.5)
    assert reached["Our copies against the library's, ratio of speeds"] == pytest.approx(0.90 / 0.92)


def test_reports_say_what_was_measured_and_how_two_sessions_differ():
    text = table(SWEEP)
    assert text.count("\n") == len(SWEEP) + 1 and "B=64 S=16384" in text
    slower = [made("attn.decode", row["params"], efficiency=0.5) for row in SWEEP]
    verdicts = {line["verdict"] for line in compare(SWEEP, slower)}
    assert verdicts == {"SLOWER"} or verdicts == {"SLOWER", "UNDECIDED"}
    assert {line["verdict"] for line in compare(SWEEP, SWEEP)} == {"SAME"}
    assert {line["verdict"] for line in compare(slower, SWEEP)} <= {"FASTER", "UNDECIDED"}
    assert statuses(SWEEP) == {"ok": 9}
    json.dumps(compare(SWEEP, slower))


def test_roofline_is_the_longer_of_memory_and_arithmetic():
    row = made("gemm", {"M": 8192, "N": 8192, "K": 8192}, backend="torch")
    assert roofline_us(row) == pytest.approx(2 * 8192**3 / 700e12 * 1e6)
    assert roofline_us(row, "spec") == pytest.approx(2 * 8192**3 / 1000e12 * 1e6)
    assert roofline_us({**row, "ceiling_gb_per_s": None, "ceiling_tflop_per_s": None}) is None
    assert np.isfinite(roofline_us(row))
