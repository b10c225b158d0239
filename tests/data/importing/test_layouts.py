"""Kinds of layout: what differs from file to file is read, and what cannot be known is asked."""

import pytest

from data.importing.report import Refused


def facts(rows, *names):
    return [tuple(row.get(name) for name in names) for row in rows]


def asked(reading):
    return {question.id for question in reading.report.questions}


def test_german_conventions(rows_of):
    rows = rows_of(
        "Rechenzentrum;Land;Inbetriebnahme;GPU-Typ;Anzahl GPUs;IT-Leistung (MW)\n"
        "JUPITER;Deutschland;10.06.2025;GH200;23.536;13,1\nAlpha;Schweiz;Q3 2026;H100;1.024;1,5\nSumme;;;;24.560;14,6\n"
    )
    assert facts(rows, "country", "online_date", "chip_id", "chip_count", "power_mw") == [
        ("Germany", "2025-06-10", "gh200", 23536, 13.1),
        ("Switzerland", "2026-07-01", "h100-sxm", 1024, 1.5),
    ]


def test_quarters_as_columns_with_two_measures(rows_of):
    rows = rows_of("Site,Metric,Q1 2025,Q2 2025,Q4 2027\nAlpha,IT power (MW),10,20,60\nAlpha,GPUs,5000,10000,\nBeta,IT power (MW),,5,\n")
    assert facts(rows, "cluster_id", "online_date", "power_mw", "chip_count", "status") == [
        ("alpha", "2025-01-01", 10, 5000, "operational"),
        ("alpha", "2025-04-01", 20, 10000, "operational"),
        ("alpha", "2027-10-01", 60, None, "planned"),
        ("beta", "2025-04-01", 5, None, "operational"),
    ]


def test_years_over_quarters_and_the_unit_in_the_title(rows_of):
    rows = rows_of("Critical IT capacity by quarter (MW),,,,\n,2025,,2026,\nSite,Q1,Q2,Q1,Q2\nAlpha,10,20,30,40\n")
    assert facts(rows, "online_date", "power_mw") == [("2025-01-01", 10), ("2025-04-01", 20), ("2026-01-01", 30), ("2026-04-01", 40)]


def test_periods_without_a_measure_are_asked_about(reading):
    found = reading("Site,Q1 2025,Q2 2025\nAlpha,10,20\n")
    assert asked(found) == {"measure"}
    answered = reading("Site,Q1 2025,Q2 2025\nAlpha,10,20\n", answers={"measure": "IT power (MW)"})
    assert list(answered.frame["power_mw"]) == [10, 20] and not answered.report.questions


def test_one_measure_a_row(rows_of):
    rows = rows_of(
        "Site,Metric,Value,Unit,Date\nA,IT power,100,MW,2025-03-01\nA,GPU count,50000,,2025-03-01\nB,IT power,20000,kW,2025-03-01\n"
    )
    assert facts(rows, "cluster_id", "power_mw", "chip_count") == [("a", 100, 50000), ("b", 20, None)]


def test_additions_are_added_up(rows_of):
    rows = rows_of("Quarter,Cluster,GPUs added\nQ2 2025,A,1500\nQ1 2025,A,1000\nQ1 2025,B,10\nQ3 2025,A,500\n")
    assert sorted(facts(rows, "cluster_id", "online_date", "chip_count")) == [
        ("a", "2025-01-01", 1000), ("a", "2025-04-01", 2500), ("a", "2025-07-01", 3000), ("b", "2025-01-01", 10),
    ]  # fmt: skip


def test_scheduler_inventory(reading):
    text = (
        "NODELIST|PARTITION|GRES|STATE\ngpu[001-004]|batch|gpu:h100:8(S:0-1)|idle\ngpu[001-002]|debug|gpu:h100:8|idle\n"
        "gpu005|batch|gpu:h100:8|down*\nmig1|batch|gpu:1g.10gb:7|mixed\nlogin1|batch|(null)|idle\n"
    )
    found = reading(text)
    assert asked(found) == {"nodes_down", "cluster_name"}
    assert facts(found.frame.to_dict("records"), "chip_id", "chip_count") == [("h100-sxm", 32)]
    named = reading(text, answers={"nodes_down": "count", "cluster_name": "name=Big One"})
    assert facts(named.frame.to_dict("records"), "cluster_id", "chip_count") == [("big-one", 40)]


def test_an_inventory_that_lists_and_counts_its_nodes_asks_for_its_cluster(reading):
    text = 'NODELIST,NODES,PARTITION,STATE,GRES\n"gpu[001-004,7]",5,batch,idle,gpu:h100:8\ngpu[010-011],2,long,mixed,gpu:b200:8\n'
    found = reading(text)
    assert asked(found) == {"cluster_name"}
    assert facts(found.frame.to_dict("records"), "cluster_id", "chip_id", "chip_count") == [("file", "h100-sxm", 40), ("file", "b200", 16)]
    assert set(reading(text, answers={"cluster_name": "name=Big One"}).frame["cluster_id"]) == {"big-one"}


