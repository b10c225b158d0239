"""Export rules over 100,000 designs, against a hand-written numpy mask of the same clauses; and one case file."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from analytics.chips.explain import single_changes
from analytics.chips.facts import chip_facts
from analytics.chips.rules import OUTCOMES, RuleBook
from data import shipped

DESIGNS, DAY = 100_000, "2026-06-01"


def _best(work: Callable[[], object], times: int = 7) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def by_hand(tpp: np.ndarray, pd: np.ndarray, io: np.ndarray, memory: np.ndarray) -> np.ndarray:
    """What all clauses in force on that day say of a NVIDIA data-centre chip to China, written out."""
    code = {name: position for position, name in enumerate(OUTCOMES)}
    result = np.full(tpp.shape, code["no_clause_met"], dtype=np.int8)
    middle = ((tpp >= 2400) & (tpp < 4800) & (pd >= 1.6) & (pd < 5.92)) | ((tpp >= 1600) & (pd >= 3.2) & (pd < 5.92))
    result[middle] = code["notification_nac"]
    result[(memory >= 1400) | (io >= 1100) | (memory + io >= 1700)] = code["company_letter"]
    high = (tpp >= 4800) | ((tpp >= 1600) & (pd >= 5.92))
    result[high] = code["licence_presumption_of_denial"]
    result[high & (tpp < 21000) & (memory < 6500)] = code["licence_case_by_case"]
    return result


def figures() -> dict[str, dict]:
    """Time of all clauses over the designs and its ratio to the mask by hand; time of one chip's nearest changes."""
    book = RuleBook.from_rows(shipped.rows("export_rules"), shipped.rows("country_groups"))
    rng = np.random.default_rng(0)
    tpp, pd, io, memory = (rng.uniform(0, top, DESIGNS) for top in (40_000, 20, 2000, 9000))
    facts = {
        "chip_id": "design", "vendor": "NVIDIA", "marketing": "datacenter", "designer_hq": "US",
        "tpp": tpp, "pd": pd, "io_total_bidirectional_gb_per_s": io, "memory_bandwidth_gb_per_s": memory,
    }  # fmt: skip
    ours = _best(lambda: book.outcomes(facts, dest="CN", date=DAY))
    hand = _best(lambda: by_hand(tpp, pd, io, memory))
    if not np.array_equal(book.outcomes(facts, dest="CN", date=DAY), by_hand(tpp, pd, io, memory)):
        raise AssertionError("the mask by hand and the rules disagree: the comparison would be of two different questions")
    chip = chip_facts(next(row for row in shipped.rows("chips") if row["chip_id"] == "h20"))
    one = _best(lambda: single_changes(book, chip, dest="CN", date=DAY))
    return {
        f"export rules, {DESIGNS:,} designs x all clauses": {
            "figure": ours * 1e3, "unit": "ms", "ratio": ours / hand, "against": "a hand-written numpy mask"
        },
        "export rules, nearest changes of one chip": {"figure": one * 1e3, "unit": "ms", "ratio": None, "against": ""},
    }  # fmt: skip
