"""What is measured: a case, the work it is, the operation it belongs to and the backends that can run it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BYTES_PER_ELEMENT = {"fp64": 8, "fp32": 4, "bf16": 2, "fp16": 2, "fp8": 1, "int8": 1}
"""Bytes of one element by the dtype names used in records; fp8 is float8_e4m3fn."""


class Unsupported(Exception):
    """The backend or the machine cannot run this case; the sentence says why."""


@dataclass(frozen=True)
class Case:
    """One shape of one operation, independent of who runs it."""

    op: str
    params: Mapping[str, Any]
    dtype: str = "bf16"
    dtype_kv: str | None = None
    priority: int = 1  # 0 is the most informative shape of its operation and runs first

    def text(self) -> str:
        """The case as one canonical line, the same for equal cases."""
        return json.dumps([self.op, dict(sorted(self.params.items())), self.dtype, self.dtype_kv], separators=(",", ":"))

    def __getitem__(self, name: str) -> Any:
        return self.params[name]

    @property
    def element_bytes(self) -> int:
        return BYTES_PER_ELEMENT[self.dtype]

    @property
    def kv_element_bytes(self) -> int:
        return BYTES_PER_ELEMENT[self.dtype_kv or self.dtype]


@dataclass(frozen=True)
class Work:
    """What a case must move and compute at least, from `analytics.accounting`."""

    bytes_min: float
    flops: float = 0.0
    path: str = "read"  # which measured bandwidth is the ceiling: read, write, copy, gather or none
    flop_dtype: str | None = None  # which measured GEMM rate is the ceiling; None means no ceiling of arithmetic
    kernels: int = 1  # launches that cannot be overlapped, for the floor
    resident_bytes: float = 0.0  # memory of one set of inputs and outputs


@dataclass
class Call:
    """One prepared call of a backend on one set of inputs."""

    run: Callable[[], Any]  # does the work and returns the output tensor
    out: Any = None  # the preallocated output, poisoned with NaN before a check; None when `run` allocates it


def always(case: Case, device: Any) -> str | None:
    """The reason of a backend that can run every case."""
    return None


def measured_whole(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    """What a backend makes where its operation brings a `measure` of its own: nothing is ever called one at a time."""
    raise NotImplementedError("this operation is measured whole")


@dataclass(frozen=True)
class Backend:
    """One implementation of an operation."""

    name: str
    make: Callable[[Case, dict[str, Any], Any], Call]
    reason: Callable[[Case, Any], str | None] = always  # why it cannot run here, or None
    variant: Callable[[Case, Any], str] = lambda case, device: ""
    bytes_moved: Callable[[Case, Any, Work], float] = lambda case, device, work: work.bytes_min
    tuning: bool = False  # one of several forms of a backend, run only when the best form is looked for


@dataclass(frozen=True)
class Operation:
    """An operation: its cases by suite, its accounting, its inputs, its reference and its backends."""

    name: str
    title: str
    cases: Callable[[str, str], list[Case]]  # (suite, device kind) -> cases
    account: Callable[[Case], Work]
    build: Callable[[Case, Any, int], dict[str, Any]]  # (case, device, seed) -> named tensors
    reference: Callable[[Case, dict[str, Any]], Any] | None
    backends: Sequence[Backend]
    tolerance: Callable[[Case], float] = lambda case: 1e-2
    measure: Callable[[Case, str, Any, float], dict[str, Any]] | None = (
        None  # (case, backend, device, seconds) where it is not "time one call"
    )
    derive: Callable[[Case, float], tuple[str, float]] | None = None  # (case, seconds) -> a result users ask for, such as tokens per second
    reduce: Callable[[Any], Any] | None = None  # applied to an output before it is compared with the reference


def power_of_two_at_least(n: int) -> int:
    """The smallest power of two that is not below `n` (and at least 1)."""
    return 1 << max(0, int(n) - 1).bit_length()
