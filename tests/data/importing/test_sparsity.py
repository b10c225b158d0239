"""Chips in other people's layouts: rates with sparsity are noticed and asked about, doubled ones that pass as dense are flagged."""

import pytest

SEMICOLONS = """Accelerator specs;;;;;;
Accelerator;Manufacturer;Peak FP16 (TFLOPS);Peak FP8 sparse (TFLOPS);HBM (GB);Memory BW (TB/s);Max TDP (kW)
Nova 1;Nova;450;1800;96;3,2;0,6
"""
SIDEWAYS = """Spec,Orion A,Orion B
Vendor,Orion,Orion
BF16 TFLOPS,500,"1,000 (with sparsity)"
FP8 TFLOPS,"1,000",1000
Memory (GB),80,96
Die size (mm^2),800,820
"""
CANONICAL = "chip_id,name,vendor,bf16_tflops_dense,fp8_tflops_dense\n"


def test_a_header_that_says_sparse_is_asked_about_and_halved_meanwhile(reading):
    read = reading(SEMICOLONS, table="chips")
    (question,) = read.report.questions
    assert question.id == "sparse:Peak FP8 sparse (TFLOPS)" and question.choices == ("halve", "dense", "leave-empty")
    row = read.frame.iloc[0]
    assert (row["fp16_tflops_dense"], row["fp8_tflops_dense"], row["memory_bandwidth_gb_per_s"], row["tdp_w"]) == (450, 900, 3200, 600)


@pytest.mark.parametrize(("answer", "rate"), [("halve", 900), ("dense", 1800), ("leave-empty", None)])
def test_the_answer_decides(rows_of, answer, rate):
    (row,) = rows_of(SEMICOLONS, table="chips", answers={"sparse:Peak FP8 sparse (TFLOPS)": answer})
    assert row.get("fp8_tflops_dense") == rate


def test_a_cell_that_says_sparse_is_halved_alone(reading):
    read = reading(SIDEWAYS, table="chips")
    assert [question.id for question in read.report.questions] == ["sparse:BF16 TFLOPS"]
    assert list(read.frame["bf16_tflops_dense"]) == [500, 500]
    assert list(read.frame["die_area_mm2"]) == [800, 820]  # mm^2 is an area, not millions


@pytest.mark.parametrize(
    "header", ["FP8 TFLOPS", "FP8 (dense)", "FP8 TFLOPS (without sparsity)", "FP8 non-sparse TFLOPS", "FP8 no sparsity"]
)
def test_a_header_that_does_not_say_so_is_not_asked_about(reading, header):
    assert reading(f"GPU,Vendor,{header},BF16 TFLOPS\nNova 1,Nova,1000,500\n", table="chips").report.questions == []


def test_a_doubled_rate_that_passes_as_dense_is_flagged(reading):
    warnings = reading(CANONICAL + "nova-1,Nova 1,Nova,989,3958\nnova-2,Nova 2,Nova,989,1979\n", table="chips").report.warnings
    flagged = [sentence for sentence in warnings if "sparsity" in sentence]
    assert flagged == [
        "line 2: fp8_tflops_dense 3958 of Nova 1 is about twice what its neighbours at 8 and 16 bits imply: is it with sparsity? Rates here are dense"
    ]


def test_all_rates_doubled_are_flagged_against_the_stored_chip(reading):
    """The H100 datasheet prints 1,979 BF16 and 3,958 FP8, both with sparsity: twice the stored dense rates."""
    warnings = reading(CANONICAL + "h100-sxm,H100 SXM,NVIDIA,1979,3958\n", table="chips").report.warnings
    assert sum("stored: is it with sparsity" in sentence for sentence in warnings) == 2


def test_the_shipped_chips_raise_no_doubt(reading):
    with open("data/sources/chips.csv", encoding="utf-8") as file:
        report = reading(file.read(), table="chips").report
    assert report.questions == [] and not [sentence for sentence in report.warnings if "sparsity" in sentence]
