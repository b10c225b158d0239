"""Benchmarks of the operations that decide what serving a model costs: KV cache, attention, GEMM, experts, memory.

One command measures a CUDA chip; on any other machine the same code runs on the CPU and is tested there.

    python -m analytics.bench run --suite quick --device cuda --out records.jsonl --budget-s 480

How it reads, from what is measured to what is done with it:

- `operation`: a case, the work it is, an operation and the backends that can run it
- `ops/`: one module per operation; `kernels/`: our Triton kernels; `references`: what a right answer is
- `device`, `env`, `nvml`, `timing`: the machine, its clock and its state
- `predict`: the time expected from ceilings measured in the same session, stored before anything is timed
- `protocol`: check, time, check again, and the status of the result; `runner`, `worker`: a whole session
- `record`: the row that is written, and the reader that refuses a malformed file whole
- `fit`: records -> efficiencies for the serving model, with the error on records left out
- `report`: tables and comparisons; `aot`: the kernels compiled for a GPU on a machine that has none

Importing this package imports neither torch nor triton.
"""

SUITE_VERSION = "1.0.0"
