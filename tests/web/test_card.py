"""The frame of a picture that travels alone: it fits, says what and whose it is, and runs no text."""

import plotly.graph_objects as go
import pytest

from charts.template import TOKENS, new_figure
from web import card

WORDS = {
    "finding": "Two sites run at least 900 MW of IT power; one plans to reach 2 GW by the end of 2028",
    "subtitle": "IT power online, by site, log scale.",
    "credit": "Epoch AI, CC BY 4.0",
}


def picture(width, height, words=WORDS, theme="light"):
    look = card.look_for(theme, width, height, words, framed=True)
    figure = new_figure(look, height_px=look.height())
    figure.add_scatter(x=[1, 2], y=[1, 3])
    return card.framed(figure, words, "rev 7 · 23 Nov 2026", "ridgepoint/s/abc", look, width)


@pytest.mark.parametrize(("width", "height"), [(1200, 630), (420, 700), (800, 600), (2400, 1200)])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_framed_figure_has_exactly_the_asked_height_and_room_to_draw(width, height, theme):
    made = picture(width, height, theme=theme)
    assert made.layout.height == pytest.approx(height, abs=1)
    assert made.layout.height - made.layout.margin.t - made.layout.margin.b > 100
    assert made.layout.paper_bgcolor == TOKENS[theme]["page"]


def test_finding_credit_stamp_and_address_stand_inside():
    text = " ".join(annotation.text for annotation in picture(1200, 630).layout.annotations)
    for part in ("Two sites run", "IT power online", "Epoch AI, CC BY 4.0 · rev 7 · 23 Nov 2026", "ridgepoint/s/abc"):
        assert part in text


def test_a_long_credit_is_cut_before_the_stamp():
    text = " ".join(annotation.text for annotation in picture(1200, 630, WORDS | {"credit": "x" * 400}).layout.annotations)
    assert "… · rev 7 · 23 Nov 2026" in text


def test_tags_in_words_are_shown_and_not_read():
    words = WORDS | {"finding": "<a href='javascript:alert(1)'>x</a>", "credit": "<b>y</b>"}
    text = " ".join(annotation.text for annotation in picture(1200, 630, words).layout.annotations)
    assert "<a" not in text and "<b>" not in text


def test_the_figure_given_is_not_changed():
    look = card.look_for("light", 1200, 630, WORDS, framed=True)
    figure = new_figure(look, height_px=look.height())
    before = figure.to_json()
    card.framed(figure, WORDS, "rev 1", "ridgepoint/x", look, 1200)
    assert figure.to_json() == before
    assert isinstance(figure, go.Figure)
