"""Chip names on a plane: one label for chips at one point, and a thin leader where a label had to move away."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from charts.labels import annotate, place, text_width
from charts.look import Look
from charts.template import halo, tokens
from charts.text import as_text

NEAR_PX = 5.0  # marks closer than this hide one another
LONGEST = 22


def write_names(
    figure: go.Figure,
    look: Look,
    at: Sequence[tuple[float, float]],
    pixels: Sequence[tuple[float, float]],
    names: Sequence[str],
    front: Sequence[bool],
    wanted: Sequence[int],
    first: int,
    box: tuple[float, float],
    notes: Sequence[tuple[float, float, str]] = (),
) -> None:
    """Write names beside points: those in front always with a leader where they are moved, others only where they stand close.

    Parameters: at, positions in axis units (logarithms on log axes); pixels, the same from the plot's top left; wanted, indices to
    name, those that choose first ahead; first, how many those are; box, width and height of the plot [px]; notes, centre and text of
    words that stand in the plot already.
    """
    t, size = tokens(look), 10.0 if look.phone else 11.0
    kept, texts, here, named = [], [], 0, set[int]()
    for position, i in enumerate(wanted):
        if i in named:
            continue
        together = [j for j in range(len(names)) if front[j] == front[i] and _near(pixels[i], pixels[j])]
        named.update(together)
        kept.append(i)
        here += position < first
        more = f" and {len(together) - 1} more" if len(together) > 1 else ""
        texts.append(as_text(names[i], LONGEST) + more)
    words = [(x + k * text_width(text, 12) / 6, y) for x, y, text in notes for k in (-3, -2, -1, 0, 1, 2, 3)]
    spots = place([pixels[i] for i in kept], texts, size, (0, 0, *box), obstacles=[*pixels, *words], first=range(here))
    written = []
    for i, text, spot in zip(kept, texts, spots):
        if spot is None or (spot.radius > 18 and not front[i]):
            continue
        leader = spot.radius > 18
        tone = t["blue"] if front[i] else t["mute"]
        written.append({
            "x": at[i][0], "y": at[i][1], "text": f"<b>{text}</b>" if front[i] else text,
            "font": {"size": size, "color": tone, "shadow": halo(look.theme)},
            "showarrow": leader, "ax": spot.dx, "ay": spot.dy, "arrowhead": 0, "arrowwidth": 0.8, "arrowcolor": tone, "standoff": 6,
            "xshift": 0 if leader else spot.dx, "yshift": 0 if leader else -spot.dy,
        })  # fmt: skip
    annotate(figure, written)


def _near(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return abs(a[0] - b[0]) < NEAR_PX and abs(a[1] - b[1]) < NEAR_PX
