"""What the serving model is handed from the store: the same as the files, one kernel table per state, reasons for what is missing."""

import datetime

import pandas as pd
import pytest

from analytics.serving import Calibration, KernelTable, Shape
from data import shipped
from data.queries import serving
from data.settings import Settings
from data.store import Store

TODAY = datetime.date(2026, 11, 24)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    store = Store.open(Settings(home=tmp_path_factory.mktemp("serving"), today=TODAY))
    yield store.snapshot(today=TODAY)
    store.close()


def test_inputs_are_those_of_the_files(snapshot):
    inputs = serving.serving_inputs(snapshot)
    assert inputs.shapes == {row["model"]: Shape.from_row(row) for row in shipped.rows("models")}
    assert inputs.calibration("MLPerf") == Calibration.from_rows(shipped.rows("serving_calibration"), "MLPerf")
    files = KernelTable.from_rows(shipped.rows("kernel_efficiency"))
    assert inputs.kernels.grids.keys() == files.grids.keys()
    key = ("gemm", "h200-sxm", "fp8")
    assert inputs.kernels.fraction(key, rows=100, weights=1e8) == pytest.approx(float(files.fraction(key, rows=100, weights=1e8)))


def test_every_chip_is_there_or_says_why_not(snapshot):
    inputs = serving.serving_inputs(snapshot)
    assert len(inputs.chips) + len(inputs.not_modelled) == len(shipped.rows("chips"))
    assert all("cannot be modelled: no " in why for why in inputs.not_modelled.values())


def test_one_state_gives_one_kernel_table_and_a_draft_another(snapshot):
    first = serving.kernel_table(snapshot)
    assert serving.kernel_table(snapshot) is first
    row = next(row for row in shipped.rows("kernel_efficiency") if row["op"] == "gemm")
    draft = snapshot.with_draft({"kernel_efficiency": pd.DataFrame([row | {"fraction": 0.5}])})
    assert serving.kernel_table(draft) is not first


def test_measurements_residuals_and_names(snapshot):
    assert len(serving.measurements(snapshot)) == len(shipped.rows("serving_measurements"))
    assert serving.residuals(snapshot)["row"].is_monotonic_increasing
    names = serving.names(snapshot)
    assert names.chip("NVIDIA GB200").chip_id == "gb200"
    assert names.shape("Llama-3.1-8B-Instruct").name == "Llama-3.1-8B"
