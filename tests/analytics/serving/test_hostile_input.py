"""Every public question of queues, caches, layouts, money, thinking and doubt, asked with nonsense in each place.

An answer is a number or a refusal of one sentence that says what must be otherwise; never a traceback of numpy's and never a silent NaN.
"""

import math

import numpy as np
import pytest

from analytics.serving import Deployment, Fleet, Layout, Precision, Workload, agents, doubt, lengths, load, money, sampling, search
from analytics.serving import prefix_cache as cache
from analytics.serving import speculative as drafts

STEPS = [0.010, 0.011, 0.012]
DAY = np.ones(24)
HOSTILE = [math.nan, math.inf, -math.inf, -1.0, 0, "abc", [], None, [1.0, math.nan], [[1.0], [2.0, 3.0]], "=1+1", "<b>"]
BETA = sampling.Spread(0.5, 0.5)

QUESTIONS = {
    "load.under_load": (load.under_load, (1.0, STEPS, 0.05, 2.0, (0.5,), 0.1, 1.0)),
    "load.highest_rate": (load.highest_rate, (STEPS, 0.05, 200.0)),
    "load.capacity": (load.capacity, (STEPS, 0.05, 200.0, 1.0, 0.05, 0.95, 1.0)),
    "cache.zipf": (cache.zipf, (10, 1.0)),
    "cache.hits_by_tier": (cache.hits_by_tier, ([0.1, 0.2], 100.0, [50.0])),
    "cache.tier_tokens": (cache.tier_tokens, ([1e9], 1e5, 0.0)),
    "cache.saving": (cache.saving, ([0.3], 500.0, 1000.0, 1e-4, [0.0])),
    "drafts.tokens_per_verification": (drafts.tokens_per_verification, (0.5, 3)),
    "search.Limits": (search.Limits, (30.0, 1.0, 8.0)),
    "money.split_weights": (lambda *times: money.split_weights("time", *times), (1e-5, 1e-3, 1e-7)),
    "money.token_costs": (lambda total, n: money.token_costs(total, n, 1.0, 1.0, (1, 1, 1)).output, (10.0, 1.0)),
    "money.hosting_against_api": (money.hosting_against_api, (1e8, DAY, 1e4, 16.0, 1.0)),
    "money.utilisation_of": (money.utilisation_of, (DAY,)),
    "money.margin_at_price": (money.margin_at_price, (1.0, 2.0, 0.5)),
    "lengths.LogNormal": (lengths.LogNormal, (100.0, 0.5)),
    "lengths.LogNormal.of_mean": (lengths.LogNormal.of_mean, (100.0, 0.5)),
    "lengths.LogNormal.quantile": (lengths.LogNormal(100.0, 0.5).quantile, (0.5,)),
    "lengths.Empirical": (lengths.Empirical, ([1.0, 2.0],)),
    "lengths.mean_resident_context": (lambda n: lengths.mean_resident_context(n, lengths.LogNormal(100, 0.5)), (100.0,)),
    "lengths.resident_tokens": (lengths.resident_tokens, (4, 100.0, 50.0)),
    "sampling.pass_at_k": (sampling.pass_at_k, (10, 3, 2)),
    "sampling.perfect_judge": (sampling.perfect_judge, (3,)),
    "sampling.plurality": (sampling.plurality, (3, [0.5, 0.5])),
    "sampling.verifier": (sampling.verifier, (3, 0.9, 0.1)),
    "sampling.solved_by_verifier": (sampling.solved_by_verifier, (0.5, 3, 0.9, 0.1)),
    "sampling.Spread": (sampling.Spread, (0.5, 0.5)),
    "sampling.Spread.of_mean": (sampling.Spread.of_mean, (0.5, 1.0)),
    "sampling.solved": (lambda p: sampling.solved(p, sampling.plurality(3)), (0.5,)),
    "sampling.any_right_mixed": (lambda n: sampling.any_right_mixed(BETA, n), (3,)),
    "sampling.fit_spread": (lambda a, b, x, y: sampling.fit_spread((a, b), (x, y)), (6, 1024, 0.757, 0.875)),
    "agents.agent_run": (
        lambda k, r, out, start, seen, d, f, m, check: agents.agent_run(
            k,
            r,
            output_per_step=out,
            start_context=start,
            observation_per_step=seen,
            detects_wrong=d,
            rejects_right=f,
            retries=m,
            check_tokens=check,
        ),
        (5, 0.9, 100.0, 10.0, 10.0, 0.5, 0.1, 2, 10.0),
    ),  # fmt: skip
    "doubt.Range": (doubt.Range, (1.0, 2.0, 3.0)),
    "doubt.Residual.of": (doubt.Residual.of, ([1.0, 1.1, 0.9],)),
    "doubt.Residual.factors": (doubt.Residual.of([1.0, 1.1, 0.9]).factors, (0.9,)),
    "doubt.propagate": (lambda n: doubt.propagate(lambda x: x, {"x": doubt.Range(1, 2, 3)}, n), (1000,)),
    "doubt.passport": (
        lambda at, point, said, seen: doubt.passport({"batch": at}, {"batch": point}, said, seen, [True]),
        (1.0, [1.0], [1.0], [1.0]),
    ),
}


def _numbers(answer):
    if isinstance(answer, tuple | list):
        return [n for part in answer for n in _numbers(part)]
    if hasattr(answer, "__dataclass_fields__"):
        return [n for name in answer.__dataclass_fields__ for n in _numbers(getattr(answer, name))]
    array = np.asarray(answer)
    return list(array.ravel().astype(float)) if array.dtype.kind in "fiub" else []


def _ask(question, arguments):
    for place in range(len(arguments)):
        for nonsense in HOSTILE:
            given = [*arguments[:place], nonsense, *arguments[place + 1 :]]
            try:
                answer = question(*given)
            except ValueError as refusal:
                said = str(refusal)
                assert "\n" not in said and len(said) < 300, (place, nonsense, said)
                assert any(word in said for word in ("must", "needs", "no measured point")), (place, nonsense, said)
            else:
                assert not np.isnan(_numbers(answer)).any(), (place, nonsense, answer)


@pytest.mark.parametrize("name", QUESTIONS)
def test_nonsense_is_refused_in_a_sentence(name):
    _ask(*QUESTIONS[name])


def test_nonsense_asked_of_deployments(shipped):
    model, chip = shipped.shapes["Llama-3.1-8B"], shipped.chips["h100-sxm"]
    fleet = Fleet([Deployment(model, chip, Layout(), Precision.of("bf16"))], shipped.kernels, shipped.calibration)
    found = search.candidates(fleet, Workload(100, 100))
    _ask(lambda b, s, a, g, c: drafts.speculate(fleet, 0, b, s, a, g, c), (8, 1000.0, 0.5, 2, 0.1))
    _ask(lambda b, s, a, m: drafts.best_draft(fleet, 0, b, s, a, 0.1, m), (8, 1000.0, 0.5, 4))
    _ask(lambda b: search.candidates(fleet, Workload(100, 100), b), ([1.0, 2.0],))
    _ask(lambda n, s: search.most_sequences(model, chip, n, Precision.of("bf16"), s), (1, [1000.0]))
    _ask(lambda rent: search.best(fleet, found, None, rent), (2.0,))
    _ask(lambda speed: search.best_at_speeds(found, speed), (20.0,))
    _ask(lambda i, o, c: Workload(i, o, c), (100, 100, 10))
