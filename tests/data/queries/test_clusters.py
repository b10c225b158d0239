"""Which source the charts of clusters open on."""

from __future__ import annotations

from data.queries.clusters import EPOCH_SITES, default_source
from tests.charts.clusters.conftest import cluster, of_rows  # noqa: F401  (a fixture)

AUGUST, SEPTEMBER = (f"{EPOCH_SITES} (export {month} 2026)" for month in ("Aug", "Sep"))


def edition(source, day, sites):
    return [cluster(f"s{n}", source=source, as_of=day, power_mw=100 + n) for n in range(sites)]


def test_a_few_rows_of_a_newer_edition_do_not_take_the_place_of_a_whole_one(of_rows):  # noqa: F811
    assert default_source(of_rows(*edition(AUGUST, "2026-08-03", 10))) == AUGUST
    assert default_source(of_rows(*edition(SEPTEMBER, "2026-09-03", 2))) == AUGUST
    assert default_source(of_rows(*edition(SEPTEMBER, "2026-09-03", 6))) == SEPTEMBER


def test_without_a_site_table_the_source_of_most_sites_opens(of_rows):  # noqa: F811
    assert default_source(of_rows(*edition("TOP500 list, June 2025", "2025-06-01", 3), cluster("x", source="a post", power_mw=5))) == (
        "TOP500 list, June 2025"
    )
