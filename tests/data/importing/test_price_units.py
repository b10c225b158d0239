"""Per-token prices uploaded as per-million: flagged with the likely unit; foreign money: a dated rate is asked."""

import pandas as pd

from data.importing.price_units import misread


def test_a_whole_column_per_token():
    found = misread(pd.DataFrame({"input_usd_per_mtok": [2.5e-6, 1.5e-7], "output_usd_per_mtok": [1e-5, 6e-7]}))
    assert len(found) == 2 and all("look like dollars per token" in sentence for sentence in found)


def test_one_row_among_good_ones_is_judged_alone():
    (found,) = misread(pd.DataFrame({"output_usd_per_mtok": [10.0, 0.6, 2.19, 1.5e-5]}))
    assert "1 of 4 rows" in found and "around 15" in found


def test_a_half_of_the_rows_per_token_is_not_judged_with_the_other_half():
    (found,) = misread(pd.DataFrame({"output_usd_per_mtok": [0.5, 5e-7]}))
    assert "1 of 2 rows" in found and "dollars per token" in found
    # A whole list per thousand tokens, where some figures would pass as per million, is one list.
    (found,) = misread(pd.DataFrame({"output_usd_per_mtok": [0.03, 0.06, 0.0015, 0.002]}))
    assert "rows" not in found and "dollars per thousand tokens" in found


def test_usual_free_and_missing_prices_say_nothing():
    assert misread(pd.DataFrame({"input_usd_per_mtok": [0.0, None, 0.15, 600.0], "output_usd_per_mtok": [0.0, 0.02, 0.6, 600.0]})) == []


def test_upload_of_prices_asks_for_a_dated_rate_and_flags_the_unit(tmp_path):
    from data.importing import prepare
    from data.settings import Settings
    from data.store import Store

    store = Store.open(Settings(home=tmp_path / "home"))
    try:
        header = b"model,provider,effective date,input price (RMB per million tokens),output price (RMB per million tokens)\n"
        asked = prepare(header + b"some-model,Some host,2026-11-01,4,16\n", table="api_prices", store=store)
        assert any(question["id"].startswith("rate:CNY") for question in asked.report["questions"])
        plain = b"model,provider,effective_date,input_usd_per_mtok,output_usd_per_mtok\nsome-model,Some host,2026-11-01,2e-7,8e-7\n"
        flagged = prepare(plain, table="api_prices", store=store)
        assert any("per token" in sentence for sentence in flagged.report["warnings"])
        assert len(flagged.difference.put) == 1
    finally:
        store.close()
