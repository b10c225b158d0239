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
    assert all(typeface.width_px(line, size, weight) <= room for line in lines) and bool(lines) == bool(text)
    assert " ".join(lines) == text or any(line.endswith("…") for line in lines)


def test_widths_grow_with_size_and_weight():
    assert typeface.width_px("Ridgepoint", 30) == pytest.approx(2 * typeface.width_px("Ridgepoint", 15))
    assert typeface.width_px("Ridgepoint", 30, 700) > typeface.width_px("Ridgepoint", 30, 400) > 100
    assert ImageFont.truetype(typeface.FONT_FILE, 20).getname()[0] == "Inter"


def test_the_browser_is_given_the_machines_fonts_and_ours(tmp_path):
    text = typeface.fontconfig(tmp_path, "/opt/a & b/fonts.conf").read_text()
    assert "/opt/a &amp; b/fonts.conf" in text and str(typeface.FONT_FILE.parent) in text
    assert "/etc/fonts/fonts.conf" in typeface.fontconfig(tmp_path, str(tmp_path / "fonts.conf")).read_text()  # never itself


def test_a_browser_started_again_is_still_given_the_machines_own_fonts(tmp_path, monkeypatch):
    first, second = tmp_path / "one", tmp_path / "two"
    for folder in (first, second, first):
        path = typeface.fontconfig(folder)
        monkeypatch.setenv("FONTCONFIG_FILE", str(path))  # as a browser of ours is started
        assert f">{typeface.MACHINES}<" in path.read_text()
