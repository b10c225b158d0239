"""Every chart with each parameter at its ends, one at a time: it draws, says there is nothing to draw, or says what is wrong."""

import datetime

import pytest

import charts
from charts import compute
from charts.look import Look
from charts.registry import CHARTS
from data import links
from data.settings import Settings
from data.store import Store
from web import exports

charts.load_all()


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    store = Store.open(Settings(home=tmp_path_factory.mktemp("home"), today=datetime.date(2026, 11, 23)))
    yield store.snapshot()
    store.close()


def ends(field):
    """Values of one field of a JSON schema at the ends of what it accepts, and names the store does not have."""
    if "enum" in field:
        return field["enum"]
    kinds = {field.get("type"), *(inner.get("type") for inner in field.get("anyOf", []))}
    formats = {field.get("format"), *(inner.get("format") for inner in field.get("anyOf", []))}
    if "date" in formats:
        return ["1990-01-01", "2035-01-01"]
    if kinds & {"number", "integer"}:
        return [field[name] for name in ("minimum", "maximum") if name in field]
    if "boolean" in kinds:
        return [True, False]
    if "array" in kinds:
        return [[], ["nosuch"]]
    return ["", "nosuch", "<b>x</b>"] if "string" in kinds else []


@pytest.mark.long
@pytest.mark.parametrize("chart_id", sorted(CHARTS))
def test_every_end_of_every_parameter(snapshot, chart_id):
    chart = CHARTS[chart_id]
    schema = chart.params.model_json_schema()["properties"]
    cases = [{name: value} for name, field in schema.items() for value in ends(field)]
    for case in [*cases, *(dict(preset.params) for preset in chart.presets)]:
        try:
            params = chart.params(**case)
            made = compute.compute(chart, params, snapshot)
        except ValueError as refused:  # a sentence for the reader
            assert str(refused).strip(), case
            continue
        assert made.words.finding, case
        made.receipt.to_json()
        exports.csv_bytes(made.table)
        kept = links.from_parquet(links.parquet(made.table))
        if not made.words.empty:
            for look in (Look(), Look("dark", "phone")):
                made.figure(look)
            assert chart.figure(kept, params, Look()).to_json() == made.figure(Look()).to_json(), case
