"""Colours hold the contrast that text and marks need, on page and panel, light and dark."""

from __future__ import annotations

import pytest

from charts.template import SERIES, TOKENS


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a: str, b: str) -> float:
    low, high = sorted((_luminance(a), _luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", TOKENS)
@pytest.mark.parametrize("ground", ["page", "panel"])
@pytest.mark.parametrize("name", [*SERIES, "mute", "primary", "denial", "notice"])
def test_text_reads_at_4_5_to_1(theme, ground, name):
    assert contrast(TOKENS[theme][name], TOKENS[theme][ground]) >= 4.5


@pytest.mark.parametrize("theme", TOKENS)
@pytest.mark.parametrize("name", ["dot", "point"])
def test_marks_read_at_3_to_1(theme, name):
    assert contrast(TOKENS[theme][name], TOKENS[theme]["page"]) >= 3.0
