"""A model in every web search: what one answer and a year of answers cost."""

from __future__ import annotations

from analytics.formula import formula

# SemiAnalysis, "The Inference Cost of Search Disruption" (9 February 2023): 320,000 queries a second, 0.36 cents an answer.
SEMIANALYSIS_QUERIES_PER_S = 320_000.0
SEMIANALYSIS_USD_PER_QUERY = 0.0036
# Morgan Stanley (early 2023, as quoted by Reuters, 22 February 2023): 3.3 trillion queries in 2022, 0.2 cents each.
MORGAN_STANLEY_QUERIES_PER_YEAR = 3.3e12


@formula(
    name="Cost of a model in every search",
    symbol="C",
    unit="USD/year",
    inputs={"queries_per_s": ("q", "1/s"), "usd_per_query": ("c", "USD")},
    source="queries a second x 31,536,000 seconds a year x cost of an answer",
)
def search_usd_per_year(queries_per_s, usd_per_query):
    """Cost of answering every search of a year with a model [USD/year]."""
    return queries_per_s * 31_536_000 * usd_per_query
