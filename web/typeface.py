"""The typeface of drawn images: our own file, so that a picture looks like the page on a machine that has no fonts of ours."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from xml.sax.saxutils import escape

from PIL import ImageFont

# Alone in its folder: a browser would take a .woff2 beside it and not read it.
FONT_FILE = Path(__file__).resolve().parent / "static" / "fonts" / "inter-latin.ttf"
_SYSTEM = "/etc/fonts/fonts.conf"
MACHINES = os.environ.get("FONTCONFIG_FILE", _SYSTEM)  # as it was before a browser of ours was started with another
_MEASURED_PX = 100


def fontconfig(folder: Path, machines: str = MACHINES) -> Path:
    """Write the fontconfig file a browser is started with.

    Parameters: the folder it and fontconfig's cache go to, made when absent; the machine's own file. Returns the file's path: the
    machine's fonts and ours. Raises OSError where the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "fonts.conf"
    system = _SYSTEM if machines == str(path) else machines
    path.write_text(
        '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>\n'
        f'<include ignore_missing="yes">{escape(system)}</include>\n'
        f"<dir>{escape(str(FONT_FILE.parent))}</dir>\n<cachedir>{escape(str(folder / 'fontconfig'))}</cachedir>\n</fontconfig>\n",
        encoding="utf-8",
    )
    return path


def width_px(text: str, size_px: float, weight: int = 400) -> float:
    """Width of a line of text in our typeface [px], at a size [px] and a weight from 100 to 900."""
    return _face(weight).getlength(text) * size_px / _MEASURED_PX


def wrapped(text: str, room_px: float, size_px: float, *, weight: int = 400, most: int = 2) -> list[str]:
    """Break a text at its spaces into lines no wider than the room; a word wider than it, and what is over the most lines, end in an ellipsis."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < most:
        take = 1
        while take < len(words) and width_px(" ".join(words[: take + 1]), size_px, weight) <= room_px:
            take += 1
        line, words = " ".join(words[:take]), words[take:]
        cut = " …" if words and len(lines) == most - 1 else ""
        lines.append(shortened(line + cut, room_px, size_px, weight=weight))
    return lines


def shortened(text: str, room_px: float, size_px: float, *, weight: int = 400) -> str:
    """Return the text, cut with an ellipsis where it is wider than the room [px]."""
    kept = text
    while len(kept) > 1 and width_px(kept, size_px, weight) > room_px:
        kept = kept[:-2].rstrip(" …") + "…" if kept.endswith("…") else kept[:-1].rstrip() + "…"
    return kept


@functools.cache
def _face(weight: int) -> ImageFont.FreeTypeFont:
    face = ImageFont.truetype(FONT_FILE, _MEASURED_PX)
    face.set_variation_by_axes([weight])
    return face
