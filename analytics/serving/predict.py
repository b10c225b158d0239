"""Predictions for cases: the run each row describes, on the stated layout or the best that fits, for all rows side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from analytics.serving.benchmark_rows import Case
from analytics.serving.calibration import Calibration
from analytics.serving.chips import counted
from analytics.serving.finite_run import replay
from analytics.serving.fleet import Deployment, Fleet
from analytics.serving.kernels import KernelTable
from analytics.serving.run import Steady, Workload, best_choice, steady_state

#: Prompt tokens a rank takes at once in rows that measure prefill alone: a full pass.
PASS = 8192.0
#: vLLM keeps the whole context of chunked layers by default (vllm-project/vllm pull 21761, 2025-07), SGLang does not (sgl-project/sglang
#: pull 6563); for TensorRT-LLM it is an assumption: with chunks alone the long Llama 4 runs come out a third too fast on three chips.
CUTS_CHUNKS = ("SGLang",)


@dataclass
class Prediction:
    """Predicted quantities of one case with the layout used and why, or a note where there is none."""

    case: Case
    values: dict[str, float] = field(default_factory=dict)
    layout: str = ""
    notes: list[str] = field(default_factory=list)


class Predictor:
    """All layouts of all cases compiled once; predictions for any calibration are then quick."""

    def __init__(self, cases: Sequence[Case], kernels: KernelTable, calibration: Callable[[Case], Calibration]) -> None:
        self.cases, self.kernels = list(cases), kernels
        self.open = [case for case in self.cases if case.shape is not None and not case.problem and not case.kernel_note]
        self.slices: dict[int, range] = {}
        self.deployments: list[Deployment] = []
        self.owner: list[Case] = []
        for case in self.open:
            start = len(self.deployments)
            for layout in case.layouts:
                assert case.shape and case.chip and case.precision
                self.deployments.append(
                    Deployment(
                        case.shape, case.chip, layout, case.precision, whole_cache=case.shape.chunked and case.engine_id not in CUTS_CHUNKS
                    )
                )
                self.owner.append(case)
            self.slices[case.row] = range(start, len(self.deployments))
        self.calibrate(calibration)

    def calibrate(self, calibration: Callable[[Case], Calibration]) -> None:
        """Take another set of constants; compiled curves stay."""
        if self.deployments:
            self.fleet = Fleet(self.deployments, self.kernels, [calibration(case) for case in self.owner])

    def offline(self, cases: Sequence[Case] | None = None) -> dict[int, np.ndarray]:
        """Output tokens/s per chip of every layout of every row that is a finite run (of `cases`, or all), by row number."""
        runs = [case for case in (self.open if cases is None else cases) if case.requests]
        if not runs:
            return {}
        which = np.concatenate([np.asarray(self.slices[case.row]) for case in runs])
        repeat = [len(self.slices[case.row]) for case in runs]

        def column(values: list[float]) -> np.ndarray:
            return np.repeat(np.asarray(values, dtype=float), repeat)

        workload = Workload(column([case.input_tokens for case in runs]), column([case.output_tokens for case in runs]))
        requests = column([float(case.requests or 0) for case in runs])
        rates = replay(self.fleet, which, workload, requests).output_tokens_per_s_per_chip
        return dict(zip([case.row for case in runs], np.split(rates, np.cumsum(repeat)[:-1]), strict=True))

    def predict(self) -> list[Prediction]:
        """A prediction for every case, in order."""
        offline = self.offline()
        return [self.one(case, offline) for case in self.cases]

    def one(self, case: Case, offline: dict[int, np.ndarray]) -> Prediction:
        """The prediction of one case; `offline` holds the finite runs already replayed."""
        out = Prediction(case)
        if case.problem or case.kernel_note:
            out.notes.append(case.problem)
            return out
        if not self.slices[case.row]:
            out.notes.append(f"no layout of {counted(case.total_chips)} is possible for {case.model}")
            return out
        best = self._best(case, out, offline)
        if best is None:  # nothing fits or no batch meets the limits: the smallest shortage is still an answer
            which = max(self.slices[case.row], key=lambda i: self.deployments[i].memory().free)
            shortage = self.deployments[which].shortage(1, case.input_tokens + case.output_tokens)
            limits = shortage or "no batch meets the latency limits; the smallest batch is shown"
            out.notes.append(limits)
            best, out.values = which, self._forced(case, which)
        out.layout = self.deployments[best].layout.describe()
        out.notes += list(self.fleet.curves[best].kernels_from) + list(self.deployments[best].chip.assumed)
        return out

    def _best(self, case: Case, out: Prediction, offline: dict[int, np.ndarray]) -> int | None:
        """The layout with the highest rate, its values put into `out`; None where no layout yields any."""
        whole = self.slices[case.row]
        if case.phase not in ("prefill", "decode") and not case.batch_per_chip and case.row not in offline:
            workload = Workload(case.input_tokens, case.output_tokens)
            found = best_choice(self.fleet, np.asarray(whole), workload, case.tpot_limit_s, case.ttft_limit_s)
            if found:
                out.values = _state_values(found[1])
            return found[0] if found else None
        best, best_rate = None, -np.inf
        for at, which in enumerate(whole):
            values = {"output_tok_s_per_gpu": float(offline[case.row][at])} if case.row in offline else self._layout(case, which)
            rate = values.get("input_tok_s_per_gpu" if case.phase == "prefill" else "output_tok_s_per_gpu", np.nan)
            if rate == rate and rate > best_rate:
                best, best_rate, out.values = which, rate, values
        return best

    def _forced(self, case: Case, which: int) -> dict[str, float]:
        """One sequence, as if it fitted: the least a layout does."""
        state = steady_state(self.fleet, which, self.fleet.data[which], Workload(case.input_tokens, case.output_tokens))
        return _state_values(state)

    def _layout(self, case: Case, which: int) -> dict[str, float]:
        workload = Workload(case.input_tokens, case.output_tokens)
        chips = self.fleet.chips[which]
        if case.phase == "prefill":
            prompts = np.ceil(PASS / case.input_tokens) * self.fleet.data[which]
            time = float(self.fleet.prefill_s(which, prompts, case.input_tokens))
            return {"input_tok_s_per_gpu": prompts * case.input_tokens / time / chips, "ttft_ms": time * 1e3}
        if case.phase == "decode":
            return self._decode(case, which)
        state = steady_state(self.fleet, which, max((case.batch_per_chip or 1.0) * chips, 1.0), workload)
        return _state_values(state)

    def _decode(self, case: Case, which: int) -> dict[str, float]:
        chips = self.fleet.chips[which]
        context = case.input_tokens + case.output_tokens / 2
        fits = float(self.fleet.largest_batch(which, case.input_tokens + case.output_tokens))
        if fits < 1:
            return {}
        tpot = case.measured.get("tpot_ms", np.inf) / 1e3
        if case.batch_per_chip:
            batch = case.batch_per_chip * chips
        else:
            ladder = np.unique(
                np.minimum(2.0 ** (np.arange(17 * 8) / 8), min(fits, self.fleet.most_per_rank[which] * self.fleet.data[which]))
            )
            steps = self.fleet.decode_step_s(which, ladder, context)
            allowed = ladder[steps <= tpot]
            if not len(allowed):
                allowed = ladder[:1]
            batch = float(allowed[-1])
        time = float(self.fleet.decode_step_s(which, batch, context))
        values = {"output_tok_s_per_gpu": batch / time / chips, "tpot_ms": time * 1e3}
        if not case.batch_per_chip and "output_tok_s_per_gpu" in case.measured and np.isfinite(tpot):
            implied = case.measured["output_tok_s_per_gpu"] * tpot * chips  # the batch the two published figures imply
            values["tpot_ms"] = float(self.fleet.decode_step_s(which, implied, context)) * 1e3
        return values


def _state_values(state: Steady) -> dict[str, float]:
    return {
        "output_tok_s_per_gpu": float(state.output_tokens_per_s_per_chip),
        "input_tok_s_per_gpu": float(state.input_tokens_per_s_per_chip),
        "tpot_ms": float(state.step_s) * 1e3,
        "ttft_ms": float(state.ttft_s) * 1e3,
    }
