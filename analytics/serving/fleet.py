"""Many deployments side by side: step times, memory and capacity of any of them for arrays of batches and contexts.

A deployment is a shape on a chip in a layout at a precision. Its operation curves are compiled once; after that every question is an
interpolation in numpy, so a search over millions of configurations costs about a microsecond each.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from analytics import accounting
from analytics.accounting import Numbers
from analytics.serving import step
from analytics.serving.calibration import Calibration
from analytics.serving.chips import Chip
from analytics.serving.kernels import KernelTable
from analytics.serving.layout import Layout, Memory, rank_kv_bytes, rank_memory
from analytics.serving.precision import Precision
from analytics.serving.shapes import Shape

PARTS = ("weights", "kv", "flops", "activations", "communication", "launch", "host")


@dataclass(frozen=True)
class Deployment:
    """A shape on chips in a layout at a precision; raises ValueError, one sentence, where the layout is impossible for the shape."""

    shape: Shape
    chip: Chip
    layout: Layout
    precision: Precision
    whole_cache: bool = False  #: the engine keeps the whole context of local (windowed, chunked) layers too

    def __post_init__(self) -> None:
        problem = self.layout.problem(self.shape)
        if problem:
            raise ValueError(f"layout: {problem}")

    @property
    def cached_shape(self) -> Shape:
        """The shape as the engine allocates its cache."""
        return dataclasses.replace(self.shape, local_layers=0) if self.whole_cache else self.shape

    def memory(self, pass_tokens: float = step.PASS_TOKENS, kv_fraction: float = 0.9) -> Memory:
        """Weights, reserve and room for the cache on the fullest rank."""
        return rank_memory(self.shape, self.chip, self.layout, self.precision, pass_tokens, kv_fraction)

    def shortage(self, batch: float, context: float) -> str:
        """Nothing (an empty text) when a batch at a context fits, else what is short, as "needs 3 more chips"."""
        free = self.memory().free - rank_kv_bytes(self.cached_shape, self.layout, self.precision, context) * np.ceil(
            batch / self.layout.data
        )
        if free >= 0:
            return ""
        more = int(np.ceil(-free * self.layout.chips / (self.chip.memory_bytes * 0.9)))
        plural = "chip" if more == 1 else "chips"
        each = f" on each of {self.layout.chips}" if self.layout.chips > 1 else ""
        return f"needs {more:,} more {plural} of this memory: {-free / 1e9:,.1f} GB short{each}"


@dataclass(frozen=True)
class StepTime:
    """Time of one pass of a replica [s] with its named parts; `total` is their sum."""

    weights: np.ndarray
    kv: np.ndarray
    flops: np.ndarray
    activations: np.ndarray
    communication: np.ndarray
    launch: np.ndarray
    host: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """Sum of the parts [s]."""
        return self.weights + self.kv + self.flops + self.activations + self.communication + self.launch + self.host

    def bound(self) -> np.ndarray:
        """Name of the largest part."""
        return np.asarray(PARTS)[np.argmax(np.stack(np.broadcast_arrays(*[getattr(self, part) for part in PARTS])), axis=0)]


def _loaded(layout: Layout, calibration: Calibration) -> Layout:
    """A layout with the usual skew of routing on top of the imbalance asked for."""
    skew = 1 + calibration.expert_skew * (1 - 1 / layout.expert)
    return dataclasses.replace(layout, expert_imbalance=min(layout.expert_imbalance * skew, 1000.0))


@lru_cache(maxsize=4096)
def _curves(shape: Shape, chip: Chip, layout: Layout, precision: Precision, kernels: _ById) -> step.Curves:
    return step.Compiler(shape, chip, layout, precision, kernels.table).curves()


class _ById:
    """A kernel table as a cache key: by identity, because it is large and not changed after loading."""

    def __init__(self, table: KernelTable) -> None:
        self.table = table

    def __hash__(self) -> int:
        return id(self.table)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and self.table is other.table


class Fleet:
    """Deployments with their curves stacked; every method takes `which`, an integer array naming the deployment of each element."""

    def __init__(self, deployments: Sequence[Deployment], kernels: KernelTable, calibration: Calibration | Sequence[Calibration]) -> None:
        if not deployments:
            raise ValueError("a fleet needs at least one deployment")
        self.deployments = list(deployments)
        many = [calibration] * len(self.deployments) if isinstance(calibration, Calibration) else list(calibration)
        if len(many) != len(self.deployments):
            raise ValueError(f"one calibration or one per deployment is needed, got {len(many)} for {len(self.deployments)}")
        self.calibrations = many
        self.curves = [
            _curves(d.shape, d.chip, _loaded(d.layout, c), d.precision, _ById(kernels)) for d, c in zip(deployments, many, strict=True)
        ]
        layouts = [d.layout for d in self.deployments]
        self.data = np.array([float(layout.data) for layout in layouts])
        self.pipeline = np.array([float(layout.pipeline) for layout in layouts])
        self.chips = np.array([float(layout.chips) for layout in layouts])
        self.prefill_spread = np.array(
            [
                min(layout.prefill_imbalance * (1 + c.data_spread * (layout.data - 1)), layout.data)
                for layout, c in zip(layouts, many, strict=True)
            ]
        )
        self.most_per_rank = np.array([c.most_per_rank for c in many])
        shapes = [d.shape for d in self.deployments]
        self.local_window = np.array([float(shape.window) if shape.local_layers else 1.0 for shape in shapes])
        self.chunked = np.array([shape.chunked for shape in shapes])
        self.has_local = np.array([shape.local_layers > 0 and not shape.is_mla for shape in shapes])
        self.full_window = np.array([float(shape.index_topk) if shape.index_topk else np.inf for shape in shapes])
        self.host_step = np.array([c.step_s for c in many])
        self.host_request = np.array([c.request_s for c in many])
        self.host_sequence = np.array([c.sequence_s for c in many])
        self.launch = np.array([c.layer_s * curve.layers for c, curve in zip(many, self.curves, strict=True)])

    # ------------------------------------------------------------------------------------------------------ stacked tables

    def _stack(self, build: Any) -> np.ndarray:
        return np.ascontiguousarray([build(curve, c) for curve, c in zip(self.curves, self.calibrations, strict=True)])

    @cached_property
    def _parts(self) -> dict[str, np.ndarray]:
        """Curves over tokens of the parts of a pass, calibration applied."""
        return {
            "weights": self._stack(lambda v, c: c.gemm * v.weights + c.experts * v.expert_weights),
            "flops": self._stack(lambda v, c: c.gemm * v.flops + c.experts * v.expert_flops),
            "activations": self._stack(lambda v, c: v.elementwise / c.elementwise_efficiency),
            "communication": self._visible_exchange(),
            "decode_extra": self._stack(lambda v, c: c.gemm * (v.decode_extra + v.head)),
            "prefill_extra": self._stack(lambda v, c: c.gemm * v.prefill_extra),
            "head": self._stack(lambda v, c: c.gemm * v.head),
        }

    def _visible_exchange(self) -> np.ndarray:
        """Exchanges that computation does not hide."""
        busy = self._stack(lambda v, c: c.overlap * (c.gemm * (v.weights + v.flops) + c.experts * (v.expert_weights + v.expert_flops)))
        return np.maximum(self._stack(lambda v, c: c.exchange * v.communication) - busy, 0.0)

    @cached_property
    def _pass_total(self) -> np.ndarray:
        parts = self._parts
        return parts["weights"] + parts["flops"] + parts["activations"] + parts["communication"] + self.launch[:, None]

    @cached_property
    def _decode_total(self) -> np.ndarray:
        return self._pass_total + self._parts["decode_extra"]

    @cached_property
    def _prefill_total(self) -> np.ndarray:
        return self._pass_total + self._parts["prefill_extra"]

    @cached_property
    def _kv_log(self) -> np.ndarray:
        return self._stack(lambda v, c: np.log(np.maximum(c.attention * v.kv, 1e-30)))

    @cached_property
    def _kv_local_log(self) -> np.ndarray:
        return self._stack(lambda v, c: np.log(np.maximum(c.attention * v.kv_local, 1e-30)))

    @cached_property
    def _pairs(self) -> tuple[np.ndarray, np.ndarray]:
        return self._stack(lambda v, c: c.attention * v.pair_full), self._stack(lambda v, c: c.attention * v.pair_local)

    @cached_property
    def _cache(self) -> dict[str, np.ndarray]:
        """Cache bytes of a sequence on a rank: full x context + local x min(context, window) + state; and the room for it."""
        out: dict[str, list[float]] = {"full": [], "local": [], "state": [], "free": []}
        for d in self.deployments:
            state = float(rank_kv_bytes(d.cached_shape, d.layout, d.precision, 0))
            both = float(rank_kv_bytes(d.cached_shape, d.layout, d.precision, 1)) - state
            far = 2.0**20
            full = float(
                rank_kv_bytes(d.cached_shape, d.layout, d.precision, far + 1) - rank_kv_bytes(d.cached_shape, d.layout, d.precision, far)
            )
            for name, value in (("full", full), ("local", both - full), ("state", state), ("free", d.memory().free)):
                out[name].append(value)
        return {name: np.asarray(values) for name, values in out.items()}

    # ---------------------------------------------------------------------------------------------------------- step times

    def held_tokens(self, which: Numbers, context: Numbers, until: Numbers | None = None) -> np.ndarray:
        """Tokens a local layer reads at a context, or on average over contexts up to `until`; beyond a chunk half a chunk on average."""
        which = np.asarray(which)
        start, window = np.asarray(context, dtype=float), self.local_window[which]
        sliding = np.minimum(start, window)
        if until is None:
            return np.where(self.chunked[which] & (start > window), window / 2, sliding)
        tokens = np.maximum(np.asarray(until, dtype=float) - start, 1.0)
        chunk = np.asarray(accounting.chunk_pairs(tokens, start, window)) / tokens
        grown = np.asarray(accounting.attended_pairs(tokens, start, window)) / tokens
        return np.where(self.chunked[which], chunk, grown)

    def decode_step_s(self, which: Numbers, batch: Numbers, context: Numbers, held: Numbers | None = None) -> np.ndarray:
        """Time of one decode step [s] of `batch` sequences of a replica at a mean context [tokens].

        held: tokens local layers read where the caller knows better than the mean context says (`held_tokens`).
        """
        which = np.asarray(which)
        rank = self._per_rank(which, batch)
        total = _curve(self._decode_total, which, rank) + self._kv(which, rank, context, held)
        return total + self.host_step[which] + self.host_sequence[which] * rank * self.pipeline[which]

    def decode_step(self, which: Numbers, batch: Numbers, context: Numbers) -> StepTime:
        """The same with its parts."""
        which = np.asarray(which)
        rank = self._per_rank(which, batch)
        parts = {
            name: _curve(self._parts[name], which, rank) for name in ("weights", "flops", "activations", "communication", "decode_extra")
        }
        extra = parts.pop("decode_extra")
        return StepTime(
            **{**parts, "weights": parts["weights"] + extra},
            kv=self._kv(which, rank, context),
            launch=self.launch[which] + 0 * rank,
            host=self.host_step[which] + self.host_sequence[which] * rank * self.pipeline[which],
        )

    def prefill_s(self, which: Numbers, prompts: Numbers, input_tokens: Numbers, cached_tokens: Numbers = 0) -> np.ndarray:
        """Time of prefilling `prompts` prompts of a replica in passes of at most 8,192 tokens a rank [s]."""
        which = np.asarray(which)
        on_rank, passes, n = self._prefill_passes(which, prompts, input_tokens, cached_tokens)
        time = passes * (_curve(self._prefill_total, which, n) + self.host_step[which])
        time = time + _curve(self._parts["head"], which, on_rank) + on_rank * self.prefill_attention_s(which, input_tokens, cached_tokens)
        return time + (self.host_sequence[which] + self.host_request[which]) * on_rank

    def _prefill_passes(
        self, which: np.ndarray, prompts: Numbers, input_tokens: Numbers, cached_tokens: Numbers
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Prompts on the fullest rank, passes they take, and tokens of a pass."""
        on_rank = np.ceil(np.asarray(prompts, dtype=float) / self.data[which])
        tokens = on_rank * (np.asarray(input_tokens, dtype=float) - cached_tokens)
        passes = np.maximum(np.ceil(tokens / step.PASS_TOKENS), 1.0)
        return on_rank, passes, np.maximum(tokens / passes, 1.0)

    def prefill(self, which: Numbers, prompts: Numbers, input_tokens: Numbers, cached_tokens: Numbers = 0) -> StepTime:
        """The same with its parts; prompts are spread over the attention-data ranks, the fullest rank sets the time."""
        which = np.asarray(which)
        on_rank, passes, n = self._prefill_passes(which, prompts, input_tokens, cached_tokens)
        parts = {
            name: passes * _curve(self._parts[name], which, n)
            for name in ("weights", "flops", "activations", "communication", "prefill_extra")
        }
        head = _curve(self._parts["head"], which, on_rank)
        attention = on_rank * self.prefill_attention_s(which, input_tokens, cached_tokens)
        return StepTime(
            weights=parts["weights"] + head,
            flops=parts["flops"] + parts["prefill_extra"] + attention,
            kv=np.zeros_like(head),
            activations=parts["activations"],
            communication=parts["communication"],
            launch=self.launch[which] * passes,
            host=self.host_step[which] * passes + (self.host_sequence[which] + self.host_request[which]) * on_rank,
        )

    def mixed_step_s(
        self,
        which: Numbers,
        batch: Numbers,
        context: Numbers,
        prompt_tokens: Numbers,
        input_tokens: Numbers,
        cached_tokens: Numbers = 0,
        held: Numbers | None = None,
    ) -> np.ndarray:
        """Time of one step that decodes `batch` sequences and prefills `prompt_tokens` tokens on each attention rank [s]."""
        which = np.asarray(which)
        rank = self._per_rank(which, batch)
        chunk = np.asarray(prompt_tokens, dtype=float) / self.pipeline[which]
        new = np.maximum(np.asarray(input_tokens, dtype=float) - cached_tokens, 1.0)
        prompts = chunk / new
        total = _curve(self._pass_total, which, rank + chunk) + _curve(self._parts["decode_extra"], which, np.maximum(rank + prompts, 1.0))
        total = total + np.where(chunk > 0, _curve(self._parts["prefill_extra"], which, chunk), 0.0)
        total = total + np.where(rank > 0, self._kv(which, rank, context, held), 0.0)
        total = total + prompts * self.prefill_attention_s(which, input_tokens, cached_tokens)
        host = (
            self.host_step[which]
            + (self.host_sequence[which] * (rank + prompts) + self.host_request[which] * prompts) * self.pipeline[which]
        )
        return total + host

    def prefill_attention_s(self, which: Numbers, input_tokens: Numbers, cached_tokens: Numbers = 0) -> np.ndarray:
        """Time of the attention of one prompt on its rank, all layers [s]."""
        which = np.asarray(which)
        length = np.asarray(input_tokens, dtype=float)
        new = length - cached_tokens
        full, local = self._pairs
        pairs = np.asarray(accounting.attended_pairs(new, cached_tokens, self.full_window[which]), dtype=float)
        window = self.local_window[which]
        near = np.asarray(accounting.attended_pairs(new, cached_tokens, window), dtype=float)
        if self.chunked.any():
            near = np.where(self.chunked[which], accounting.chunk_pairs(new, cached_tokens, window), near)
        at = np.clip((np.log2(np.maximum(length, 1.0)) - 4) * 2, 0, len(step.LENGTHS) - 1)
        return pairs * _gather(full, which, at) + near * _gather(local, which, at)

    # -------------------------------------------------------------------------------------------------------------- memory

    def kv_bytes_per_sequence(self, which: Numbers, context: Numbers) -> np.ndarray:
        """Cache bytes a sequence at a context takes on its rank [B]."""
        which = np.asarray(which)
        context = np.asarray(context, dtype=float)
        cache = self._cache
        return (
            cache["full"][which] * context + cache["local"][which] * np.minimum(context, self.local_window[which]) + cache["state"][which]
        )

    def largest_batch(self, which: Numbers, context: Numbers) -> np.ndarray:
        """Sequences of a replica that fit at a context, 0 where the weights alone do not fit."""
        which = np.asarray(which)
        per_rank = np.floor(self._cache["free"][which] / self.kv_bytes_per_sequence(which, context))
        return np.maximum(per_rank, 0.0) * self.data[which]

    # ------------------------------------------------------------------------------------------------------------- private

    def _per_rank(self, which: np.ndarray, batch: Numbers) -> np.ndarray:
        """Sequences of the fullest attention rank in one micro-batch."""
        return np.asarray(batch, dtype=float) / (self.data[which] * self.pipeline[which])

    def _kv(self, which: np.ndarray, rank: np.ndarray, context: Numbers, held: Numbers | None = None) -> np.ndarray:
        """Time of decode attention: layers that see everything, and local ones over the tokens they hold."""
        time = self._attention(self._kv_log, which, rank, context)
        if self.has_local.any():
            held = self.held_tokens(which, context) if held is None else held
            time = time + self._attention(self._kv_local_log, which, rank, held)
        return time

    @staticmethod
    def _attention(table: np.ndarray, which: np.ndarray, rank: np.ndarray, context: Numbers) -> np.ndarray:
        """A table of log times over BATCHES x CONTEXTS, bilinear in the logarithms of batch and context [s]."""
        b = np.clip(np.log2(np.maximum(rank, 1.0)) * 2, 0, len(step.BATCHES) - 1.000001)
        s = np.clip((np.log2(np.maximum(np.asarray(context, dtype=float), 1.0)) - 4) * 2, 0, len(step.CONTEXTS) - 1.000001)
        b0, s0 = b.astype(np.intp), s.astype(np.intp)
        wb, ws = b - b0, s - s0
        flat = table.reshape(-1)
        at = (which * table.shape[1] + b0) * table.shape[2] + s0
        low = flat[at] + ws * (flat[at + 1] - flat[at])
        at = at + table.shape[2]
        high = flat[at] + ws * (flat[at + 1] - flat[at])
        return np.exp(low + wb * (high - low))


def _curve(table: np.ndarray, which: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """A curve over TOKENS at token counts of at least 1; beyond the last sample it grows in proportion."""
    tokens = np.maximum(tokens, 1.0)
    value = _gather(table, which, np.minimum(np.log2(tokens) * 8, len(step.TOKENS) - 1.0))
    last = step.TOKENS[-1]
    return np.where(tokens > last, value * (tokens / last), value) if np.any(tokens > last) else value


def _gather(table: np.ndarray, which: np.ndarray, at: np.ndarray) -> np.ndarray:
    cell = np.minimum(at.astype(np.intp), table.shape[1] - 2)
    flat = table.reshape(-1)
    index = which * table.shape[1] + cell
    low = flat[index]
    return low + (at - cell) * (flat[index + 1] - low)
