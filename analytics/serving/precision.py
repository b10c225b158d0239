"""Number formats of weights and cache: bytes per element with their scales, and which part of a model takes which."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

#: Bytes per weight with block scales. fp8_block: 4-byte scale per 128x128; mxfp4: 1 byte per 32 (OCP MX v1.0);
#: nvfp4: 1 byte per 16 (NVIDIA); int4: 2-byte scale per 128 (AWQ, GPTQ).
WEIGHT_BYTES = {
    "fp32": 4.0,
    "bf16": 2.0,
    "fp16": 2.0,
    "fp8": 1.0,
    "fp8_block": 1.0 + 4 / 128**2,
    "int8": 1.0,
    "mxfp4": 0.5 + 1 / 32,
    "nvfp4": 0.5 + 1 / 16,
    "int4": 0.5 + 2 / 128,
}

#: Bytes per cached element.
KV_BYTES = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5 + 1 / 16}

#: Peak rate of a chip a matrix product of this weight format runs at (weight-only formats are multiplied in bf16).
MATH = {
    "fp32": "bf16",
    "bf16": "bf16",
    "fp16": "bf16",
    "fp8": "fp8",
    "fp8_block": "fp8",
    "int8": "int8",
    "mxfp4": "fp8",
    "nvfp4": "fp4",
    "int4": "bf16",
}

PARTS = ("attention", "attention_out", "ffn", "experts", "embeddings")

#: What a one-word precision means. fp4 follows the NVFP4 checkpoints of NVIDIA (every linear layer, embeddings stay bf16).
PRESETS = {
    "bf16": ("bf16", "bf16", "bf16", "bf16"),
    "fp16": ("fp16", "fp16", "fp16", "fp16"),
    "fp8": ("fp8", "fp8", "fp8", "bf16"),
    "fp8_block": ("fp8_block", "fp8_block", "fp8_block", "bf16"),
    "int8": ("int8", "int8", "int8", "bf16"),
    "fp4": ("nvfp4", "nvfp4", "nvfp4", "bf16"),
    "nvfp4": ("nvfp4", "nvfp4", "nvfp4", "bf16"),
    "mxfp4": ("bf16", "bf16", "mxfp4", "bf16"),
    "int4": ("int4", "int4", "int4", "bf16"),
}


def nearest(word: str, known: list[str] | tuple[str, ...]) -> str:
    """A phrase that proposes the nearest known names: ", did you mean 'a' or 'b'?" or the whole list when none is near."""
    low = {name.lower(): name for name in known}
    close = [low[hit] for hit in difflib.get_close_matches(word.lower(), list(low), n=3, cutoff=0.5)]
    if not close:
        close = [name for name in known if word.lower() in name.lower()][:3]
    if close:
        return ", did you mean " + " or ".join(repr(name) for name in close) + "?"
    more = f" and {len(known) - 20} more" if len(known) > 20 else ""
    return ", known are " + ", ".join(sorted(known)[:20]) + more


@dataclass(frozen=True)
class Precision:
    """Formats of a deployment: weights per part (attention, its output projection, ffn, experts, embeddings) and the cache (kv)."""

    attention: str = "bf16"
    ffn: str = "bf16"
    experts: str = "bf16"
    embeddings: str = "bf16"
    kv: str = "bf16"
    attention_out: str = ""  #: output projection of attention; like attention when empty

    def __post_init__(self) -> None:
        if not self.attention_out:
            object.__setattr__(self, "attention_out", self.attention)
        for part in PARTS:
            if getattr(self, part) not in WEIGHT_BYTES:
                raise ValueError(
                    f"weight precision of {part} is unknown: {getattr(self, part)!r}{nearest(getattr(self, part), list(WEIGHT_BYTES))}"
                )
        if self.kv not in (*KV_BYTES, "fp8_mla"):
            raise ValueError(f"KV precision is unknown: {self.kv!r}{nearest(self.kv, list(KV_BYTES))}")

    @classmethod
    def of(cls, weights: str, kv: str = "") -> Precision:
        """A precision from one word for the weights (bf16, fp8, fp8_block, fp4, mxfp4, int8, int4) and one for the cache.

        Without a cache word it is bf16 for 16-bit weights and fp8 otherwise.
        """
        if weights not in PRESETS:
            raise ValueError(f"weight precision is unknown: {weights!r}{nearest(weights, list(PRESETS))}")
        return cls(*PRESETS[weights], kv=kv or ("bf16" if weights in ("bf16", "fp16") else "fp8"))

    def bytes_of(self, part: str) -> float:
        """Bytes per weight of a part, scales included."""
        return WEIGHT_BYTES[getattr(self, part)]
