"""Readings of the driver's library, through a library of our own, and what makes an energy reading valid."""

import ctypes

import pytest

from analytics.bench.nvml import Nvml, PowerSampler, judge_energy


class Library:
    """Answers like the driver's library; functions it lacks are absent, as on some virtual machines."""

    def nvmlInit_v2(self):
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index, handle):
        return 0 if index.value == 0 else 2

    def nvmlDeviceGetClockInfo(self, handle, which, out):
        ctypes.cast(out, ctypes.POINTER(ctypes.c_uint))[0] = {1: 1980, 2: 3201}[which.value]
        return 0

    def nvmlDeviceGetPowerUsage(self, handle, out):
        ctypes.cast(out, ctypes.POINTER(ctypes.c_uint))[0] = 512_500
        return 0

    def nvmlDeviceGetTemperature(self, handle, which, out):
        return 3  # not supported

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle, out):
        ctypes.cast(out, ctypes.POINTER(ctypes.c_ulonglong))[0] = 0b101
        return 0


def test_readings_and_what_is_missing():
    nvml = Nvml(0, Library())
    assert (nvml.sm_mhz(), nvml.memory_mhz(), nvml.power_w()) == (1980, 3201, 512.5)
    assert nvml.temperature_c() is None  # refused by the driver
    assert nvml.energy_j() is None  # absent from the library
    assert nvml.throttle_bits() == 0b100  # idle alone is no throttling


def test_a_device_that_is_not_there():
    with pytest.raises(OSError, match="nvmlDeviceGetHandleByIndex"):
        Nvml(5, Library())


def test_power_is_sampled_until_closed():
    with PowerSampler(Nvml(0, Library()), period_s=0.001) as sampler:
        while len(sampler.samples) < 3:
            pass
    count = len(sampler.samples)
    assert all(watts == 512.5 for _, watts in sampler.samples)
    assert len(sampler.samples) == count


STEADY = [(i * 0.05, 500.0) for i in range(211)]  # 10.5 s


def test_a_valid_reading():
    reading = judge_energy(5250.0, STEADY, 10.5)
    assert reading.valid and reading.joules == 5250.0 and reading.watts_mean == pytest.approx(500.0)


@pytest.mark.parametrize(
    ("counter", "samples", "window", "reason"),
    [
        (5250.0, STEADY[:100], 10.5, "samples cover"),
        (2500.0, STEADY[:101], 5.0, "under 10 s"),
        (5250.0, STEADY[:50] + STEADY[100:], 10.5, "largest gap"),
        (4000.0, STEADY, 10.5, "differ by more than 5 %"),
        (None, STEADY, 10.5, "no energy counter"),
        (5250.0, [], 10.5, "fewer than two"),
    ],
)
def test_readings_that_may_not_be_trusted(counter, samples, window, reason):
    reading = judge_energy(counter, samples, window)
    assert not reading.valid and reason in reading.reason


def test_nothing_to_read_gives_no_number():
    reading = judge_energy(None, [], 10.5)
    assert reading.joules is None and reading.watts_mean is None
