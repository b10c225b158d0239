"""Text measured in the typeface it is drawn in: lines fit their room, and what is cut says so."""

import hypothesis
import hypothesis.strategies as st
import pytest
from PIL import ImageFont

from web import typeface

WORDS = st.lists(st.text("abcdefghiMW0123456789.,%×", min_size=1, max_size=12), max_size=40).map(" ".join)


@hypothesis.given(WORDS, st.integers(120, 1200), st.sampled_from([15, 17, 30]), st.sampled_from([400, 700]))
def test_no_line_is_wider_than_its_room_and_nothing_is_lost_without_a_mark(text, room, size, weight):
    lines = typeface.wrapped(text, room, size, weight=weight, most=2)
    assert len(lines) <= 2
    assert all(len(line.split()) == 1 or typeface.width_px(line, size, weight) <= room for line in lines)
    assert typeface.width_px(lines[-1], size, weight) <= room if lines else not text
    assert " ".join(lines) == text or lines[-1].endswith("…")


def test_widths_grow_with_size_and_weight():
    assert typeface.width_px("Ridgepoint", 30) == pytest.approx(2 * typeface.width_px("Ridgepoint", 15))
    assert typeface.width_px("Ridgepoint", 30, 700) > typeface.width_px("Ridgepoint", 30, 400) > 100
    assert ImageFont.truetype(typeface.FONT_FILE, 20).getname()[0] == "Inter"


def test_the_browser_is_given_the_machines_fonts_and_ours(tmp_path, monkeypatch):
    monkeypatch.setenv("FONTCONFIG_FILE", "/opt/a & b/fonts.conf")
    text = typeface.fontconfig(tmp_path).read_text()
    assert "/opt/a &amp; b/fonts.conf" in text and str(typeface.FONT_FILE.parent) in text
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "fonts.conf"))
    assert "/etc/fonts/fonts.conf" in typeface.fontconfig(tmp_path).read_text()  # never itself