def test_inventory_with_one_node_a_row(reading):
    found = reading(
        "Node,GPU product,GPU count,Status\nn1,NVIDIA-H100-80GB-HBM3,8,Ready\nn2,NVIDIA-H100-80GB-HBM3,8,Ready\nn3,H100,8,NotReady\n"
    )
    assert list(found.frame["chip_count"]) == [16]


def test_nodes_times_chips_a_node(rows_of):
    rows = rows_of('Cluster,Nodes,GPUs per node,GPU type,Location\nA,128,8,H100 SXM,"Dallas, TX"\n')
    assert facts(rows, "chip_id", "chip_count", "region", "city") == [("h100-sxm", 1024, "Texas", "Dallas")]


def test_systems_are_multiplied_only_when_the_user_says_so(reading):
    text = "Name,System,Quantity\nA,DGX H100,127\n"
    assert asked(reading(text)) == {"systems:DGX H100"}
    assert list(reading(text, answers={"systems:DGX H100": "systems"}).frame["chip_count"]) == [1016]


@pytest.mark.parametrize(
    "text",
    [
        'Name,Hardware,IT MW\nAlpha,"8000x H100, 4000x A100",15\n',
        "Name,Chip 1,Count 1,Chip 2,Count 2,IT MW\nAlpha,H100,8000,A100,4000,15\n",
        "Site,H100,A100,IT MW\nAlpha,8000,4000,15\n",
        "Name,GPUs,IT MW\nAlpha,8k H100 + 4k A100,15\n",
    ],
)
def test_two_chips_in_a_row_become_two_rows_and_power_stays_on_the_first(rows_of, text):
    assert facts(rows_of(text), "chip_id", "chip_count", "power_mw") == [("h100-sxm", 8000, 15), ("a100-sxm-80", 4000, None)]


@pytest.mark.parametrize(
    "text",
    [
        "Name,IT power,Unit\nA,100,MW\nB,2500,kW\nC,1.2,GW\n",
        "Name,IT power\nA,100 MW\nB,2500 kW\nC,1.2 GW\n",
        "Name,IT power\n,MW\nA,100\nB,2.5\nC,1200\n",
        "Name,IT power (kW)\nA,100000\nB,2500\nC,1200000\n",
    ],
)
def test_units_in_cells_rows_columns_and_headers(rows_of, text):
    assert [row["power_mw"] for row in rows_of(text)] == [100, 2.5, 1200]


def test_power_without_a_basis_is_asked_about_and_shown_as_site_power(reading):
    found = reading("Name,Power\nA,100 MW\n")
    assert asked(found) == {"power:Power"} and found.frame["site_power_mw"][0] == 100
    answered = reading("Name,Power\nA,100 MW\n", answers={"power:Power": "IT"})
    assert answered.frame["power_mw"][0] == 100 and answered.report.questions == []


def test_foreign_money_needs_a_dated_rate(reading):
    text = "Name,Cost\nA,€500 million\n"
    assert asked(reading(text)) == {"rate:EUR"}
    assert reading(text).frame["capex_usd"].isna().all()
    paid = reading(text, answers={"rate:EUR": "rate=1.1@2025-06-30"}).frame
    assert paid["capex_usd"][0] == pytest.approx(5.5e8) and "2025-06-30" in paid["capex_basis"][0]
    with pytest.raises(Refused, match="its day"):
        reading(text, answers={"rate:EUR": "rate=1.1"})


def test_money_without_a_currency_is_asked_about(reading):
    found = reading("Name,Cost (m)\nA,500\n")
    assert asked(found) == {"currency:Cost (m)"} and found.frame["capex_usd"].isna().all()
    assert reading("Name,Cost (m)\nA,500\n", answers={"currency:Cost (m)": "USD"}).frame["capex_usd"][0] == 5e8


def test_wide_ranges_of_money_stay_empty_and_narrow_ones_say_so(reading):
    frame = reading("Name,Capex\nA,$27bn–$72bn\nB,$5-6B\n").frame
    assert frame["capex_usd"].isna()[0] and frame["capex_usd"][1] == 5.5e9
    assert frame["capex_basis"][1] == "derived:midpoint of $5-6B stated"


def test_merged_cells_are_filled_down_as_the_user_says(reading):
    text = "Owner,Site,GPUs\nAcme,A1,100\n,A2,200\nBcorp,B1,10\n"
    assert asked(reading(text)) == {"fill_down:Owner"}
    assert list(reading(text, answers={"fill_down:Owner": "fill"}).frame["owner"]) == ["Acme", "Acme", "Bcorp"]
    assert reading(text, answers={"fill_down:Owner": "leave-empty"}).frame["owner"][1] is None


