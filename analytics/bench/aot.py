"""Every kernel variant compiled for a GPU on a machine that has none: registers, spills, shared memory, matrix and copy instructions.

Triton brings its own assembler and disassembler, so a kernel that would spill or not fit is refused here and not on the chip.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from analytics.bench.kernels.tiling import Tiling, gqa_candidates, gqa_tiling, mla_candidates, mla_tiling

SHARED_MEMORY_LIMIT_BYTES = {90: 227 * 1024, 100: 227 * 1024}
"""Most shared memory of a thread block by compute capability (CUDA C++ programming guide, technical specifications)."""

MOST_STACK_BYTES = 128  # values that wait for the end of a kernel may lie there; none may be touched in a loop


@dataclass(frozen=True)
class Variant:
    """A kernel with its compile-time choices."""

    name: str
    kernel: str  # module.function in analytics.bench.kernels
    signature: dict[str, str]
    constants: dict[str, Any]
    warps: int
    stages: int


@dataclass(frozen=True)
class Compiled:
    """What the assembler made of a variant."""

    name: str
    registers: int
    stack_bytes: int
    spill_instructions: int  # local loads and stores anywhere
    spills_in_loops: int  # of those, the ones between a loop's head and its backward branch
    shared_bytes: int
    async_copies: int  # cp.async (LDGSTS) and bulk tensor loads (UTMALDG)
    wide_loads: int  # 16-byte global loads
    warp_matrix_ops: int  # mma.sync (HMMA)
    group_matrix_ops: int  # wgmma (HGMMA)

    def fault(self, capability: int = 90) -> str | None:
        """Why the variant may not be used, or None."""
        if self.spills_in_loops:
            return f"{self.name} spills in its loop: {self.spills_in_loops} local loads and stores, {self.stack_bytes} bytes of stack"
        if self.stack_bytes > MOST_STACK_BYTES:
            return f"{self.name} keeps {self.stack_bytes} bytes on the stack, accepted are at most {MOST_STACK_BYTES}"
        limit = SHARED_MEMORY_LIMIT_BYTES[capability]
        if self.shared_bytes > limit:
            return f"{self.name} needs {self.shared_bytes:,} bytes of shared memory, a block has {limit:,}"
        return None


def _gqa(name: str, group: int, width: int, page: int, window: int, splits: int, kv: str, tiling: Tiling | None = None) -> Variant:
    tiling = tiling or gqa_tiling(group, width, 1 if kv == "fp8e4nv" else 2)
    signature = {
        "q_ptr": "*bf16",
        "k_ptr": f"*{kv}",
        "v_ptr": f"*{kv}",
        "table_ptr": "*i32",
        "lengths_ptr": "*i32",
        "out_ptr": "*bf16",
        "part_ptr": "*fp32",
        "lse_ptr": "*fp32",
        "scale_log2": "fp32",
        "v_scale": "fp32",
        "kv_heads": "i32",
        "stride_page": "i32",
        "stride_head": "i32",
        "stride_token": "i32",
        "stride_table": "i32",
    }
    constants = {
        "G": group,
        "ROWS": tiling.rows,
        "D": width,
        "BN": tiling.tokens,
        "PAGE": page,
        "WINDOW": window,
        "SPLITS": splits,
        "DT": "bf16",
    }
    return Variant(f"{name} {tiling.name}", "decode.gqa_split_kernel", signature, constants, tiling.warps, tiling.stages)


def _mla(name: str, heads: int, page: int, splits: int, kv: str = "bf16", tiling: Tiling | None = None) -> Variant:
    tiling = tiling or mla_tiling(heads, 1 if kv == "fp8e4nv" else 2)
    signature = {
        "q_ptr": "*bf16",
        "cache_ptr": f"*{kv}",
        "table_ptr": "*i32",
        "lengths_ptr": "*i32",
        "out_ptr": "*bf16",
        "part_ptr": "*fp32",
        "lse_ptr": "*fp32",
        "scale_log2": "fp32",
        "cache_scale": "fp32",
        "heads": "i32",
        "stride_page": "i32",
        "stride_token": "i32",
        "stride_table": "i32",
    }
    constants = {
        "ROWS": tiling.rows,
        "C": 512,
        "R": 64,
        "BN": tiling.tokens,
        "PAGE": page,
        "SPLITS": splits,
        "EVEN": heads % tiling.rows == 0,
        "DT": "bf16",
    }
    return Variant(f"{name} {tiling.name}", "mla.mla_split_kernel", signature, constants, tiling.warps, tiling.stages)


def launched() -> list[Variant]:
    """The decode kernels for every shape the suites launch on CUDA, with and without splitting, and the candidates of tuning: minutes."""
    from analytics.bench.ops import decode, mla

    out: dict[str, Variant] = {}
    for suite in ("quick", "full"):
        for splits in (1, 8):
            for case in decode.cases(suite, "cuda"):
                if decode.value_width(case) != case["D"]:
                    continue  # not for our kernels
                kv, window, group = "fp8e4nv" if case.dtype_kv == "fp8" else "bf16", case.params.get("window") or 0, case["H"] // case["K"]
                name = f"gqa g{group} d{case['D']} page{case['page']} window{window} splits{splits} {kv}"
                out[name] = _gqa(name, group, case["D"], case["page"], window, splits, kv)
            for case in mla.cases(suite, "cuda"):
                kv = "fp8e4nv" if case.dtype_kv == "fp8" else "bf16"
                name = f"mla h{case['H']} page{case['page']} splits{splits} {kv}"
                out[name] = _mla(name, case["H"], case["page"], splits, kv)
    for group, width, kv in ((4, 128, "bf16"), (4, 128, "fp8e4nv"), (64, 128, "bf16"), (8, 64, "bf16")):
        for tiling in gqa_candidates(group, width, 1 if kv == "fp8e4nv" else 2)[1:]:
            name = f"gqa g{group} d{width} page64 {kv} {tiling.name}"
            out[name] = _gqa(name, group, width, 64, 0, 8, kv, tiling)
    for heads, kv in ((16, "bf16"), (32, "bf16"), (128, "bf16"), (16, "fp8e4nv"), (32, "fp8e4nv")):
        for tiling in mla_candidates(heads, 1 if kv == "fp8e4nv" else 2)[1:]:
            name = f"mla h{heads} page64 {kv} {tiling.name}"
            out[name] = _mla(name, heads, 64, 8, kv, tiling)
    return list(out.values())


def variants() -> list[Variant]:
    """Every kernel, the decode kernels in each tiling, cache format and kind of addressing."""
    out = []
    for kv in ("bf16", "fp8e4nv"):
        for page in (0, 16, 64):
            out.append(_gqa(f"gqa g4 d128 page{page} {kv}", 4, 128, page, 0, 8, kv))
        out.append(_gqa(f"gqa g4 d128 window {kv}", 4, 128, 64, 1024, 4, kv))
        out.append(_gqa(f"gqa g4 d128 unsplit {kv}", 4, 128, 64, 0, 1, kv))
    for group, width in ((1, 128), (16, 128), (64, 128), (8, 64)):
        out.append(_gqa(f"gqa g{group} d{width} page64 bf16", group, width, 64, 0, 8, "bf16"))
    for heads, kv in ((16, "bf16"), (32, "bf16"), (128, "bf16"), (16, "fp8e4nv"), (32, "fp8e4nv")):
        out.append(_mla(f"mla h{heads} page64 {kv}", heads, 64, 8, kv))
        out.append(_mla(f"mla h{heads} unsplit {kv}", heads, 64, 1, kv))
        out.append(_mla(f"mla h{heads} contiguous {kv}", heads, 0, 8, kv))
    for width in (64, 128, 512):
        out.append(
            Variant(
                f"combine d{width}",
                "decode.combine_kernel",
                {"part_ptr": "*fp32", "lse_ptr": "*fp32", "out_ptr": "*bf16"},
                {"D": width, "BD": min(width, 128), "SPLITS": 24, "SPLITS_P2": 32, "CHUNK": 8},
                4,
                3,
            )
        )
    for count in ("i32", "i64"):
        read = {"x_ptr": "*fp32", "out_ptr": "*fp32", "n": count}
        out.append(Variant(f"read {count}", "stream.read_kernel", read, {"BLOCK": 4096}, 8, 3))
    pages = {"x_ptr": "*fp32", "pages_ptr": "*i32", "out_ptr": "*fp32", "count": "i32"}
    out.append(Variant("read pages 8 KiB", "stream.read_pages_kernel", pages, {"PAGE": 2048, "BLOCK": 2048}, 8, 3))
    copy = {"source_ptr": "*i32", "target_ptr": "*i32", "from_ptr": "*i32", "to_ptr": "*i32", "words": "i32"}
    out.append(Variant("copy pages", "stream.copy_pages_kernel", copy, {"BLOCK": 2048}, 4, 3))
    for kv in ("bf16", "fp8e4nv"):
        append = {
            "k_new_ptr": "*bf16",
            "v_new_ptr": "*bf16",
            "k_ptr": f"*{kv}",
            "v_ptr": f"*{kv}",
            "slots_ptr": "*i32",
            "heads": "i32",
            "stride_page": "i32",
            "stride_head": "i32",
            "stride_token": "i32",
        }
        out.append(Variant(f"append {kv}", "stream.append_kernel", append, {"D": 128, "PAGE": 64}, 1, 3))
    return out


def compile_variant(variant: Variant, capability: int = 90) -> Compiled:
    """Compile one variant and read what the assembler made of it."""
    import importlib

    import triton
    import triton.language as tl
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    if os.environ.get("TRITON_INTERPRET") == "1":
        raise ValueError("kernels cannot be compiled while TRITON_INTERPRET=1 is set; unset it for this command")
    module, function = variant.kernel.split(".")
    kernel = getattr(importlib.import_module(f"analytics.bench.kernels.{module}"), function)
    constants = {name: tl.bfloat16 if value == "bf16" else value for name, value in variant.constants.items()}
    # Pointers and strides are multiples of 16 at run time, which the compiler is told just as it is when launched.
    attributes: Any = {}
    for place, name in enumerate(kernel.arg_names):
        kind = variant.signature.get(name, "constexpr")
        if kind.startswith("*") or name.startswith("stride_") and name != "stride_table" or name in ("words", "n"):
            attributes[(place,)] = [["tt.divisibility", 16]]
    signature = {name: variant.signature.get(name, "constexpr") for name in kernel.arg_names}
    source = ASTSource(fn=kernel, signature=signature, constexprs=constants, attrs=attributes)
    built = triton.compile(
        source, target=GPUTarget("cuda", capability, 32), options={"num_warps": variant.warps, "num_stages": variant.stages}
    )
    text, usage = _disassemble(built.asm["cubin"])
    stack = int(re.search(r"STACK:(\d+)", usage).group(1)) if "STACK:" in usage else 0  # type: ignore[union-attr]
    registers = max(int(n) for n in re.findall(r"REG:(\d+)", usage))
    return Compiled(
        variant.name,
        registers,
        stack,
        len(_LOCAL.findall(text)),
        _local_in_loops(text),
        int(built.metadata.shared),
        len(re.findall(r"\b(?:LDGSTS|UTMALDG)", text)),
        len(re.findall(r"\bLDG\S*\.128", text)),
        len(re.findall(r"\bHMMA", text)),
        len(re.findall(r"\bHGMMA", text)),
    )


_LOCAL = re.compile(r"\b(?:LDL|STL)\b")


def _local_in_loops(sass: str) -> int:
    """Local loads and stores that lie between the target of a backward branch and the branch."""
    local, loops = [], []
    for address_text, instruction in re.findall(r"/\*([0-9a-f]{4,5})\*/\s+([^;]*);", sass):
        address = int(address_text, 16)
        if _LOCAL.search(instruction):
            local.append(address)
        branch = re.search(r"\bBRA\b.*?0x([0-9a-f]+)", instruction)
        if branch and int(branch.group(1), 16) < address:
            loops.append((int(branch.group(1), 16), address))
    return sum(any(head <= at <= end for head, end in loops) for at in local)


def _disassemble(cubin: bytes) -> tuple[str, str]:
    """SASS and resource usage of a cubin, by the disassembler Triton brings along."""
    import triton

    tool = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        sass = subprocess.run([str(tool), "-sass", file.name], capture_output=True, text=True, check=True, timeout=60).stdout
        usage = subprocess.run([str(tool), "-res-usage", file.name], capture_output=True, text=True, check=True, timeout=60)
    return sass, usage.stdout + usage.stderr


def main(capability: int = 90, as_json: bool = False, every: bool = False) -> int:
    """Print one line a variant (`every`: for each shape of the suites); 3 when any of them may not be used."""
    faults = 0
    for variant in launched() if every else variants():
        made = compile_variant(variant, capability)
        fault = made.fault(capability)
        faults += fault is not None
        if as_json:
            print(json.dumps({**asdict(made), "fault": fault}))
        else:
            print(
                f"{made.name:58s} regs {made.registers:3d}  stack {made.stack_bytes:4d}  smem {made.shared_bytes / 1024:6.1f} KiB  "
                f""
                f"spills {made.spill_instructions:2d} (loops {made.spills_in_loops})  "
                f"async {made.async_copies:3d}  ldg128 {made.wide_loads:3d}  mma {made.warp_matrix_ops:3d}  "
                f"wgmma {made.group_matrix_ops:3d}"
                f"{'  FAULT: ' + fault if fault else ''}"
            )
        sys.stdout.flush()
    return 3 if faults else 0
