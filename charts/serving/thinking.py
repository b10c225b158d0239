"""What thinking costs: lengths of answers, many samples of one question, and agents of many steps."""

from __future__ import annotations

import functools
from typing import Any, Literal

import numpy as np
import pandas as pd

from analytics.serving import agents, lengths, sampling
from analytics.serving.money import answer_cost_usd
from charts import numbers
from charts.params import ChartParams, choice, flag, number
from charts.receipt import Receipt, assumed, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.serving.thinking_figure import CHECKS, RULES, cents, figure, percent
from charts.words import Words
from data.snapshot import Snapshot

VIEWS = {"lengths": "Lengths of answers", "samples": "Many samples", "agents": "Agents"}
SAMPLES = np.unique(np.round(2.0 ** np.arange(0, 7.01, 0.5))).astype(int)
STEPS = np.unique(np.round(10.0 ** np.arange(0, 3.01, 0.1))).astype(int)
#: ARC-AGI-1 semi-private set, o3 preview: 33M tokens for 100 tasks of 6 samples (ARC Prize, 20 December 2024).
ARC_TOKENS = 55_000


class Params(ChartParams):
    """Prices of tokens, lengths, success of one sample and reliability of one step."""

    view: Literal["lengths", "samples", "agents"] = choice("lengths", label="Show", help="what the cost is shown over", labels=VIEWS)
    input_tokens: int = number(1024, ge=1, le=1_000_000, label="Input", help="tokens of the question", unit="tokens", log=True)
    output_tokens: int = number(
        8192, ge=1, le=1_000_000, label="Mean answer", help="mean tokens of an answer, reasoning included", unit="tokens", log=True
    )
    sigma: float = number(0.8, ge=0, le=2.5, label="Spread of lengths", help="standard deviation of the logarithm of the length", step=0.05)
    usd_in: float = number(0.55, ge=0, le=1000, label="Input price", help="dollars per million input tokens", unit="$/Mtok")
    usd_out: float = number(2.19, ge=0, le=1000, label="Output price", help="dollars per million output tokens", unit="$/Mtok")
    success: float = number(0.3, ge=0.001, le=0.999, label="One sample right", help="mean chance that one sample is right", step=0.01)
    mixed: float = number(
        1.0,
        ge=0.02,
        le=100,
        label="Evenness",
        help="a + b of the Beta spread of difficulty: small means questions are easy or hopeless",
        log=True,
    )
    wrong_answers: int = number(
        20, ge=1, le=60, label="Wrong answers", help="how many wrong answers share the wrong samples evenly", step=1
    )
    recall: float = number(
        0.9, ge=0, le=1, label="Verifier accepts right", help="chance that the verifier accepts a right sample", step=0.01
    )
    false_accept: float = number(
        0.1, ge=0, le=1, label="Verifier accepts wrong", help="chance that the verifier accepts a wrong sample", step=0.01
    )
    step_reliability: float = number(
        0.98, ge=0.01, le=1, label="Step reliability", help="chance that one attempt at a step is right", step=0.005
    )
    detects: float = number(0.7, ge=0, le=1, label="Check finds errors", help="chance that a check rejects a wrong step", step=0.05)
    step_tokens: int = number(500, ge=1, le=100_000, label="Tokens a step", help="tokens each step writes", unit="tokens", log=True)
    observed_tokens: int = number(
        1000, ge=0, le=100_000, label="Tokens read back", help="tokens each step adds from tools", unit="tokens", step=100
    )
    cached: bool = flag(
        True, label="Prefix cached", help="whether an agent's earlier context is read from the cache at a tenth of the input price"
    )


#: What only some views draw; the rest is drawn by all.
DRAWN_BY = {
    "output_tokens": ("lengths", "samples"),
    "sigma": ("lengths",),
    **dict.fromkeys(("success", "mixed", "wrong_answers", "recall", "false_accept"), ("samples",)),
    **dict.fromkeys(("step_reliability", "detects", "step_tokens", "observed_tokens", "cached"), ("agents",)),
}


def idle(params: Params) -> frozenset[str]:
    """Parameters that the view does not draw."""
    return frozenset(name for name, views in DRAWN_BY.items() if params.view not in views)


def _lengths(params: Params) -> lengths.LogNormal:
    return lengths.LogNormal.of_mean(float(params.output_tokens), params.sigma)


