"""Agents: many steps in a row, each of which may fail, be checked and be tried again while the context grows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.accounting import Numbers
from analytics.checks import numbers, require, require_at_least, require_positive, require_within
from analytics.formula import formula

MOST_STEPS = 10_000


@formula(
    name="Reliability of a chain of steps",
    symbol="R",
    unit="",
    inputs={"step_reliability": ("r", ""), "steps": ("k", "")},
    source="every step has to succeed, independently",
)
def chain_reliability(step_reliability, steps):
    """Chance that all steps succeed without checks."""
    return step_reliability**steps


@formula(
    name="Step reliability a chain needs",
    symbol="r",
    unit="",
    inputs={"task_reliability": ("R", ""), "steps": ("k", "")},
    source="k-th root of the chance wanted for the whole task",
)
def step_reliability_needed(task_reliability, steps):
    """Reliability of each step that makes the whole task this reliable."""
    return task_reliability ** (1 / steps)


@dataclass(frozen=True)
class AgentRun:
    """A task of several steps, expected values; arrays of the broadcast shape."""

    solved: np.ndarray  #: every step right
    stopped: np.ndarray  #: given up because a step was rejected at every attempt
    attempts_per_step: np.ndarray
    input_tokens: np.ndarray  #: read, those from the cache included
    cached_tokens: np.ndarray
    output_tokens: np.ndarray
    final_context: np.ndarray  #: tokens before the last step of a run that gets there


def agent_run(
    steps: Numbers,
    step_reliability: Numbers,
    *,
    output_per_step: Numbers,
    start_context: Numbers = 0.0,
    observation_per_step: Numbers = 0.0,
    detects_wrong: Numbers = 0.0,
    rejects_right: Numbers = 0.0,
    retries: Numbers = 0.0,
    check_tokens: Numbers = 0.0,
    cached: bool = True,
) -> AgentRun:
    """Expected outcome and tokens of a task of k steps with checks, retries and a context that grows.

    Parameters (broadcast): steps k >= 1; step_reliability, chance that one attempt at a step is right; output_per_step and
    observation_per_step, tokens each step adds to the context (written, and read back from tools); start_context [tokens];
    detects_wrong and rejects_right, chance that the check rejects a wrong and a right attempt; retries allowed for a rejected step;
    check_tokens written to check one attempt; cached: whether all but the new tokens of a step come from the prefix cache.
    Returns: AgentRun. A rejected attempt leaves no trace in the context; a wrong step that is not noticed spoils the task, which runs
    to its end all the same; a step rejected at every attempt stops it.
    """
    k = numbers("steps", steps)
    require((k >= 1) & (k <= MOST_STEPS) & (k == np.floor(k)), "steps", k, f"a whole number from 1 to {MOST_STEPS:,}")
    r = require_within("step reliability", step_reliability, 0, 1)
    d = require_within("chance to detect a wrong step", detects_wrong, 0, 1)
    f = require_within("chance to reject a right step", rejects_right, 0, 1)
    m = numbers("retries", retries)
    require((m >= 0) & (m <= 1000) & (m == np.floor(m)), "retries", m, "a whole number from 0 to 1,000")
    out = require_positive("output per step", output_per_step, "tokens")
    tokens = {"start context": start_context, "observation per step": observation_per_step, "check tokens": check_tokens}
    k, r, d, f, m, out, start, seen, check = np.broadcast_arrays(
        k, r, d, f, m, out, *(require_at_least(name, v, 0, "tokens") for name, v in tokens.items())
    )

    rejected = r * f + (1 - r) * d
    certain = rejected >= 1
    tries = np.where(certain, m + 1, (1 - rejected ** (m + 1)) / np.where(certain, 1.0, 1 - rejected))
    right, passed = r * (1 - f) * tries, (1 - rejected) * tries
    # Sums over steps j = 0..k-1 of the chance to get there, and of the context then: both weighted with passed^j.
    j = np.arange(int(k.max(initial=0)))
    reach = np.where(j < k[..., None], np.minimum(passed, 1.0)[..., None] ** j, 0.0)
    grows = out + seen
    begun = reach.sum(axis=-1)
    context = start * begun + grows * (reach * j).sum(axis=-1)
    attempts = tries * begun
    read = tries * context + attempts * np.where(check > 0, out, 0.0)
    # From the cache: everything a step has seen before; new are the last observation and, in the first step, the start.
    fresh = start + seen * np.maximum(begun - 1, 0.0)
    from_cache = np.where(cached, np.maximum(read - fresh - attempts * np.where(check > 0, out, 0.0), 0.0), 0.0)
    return AgentRun(
        solved=np.minimum(right, 1.0) ** k,
        stopped=1 - np.minimum(passed, 1.0) ** k,
        attempts_per_step=tries,
        input_tokens=read,
        cached_tokens=from_cache,
        output_tokens=attempts * (out + check),
        final_context=start + grows * (k - 1),
    )
