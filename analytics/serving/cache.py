"""Formulas of the KV cache as readers open them; `accounting` and `Shape` compute the same for every kind of attention."""

from __future__ import annotations

from analytics.formula import formula


@formula(
    name="KV cache of a token, heads cached",
    symbol="k",
    unit="B",
    inputs={"layers": ("L", ""), "kv_heads": ("K", ""), "head_width": ("d", ""), "bytes_per_element": ("b", "B")},
    source="one key and one value of every cached head and layer; Shazeer, arXiv 1911.02150, and Ainslie et al., arXiv 2305.13245",
)
def cache_bytes_per_token(layers, kv_heads, head_width, bytes_per_element):
    """Bytes one more token takes in the caches of all layers."""
    return 2 * layers * kv_heads * head_width * bytes_per_element


@formula(
    name="KV cache of a token, latent attention",
    symbol="k",
    unit="B",
    inputs={"layers": ("L", ""), "latent": ("c", ""), "rope": ("r", ""), "bytes_per_element": ("b", "B")},
    source="one latent and one shared rotary key a layer; DeepSeek-V2, arXiv 2405.04434, section 2.1",
)
def latent_bytes_per_token(layers, latent, rope, bytes_per_element):
    """Bytes one more token takes where keys and values are kept as one latent."""
    return layers * (latent + rope) * bytes_per_element


@formula(
    name="KV cache of a batch",
    symbol="M",
    unit="GB",
    inputs={"batch": ("B", "conversations"), "context": ("S", "tokens"), "bytes_per_token": ("k", "B")},
    source="every token of every conversation stays resident; 1 GB is 1e9 bytes",
)
def cache_gb(batch, context, bytes_per_token):
    """Memory of a batch of conversations at one context."""
    return batch * context * bytes_per_token / 1e9
