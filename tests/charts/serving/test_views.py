"""Every chart of the page in many states: it draws, says something, opens a receipt, and refuses nonsense in one sentence."""

import importlib
import json
import re
from typing import get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from charts import registry, state
from charts.labels import text_width
from charts.look import Look
from charts.params import extra
from charts.serving import versions
from charts.serving.views import CONTROLS, VIEWS

for _id in VIEWS:
    importlib.import_module(f"charts.serving.{_id.split('.')[1]}")
PRESETS = [(chart, preset.name) for chart in VIEWS for preset in registry.get(chart).presets]


def drawn(chart, params, snapshot, look=None):
    table = chart.table(params, snapshot)
    words = chart.words(table, params)
    chart.figure(table, params, look or Look())
    return table, words


@pytest.mark.parametrize("chart_id", list(VIEWS))
def test_every_chart_has_its_controls_and_presets(chart_id):
    chart = registry.get(chart_id)
    assert set(CONTROLS[chart_id]) <= set(chart.params.model_fields)
    assert chart.presets


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("chart_id", "name"), PRESETS)
def test_every_preset_draws_and_is_explained(snapshot, chart_id, name, theme):
    chart = registry.get(chart_id)
    params = chart.params(**next(p.params for p in chart.presets if p.name == name))
    _, words = drawn(chart, params, snapshot, Look(theme=theme, width="phone" if theme == "dark" else "desk"))
    said = " ".join((words.finding, words.subtitle, words.alt, *words.notes))
    assert not words.empty, words.empty
    assert words.finding and words.subtitle and words.alt
    assert not any(part in said.lower().split() for part in ("nan", "inf", "none.", "nan.", "$nan"))
    receipt = chart.receipt(params, snapshot)
    assert receipt.formulas and receipt.inputs and receipt.assumptions and receipt.error
    json.dumps(receipt.to_json())


@pytest.mark.parametrize(("chart_id", "name"), PRESETS)
def test_every_preset_survives_its_address(chart_id, name):
    chart = registry.get(chart_id)
    params = chart.params(**next(p.params for p in chart.presets if p.name == name))
    back, ignored = state.decode(chart.params, state.split(state.encode(params)))
    assert (back, ignored) == (params, [])


@pytest.mark.parametrize("chart_id", list(VIEWS))
def test_tables_hold_plain_facts(snapshot, chart_id):
    chart = registry.get(chart_id)
    table, _ = drawn(chart, chart.params(), snapshot)
    json.dumps(table.attrs)
    assert len(table) <= 2_000 * 5
    assert not any(table[c].dtype == object and table[c].map(lambda v: isinstance(v, (list, dict, np.ndarray))).any() for c in table)


@pytest.mark.parametrize("chart_id", [c for c in VIEWS if {"model", "config"} <= set(registry.get(c).params.model_fields)])
@pytest.mark.parametrize("config", ["{", "[]", "null", '{"model_type": "bert"}', '{"num_hidden_layers": 1000000000}', "x" * 500])
def test_pasted_junk_is_refused_in_one_sentence(snapshot, chart_id, config):
    chart = registry.get(chart_id)
    with pytest.raises(ValueError) as wrong:
        chart.table(chart.params(model="own", config=config), snapshot)
    assert "\n" not in str(wrong.value) and 10 < len(str(wrong.value)) < 600


@settings(max_examples=25, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data())
@pytest.mark.parametrize("chart_id", list(VIEWS))
def test_any_numbers_give_a_chart_or_a_sentence(snapshot, chart_id, data):
    chart = registry.get(chart_id)
    given_values = {}
    for name, field in chart.params.model_fields.items():
        low = next((m.ge for m in field.metadata if hasattr(m, "ge")), None)
        high = next((m.le for m in field.metadata if hasattr(m, "le")), None)
        if low is not None and data.draw(st.booleans(), label=f"set {name}?"):
            kind = st.integers(int(low), int(high)) if field.annotation is int else st.floats(low, high)
            given_values[name] = data.draw(kind | st.sampled_from([low, high]), label=name)
    try:
        _, words = drawn(chart, chart.params(**given_values), snapshot)
    except ValueError as wrong:
        assert "\n" not in str(wrong) and len(str(wrong)) > 10
    else:
        assert words.finding


