"""The device a benchmark runs on: one object for a CUDA GPU and for the CPU."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from analytics.bench.nvml import Nvml, open_nvml


def torch_dtype(name: str) -> Any:
    """The torch dtype of a dtype name used in records."""
    import torch

    names = {"fp64": torch.float64, "fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16, "fp8": torch.float8_e4m3fn}
    if name not in names:
        raise ValueError(f"dtype {name!r} is not known here; accepted are {', '.join(names)}")
    return names[name]


class Device:
    """A device with its memory, cache size and random tensors."""

    def __init__(self, name: str = "cpu", threads: int = 2):
        import torch

        self.kind, _, index = name.partition(":")
        self.index = int(index) if index.isdigit() else 0
        if self.kind not in ("cpu", "cuda") or (index and not index.isdigit()):
            raise ValueError(f"device must be cpu, cuda or cuda:N, got {name!r}")
        self.nvml: Nvml | None = None
        if self.kind == "cuda":
            if not torch.cuda.is_available():
                raise ValueError("device cuda was asked for, but no CUDA device can be used here; run with --device cpu")
            if self.index >= torch.cuda.device_count():
                raise ValueError(f"device cuda:{self.index} was asked for, but there are {torch.cuda.device_count()} CUDA devices")
            torch.cuda.set_device(self.index)
            self.nvml = open_nvml(self.index)
            self.properties = torch.cuda.get_device_properties(self.index)
            self.name = self.properties.name
            self.sm_count = int(self.properties.multi_processor_count)
            self.memory_bytes = int(self.properties.total_memory)
            self.cache_bytes = int(getattr(self.properties, "L2_cache_size", 0) or 64 * 2**20)
        else:
            torch.set_num_threads(threads)
            self.name = "cpu: " + _cpu_model()
            self.sm_count = torch.get_num_threads()
            self.memory_bytes = _memory_line("MemTotal")
            self.cache_bytes = _last_level_cache_bytes()

    @property
    def torch_device(self) -> str:
        return "cpu" if self.kind == "cpu" else f"cuda:{self.index}"

    def sync(self) -> None:
        """Wait until everything launched has ended."""
        if self.kind == "cuda":
            import torch

            torch.cuda.synchronize(self.index)

    def free_bytes(self) -> int:
        """Memory that can still be taken [B]; on the CPU half of what the system calls available, so that nothing else starves."""
        if self.kind == "cuda":
            import torch

            return int(torch.cuda.mem_get_info(self.index)[0]) + int(torch.cuda.memory_reserved() - torch.cuda.memory_allocated())
        return _memory_line("MemAvailable") // 2

    def release(self) -> None:
        """Give cached memory back, between cases."""
        if self.kind == "cuda":
            import torch

            torch.cuda.empty_cache()

    def generator(self, seed: int) -> Any:
        import torch

        return torch.Generator(device=self.torch_device).manual_seed(seed)

    def normal(self, shape: tuple[int, ...], dtype: str, generator: Any, scale: float = 1.0) -> Any:
        """Random normal values. Never zeros: a GPU multiplies zeros faster than data (894 against 788 TFLOP/s seen on one H200)."""
        import torch

        if dtype == "fp8":
            return self.normal(shape, "bf16", generator, scale).to(torch.float8_e4m3fn)
        return torch.randn(shape, generator=generator, device=self.torch_device, dtype=torch_dtype(dtype)).mul_(scale)

    def empty(self, shape: tuple[int, ...], dtype: str) -> Any:
        import torch

        return torch.empty(shape, device=self.torch_device, dtype=torch_dtype(dtype))

    def integers(self, values: Any, kind: str = "int32") -> Any:
        import torch

        return torch.as_tensor(values, dtype=getattr(torch, kind)).to(self.torch_device)

    def rotating_sets(self, bytes_per_set: float, cap: int = 64) -> int:
        """Input sets to rotate over so that none is still in the last-level cache when its turn comes: ceil(4 cache / bytes)."""
        wanted = math.ceil(4 * self.cache_bytes / max(bytes_per_set, 1.0))
        affordable = int(0.3 * self.free_bytes() / max(bytes_per_set, 1.0))
        return max(1, min(wanted, cap, affordable))


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"


def _memory_line(name: str) -> int:
    for line in Path("/proc/meminfo").read_text(encoding="utf-8").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    return 0


def _last_level_cache_bytes() -> int:
    sizes = [0]
    for file in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        text = file.read_text(encoding="utf-8").strip()
        if text.endswith("K"):
            sizes.append(int(text[:-1]) * 1024)
    return max(sizes) or 32 * 2**20
