"""Further kinds of layout: public editions, tables on their side, fleets, racks, other alphabets."""

import pytest


def facts(rows, *names):
    return [tuple(row.get(name) for name in names) for row in rows]


def asked(reading):
    return {question.id for question in reading.report.questions}


def test_a_publishers_later_edition_has_it_power(rows_of):
    header = (
        "Name,Current H100 equivalents,Current power (MW),Current total capital cost (2025 USD billions),Owner,Users,Selected Sources,"
        "Calculations sheet,Project,Current chip types,All chip types,Investors,Construction companies,Energy companies,Country,Address\n"
    )
    row = 'xAI Colossus 1,275000,425,15.1,xAI #confident,xAI,https://a.example,s,,"H100, H200",GB300,,,,USA,"1 Road, Memphis, TN 38109"\n'
    rows = rows_of(header + row)
    assert facts(rows, "power_mw", "site_power_mw", "chip_id", "h100e", "confidence") == [(425, None, "mixed", 275000, "estimate")]
    assert rows[0]["power_basis"].startswith("derived:")


def test_chips_written_into_their_count_keep_both(rows_of, reading):
    text = (
        'cluster,chip count,online\nAlpha,"H100: 10,000; B200: 5,000",2025-06-01\nBeta,NVIDIA B200 (20k),2025-06-01\n'
        "Gamma,2000x MI300X,2025-06-01\nDelta,15-20k H100,2025-06-01\nE,5000,2025-06-01\nF,700,2025-06-01\nG,90,2025-06-01\n"
    )
    assert facts(rows_of(text), "cluster_id", "chip_id", "chip_count")[:5] == [
        ("alpha", "h100-sxm", 10_000), ("alpha", "b200", 5_000), ("beta", "b200", 20_000), ("gamma", "mi300x", 2_000), ("delta", "h100-sxm", 17_500),
    ]  # fmt: skip
    assert not [said for said in reading(text).report.warnings if "not a number" in said]


def test_a_range_beside_its_chip_reads_alike_in_the_column_of_chips_and_of_counts(rows_of):
    wanted = [
        ("h100-sxm", 17_500, 15_000, 20_000, "estimate"),
        ("b200", 5_000, None, None, None),
        ("mi300x", 2_500, 2_000, 3_000, "estimate"),
    ]
    cells = "A,15-20k H100\nB,5000 B200\nC,MI300X: 2k to 3k\n"
    for header in ("Name,GPU type\n", "Name,GPU count\n"):
        assert facts(rows_of(header + cells), "chip_id", "chip_count", "chip_count_low", "chip_count_high", "confidence") == wanted
    rows = rows_of('Name,GPU type\nA,"8x H100, 10-20x A100"\n')
    assert [(row["chip_count"], row.get("chip_count_low"), row.get("chip_count_high")) for row in rows] == [(8, None, None), (15, 10, 20)]


def test_a_table_on_its_side(rows_of):
    rows = rows_of("Field,Alpha,Beta\nCountry,US,FR\nGPUs,1000,2000\nIT power (MW),2,3\nOnline,2025,2026\n")
    assert facts(rows, "cluster_id", "country", "chip_count", "power_mw") == [
        ("alpha", "United States", 1000, 2),
        ("beta", "France", 2000, 3),
    ]


def test_rows_by_company_are_fleets_when_the_user_says_so(reading):
    text = "Tracker,,,\nIn MW of critical IT,,,\nOperator,Region,1Q24,2Q24E\nMicrosoft,US Central,210,240\nTotal,,210,240\n"
    found = reading(text)
    assert asked(found) == {"rows_are"}
    assert facts(found.frame.to_dict("records"), "cluster_id", "phase", "power_mw") == [
        ("microsoft-us-central-fleet", "fleet", 210),
        ("microsoft-us-central-fleet", "fleet", 240),
    ]


@pytest.mark.parametrize(
    ("text", "encoding", "name", "country"),
    [
        ("名称,所在地,GPU,GPU数量,電力\nABCI 3.0,日本,NVIDIA H200 SXM5,6128,3.6 MW\n", "shift_jis", "ABCI 3.0", "Japan"),
        ("Название;Страна;GPU;Количество\nЧервоненкис;Россия;A100;1592\n", "cp1251", "Червоненкис", "Russia"),
        ("名称,公司,国家,芯片,芯片数量\n智算一号,阿里,中国,昇腾910B,1万\n", "gb18030", "智算一号", "China"),
    ],
)
def test_other_alphabets(rows_of, text, encoding, name, country):
    assert facts(rows_of(text, encoding=encoding), "name", "country") == [(name, country)]


def test_racks_count_their_chips_only_when_it_is_known_how_many(reading):
    assert list(reading("Name,Racks,Rack type\nA,100,GB200 NVL72\n").frame["chip_count"]) == [7200]
    assert reading("Name,Racks,Chip\nA,100,H100\n").frame["chip_count"].isna().all()


def test_the_basis_of_power_may_stand_in_the_cells(reading):
    found = reading("Name,Power\nA,10 MW (IT)\nB,20 MW IT\n")
    assert list(found.frame["power_mw"]) == [10, 20] and not found.report.questions


def test_a_second_table_below_is_not_mixed_in(reading):
    found = reading("Name,GPUs\nA,10\nB,20\n\nName,Power\nC,5\n")
    assert list(found.frame["name"]) == ["A", "B"] and [reject.row for reject in found.report.rejects] == [6]


def test_a_target_that_has_passed_is_still_a_plan(rows_of):
    rows = rows_of("Project,IT Load (MW),Target Date\nX,843,mid-2026\n")
    assert facts(rows, "online_date", "status") == [("2026-01-01", "planned")]


