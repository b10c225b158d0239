"""Rents: tiers, what is left out, prices per GPU."""

import datetime

import pandas as pd
import pytest

from data.queries import rentals
from data.settings import Settings
from data.store import Store


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    store = Store.open(Settings(home=tmp_path_factory.mktemp("rents")))
    yield store.snapshot(today=datetime.date(2026, 11, 23))
    store.close()


@pytest.mark.parametrize(
    ("provider", "tier"),
    [
        ("AWS (p5en)", "hyperscaler"),
        ("Lambda", "neocloud"),
        ("Vast.ai", "marketplace"),
        ("RunPod (community)", "marketplace"),
        ("SemiAnalysis 1-year contract index", "index"),
        ("hyperscalers (range mid)", "index"),
        ("DeepSeek own assumption", "index"),
    ],
)
def test_tiers(provider, tier):
    assert rentals.provider_tier(provider) == tier


def test_suspect_rows_and_assumptions_are_not_rents(snapshot):
    rents, out = rentals.rents(snapshot), rentals.left_out(snapshot)
    assert len(rents) + len(out) == len(snapshot.table("gpu_rental_prices"))
    assert not set(rents["fact_key"]) & set(out["fact_key"])
    assert len(out) == 13 and out["suspect_reason"].notna().all() and (rents["usd_per_gpu_hour"] > 0).all()


def test_capacity_blocks_of_h200(snapshot):
    # AWS Capacity Blocks: 5.41 (December 2024), 4.33 (2025), 4.98 (January 2026).
    rows = rentals.rents(snapshot)
    blocks = rows[rows["term"].eq("reserved-capacity-block") & rows["chip_id"].eq("h200-sxm")]
    assert {5.41, 4.98} <= set(blocks["usd_per_gpu_hour"].round(2))


def test_prices_to_buy_are_per_gpu(snapshot):
    rows = rentals.hardware(snapshot).set_index("item")
    assert rows.at["DGX H100 server", "usd_per_gpu"] == 270_000 / 8
    assert not rows["kind"].isin(["bill of materials", "programme", "cost per GB HBM"]).any()


def test_rates_of_rented_chips(snapshot):
    rates = rentals.chip_rates(snapshot)
    assert rates.at["h100-sxm", "dense_tflop_per_s"] == pytest.approx(989.4)
    assert rates.loc[rentals.rents(snapshot)["chip_id"].unique(), "hbm_bandwidth_gb_per_s"].notna().all()


@pytest.mark.parametrize(
    ("stated", "per_gpu"),
    [
        ({"price_mid_usd": 320_000.0}, (40_000, 40_000, 40_000)),
        ({"price_low_usd": 240_000.0, "price_high_usd": 400_000.0}, (30_000, 40_000, 50_000)),
        ({"price_high_usd": 400_000.0}, (50_000, 50_000, 50_000)),
    ],
)
def test_a_price_without_its_ends_is_its_middle(snapshot, stated, per_gpu):
    draft = pd.DataFrame(
        [{"item": "A server of mine", "chip_id": "h100-sxm", "units": 8, "date": "2026-11-01", "market": "us", "kind": "server"} | stated]
    )
    row = rentals.hardware(snapshot.with_draft({"hardware_prices": draft})).set_index("item").loc["A server of mine"]
    assert (row["price_low_usd"] / 8, row["usd_per_gpu"], row["price_high_usd"] / 8) == per_gpu


def test_a_row_without_any_price_is_left_out(snapshot):
    draft = pd.DataFrame([{"item": "No price", "chip_id": "h100-sxm", "units": 8, "date": "2026-11-01", "market": "us", "kind": "server"}])
    assert "No price" not in set(rentals.hardware(snapshot.with_draft({"hardware_prices": draft}))["item"])
