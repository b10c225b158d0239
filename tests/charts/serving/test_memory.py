"""The memory chart: published caches, what fits, own models and chips, and sentences for bad input."""

import json

import numpy as np
import pytest

from charts.labels import text_width
from charts.look import Look
from charts.serving import memory
from charts.serving.memory import Params

CONFIG = json.dumps(
    {
        "model_type": "llama", "num_hidden_layers": 126, "hidden_size": 16384, "num_attention_heads": 128, "num_key_value_heads": 8,
        "intermediate_size": 53248, "vocab_size": 128256, "max_position_embeddings": 131072,
    }
)  # fmt: skip


def at(table, model, context):
    return table[(table["model"] == model) & (table["context_tokens"] == context)].iloc[0]


def test_405b_at_batch_64_takes_541_gb_at_16k(snapshot):
    table = memory.table(Params(models=("Llama-3.1-405B",)), snapshot)
    # 126 layers x 8 heads x 128 x 2 x 2 B = 516,096 B a token
    assert at(table, "Llama-3.1-405B", 16384)["cache_gb"] == pytest.approx(541.166, rel=1e-4)
    assert at(table, "Llama-3.1-405B", 16384)["users_that_fit"] < 64


def test_latent_attention_takes_a_seventh_of_405b(snapshot):
    table = memory.table(Params(models=("Llama-3.1-405B", "DeepSeek-V3")), snapshot)
    ratio = at(table, "DeepSeek-V3", 16384)["cache_gb"] / at(table, "Llama-3.1-405B", 16384)["cache_gb"]
    assert ratio == pytest.approx(70_272 / 516_096, rel=1e-6)


def test_a_pasted_configuration_is_the_model_it_describes(snapshot):
    table = memory.table(Params(models=("own", "Llama-3.1-405B"), config=CONFIG), snapshot)
    assert at(table, "your model", 4096)["cache_gb"] == at(table, "Llama-3.1-405B", 4096)["cache_gb"]


def test_an_own_chip_sets_the_reference(snapshot):
    own = "memory_gb=200, memory_bandwidth_gb_per_s=5000, bf16_tflops_dense=1000"
    table = memory.table(Params(chip="own", own_chip=own), snapshot)
    assert table.attrs["memory_gb"] == 1600


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"models": ("Lama-3.1-405B",)}, "did you mean 'Llama-3.1-405B'"),
        ({"chip": "h10"}, "no chip 'h10' on record"),
        ({"models": ("own",)}, "needs a configuration"),
        ({"models": ("own",), "config": "<html>"}, "config"),
        ({"models": ("own",), "config": '{"model_type": "bert"}'}, ""),
        ({"chip": "own", "own_chip": "memory=3"}, "'memory' is not known"),
        ({"chip": "own", "own_chip": "memory_gb=3"}, "needs memory_bandwidth_gb_per_s and bf16_tflops_dense"),
    ],
)
def test_bad_input_gets_one_sentence(snapshot, given, said):
    with pytest.raises(ValueError) as wrong:
        memory.table(Params(**given), snapshot)
    assert said in str(wrong.value)
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize("look", [Look(), Look(theme="dark", width="phone"), Look(card=True)])
@pytest.mark.parametrize("given", [{}, {"view": "users"}, {"models": ()}, {"weights": "bf16"}, {"batch": 1, "chip": "gb300", "chips": 72}])
def test_every_state_draws_and_has_words(snapshot, given, look):
    params = Params(**given)
    table = memory.table(params, snapshot)
    words = memory.words(table, params)
    assert words.finding
    assert "nan" not in (words.finding + words.subtitle + words.alt).lower()
    memory.figure(table, params, look)
    memory.receipt(params, snapshot)


@pytest.mark.parametrize("look", [Look(), Look(width="phone")])
@pytest.mark.parametrize("given", [{}, {"batch": 1}, {"batch": 1, "chip": "gb300", "chips": 72}, {"batch": 4096, "chips": 1}])
def test_no_curve_crosses_the_label_of_the_memory(snapshot, look, given):
    params = Params(**given)
    table = memory.table(params, snapshot)
    drawn = memory.figure(table, params, look)
    label = next(a for a in drawn.layout.annotations if "all memory of" in a.text)
    if label.yref == "paper":
        assert label.y == 1 and label.yanchor == "bottom"  # above the plot, where no curve comes
        return
    wide = look.width_px - drawn.layout.margin.l - drawn.layout.margin.r
    low, high = drawn.layout.yaxis.range
    tall = look.height() - drawn.layout.margin.t - drawn.layout.margin.b
    right, top = text_width(label.text, label.font.size) + 4, label.y + (high - low) * 1.3 * label.font.size / tall
    for trace in drawn.data:
        if trace.mode == "lines":
            x, y = np.log10(np.asarray(trace.x, dtype=float)), np.log10(np.asarray(trace.y, dtype=float))
            fine = np.linspace(x[0], x[-1], 500)
            over = (fine - np.log10(1024)) / 3.0103 * wide < right
            level = np.interp(fine, x, y)
            assert not (over & (level > label.y) & (level < top)).any()


def test_presets_say_what_they_promise(snapshot):
    by_name = {p.name: p for p in memory.CHART.presets}
    params = Params(**by_name["405b-batch-64"].params)
    words = memory.words(memory.table(params, snapshot), params)
    assert words.finding.startswith("64 conversations with Llama-3.1-405B fill 8 × H100")