def test_low_and_high_columns_give_a_middle(rows_of):
    rows = rows_of("Name,GPUs (low),GPUs (high)\nA,100000,150000\n")
    assert facts(rows, "chip_count", "chip_count_low", "chip_count_high", "confidence") == [(125000, 100000, 150000, "estimate")]


def test_states_of_the_usa_name_their_country(rows_of):
    rows = rows_of("Project Name,State,IT MW\nAlpha,TX,10\nBeta,GA,20\n")
    assert facts(rows, "region", "country") == [("Texas", "United States"), ("Georgia", "United States")]


def test_nodes_of_a_container_platform(reading):
    text = (
        "NAME,STATUS,ROLES,nvidia.com/gpu.product,nvidia.com/gpu.count\nn1,Ready,worker,NVIDIA-H100-80GB-HBM3,8\n"
        'n2,"Ready,SchedulingDisabled",worker,NVIDIA-H100-80GB-HBM3,8\n'
    )
    found = reading(text)
    assert asked(found) == {"nodes_down", "cluster_name"} and list(found.frame["chip_count"]) == [8]


def test_machines_by_site(reading):
    found = reading("Server,GPU model,GPUs,Datacenter,Status\ns1,H100,8,Dallas,in use\ns2,H100,8,Dallas,in use\ns3,B200,8,Oslo,in use\n")
    assert facts(found.frame.to_dict("records"), "name", "chip_id", "chip_count") == [("Dallas", "h100-sxm", 16), ("Oslo", "b200", 8)]


def test_large_plain_files_are_read_as_small_ones_are(tmp_path, monkeypatch):
    import datetime

    from data.importing import bulk
    from data.importing.read import read
    from data.meta import SOURCES

    lines = ["cluster_id,as_of,chip_id,chip_count,power_mw,source"]
    lines += [f'site-{n},2026-01-0{1 + n % 9},H100,"{1000 + n:,}+",{n / 8:.3f},"List, one"' for n in range(700)]
    path = tmp_path / "big.csv"
    path.write_text("\n".join(lines) + "\n")
    day = datetime.date(2026, 11, 23)
    careful = read(path, "clusters", "big.csv", day)
    monkeypatch.setattr(bulk, "LEAST_BYTES", 0)
    quick = read(path, "clusters", "big.csv", day)
    assert quick.frame.equals(careful.frame) and quick.report.to_json() == careful.report.to_json()
    assert read(SOURCES / "clusters.csv", "clusters", "clusters.csv", day).frame.shape[0] == 268


def test_quarters_written_out_in_german_are_columns_of_periods(reading):
    text = (
        "Standort;Betreiber;Chip;GPUs 1. Quartal 2026;GPUs 2. Quartal 2026\n"
        "Frankfurt West;Alpha GmbH;H100;1.024;2.048\nSumme;;;1.024;2.048\n"
    )
    found = reading(text).frame.to_dict("records")
    assert facts(found, "name", "online_date", "chip_count") == [
        ("Frankfurt West", "2026-01-01", 1024),
        ("Frankfurt West", "2026-04-01", 2048),
    ]


def test_several_chips_in_one_cell_with_thousands_marks_and_spaced_strokes(rows_of):
    rows = rows_of('Cluster,Accelerators\nBoth,"5,760x A100 80GB; 10k H100"\nMix,H100: 4096 / A100: 2048\n')
    assert facts(rows, "name", "chip_id", "chip_count") == [
        ("Both", "a100-sxm-80", 5760), ("Both", "h100-sxm", 10000), ("Mix", "h100-sxm", 4096), ("Mix", "a100-sxm-80", 2048),
    ]  # fmt: skip


def test_prices_by_vendor_from_a_day_on(reading):
    found = reading(
        "model;vendor;input per 1M tokens (USD);output per 1M tokens (USD);valid from\nmy model;Acme;1,50;6,00;01.05.2026\n",
        table="api_prices",
    )
    assert facts(found.frame.to_dict("records"), "model_id", "provider", "effective_date", "input_usd_per_mtok") == [
        ("my-model", "Acme", "2026-05-01", 1.5)
    ]


def test_a_rented_machine_of_eight_is_not_one_chip(reading):
    text = "Provider,GPU,Price per GPU-hour,Region,Term,Checked\nFoo,H100 SXM,$2.49,US,on-demand,2026-06-01\nBar,8x B200,$38.00,EU,1 year,2026-06-01\n"
    found = reading(text, table="gpu_rental_prices")
    assert facts(found.frame.to_dict("records"), "chip_id", "date", "usd_per_gpu_hour") == [("h100-sxm", "2026-06-01", 2.49)]
    assert [(reject.row, reject.value) for reject in found.report.rejects] == [(3, "8x B200")]
    assert "one chip" in found.report.rejects[0].reason


def test_degrees_and_minutes_with_hemispheres(rows_of):
    rows = rows_of('Name,Lat,Long,Chips\nOne,35° 3.6\' N,90° 9.3\' W,100000\nTwo,"48°51′24″N","2°21′03″E",5000\n')
    assert [(round(row["latitude"], 3), round(row["longitude"], 3)) for row in rows] == [(35.06, -90.155), (48.857, 2.351)]


def test_units_below_a_utf16_header_and_day_numbers(reading):
    text = "Site\tIT load\tGPUs\tGo-live\n\t(kW)\t(pcs)\t\nOslo North\t12 500\t8 192\t45689\n"
    found = reading(text, encoding="utf-16")
    assert facts(found.frame.to_dict("records"), "power_mw", "chip_count", "online_date") == [(12.5, 8192, "2025-02-01")]