MODELLED = ("serving.cost", "serving.attention", "serving.chips", "serving.token_time")


@pytest.mark.parametrize("chart_id", MODELLED)
def test_predictions_say_the_nearest_measured_run(snapshot, chart_id):
    chart = registry.get(chart_id)
    _, words = drawn(chart, chart.params(), snapshot)
    said = " ".join(words.notes)
    assert "earest measured run: " in said or "compared with: Nearest measured run" in said
    assert "predicted over measured" in said and "on this chip" in said


def test_chips_without_measured_kernels_are_hatched_and_their_band_is_wider(snapshot):
    for chart_id, given_values in (("serving.cost", {"chips": ["h100-sxm", "mi300x"]}), ("serving.chips", {})):
        chart = registry.get(chart_id)
        params = chart.params(**given_values)
        table = chart.table(params, snapshot)
        usual, wide = table.attrs["band"], table.attrs["wide_band"]
        assert wide["high"] / wide["low"] > usual["high"] / usual["low"] and wide["low"] <= usual["low"] < 1 < usual["high"] <= wide["high"]
        traces = chart.figure(table, params, Look()).to_dict()["data"]
        hatched = [d for d in traces if d.get("fillpattern", {}).get("shape") or d.get("marker", {}).get("pattern", {}).get("shape")]
        assert hatched


