"""Rows picked for a closer look are all that can be odd; of very many only a number is told."""

import numpy as np
import pyarrow as pa

from data.importing.checks import Beside, implausible, same_sites


def rows(count, power_mw):
    return pa.table(
        {
            "cluster_id": [f"new-{number}" for number in range(count)],
            "source": ["a test"] * count,
            "as_of": ["2026-11-01"] * count,
            "chip_id": ["h100-sxm"] * count,
            "chip_count": np.full(count, 100_000.0),
            "power_mw": np.broadcast_to(np.asarray(power_mw, dtype=float), count).copy(),
            "_line": np.arange(2, count + 2),
        }
    )


def test_only_rows_that_can_be_odd_are_told(store):
    power = np.full(5_000, 140.0)
    power[4_321] = 900.0
    said = implausible(rows(5_000, power), Beside.of(store))
    assert all(sentence.startswith("line 4323, new-4321: 900 MW of IT power for 100,000 chips") for sentence in said)
    assert any("implies 9,000 W a chip" in sentence for sentence in said)


def test_of_very_many_odd_rows_some_are_told_and_the_rest_counted(store):
    said = implausible(rows(10_000, 900.0), Beside.of(store))
    assert said[-1].startswith("8,000 more rows may have figures that do not fit together")
    assert len(said) < 1_000


def test_chips_of_one_testimony_are_added_up_before_they_are_weighed(store):
    two = pa.concat_tables([rows(1, 210.0), rows(1, np.nan)])
    two = two.set_column(3, "chip_id", pa.array(["h100-sxm", "h200"])).set_column(4, "chip_count", pa.array([75_000.0, 75_000.0]))
    assert not [sentence for sentence in implausible(two, Beside.of(store)) if "W a chip" in sentence]


def test_new_clusters_with_a_known_name_are_asked_about(store):
    table = pa.table({"cluster_id": ["colossus-one", "colossus-one", "nowhere"], "name": ["xAI Colossus 1", "xAI Colossus 1", "Zzyzx"]})
    assert [site.cluster_id for site in same_sites(table, Beside.of(store))] == ["colossus-one"]
    assert same_sites(table.slice(0, 0), Beside.of(store)) == []


def test_the_likest_name_is_taken_where_several_are_like_it(store):
    table = pa.table({"cluster_id": ["a", "b", "c"], "name": ["xAI Colosus 2", None, "Zzyzx"], "owner": [None, "xAI", None]})
    found = same_sites(table, Beside.of(store))
    assert [(site.cluster_id, site.known_id) for site in found] == [("a", "xai-colossus2")]
