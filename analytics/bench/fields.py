"""The fields of a record and the shapes of operations: names, kinds, units and what each may hold."""

from __future__ import annotations

import re
from dataclasses import dataclass

SCHEMA_VERSION = 1
LEAST = 1e-6  # of a time [us] and of a rate [GB/s, TFLOP/s]: below it a quotient of two is no number to draw
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,59}")
STATUSES = ("ok", "noisy", "impossible", "wrong", "oom", "unsupported", "timeout", "failed")
TIMED = ("ok", "noisy", "impossible")
MOST_OF_SPEC = 1.02  # of the vendor's figure; faster than that cannot be right
TIMERS = ("graph", "events", "kineto", "wall", "none")
BOUNDS = ("mem", "flop", "launch", "none")


@dataclass(frozen=True)
class Field:
    """One column of a record."""

    name: str
    kind: str  # text, name, moment, integer, number, boolean or params
    unit: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


def _text(*names: str, required: bool = False) -> list[Field]:
    return [Field(name, "text", required=required) for name in names]


def _number(unit: str, *names: str, minimum: float | None = 0.0, maximum: float | None = None) -> list[Field]:
    return [Field(name, "number", unit, minimum=minimum, maximum=maximum) for name in names]


FIELDS: tuple[Field, ...] = (
    # identity
    *_text("suite_version", required=True),
    Field("schema_version", "integer", required=True, minimum=1, maximum=SCHEMA_VERSION),
    *_text("session_id", "row_key", required=True),
    Field("started_utc", "moment", required=True),
    *_text("pair_id", "git_rev"),
    Field("git_dirty", "boolean"),
    # where
    Field("device_kind", "text", required=True, choices=("cpu", "cuda")),
    *_text("device", required=True),
    Field("sm_count", "integer", minimum=0),
    Field("memory_bytes", "integer", "B", minimum=0),
    *_text("driver", "cuda", "torch", "triton", "backend_version", "python", "virtualised"),
    # what
    *(Field(name, "name", required=True) for name in ("op", "backend", "dtype")),
    Field("dtype_kv", "name"),
    *_text("kernel_variant"),
    Field("params", "params", required=True),
    Field("cache_state", "text", choices=("cold", "warm")),
    Field("seed", "integer", minimum=0),
    # accounting
    *_number("B", "bytes_min", "bytes_model"),
    *_number("FLOP", "flops"),
    *_number("FLOP/B", "intensity"),
    # prediction, written before timing
    *_number("us", "pred_us", "floor_us"),
    Field("pred_bound", "text", choices=BOUNDS),
    *_number("GB/s", "ceiling_gb_per_s", "spec_gb_per_s"),
    *_number("TFLOP/s", "ceiling_tflop_per_s", "spec_tflop_per_s"),
    *_text("card_id"),
    # measurement
    Field("timer", "text", required=True, choices=TIMERS),
    Field("n", "integer", minimum=0),
    *_number("us", "min_us", "p10_us", "median_us", "p90_us", "max_us"),
    *_number("", "iqr_rel"),
    Field("drift_rel", "number"),
    *_number("GB/s", "gb_per_s"),
    *_number("TFLOP/s", "tflop_per_s"),
    *_number("", "frac_ceiling", "frac_spec", "ratio_pred"),
    # results that are not times (largest batch, tokens per second, joules per token ...)
    *_text("value_name"),
    Field("value", "number"),
    Field("value_pred", "number"),
    # state of the machine
    *_number("MHz", "sm_mhz_before", "sm_mhz_after", "mem_mhz"),
    Field("temperature_c", "number", "C", minimum=-50, maximum=200),
    *_number("W", "power_w_mean"),
    Field("throttle_bits", "integer", minimum=0),
    *_number("J", "energy_j_per_call"),
    *_text("energy_method"),
    Field("power_valid", "boolean"),
    Field("mem_peak_bytes", "integer", "B", minimum=0),
    # correctness
    *_number("", "err_rel_l2", "err_max_abs", "err_cos", "tolerance"),
    Field("checked_after", "boolean"),
    # outcome
    Field("status", "text", required=True, choices=STATUSES),
    *_text("message"),
    *_number("s", "wall_s"),
)
DIVIDED_BY = (
    *("pred_us", "min_us", "p10_us", "median_us", "p90_us", "max_us"),
    *(f"{whose}_{rate}" for whose in ("ceiling", "spec") for rate in ("gb_per_s", "tflop_per_s")),
)
FIELD_BY_NAME = {field.name: field for field in FIELDS}

#: Shape of each operation: names that must be whole numbers of at least 1, and names that may be 0. Texts stand in SHAPE_WORDS.
SHAPES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    **dict.fromkeys(("bw.read", "bw.write", "bw.copy", "bw.triad"), (("bytes",), ())),
    "bw.gather": (("bytes", "page_bytes"), ()),
    "gemm": (("M", "N", "K"), ()),
    "attn.decode": (("B", "S", "H", "K", "D"), ("page",)),
    "attn.mla": (("B", "S", "H", "latent", "rope"), ("page",)),
    "attn.prefill": (("B", "T", "H", "K", "D", "Dv"), ("past",)),
    "kv.append": (("B", "page", "S", "K", "D"), ()),
    "kv.copy": (("pages", "page_bytes"), ()),
    "kv.evict": (("B", "pages", "keep"), ()),
    **dict.fromkeys(("kv.offload", "kv.restore"), (("blocks", "block_bytes"), ())),
    "moe.grouped": (("n", "E", "k", "hidden", "ffn"), ()),
    **dict.fromkeys(("step", "graph"), (("B", "S", "layers", "hidden", "H", "K", "D", "ffn", "vocab"), ())),
    "collective": (("bytes", "ranks"), ()),
    "capacity": (("S", "weight_bytes", "kv_bytes_per_token"), ("limit_bytes",)),
}
SHAPE_WORDS = {
    ("moe.grouped", "skew"): ("balanced", "power-1.01", "power", "hot-10", "hot", "hot-50", "empty"),
    ("collective", "kind"): ("all_reduce", "all_gather", "all_to_all"),
    ("ceiling", "when"): ("start", "end"),
    ("ceiling", "what"): (
        *(f"{path}_gb_per_s" for path in ("read", "write", "copy", "h2d", "d2h")),
        *(f"gemm_{dtype}_tflop_per_s" for dtype in ("fp32", "bf16", "fp8")),
        "launch_floor_us",
    ),
    ("energy", "what"): ("gemm", "attn.decode"),
}