def _answer(params: Params, output: Any) -> np.ndarray:
    return np.asarray(
        answer_cost_usd(params.input_tokens, 0, np.asarray(output, dtype=float), params.usd_in, params.usd_in, params.usd_out)
    )


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Density and cost by length, share solved and cost by samples and rule, or by steps and checks."""
    return {"lengths": _by_length, "samples": _by_samples, "agents": _by_steps}[params.view](params)


def _by_length(params: Params) -> pd.DataFrame:
    own = _lengths(params)
    sigma = max(params.sigma, 0.02)
    middle = float(own.median)
    length = np.exp(np.linspace(np.log(middle) - 3.5 * sigma, np.log(middle) + 3.5 * sigma, 181))
    density = np.exp(-((np.log(length / middle) / sigma) ** 2) / 2)
    out = pd.DataFrame(
        {
            "output_tokens": length,
            "answers_per_log_length": density,
            "usd_per_answer": _answer(params, length),
            "share_of_tokens_shorter": own.share_of_tokens(length),
        }
    )
    quantiles = {f"{s:g}": float(own.quantile(s)) for s in (0.5, 0.9, 0.99)}
    out.attrs = {
        "quantiles": quantiles,
        "mean": float(own.mean),
        "usd": {name: float(_answer(params, value)) for name, value in quantiles.items()} | {"mean": float(_answer(params, own.mean))},
        "resident": float(lengths.mean_resident_context(params.input_tokens, own)),
        "half_written": params.input_tokens + params.output_tokens / 2,
    }
    return out


@functools.lru_cache(maxsize=4096)
def _vote(samples: int, wrong_answers: int) -> np.ndarray:
    return sampling.plurality(samples, np.ones(wrong_answers))


@functools.lru_cache(maxsize=4096)
def _verifier(samples: int, recall: float, false_accept: float) -> np.ndarray:
    return sampling.verifier(samples, recall, false_accept)


def _by_samples(params: Params) -> pd.DataFrame:
    spread = sampling.Spread.of_mean(params.success, params.mixed)
    one = float(_answer(params, params.output_tokens))
    prompt = params.input_tokens * params.usd_in / 1e6
    rows = []
    for n in SAMPLES:
        cost = prompt + n * (one - prompt)  # the question is read once, its cache shared
        rules = (
            sampling.perfect_judge(int(n)),
            _verifier(int(n), params.recall, params.false_accept),
            _vote(int(n), params.wrong_answers),
        )
        for name, share in zip(RULES, sampling.solved_mixed(spread, np.stack(rules, axis=1))):
            solved = float(share)
            rows.append(
                {
                    "line": name,
                    "samples": int(n),
                    "solved": solved,
                    "usd_per_task": cost,
                    "usd_per_solved": cost / solved if solved > 0 else np.nan,
                }
            )
    out = pd.DataFrame(rows)
    out.attrs = {"one": one, "success": params.success}
    return out


def _by_steps(params: Params) -> pd.DataFrame:
    parts = []
    for name, (detects, retries) in zip(CHECKS, ((0.0, 0), (params.detects, 3), (1.0, 3))):
        run = agents.agent_run(
            STEPS,
            params.step_reliability,
            output_per_step=params.step_tokens,
            start_context=params.input_tokens,
            observation_per_step=params.observed_tokens,
            detects_wrong=detects,
            retries=retries,
            cached=params.cached,
        )
        cost = answer_cost_usd(run.input_tokens, run.cached_tokens, run.output_tokens, params.usd_in, params.usd_in / 10, params.usd_out)
        solved = np.where(run.solved > 1e-12, run.solved, np.nan)
        parts.append(
            pd.DataFrame(
                {
                    "line": name,
                    "steps": STEPS,
                    "solved": run.solved,
                    "usd_per_task": cost,
                    "usd_per_solved": cost / solved,
                    "input_tokens": run.input_tokens,
                    "output_tokens": run.output_tokens,
                }
            )
        )
    out = pd.concat(parts, ignore_index=True)
    out.attrs = {"reliability": params.step_reliability}
    return out


def words(table: pd.DataFrame, params: Params) -> Words:
    """The number that matters of each view."""
    a = table.attrs
    prices = f"{numbers.dollars(params.usd_in)} in, {numbers.dollars(params.usd_out)} out per million tokens"
    credit = "Ridgepoint sampling model; your prices and rates"
    if params.view == "lengths":
        dear, typical = a["usd"]["0.99"], a["usd"]["0.5"]
        times = f": {dear / typical:.2g} times" if typical > 0 else ""
        finding = f"An answer costs {cents(typical)} at the median and {cents(dear)} at the longest hundredth{times}"
        subtitle = (
            f"Lengths of answers, log-normal with mean {params.output_tokens:,} tokens and sigma {params.sigma:g} (log). {prices}. "
            "Lines: median, mean, nine in ten, 99 in 100."
        )
        extra = a["resident"] / a["half_written"]
        notes = [
            f"While decoding, {a['resident']:,.0f} tokens are resident on average, {extra:.2g} times what equally long answers would hold."
        ]
        return Words(finding, subtitle, f"A bell over logarithmic length. {finding}.", "", credit, tuple(notes))
    if params.view == "samples":
        last = table[table["samples"] == SAMPLES[-1]].set_index("line")
        solved = {name: float(last.loc[name, "solved"]) for name in RULES}
        finding = (
            f"{SAMPLES[-1]} samples solve {100 * solved['perfect judge']:.0f} % with a perfect judge, "
            f"{100 * solved['vote']:.0f} % by vote, where one solves {100 * params.success:.0f} %"
        )
        subtitle = (
            "Share of tasks solved and, in the second panel, cost of a solved task (log) by samples a task (log). "
            f"Answers of {params.output_tokens:,} tokens, {prices}; the question is read once. "
            f"Difficulty is Beta with mean {params.success:g} and a + b = {params.mixed:g}."
        )
        cheapest = table.iloc[int(table["usd_per_solved"].argmin())]
        count = f"{cheapest['samples']} {'sample' if cheapest['samples'] == 1 else 'samples'}"
        notes = [f"Cheapest: {count}, {cents(float(cheapest['usd_per_solved']))} a solved task."]
        return Words(finding, subtitle, f"Rising curves of tasks solved by samples. {finding}.", "", credit, tuple(notes))
    bare = table[(table["line"] == CHECKS[0]) & (table["steps"] == 100)].iloc[0]
    checked = table[(table["line"] == CHECKS[1]) & (table["steps"] == 100)].iloc[0]
    finding = (
        f"At {100 * params.step_reliability:g} % a step, {percent(bare['solved'])} of 100-step tasks succeed; "
        f"with checks that find {100 * params.detects:.0f} % of errors, {percent(checked['solved'])}"
    )
    grows = "earlier parts cached at a tenth of the price" if params.cached else "read anew each step"
    subtitle = (
        "Tasks that succeed and, in the second panel, cost of a solved one (log) by steps (log). "
        f"Each step writes {params.step_tokens:,} tokens and reads {params.observed_tokens:,} back; the context grows, {grows}; "
        f"a rejected step is tried up to three times more. {prices}."
    )
    read, written = numbers.count(bare["input_tokens"]), numbers.count(bare["output_tokens"])
    notes = [f"A 100-step task without checks reads {read} tokens and writes {written}."]
    return Words(finding, subtitle, f"Falling curves of success by steps. {finding}.", "", credit, tuple(notes))


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The formulas of the view with the values set."""
    own = _lengths(params)
    lines = [
        worked(
            answer_cost_usd,
            input_tokens=params.input_tokens,
            cached_tokens=0,
            output_tokens=params.output_tokens,
            input_usd_per_mtok=params.usd_in,
            cached_usd_per_mtok=params.usd_in,
            output_usd_per_mtok=params.usd_out,
        )
    ]
    rows = [
        assumed("Input price", f"${params.usd_in:g}", "per million tokens"),
        assumed("Output price", f"${params.usd_out:g}", "per million tokens"),
        assumed("Mean answer", f"{params.output_tokens:,}", "tokens"),
    ]
    if params.view == "lengths":
        lines.append(
            worked(lengths.resident_context, input_tokens=params.input_tokens, mean_output=own.mean, mean_square_output=own.mean_square)
        )
        rows.append(assumed("Spread of lengths", f"{params.sigma:g}", "standard deviation of the logarithm"))
        said: tuple[str, ...] = ("Lengths are log-normal; published means of answers fix the mean, the spread is your assumption.",)
    elif params.view == "samples":
        lines.append(worked(sampling.any_right, success_rate=params.success, samples=64))
        spread = sampling.Spread.of_mean(params.success, params.mixed)
        lines.append(
            looked_up(
                "Solved by 64 samples, difficulty mixed",
                float(sampling.any_right_mixed(spread, 64)),
                "",
                "1 - B(a, b + n) / B(a, b), beta-binomial",
            )
        )
        rows.append(assumed("One sample right", f"{params.success:g}", ""))
        said = (
            f"A vote is the plurality, ties by lot, {params.wrong_answers} wrong answers equally likely; a yes-or-no question has one.",
            "The verifier takes one of the samples it accepts by lot, or any where it accepts none.",
            "Samples of one question are independent given its difficulty; the question's cache is kept once.",
        )
    else:
        lines.append(worked(agents.chain_reliability, step_reliability=params.step_reliability, steps=100))
        lines.append(worked(agents.step_reliability_needed, task_reliability=0.9, steps=100))
        rows.append(assumed("Step reliability", f"{params.step_reliability:g}", ""))
        said = (
            "Steps fail independently; a rejected attempt leaves no trace in the context; a step rejected at every attempt stops the task.",
            "A check costs nothing and rejects no right step; what it takes comes on top.",
            "Cached input is billed at a tenth of the input price.",
        )
    error = ("Formulas are exact under these assumptions and agree with simulations; success rates of real models are not independent.",)
    return Receipt(tuple(lines), tuple(rows), said, error)


O3 = {"output_tokens": ARC_TOKENS, "usd_in": 15.0, "usd_out": 60.0, "success": 0.68, "mixed": 0.19}
CHART = register(
    Chart(
        id="serving.thinking",
        page="serving",
        title="What thinking costs",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        presets=(
            Preset("lengths", "An answer of R1", {}, claim="R5"),
            Preset("thirty-percent", "Thirty per cent, many times", {"view": "samples"}, claim="R7"),
            Preset("o3-arc", "o3 on ARC-AGI", {"view": "samples", **O3}, claim="I5"),
            Preset("agents", "Steps compound", {"view": "agents"}, claim="R8"),
        ),
        heights=(500, 560),
        idle=idle,
    )
)
