from __future__ import annotations

import pytest

from charts.text import as_text, shown, web_address


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "<b>bold", "<a href='javascript:x'>", "\u202eevil", "a\x00b"])
def test_text_from_outside_is_shown_letter_for_letter(hostile):
    for written in (as_text(hostile), shown(hostile)):
        assert "<" not in written and "\x00" not in written and "\u202e" not in written


def test_long_text_is_cut():
    assert len(as_text("x" * 500, 50)) == 50


@pytest.mark.parametrize("bad", ["javascript:alert(1)", "data:text/html,x", "http://a b", "https://x\"onclick='", "", None, "ftp://x.y/z"])
def test_only_web_addresses_are_linked(bad):
    assert web_address(bad) == ""


def test_a_web_address_is_kept():
    assert web_address(" https://epoch.ai/data ") == "https://epoch.ai/data"
