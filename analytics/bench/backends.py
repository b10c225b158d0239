"""Which implementations can run here, and why the others cannot: reasons shared by the operations."""

from __future__ import annotations

import importlib.util
import os
from typing import Any

from analytics.bench.operation import Case


def interpreted() -> bool:
    """Whether Triton kernels run in its interpreter (for checks on a machine without a GPU; never for times)."""
    return os.environ.get("TRITON_INTERPRET") == "1"


def compute_dtype() -> Any:
    """The dtype our kernels multiply in: bf16 on a GPU; fp32 in the interpreter, whose bf16 products are wrong."""
    import triton.language as tl

    return tl.float32 if interpreted() else tl.bfloat16


def triton_reason(case: Case, device: Any) -> str | None:
    """Why our Triton kernels cannot run here."""
    if importlib.util.find_spec("triton") is None:
        return "triton is not installed"
    if device.kind == "cpu" and not interpreted():
        return "Triton kernels need a CUDA device; on the CPU they run in the interpreter, for checks only"
    if device.kind == "cuda" and device.properties.major < 8:
        return (
            f"our Triton kernels need compute capability 8.0 or later, this device has {device.properties.major}.{device.properties.minor}"
        )
    if device.kind == "cuda" and "fp8" in (case.dtype, case.dtype_kv) and (device.properties.major, device.properties.minor) < (8, 9):
        return "float8_e4m3fn needs compute capability 8.9 or later"
    return None


def cuda_reason(what: str) -> Any:
    """A reason function for backends that only make sense on CUDA."""

    def reason(case: Case, device: Any) -> str | None:
        return None if device.kind == "cuda" else f"{what} needs a CUDA device"

    return reason


def package_reason(package: str, module: str) -> Any:
    """A reason function for an optional package that needs CUDA."""

    def reason(case: Case, device: Any) -> str | None:
        if device.kind != "cuda":
            return f"{package} needs a CUDA device"
        if importlib.util.find_spec(module) is None:
            return f"{package} is not installed"
        return None

    return reason


def tuning_reason(candidates: Any, place: int) -> Any:
    """A reason function for the form of a kernel at `place` in a list of candidate tilings that depends on the case."""

    def reason(case: Case, device: Any) -> str | None:
        known = len(candidates(case))
        return None if place < known else f"this shape has {known} candidate tilings"

    return reason


def first_of(*reasons: Any) -> Any:
    """The first reason that applies."""

    def reason(case: Case, device: Any) -> str | None:
        for one in reasons:
            found = one(case, device)
            if found:
                return found
        return None

    return reason
