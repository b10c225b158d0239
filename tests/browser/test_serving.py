"""The serving page: presets open on their point, controls draw what the API says, junk is refused, scenarios are compared."""

from __future__ import annotations

import json
import re
import urllib.request
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

import charts
from charts.serving.views import VIEWS
from tests.browser.addresses import address

charts.load_all()
OPENINGS = {
    ("serving.memory", "405b-batch-64"): r"64 conversations with Llama-3\.1-405B fill 8 × H100",
    ("serving.cost", "day-six"): r"At 20 tokens a second per user, a million output tokens of DeepSeek-R1 cost \$0\.\d\d on H800",
    ("serving.cost", "sixteen"): r"At 30 tokens a second per user, a million output tokens",
    ("serving.token_time", "parts"): r"a token of the answer takes [\d.]+ times as long as one of the prompt",
    ("serving.attention", "deepseek"): r"DeepSeek-V3's MLA keeps 9\d % less cache than MHA",
    ("serving.experts", "hit"): r"One token reads 8 of DeepSeek-V3's 256 experts",
    ("serving.thinking", "agents"): r"At 98 % a step, 13 % of 100-step tasks succeed",
    ("serving.chips", "h20"): r"H20 0\.\d+ times",
    ("serving.versions", "r1"): r"of DeepSeek-R1 went from",
    ("serving.error", "all"): r"Half of \d+ TensorRT-LLM offline runs are predicted within",
}
#: A column of each view's table whose values stand in the drawing.
DRAWN = [
    ("serving.cost", "usd_per_mtok"),
    ("serving.memory", "cache_gb"),
    ("serving.attention", "cache_gb"),
    ("serving.chips", "decode_heavy_ratio"),
    ("serving.thinking", "answers_per_log_length"),
    ("serving.versions", "output_tok_s_per_gpu"),
    ("serving.error", "measured_tok_s_per_gpu"),
]


def api(tab, chart_id: str, query: str) -> dict:
    with urllib.request.urlopen(f"{tab.url}/api/charts/{chart_id}.json?{query}", timeout=60) as answer:
        return json.load(answer)


def title(tab):
    return tab.page.locator(".rp h2").first


def test_every_view_has_an_opening():
    assert {chart for chart, _ in OPENINGS} == set(VIEWS)


@pytest.mark.parametrize(("chart_id", "preset"), OPENINGS, ids=lambda value: str(value).removeprefix("serving."))
def test_presets_open_on_their_point(tab, chart_id, preset):
    tab.open(address(chart_id, preset))
    expect(title(tab)).to_have_text(re.compile(OPENINGS[chart_id, preset]), timeout=60_000)
    expect(tab.page.locator(".js-plotly-plot").first).to_be_visible()
    tab.no_trouble()


def test_views_turn_and_keep_the_model(tab):
    tab.open("/serving?model=Llama-3.3-70B")
    tab.expect_address("model=Llama-3.3-70B")
    tab.page.get_by_role("radio", name="Time of a token").click()
    tab.expect_address("chart=serving.token_time", "model=Llama-3.3-70B")
    tab.no_trouble()


def test_controls_draw_what_the_api_says(tab):
    tab.open(address("serving.token_time"))
    tab.expect_address("view=parts")
    tab.choose("Show", "Decode by batch")
    tab.expect_address("view=batch")
    tab.settle()
    query = tab.page.url.split("?", 1)[1]
    told = api(tab, "serving.token_time", "&".join(p for p in query.split("&") if not p.startswith(("chart=", "rev="))))
    expect(title(tab)).to_have_text(told["words"]["finding"])
    drawn = tab.page.evaluate("document.querySelector('.js-plotly-plot')._fullData.map(d => d.y.length)")
    assert drawn[0] == len(told["rows"])


def test_a_slider_moves_the_title_and_the_address(tab):
    tab.open(address("serving.cost", speed=20.0))
    tab.expect_address("speed=20.0")
    before = title(tab).text_content()
    slider = tab.page.get_by_role("slider", name="Speed")
    slider.focus()
    slider.press("ArrowRight")
    tab.expect_address("speed=50.0")
    expect(title(tab)).not_to_have_text(before)


def test_a_speed_nobody_reaches_says_the_best_there_is(tab):
    tab.open(address("serving.cost", chips=["h100-sxm"], speed=500.0))
    expect(tab.page.locator("[data-empty]")).to_contain_text(
        re.compile(r"No layout reaches 500 tok/s per user on this chip; the best is \d+")
    )
    tab.press("Show the nearest")
    expect(tab.page.locator(".js-plotly-plot").first).to_be_visible()


def test_pasted_junk_is_refused_and_the_last_chart_stays(tab):
    tab.open(address("serving.attention"))
    expect(tab.page.locator(".js-plotly-plot").first).to_be_visible()
    tab.expect_address("chart=serving.attention")
    good = title(tab).text_content()
    tab.press("More")
    box = tab.page.get_by_role("textbox", name="Your model")
    box.fill('{"model_type": "bert"')
    box.press("Control+Enter")
    tab.page.keyboard.press("Escape")
    tab.page.get_by_role("combobox", name="Model").fill("pasted")
    tab.page.get_by_role("option", name="Your pasted model", exact=True).click()
    expect(tab.page.locator("[data-problem]")).to_be_visible()
    expect(title(tab)).to_have_text(good)
    expect(tab.page.locator(".js-plotly-plot").first).to_be_visible()
    tab.no_trouble()


