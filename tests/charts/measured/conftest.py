"""A store with records of a device that never was, made from a known law, beside the shipped ones."""

import datetime
import json

import pytest

from analytics.bench import record as records
from charts.look import Look
from data.bench_records import import_records
from data.settings import Settings
from data.store import Store
from tests.analytics.bench.test_fit import gqa, made

TODAY = datetime.date(2026, 11, 24)
GPU = "NVIDIA H200"


def gpu_records():
    rows = [made("attn.decode", gqa(b, s, page), device=GPU) for page in (0, 64) for b in (1, 8, 64) for s in (1024, 4096, 16384)]
    rows += [made("attn.decode", row["params"], device=GPU, backend="torch-sdpa", efficiency=0.5) for row in rows[:9]]
    rows += [made("gemm", {"M": m, "N": 28672, "K": 4096}, device=GPU, backend="torch") for m in (1, 16, 256, 2048)]
    rows.append(
        made("attn.mla", {"B": 64, "S": 8192, "H": 16, "latent": 512, "rope": 64, "page": 64}, device=GPU, status="noisy", message="x")
    )
    absent = {k: v for k, v in rows[0].items() if not k.endswith("_us") and k not in ("n", "timer", "iqr_rel", "gb_per_s", "tflop_per_s")}
    row = records.blank(**{**absent, "backend": "flashinfer", "status": "unsupported", "message": "FlashInfer is <b>not</b> installed"})
    row["row_key"] = records.row_key(row)
    rows.append(row)
    for what, value in {"read_gb_per_s": 4000.0, "gemm_bf16_tflop_per_s": 700.0, "launch_floor_us": 3.0}.items():
        row = records.blank(
            **{k: rows[0][k] for k in ("session_id", "started_utc", "device_kind", "device")},
            op="ceiling",
            backend="best",
            params={"what": what, "when": "start"},
            dtype="fp32",
            value_name=what,
            value=value,
            status="ok",
        )
        row["row_key"] = records.row_key(row)
        rows.append(row)
    return rows


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory):
    store = Store.open(Settings(home=tmp_path_factory.mktemp("measured_charts"), today=TODAY))
    import_records(store, "\n".join(json.dumps(row) for row in gpu_records()).encode(), "gpu.jsonl")
    yield store.snapshot(today=TODAY)
    store.close()


@pytest.fixture(params=["light-desk", "dark-phone"])
def look(request):
    theme, width = request.param.split("-")
    return Look(theme=theme, width=width)
