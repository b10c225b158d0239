"""Seconds a query of llm-analysis takes: inference of OPT-1.3B on A100 by its roofline. Run in its own environment."""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import json
import logging
import time

from llm_analysis.analysis import infer

logging.disable(logging.CRITICAL)


def ask(batch: int) -> None:
    """One inference analysis at a batch."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        infer(
            model_name="facebook_opt-1.3b",
            gpu_name="a100-sxm-40gb",
            batch_size_per_gpu=batch,
            seq_len=1024,
            num_tokens_to_generate=1024,
            log_level="ERROR",
        )


start = time.perf_counter()
ask(8)
first = time.perf_counter() - start
start = time.perf_counter()
for number in range(50):
    ask(9 + number)
print(json.dumps({"version": importlib.metadata.version("llm-analysis"), "first_s": first, "query_s": (time.perf_counter() - start) / 50}))