FOREIGN = {
    "BERT": {"model_type": "bert", "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072, "vocab_size": 30522},
    "T5": {"model_type": "t5", "d_model": 512, "num_layers": 6, "num_heads": 8, "d_ff": 2048, "vocab_size": 32128, "is_encoder_decoder": True},
    "ViT": {"model_type": "vit", "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072, "image_size": 224},
    "Whisper": {
        "model_type": "whisper", "d_model": 1280, "encoder_layers": 32, "decoder_layers": 32, "encoder_attention_heads": 20,
        "decoder_attention_heads": 20, "vocab_size": 51866, "is_encoder_decoder": True,
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_configuration_of_another_kind_of_model_is_refused(snapshot, kind):
    chart = registry.get("serving.memory")
    with pytest.raises(ValueError) as wrong:
        chart.table(chart.params(models=["own"], config=json.dumps(FOREIGN[kind])), snapshot)
    assert "\n" not in str(wrong.value) and 10 < len(str(wrong.value)) < 600


def test_the_receipt_of_a_mixture_against_dense_models_shows_the_cost_and_its_rent(snapshot):
    chart = registry.CHARTS["serving.experts"]
    params = chart.params(view="dense", rent=3.0)
    receipt = chart.receipt(params, snapshot)
    mixture = chart.table(params, snapshot).query("line == 'mixture'")
    told = json.dumps(receipt.to_json())
    assert "Cost of output tokens on rented chips" in told and "set by you" in told
    cost = next(line for line in receipt.formulas if line.name == "Cost of output tokens on rented chips")
    assert cost.result == pytest.approx(mixture["usd_per_mtok"].min())
    assert "Cost of output tokens on rented chips" not in json.dumps(chart.receipt(chart.params(view="hit"), snapshot).to_json())


def test_the_nearest_run_of_an_attention_is_that_of_the_context_drawn(snapshot):
    """What is costed has the context less the answer as its prompt, so that is what a measured run is near to or far from."""
    chart = registry.CHARTS["serving.attention"]

    def nearest(**changes):
        return chart.table(chart.params(model="DeepSeek-R1", chip="h200-sxm", gpus=16, **changes), snapshot).attrs["nearest"][0]

    near, far = nearest(context=2048, output_tokens=1024), nearest(context=524_288, output_tokens=1024)
    assert near != far and "times away in length" in far
    assert not {"input_tokens", "cached_share"} & set(chart.params.model_fields), "the context settles the prompt"


def test_the_mixture_against_dense_opens_from_both_claims_and_cites_the_saving_at_the_same_score(snapshot):
    chart = registry.get("serving.experts")
    preset = next(p for p in chart.presets if p.params.get("view") == "dense")
    assert {"R6", "C18"} <= set(preset.claim.replace(",", " ").split())
    said = [row for row in chart.receipt(chart.params(**preset.params), snapshot).inputs if "MoE" in row.label]
    assert [(row.value, row.as_of) for row in said] == [("30 %", "2025-02-03")] and said[0].source
    assert not any("MoE" in row.label for row in chart.receipt(chart.params(view="hit"), snapshot).inputs)


def test_no_chip_is_called_by_its_id(snapshot):
    """What a reader sees of measured runs calls chips as the other charts do: GB200, H100, not gb200, h100-sxm."""
    ids = re.compile(r"\b(g?b[23]00|h[128]00-sxm|h20|h200-nvl|mi3\d\dx)\b")
    for chart_id, changes in (
        ("serving.versions", {}),
        ("serving.error", {"by": "chip"}),
        ("serving.token_time", {}),
        ("serving.cost", {}),
    ):
        chart = registry.get(chart_id)
        params = chart.params(**changes)
        table, words = drawn(chart, params, snapshot)
        figure, receipt = chart.figure(table, params, Look()), chart.receipt(params, snapshot)
        shown = [words.finding, words.subtitle, words.alt, *words.notes, *(a.text for a in figure.layout.annotations)]
        shown += [line for trace in figure.data if trace.text is not None for line in np.atleast_1d(trace.text)]
        shown = [str(line).split("<br>")[0] for line in shown]  # the last line of a hover is the source's own title
        shown += [line.name for line in receipt.formulas] + [row.label for row in receipt.inputs] + list(receipt.error)
        assert not [line for line in shown if ids.search(line)], chart_id
        assert any(re.search(r"\b(GB200|B200|H100|H200)\b", line) for line in shown)


def test_a_table_kept_before_chips_had_names_still_draws(snapshot):
    for chart_id in ("serving.versions", "serving.error"):
        chart = registry.get(chart_id)
        table = chart.table(chart.params(), snapshot)
        old = table.drop(columns="chip")
        old.attrs = table.attrs
        assert "gb200" in chart.words(old, chart.params()).alt or chart_id == "serving.error"
        assert chart.figure(old, chart.params(), Look()).data


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_contexts_are_written_one_way_and_the_two_thresholds_told_apart(snapshot, width):
    chart = registry.get("serving.token_time")
    params = chart.params(view="context")
    table, words = drawn(chart, params, snapshot)
    critical = f"{table.attrs['critical_context']:,.0f}"
    figure = chart.figure(table, params, Look(width=width))
    marks = [a.text for a in figure.layout.annotations]
    assert f"critical {critical}" in marks and "context 4,096" in marks and f"critical context {critical} tokens" in words.subtitle
    everything = [words.finding, words.subtitle, *words.notes, *marks, *figure.layout.xaxis.ticktext]
    assert not [text for text in everything if re.search(r"\d[kM]\b", text)]
    assert any("At the critical context" in note and "the cache leads the step only" in note for note in words.notes)


@pytest.mark.parametrize("view", ["samples", "agents"])
def test_panels_are_not_placed_by_words_that_hold_on_one_screen_only(snapshot, view):
    """The two panels stand side by side on a desk and one above the other on a phone."""
    chart = registry.get("serving.thinking")
    _, words = drawn(chart, chart.params(view=view), snapshot)
    assert not re.search(r"\b(left|right|above|below)\b", words.subtitle)


IDLE_STATES = [
    ("serving.cost", {"measure": "rate"}),
    ("serving.memory", {"view": "users"}),
    *(("serving.token_time", {"view": view}) for view in ("parts", "batch", "context", "map")),
    *(("serving.experts", {"view": view}) for view in ("hit", "dense", "imbalance")),
    *(("serving.thinking", {"view": view}) for view in ("lengths", "samples", "agents")),
]
#: Another value of a parameter; numbers are doubled, or halved where twice is too much.
OTHER = {"model": "Kimi-K2", "models": ("Kimi-K2", "Qwen3-235B-A22B"), "chip": "b200", "weights": "bf16", "pools": "shared", "kv": "bf16"}


def changed(params, name):
    """The parameters with one of them moved."""
    value = getattr(params, name)
    if isinstance(value, bool):
        return params.model_copy(update={name: not value})
    if name == "chips" and isinstance(value, tuple):
        return params.model_copy(update={name: value[:1]})
    if name in OTHER:
        return params.model_copy(update={name: OTHER[name] if value != OTHER[name] else "fp8"})
    high = next(m.le for m in type(params).model_fields[name].metadata if hasattr(m, "le"))
    moved = value * 2 if 0 < value * 2 <= high else value / 2 or high / 4
    return params.model_copy(update={name: int(moved) if type(params).model_fields[name].annotation is int else float(moved)})


@pytest.mark.parametrize(("chart_id", "given_values"), IDLE_STATES, ids=str)
def test_a_control_is_offered_where_it_changes_the_drawing_and_nowhere_else(snapshot, chart_id, given_values):
    chart = registry.get(chart_id)
    params = chart.params(**given_values)

    def shown(at):
        table, words = drawn(chart, at, snapshot)
        return chart.figure(table, at, Look()).to_json(), words.finding, words.subtitle, words.notes

    before, idle = shown(params), chart.idle(params)
    assert idle and idle < set(chart.params.model_fields)
    for name in chart.params.model_fields:
        if name not in ("view", "measure", "config", "own_chip"):
            after = shown(changed(params, name))
            assert (after == before) if name in idle else (after[0] != before[0]), name


@pytest.mark.parametrize("chart_id", list(VIEWS))
def test_every_view_has_controls_in_its_row(chart_id):
    chart = registry.get(chart_id)
    view = chart.params.model_fields.get("view")
    for value in get_args(view.annotation) if view else [None]:
        idle = chart.idle(chart.params(view=value) if view else chart.params())
        assert 2 <= len([name for name in CONTROLS[chart_id] if name not in idle]) <= 5


def test_the_nearest_run_of_a_step_is_that_of_the_context_drawn(snapshot):
    chart = registry.get("serving.token_time")
    near, far = (chart.table(chart.params(context=context), snapshot).attrs["nearest"][0] for context in (4096, 1_048_576))
    assert near != far and "times away in length" in far


@pytest.mark.parametrize("look", [Look(), Look(width="phone")])
@pytest.mark.parametrize(
    "models", [("DeepSeek-V3", "Kimi-K2", "Qwen3-235B-A22B", "Mixtral-8x7B"), ("gpt-oss-120b", "Llama-4-Maverick", "Mixtral-8x22B")]
)
def test_no_curve_crosses_the_name_of_a_mixture(snapshot, models, look):
    chart = registry.get("serving.experts")
    params = chart.params(models=[m for m in models if m in chart.options["models"](snapshot)])
    figure = chart.figure(chart.table(params, snapshot), params, look)
    margin, (low, high) = figure.layout.margin, figure.layout.yaxis.range
    wide, tall = look.width_px - margin.l - margin.r, look.height() - margin.t - margin.b
    labels = [a for a in figure.layout.annotations if " of " in a.text]
    assert len(labels) == len(params.models)
    for label in labels:
        right, left = figure.layout.xaxis.range[1], figure.layout.xaxis.range[0]
        assert (label.xref, label.yref) == ("paper", "paper")
        half, up = text_width(label.text, label.font.size) / 2, {"bottom": -0.5, "top": 0.5}[label.yanchor] * 1.3 * label.font.size
        x = label.x * wide + label.xshift + {"left": half, "right": -half}[label.xanchor]
        y = (1 - label.y) * tall - label.yshift + up
        for trace in figure.data:
            at = (np.log10(np.asarray(trace.x, dtype=float)) - left) / (right - left) * wide
            fine = np.linspace(at[0], at[-1], 3000)
            line = np.interp(fine, at, (1 - (np.asarray(trace.y, dtype=float) - low) / (high - low)) * tall)
            inside = (np.abs(fine - x) < half) & (np.abs(line - y) < label.font.size / 2)
            assert not inside.any(), (label.text, trace.text[0])


@pytest.mark.parametrize("view", ["context", "batch"])
def test_the_last_tick_has_room_for_its_label(snapshot, view):
    """Plotly drops a tick's label that would stand beyond the picture."""
    chart = registry.get("serving.token_time")
    params, look = chart.params(view=view), Look(width="phone")
    figure = chart.figure(chart.table(params, snapshot), params, look)
    axis, margin = figure.layout.xaxis, figure.layout.margin
    (low, high), last = axis.range, np.log10(axis.tickvals[-1])
    wide = look.width_px - margin.l - margin.r
    beyond = (last - low) / (high - low) * wide + text_width(axis.ticktext[-1], 11) / 2 - wide
    assert beyond + 4 <= margin.r


def test_what_does_not_fit_calls_the_chip_by_its_name(snapshot):
    for given_values in ({"gpus": 8}, {"gpus": 1}):
        chart = registry.get("serving.token_time")
        with pytest.raises(
            ValueError, match=r"DeepSeek-R1 does not fit on (8 × )?H100 SXM5: needs \d+ more chips of this memory: [\d,.]+ GB short"
        ):
            chart.table(chart.params(chip="h100-sxm", **given_values), snapshot)
    own = "memory_gb=1 memory_bandwidth_gb_per_s=4800 bf16_tflops_dense=989"
    with pytest.raises(ValueError, match="does not fit on 128 × your chip: needs 3,"):
        chart.table(chart.params(chip="own", own_chip=own), snapshot)


@pytest.mark.parametrize("chart_id", ["serving.cost", "serving.chips"])
def test_two_chips_called_alike_are_told_apart_by_their_memory(snapshot, chart_id):
    chart = registry.get(chart_id)
    params = chart.params(chips=("h20", "h20-141", "h100-sxm"))
    table, words = drawn(chart, params, snapshot)
    assert set(table["chip"]) == {"H20, 96 GB", "H20, 141 GB", "H100"}
    alone, _ = drawn(chart, chart.params(chips=("h20", "h100-sxm")), snapshot)
    assert set(alone["chip"]) == {"H20", "H100"}


@pytest.mark.parametrize("look", [Look(), Look(width="phone")])
def test_the_value_of_a_chip_stands_clear_of_its_hatched_band(snapshot, look):
    chart = registry.get("serving.chips")
    params = chart.params(chips=("h20", "h800-sxm"))
    figure = chart.figure(chart.table(params, snapshot), params, look)
    bar = next(trace for trace in figure.data if trace.type == "bar")
    low, high = figure.layout.yaxis.range
    row_px = (look.height(560, 600) - figure.layout.margin.t - figure.layout.margin.b) / (high - low)
    assert bar.width * row_px / 2 <= 7  # the value stands above a dot of 12 px


def test_a_title_says_where_two_points_are_not_of_the_same_work(snapshot):
    chart = registry.get("serving.versions")
    for model in ("DeepSeek-R1", "Llama-2-70B"):
        params = chart.params(model=model)
        table, words = drawn(chart, params, snapshot)
        _, first, last = versions._moved(table, params)
        assert ("at other lengths" in words.finding) == (
            (first["input_tokens"], first["output_tokens"]) != (last["input_tokens"], last["output_tokens"])
        )
        assert ("without prefill" in words.finding) == (last["phase"] == "decode" != first["phase"])
    same = table.assign(input_tokens=1024, output_tokens=1024)
    same.attrs = table.attrs
    assert "other lengths" not in chart.words(same, params).finding


def test_no_control_says_its_unit_twice():
    for chart_id in VIEWS:
        for name in registry.get(chart_id).params.model_fields:
            told = extra(registry.get(chart_id).params, name)
            assert str(told.get("label")).lower() != str(told.get("unit")).lower(), (chart_id, name)
