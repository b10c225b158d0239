"""The time expected of a case before it is timed, from ceilings measured in the same session."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field

from analytics.bench.fields import MOST_OF_SPEC
from analytics.bench.operation import Work
from analytics.bench.roofline import expected_time_us


@dataclass(frozen=True)
class Spec:
    """What the vendor states: memory bandwidth [B/s] and dense FLOP rates [FLOP/s] by dtype; empty where not known."""

    bytes_per_s: float | None = None
    flop_per_s: dict[str, float] = field(default_factory=dict)
    chip_id: str | None = None


@dataclass(frozen=True)
class Ceilings:
    """The fastest this device was seen to read, write, copy, gather and multiply in this session, and what a launch costs."""

    device: str
    session_id: str
    bytes_per_s: dict[str, float] = field(default_factory=dict)  # by path: read, write, copy, h2d, d2h
    flop_per_s: dict[str, float] = field(default_factory=dict)  # by dtype
    launch_floor_s: float = 0.0

    @property
    def card_id(self) -> str:
        """A short name for exactly these ceilings."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]

    def bandwidth(self, path: str) -> float | None:
        """The ceiling of a path; one that was not measured takes the nearest that was (write and a link between ranks: copy)."""
        for name in {"write": ("write", "copy"), "link": ("copy",)}.get(path, (path,)):
            if name in self.bytes_per_s:
                return self.bytes_per_s[name]
        return None


@dataclass(frozen=True)
class Prediction:
    """Expected time [us], what bounds it, and the ceilings it was computed from."""

    us: float
    bound: str
    ceiling_bytes_per_s: float | None
    ceiling_flop_per_s: float | None
    floor_us: float


def predict(work: Work, ceilings: Ceilings) -> Prediction | None:
    """t = max(bytes / W, FLOPs / F) + launches * floor, with W and F measured in the session; None without a ceiling.

    The roofline with a launch term; nothing is fitted to the operation itself, so the ratio to the measurement is its efficiency.
    """
    bandwidth = None if work.path == "none" else ceilings.bandwidth(work.path)
    rate = None if work.flop_dtype is None else ceilings.flop_per_s.get(work.flop_dtype)
    floor_us = ceilings.launch_floor_s * work.kernels * 1e6
    if not bandwidth and not rate and not floor_us:
        return None
    by_bytes, by_flops = (bandwidth or math.inf) / 1e9, (rate or math.inf) / 1e12  # without a ceiling a term costs nothing
    memory_us = float(expected_time_us(work.bytes_min, by_bytes, 0.0, math.inf, 0.0))
    flop_us = float(expected_time_us(0.0, math.inf, work.flops, by_flops, 0.0))
    bound = "launch" if floor_us > max(memory_us, flop_us) else ("mem" if memory_us >= flop_us else "flop")
    total = float(expected_time_us(work.bytes_min, by_bytes, work.flops, by_flops, floor_us))
    return Prediction(total, bound, bandwidth, rate, floor_us)


def impossible(seconds: float, work: Work, spec: Spec, margin: float = MOST_OF_SPEC) -> str | None:
    """The reason why a time cannot be right, if it beats what the vendor states by more than 2 %."""
    if spec.bytes_per_s and work.bytes_min and work.path in ("read", "write", "copy", "gather"):
        achieved = work.bytes_min / seconds
        if achieved > margin * spec.bytes_per_s:
            return f"{achieved / 1e9:,.0f} GB/s is above the stated {spec.bytes_per_s / 1e9:,.0f} GB/s"
    peak = spec.flop_per_s.get(work.flop_dtype or "")
    if peak and work.flops:
        achieved = work.flops / seconds
        if achieved > margin * peak:
            return f"{achieved / 1e12:,.0f} TFLOP/s is above the stated {peak / 1e12:,.0f} TFLOP/s"
    return None
