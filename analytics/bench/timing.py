"""How long a call takes: four timers behind one way of sampling.

`graph` replays a CUDA graph of many calls over rotated inputs, `events` times single calls after the cache was flushed, `kineto` sums the
kernel spans of the profiler, `wall` reads the clock of the CPU. The timer's name is stored with every time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from analytics.bench.device import Device


@dataclass(frozen=True)
class StopRule:
    """Sample until there are enough samples over enough time, and stop at the first of the caps."""

    min_samples: int = 30
    min_seconds: float = 0.1
    max_samples: int = 200
    max_seconds: float = 2.0
    relative_error: float = 0.005  # standard error of the median over the median


class Timer(Protocol):
    """One sample is the time of one call [s], averaged over as many calls as the timer makes at once."""

    name: str

    def sample(self) -> float: ...


def relative_error_of_median(samples: Sequence[float]) -> float:
    """Standard error of the median over the median, for samples near normal: 1.2533 sigma / sqrt(n), sigma = IQR / 1.349."""
    values = np.asarray(samples)
    low, middle, high = np.percentile(values, [25, 50, 75])
    return float(1.2533 * (high - low) / 1.349 / math.sqrt(len(values)) / middle) if middle > 0 else math.inf


def collect(sample: Callable[[], float], rule: StopRule, clock: Callable[[], float] = time.perf_counter) -> list[float]:
    """Samples [s per call] until `rule` says enough; always at least one."""
    start = clock()
    out: list[float] = []
    while True:
        out.append(sample())
        elapsed = clock() - start
        if len(out) >= rule.max_samples or elapsed >= rule.max_seconds:
            return out
        if len(out) >= rule.min_samples and elapsed >= rule.min_seconds and relative_error_of_median(out) < rule.relative_error:
            return out


def warm_up(calls: Sequence[Callable[[], Any]], device: Device, seconds: float = 0.025, least: int = 3) -> float:
    """Call until `least` calls and `seconds` have passed; the time of one call [s], from a few calls after the first."""
    calls[0]()
    device.sync()
    start = time.perf_counter()
    done = 0
    while done < least or time.perf_counter() - start < seconds:
        calls[done % len(calls)]()
        device.sync()
        done += 1
        if done >= least and (time.perf_counter() - start) / done > seconds:
            break
    return (time.perf_counter() - start) / done


class WallTimer:
    """Clock of the CPU around a block of calls long enough to outweigh the clock itself."""

    name = "wall"

    def __init__(
        self,
        calls: Sequence[Callable[[], Any]],
        estimate_s: float,
        block_s: float = 1e-3,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
    ):
        self._calls, self._clock_ns = calls, clock_ns
        self.repeats = max(1, math.ceil(block_s / max(estimate_s, 1e-9)))
        self._next = 0

    def sample(self) -> float:
        calls, count = self._calls, len(self._calls)
        start = self._clock_ns()
        for i in range(self.repeats):
            calls[(self._next + i) % count]()
        elapsed = self._clock_ns() - start
        self._next = (self._next + self.repeats) % count
        return elapsed * 1e-9 / self.repeats


class GraphTimer:
    """One CUDA graph of at least 1 ms that goes round the input sets; a sample is one replay between two events."""

    name = "graph"

    def __init__(self, calls: Sequence[Callable[[], Any]], estimate_s: float, block_s: float = 1e-3):
        import torch

        rounds = max(1, math.ceil(block_s / max(estimate_s, 1e-9) / len(calls)))
        self.repeats = min(rounds, 2_000) * len(calls)
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for call in calls:
                call()
        torch.cuda.current_stream().wait_stream(side)
        torch.cuda.synchronize()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            for i in range(self.repeats):
                calls[i % len(calls)]()
        self._start, self._end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        self._graph.replay()
        torch.cuda.synchronize()

    def sample(self) -> float:
        self._start.record()
        self._graph.replay()
        self._end.record()
        self._end.synchronize()
        return self._start.elapsed_time(self._end) * 1e-3 / self.repeats


class EventTimer:
    """Events around one call after the cache was overwritten. Only for calls of 50 us or more: an event pair costs 10 us or so."""

    name = "events"

    def __init__(self, calls: Sequence[Callable[[], Any]], device: Device):
        import torch

        self._calls, self._next = calls, 0
        self._flush = torch.empty(max(256 * 2**20, 4 * device.cache_bytes), dtype=torch.uint8, device=device.torch_device)
        self._start, self._end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)

    def sample(self) -> float:
        self._flush.zero_()
        self._start.record()
        self._calls[self._next % len(self._calls)]()
        self._end.record()
        self._end.synchronize()
        self._next += 1
        return self._start.elapsed_time(self._end) * 1e-3


class KinetoTimer:
    """Sum of the kernel spans the profiler saw in one call: a cross-check that leaves the launch out."""

    name = "kineto"

    def __init__(self, calls: Sequence[Callable[[], Any]]):
        self._calls, self._next = calls, 0

    def sample(self) -> float:
        import torch
        from torch.profiler import ProfilerActivity, profile

        with profile(activities=[ProfilerActivity.CUDA]) as seen:
            self._calls[self._next % len(self._calls)]()
            torch.cuda.synchronize()
        self._next += 1
        spans = [event.device_time_total for event in seen.key_averages() if event.device_time_total]
        if not spans:
            raise RuntimeError("the profiler saw no kernel")
        return sum(spans) * 1e-6


def make_timer(calls: Sequence[Callable[[], Any]], device: Device, estimate_s: float, wanted: str | None = None) -> Timer:
    """The timer named, or the device's own: `wall` on the CPU, `graph` on CUDA and `events` where a call cannot be captured."""
    if device.kind == "cpu":
        if wanted not in (None, "wall"):
            raise ValueError(f"timer {wanted!r} needs a CUDA device; on the CPU it is wall")
        return WallTimer(calls, estimate_s)
    if wanted == "wall":
        raise ValueError("timer 'wall' is for the CPU; on CUDA it is graph, events or kineto")
    if wanted == "kineto":
        return KinetoTimer(calls)
    if wanted == "events":
        return EventTimer(calls, device)
    try:
        return GraphTimer(calls, estimate_s)
    except RuntimeError as error:  # a call that synchronises cannot be captured
        device.sync()
        if wanted == "graph" or "out of memory" in str(error).lower():
            raise
        return EventTimer(calls, device)


@dataclass(frozen=True)
class Summary:
    """What is kept of the samples, in microseconds."""

    n: int
    min_us: float
    p10_us: float
    median_us: float
    p90_us: float
    max_us: float
    iqr_rel: float
    drift_rel: float  # median of the last quarter over that of the first, minus one


def summarise(samples: Sequence[float]) -> Summary:
    """Samples in seconds, in the order taken -> their summary."""
    values = np.asarray(samples, dtype=float) * 1e6
    p10, p25, median, p75, p90 = np.percentile(values, [10, 25, 50, 75, 90])
    quarter = max(1, len(values) // 4)
    drift = float(np.median(values[-quarter:]) / np.median(values[:quarter]) - 1)
    return Summary(
        len(values), float(values.min()), float(p10), float(median), float(p90), float(values.max()), float((p75 - p25) / median), drift
    )
