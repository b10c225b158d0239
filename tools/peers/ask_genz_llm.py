"""Seconds a query of GenZ-LLM takes: prefill and decode of Llama-3.1-8B on H100. Run in its own environment."""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import json
import time

from GenZ import decode_moddeling, prefill_moddeling

MODEL = "meta-llama/Llama-3.1-8B"


def ask(batch: int) -> None:
    """Prefill and decode of one batch."""
    with contextlib.redirect_stdout(io.StringIO()):
        prefill_moddeling(model=MODEL, batch_size=batch, input_tokens=1024, system_name="H100_GPU", bits="bf16")
        decode_moddeling(model=MODEL, batch_size=batch, input_tokens=1024, output_tokens=1024, system_name="H100_GPU", bits="bf16")


start = time.perf_counter()
ask(16)
first = time.perf_counter() - start
start = time.perf_counter()
for number in range(5):
    ask(17 + number)
print(json.dumps({"version": importlib.metadata.version("genz-llm"), "first_s": first, "query_s": (time.perf_counter() - start) / 5}))