def test_a_misspelt_chip_is_proposed_not_decided(reading):
    found = reading("Name,Chip,Chips\nA,H100 SMX5,100\n")
    assert asked(found) == {"chip:H100 SMX5"} and found.frame["chip_id"][0] == "unknown"
    assert reading("Name,Chip,Chips\nA,H100 SMX5,100\n", answers={"chip:H100 SMX5": "h100-sxm"}).frame["chip_id"][0] == "h100-sxm"


def test_thousands_or_decimals_are_asked_about_when_nothing_shows(reading):
    found = reading("Name;IT power (MW)\nA;1.234\nB;5.678\n")
    assert asked(found) == {"decimal:IT power (MW)"}
    assert list(reading("Name;IT power (MW)\nA;1.234\n", answers={"decimal:IT power (MW)": "thousands"}).frame["power_mw"]) == [1234]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters(rows_of, encoding, delimiter):
    text = "Name,City,GPUs\nÉlan,Zürich,1000\nBeta,Jülich,20\n".replace(",", delimiter)
    assert facts(rows_of(text, encoding=encoding), "name", "city", "chip_count") == [("Élan", "Zürich", 1000), ("Beta", "Jülich", 20)]


def test_a_table_drawn_with_pipes(rows_of):
    rows = rows_of("| Name | Country | GPUs |\n|---|---|---|\n| Alpha | USA | 100,000 |\n| Beta | UK | 5k H100 |\n")
    assert facts(rows, "name", "country", "chip_id", "chip_count") == [
        ("Alpha", "United States", "unknown", 100_000),
        ("Beta", "United Kingdom", "h100-sxm", 5000),
    ]


def test_footnotes_totals_and_notes(reading):
    found = reading(
        "Name*,IT power (MW)†,GPUs\nAlpha[1],~100*,25000\nBeta†,50+,12500E\n* estimated,,\nTotal,150,37500\nSource: somebody,,\n"
    )
    assert list(found.frame["name"]) == ["Alpha", "Beta"] and list(found.frame["chip_count"]) == [25000, 12500]
    assert list(found.frame["confidence"]) == ["estimate", "estimate"]


def test_nameless_clusters_are_never_merged(rows_of):
    rows = rows_of("Name,GPUs\nAnonymized Chinese System,100\nAnonymized Chinese System,200\n")
    assert [row["cluster_id"] for row in rows] == ["anonymized-chinese-system-1", "anonymized-chinese-system-2"]


def test_a_mapping_is_obeyed_and_checked(reading):
    text = "A,B\nAlpha,100\n"
    assert list(reading(text, given={"columns": {"A": "name", "B": "chip_count"}}).frame["chip_count"]) == [100]
    with pytest.raises(Refused, match="nearest"):
        reading(text, given={"columns": {"A": "nome"}})


def test_an_answer_that_was_not_offered_is_refused(reading):
    with pytest.raises(Refused, match="not one of"):
        reading("Name,Power\nA,100 MW\n", answers={"power:Power": "perhaps"})


def test_the_edition_of_the_file_is_the_day_of_its_rows(reading):
    assert reading("Name,GPUs\nA,1\n", answers={"edition": "2026-08-01"}).frame["as_of"][0] == "2026-08-01"


@pytest.mark.parametrize(
    ("table", "text", "wanted"),
    [
        ("gpu_rental_prices", "Provider,GPU,Date,Price per GPU hour ($),Term,Region\nX,H100 SXM,2026-01-01,2.49,on-demand,us\n",
         {"chip_id": "h100-sxm", "usd_per_gpu_hour": 2.49}),
        ("chips", "GPU,Vendor,FP8 dense (TFLOPS),Memory (GB),Bandwidth (TB/s),TDP (W)\nZ9 Ultra,Zeta,2000,192,8,1000\n",
         {"chip_id": "z9-ultra", "memory_bandwidth_gb_per_s": 8000, "fp8_tflops_dense": 2000}),
        ("capability", "Model,Version,Benchmark,Score,Source\nz-1,z-1,GPQA Diamond,0.71,Zeta report\n", {"model_id": "z-1", "score": 0.71}),
        ("api_prices", "Model,Provider,Date,Input ($/1M tokens),Output ($/1M tokens),Tier\nz-1,Zeta,2026-05-01,1.5,6,standard\n",
         {"model_id": "z-1", "input_usd_per_mtok": 1.5, "output_usd_per_mtok": 6}),
        ("serving_measurements", "Model,GPU,Engine,GPUs,Output tok/s/GPU,Source,Phase\nQwen3-235B,H200,vLLM,8,1500,a blog,decode\n",
         {"hardware": "H200", "output_tok_s_per_gpu": 1500}),
    ],
)  # fmt: skip
def test_other_tables_by_the_same_code(rows_of, table, text, wanted):
    rows = rows_of(text, table=table)
    assert len(rows) == 1 and {name: rows[0].get(name) for name in wanted} == wanted
