"""Rents of other periods than an hour are stored by the hour, and the report says so."""

import datetime

import pytest

from data.importing.read import read

DAY = datetime.date(2026, 11, 29)


def rents(tmp_path, header, cells):
    path = tmp_path / "rents.csv"
    quoted = "".join(f'Acme {row},H100 SXM,"{cell}",2026-10-01\n' for row, cell in enumerate(cells))
    path.write_text(f"Provider,GPU,{header},Date\n{quoted}", encoding="utf-8")
    mapping = {"columns": {"Provider": "provider", "GPU": "chip_id", header: "usd_per_gpu_hour", "Date": "date"}}
    result = read(path, "gpu_rental_prices", "rents.csv", DAY, mapping, {"every:term": "on-demand", "every:region": "us"})
    return [float(v) for v in result.frame["usd_per_gpu_hour"]], result.report.warnings


@pytest.mark.parametrize(
    ("header", "cell", "usd_per_gpu_hour"),
    [
        ("Price per GPU-month (USD)", "1460", 2.0),
        ("Monthly price per GPU (USD)", "1460", 2.0),
        ("$/GPU/day", "48", 2.0),
        ("USD per GPU per week", "336", 2.0),
        ("Price per GPU", "$17,520/year", 2.0),
        ("Price per GPU-hour (USD)", "2.00", 2.0),
        ("Monthly commitment - USD per GPU hour", "2.00", 2.0),
        ("Monthly price per GPU", "$2.00/hr", 2.0),
        ("Price USD/GPU-h monthly plan", "2.00", 2.0),
        ("Annual reserved $/GPUh", "2.00", 2.0),
        ("USD per GPU (annual commitment)", "$2.00", 2.0),
        ("Monthly price (730 hours)", "$1,460", 2.0),
    ],
)
def test_a_rent_is_stored_by_the_hour(tmp_path, header, cell, usd_per_gpu_hour):
    found, warnings = rents(tmp_path, header, [cell])
    assert found == [pytest.approx(usd_per_gpu_hour)]
    assert any("not by the hour" in str(words) for words in warnings) == (not cell.startswith(("2", "$2")))


def test_each_cell_counts_by_its_own_period(tmp_path):
    found, _ = rents(tmp_path, "Price per GPU (USD)", ["$1,460/month", "$2.50", "$48 per day"])
    assert found == pytest.approx([2.0, 2.5, 2.0])
