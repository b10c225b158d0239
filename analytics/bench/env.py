"""Facts about the machine and the software that a record needs to be read later."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import Any

from analytics.bench.device import Device


def git_state() -> tuple[str | None, bool | None]:
    """The revision of the code and whether it was changed since, or (None, None) outside a repository."""
    here = Path(__file__).resolve().parent
    try:
        rev = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], cwd=here, capture_output=True, text=True, timeout=10, check=True)
        state = subprocess.run(
            ["git", "status", "--porcelain", "--", "."], cwd=here, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None, None
    return rev.stdout.strip(), bool(state.stdout.strip())


def version_of(package: str) -> str | None:
    """The installed version of a package without importing it, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def virtualisation() -> str | None:
    """The hypervisor the machine says it runs under, if it says so."""
    for file in ("/sys/hypervisor/type", "/sys/class/dmi/id/product_name"):
        path = Path(file)
        if path.is_file():
            return path.read_text(encoding="utf-8", errors="replace").strip()[:60] or None
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return "hypervisor flag of the CPU" if " hypervisor" in flags else None


def driver_version() -> str | None:
    path = Path("/proc/driver/nvidia/version")
    if not path.is_file():
        return None
    words = path.read_text(encoding="utf-8", errors="replace").split()
    return next((word for word in words if word.count(".") >= 1 and word[0].isdigit()), None)


def facts(device: Device) -> dict[str, Any]:
    """The fields of a record that say where it was measured."""
    import torch

    rev, dirty = git_state()
    return {
        "device_kind": device.kind,
        "device": device.name,
        "sm_count": device.sm_count,
        "memory_bytes": device.memory_bytes,
        "driver": driver_version() if device.kind == "cuda" else None,
        "cuda": torch.version.cuda if device.kind == "cuda" else None,
        "torch": torch.__version__,
        "triton": version_of("triton"),
        "python": platform.python_version(),
        "virtualised": virtualisation(),
        "git_rev": rev,
        "git_dirty": dirty,
    }


def machine_state(device: Device) -> dict[str, Any]:
    """Clocks, temperature, power and throttle reasons now; each None where it cannot be read."""
    nvml = device.nvml
    if nvml is None:
        return {"sm_mhz": None, "mem_mhz": None, "temperature_c": None, "power_w": None, "throttle_bits": None}
    return {
        "sm_mhz": nvml.sm_mhz(),
        "mem_mhz": nvml.memory_mhz(),
        "temperature_c": nvml.temperature_c(),
        "power_w": nvml.power_w(),
        "throttle_bits": nvml.throttle_bits(),
    }


def describe(device: Device) -> dict[str, Any]:
    """Everything `python -m analytics.bench env` prints: facts, state, cache, free memory and the optional libraries."""
    out = {**facts(device), **machine_state(device), "cache_bytes": device.cache_bytes, "free_bytes": device.free_bytes()}
    for package in ("flashinfer-python", "flash-attn", "numpy"):
        out[package] = version_of(package)
    if device.kind == "cuda":
        out["compute_capability"] = f"{device.properties.major}.{device.properties.minor}"
    return out
