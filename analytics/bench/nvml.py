"""Clocks, power, temperature and energy of an NVIDIA device, read from the driver's own library; nothing is ever set."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

_CLOCK_SM, _CLOCK_MEMORY, _TEMPERATURE_GPU = 1, 2, 0


class Nvml:
    """One device by index; every reading is None where the driver does not give it (as on some virtual machines)."""

    def __init__(self, index: int = 0, library: Any = None):
        self._library = library if library is not None else ctypes.CDLL("libnvidia-ml.so.1")
        self._check(self._library.nvmlInit_v2(), "nvmlInit")
        self._handle = ctypes.c_void_p()
        self._check(
            self._library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(self._handle)), "nvmlDeviceGetHandleByIndex"
        )

    @staticmethod
    def _check(code: int, what: str) -> None:
        if code != 0:
            raise OSError(f"{what} answered {code}")

    def _read(self, function: str, kind: type, *before: Any) -> int | None:
        value = kind()
        call = getattr(self._library, function, None)
        if call is None or call(self._handle, *before, ctypes.byref(value)) != 0:
            return None
        return int(value.value)

    def sm_mhz(self) -> int | None:
        return self._read("nvmlDeviceGetClockInfo", ctypes.c_uint, ctypes.c_int(_CLOCK_SM))

    def memory_mhz(self) -> int | None:
        return self._read("nvmlDeviceGetClockInfo", ctypes.c_uint, ctypes.c_int(_CLOCK_MEMORY))

    def temperature_c(self) -> int | None:
        return self._read("nvmlDeviceGetTemperature", ctypes.c_uint, ctypes.c_int(_TEMPERATURE_GPU))

    def power_w(self) -> float | None:
        milliwatts = self._read("nvmlDeviceGetPowerUsage", ctypes.c_uint)
        return None if milliwatts is None else milliwatts / 1e3

    def energy_j(self) -> float | None:
        millijoules = self._read("nvmlDeviceGetTotalEnergyConsumption", ctypes.c_ulonglong)
        return None if millijoules is None else millijoules / 1e3

    def throttle_bits(self) -> int | None:
        """Reasons for lowered clocks, without the two that mean nothing is wrong (idle, application setting)."""
        bits = self._read("nvmlDeviceGetCurrentClocksThrottleReasons", ctypes.c_ulonglong)
        return None if bits is None else bits & ~0b11


def open_nvml(index: int) -> Nvml | None:
    """The device's readings, or None where the library or the device is absent."""
    try:
        return Nvml(index)
    except OSError:
        return None


class PowerSampler:
    """Samples power in a thread until closed; `samples` are (seconds, watts)."""

    def __init__(self, nvml: Nvml, period_s: float = 0.05, clock: Callable[[], float] = time.monotonic):
        self._nvml, self._period, self._clock = nvml, period_s, clock
        self.samples: list[tuple[float, float]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._stop.is_set():
            watts = self._nvml.power_w()
            if watts is not None:
                self.samples.append((self._clock(), watts))
            self._stop.wait(self._period)

    def __enter__(self) -> PowerSampler:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()


@dataclass(frozen=True)
class EnergyReading:
    """Energy of a window: by the driver's counter, by the integral of power samples, and whether the two can be trusted."""

    joules: float | None
    method: str
    watts_mean: float | None
    valid: bool
    reason: str


def judge_energy(
    counter_j: float | None, samples: list[tuple[float, float]], window_s: float, largest_gap_s: float = 0.25
) -> EnergyReading:
    """Energy of a window of `window_s` [s] from a counter difference [J] and power samples [(s, W)].

    Valid needs a window of 10 s or more (counters update about every 100 ms and cover a part of the time: arXiv 2312.02741), samples
    over at least 90 % of it, no gap above `largest_gap_s`, and counter and trapezoid integral within 5 %.
    """
    times = np.array([t for t, _ in samples])
    watts = np.array([w for _, w in samples])
    if len(samples) < 2:
        mean = None if counter_j is None else counter_j / window_s
        return EnergyReading(counter_j, "counter" if counter_j is not None else "none", mean, False, "fewer than two power samples")
    integral = float(np.trapezoid(watts, times))
    covered = float(times[-1] - times[0])
    mean = integral / covered
    reasons = []
    if window_s < 10:
        reasons.append(f"window of {window_s:.1f} s is under 10 s")
    if covered < 0.9 * window_s:
        reasons.append(f"samples cover {covered:.1f} s of {window_s:.1f} s")
    if float(np.diff(times).max()) > largest_gap_s:
        reasons.append(f"largest gap between samples {float(np.diff(times).max()):.2f} s")
    if counter_j is None:
        reasons.append("no energy counter to compare with")
    elif abs(counter_j - mean * window_s) > 0.05 * counter_j:
        reasons.append(f"counter {counter_j:.1f} J and samples {mean * window_s:.1f} J differ by more than 5 %")
    joules = counter_j if counter_j is not None else mean * window_s
    return EnergyReading(joules, "counter" if counter_j is not None else "samples", mean, not reasons, "; ".join(reasons))