def test_a_pasted_configuration_travels_in_the_address(tab):
    config = {
        "model_type": "llama", "num_hidden_layers": 32, "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8,
        "intermediate_size": 14336, "vocab_size": 128256,
    }  # fmt: skip
    tab.open(f"/serving?chart=serving.memory&models=own&batch=8&config={quote(json.dumps(config))}")
    expect(title(tab)).to_have_text(re.compile("8 conversations with your model fill"))
    tab.expect_address("models=own", "num_hidden_layers")


def test_two_scenarios_are_compared(tab):
    tab.open(address("serving.thinking"))
    tab.expect_address("view=lengths")
    tab.press("Pin to compare")
    expect(tab.page.locator("[data-compare]")).to_contain_text("Change something")
    tab.page.get_by_role("radio", name="Many samples").click()
    expect(tab.page.locator("[data-ratio]")).to_have_text(re.compile(r"[\d.]+ times"))
    expect(tab.page.locator(".js-plotly-plot")).to_have_count(2)
    tab.press("Back to the pinned")
    tab.expect_address("view=lengths")


def test_a_control_that_a_view_has_no_use_for_comes_back_as_it_was_set(tab):
    tab.open("/serving?chart=serving.thinking&view=samples")
    slider = tab.page.get_by_role("slider", name="One sample right")
    slider.focus()
    slider.press("ArrowRight")
    tab.expect_address("view=samples", "success=0.311")
    tab.page.get_by_role("radio", name="Lengths of answers").click()
    tab.expect_address("view=lengths", "success=0.311")
    expect(slider).to_have_count(0)
    tab.page.get_by_role("radio", name="Many samples").click()
    tab.expect_address("view=samples", "success=0.311")
    expect(slider).to_have_count(1)
    assert slider.evaluate("e => e.value ?? e.getAttribute('aria-valuenow')") == "0.311"
    slider.focus()
    slider.press("ArrowRight")
    tab.expect_address("success=0.321")
    tab.no_trouble()


def test_receipts_open_with_the_readers_numbers(tab):
    tab.open(address("serving.cost", "sixteen"))
    tab.press("Receipt")
    tab.sees("Cost of output tokens on rented chips")
    tab.sees("median error")


def test_an_own_chip_travels_in_the_address(tab):
    chip = "memory_gb=141 memory_bandwidth_gb_per_s=4800 bf16_tflops_dense=989"
    tab.open(f"/serving?chart=serving.memory&models=Llama-3.1-70B&chip=own&chips=8&own_chip={quote(chip)}")
    expect(title(tab)).to_have_text(re.compile(r"conversations with Llama-3\.1-70B fill 8 × your chip"), timeout=60_000)
    tab.expect_address("chip=own", "own_chip=memory_gb%3D141")
    tab.no_trouble()


@pytest.mark.parametrize(("chart_id", "column"), DRAWN, ids=lambda value: str(value).removeprefix("serving."))
def test_every_view_draws_the_values_of_the_api_and_of_the_model(tab, chart_id, column):
    tab.open(address(chart_id))
    expect(tab.page.locator(".js-plotly-plot").first).to_be_visible(timeout=60_000)
    tab.settle()
    told = api(tab, chart_id, "")
    expect(title(tab)).to_have_text(told["words"]["finding"])
    drawn = tab.page.evaluate(
        "document.querySelector('.js-plotly-plot')._fullData.flatMap(d => [...(d.x || []), ...(d.y || [])]).filter(v => typeof v == 'number')"
    )
    wanted = {float(row[column]) for row in told["rows"] if row.get(column) is not None}
    shown = sum(any(abs(value - v) <= 1e-6 * max(abs(v), 1e-9) for value in drawn) for v in wanted)
    assert wanted and shown >= 0.6 * len(wanted), f"{shown} of {len(wanted)} values of {column} are drawn"


def test_a_clicked_run_opens_its_source(tab):
    tab.open(address("serving.error"))
    expect(tab.page.locator(".js-plotly-plot").first).to_be_visible(timeout=60_000)
    tab.settle()
    tab.page.wait_for_timeout(500)
    at = tab.page.evaluate(
        """() => {
            const plot = document.querySelector('.js-plotly-plot'), box = plot.getBoundingClientRect(), f = plot._fullLayout;
            const run = plot._fullData.findIndex(d => d.customdata), d = plot._fullData[run];
            return [box.left + f._size.l + f.xaxis.d2p(d.x[0]), box.top + f._size.t + f.yaxis.d2p(d.y[0])];
        }"""
    )
    tab.page.mouse.click(*at)
    expect(tab.page.locator("[data-run]")).to_contain_text(
        re.compile(r"measured [\d,]+, predicted [\d,]+ output tok/s per GPU"), timeout=30_000
    )
    tab.no_trouble()


@pytest.mark.parametrize("chart_id", list(VIEWS))
def test_every_view_fits_a_phone(phone, chart_id):
    phone.open(address(chart_id))
    expect(phone.page.locator(".js-plotly-plot").first).to_be_visible()
    assert phone.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    phone.no_trouble()
