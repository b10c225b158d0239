"""Seconds a query of aiconfigurator takes: one estimate of Llama-3.1-70B on H200 in process. Run in its own environment."""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import json
import logging
import time

from aiconfigurator.cli.api import cli_estimate

logging.disable(logging.CRITICAL)


def ask(batch: int) -> None:
    """One estimate at a batch, tensor parallel over two."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        cli_estimate(
            "meta-llama/Meta-Llama-3.1-70B",
            "h200_sxm",
            isl=1024,
            osl=1024,
            batch_size=batch,
            tp_size=2,
            gemm_quant_mode="fp8",
            kvcache_quant_mode="fp8",
        )


start = time.perf_counter()
ask(64)
first = time.perf_counter() - start
start = time.perf_counter()
for number in range(5):
    ask(65 + number)
print(json.dumps({"version": importlib.metadata.version("aiconfigurator"), "first_s": first, "query_s": (time.perf_counter() - start) / 5}))
