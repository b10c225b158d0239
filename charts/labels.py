"""Where labels go: at the ends of lines without overlap, and beside points in a crowded plane."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from charts.look import Look
from charts.template import halo, tokens

_NARROW = dict.fromkeys("ilj.,'|!:;·ft ", 0.3)
_WIDE = dict.fromkeys("mwMWGOQ@%", 0.82)
_ANGLES = (0, 180, 35, -35, 145, -145, 90, -90, 65, -65, 115, -115)
_RADII = (9, 18, 30, 44, 60, 80)


def text_width(text: str, size: float) -> float:
    """Width in pixels of a line of text in the figure's font, estimated from its letters; tags count nothing."""
    bare, inside = [], False
    for letter in text:
        inside = letter == "<" or (inside and letter != ">")
        if not inside and letter != ">":
            bare.append(letter)
    return sum(_NARROW.get(c, _WIDE.get(c, 0.58 if c.islower() or c.isdigit() else 0.66)) for c in bare) * size


def spread(wanted: Sequence[float], gap: float, low: float = -1e9, high: float = 1e9) -> np.ndarray:
    """Positions at least `gap` apart, nearest to those wanted in least squares, within [low, high].

    Pool adjacent violators on wanted - i·gap: exact in one dimension.
    """
    want = np.asarray(wanted, dtype=float)
    order = np.argsort(want, kind="stable")
    blocks: list[list[float]] = []
    for value in want[order] - gap * np.arange(len(want)):
        blocks.append([value, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, n = blocks.pop()
            blocks[-1] = [(blocks[-1][0] * blocks[-1][1] + mean * n) / (blocks[-1][1] + n), blocks[-1][1] + n]
    flat = np.concatenate([np.full(int(n), mean) for mean, n in blocks]) if blocks else np.empty(0)
    room = max(low, high - gap * max(len(want) - 1, 0))
    placed = np.clip(flat, low, room) + gap * np.arange(len(want))
    out = np.empty_like(placed)
    out[order] = placed
    return out


@dataclass(frozen=True)
class EndLabel:
    """A label at the right end of a line: where the line ends, what to write (may hold our own <b>), in which colour."""

    y: float
    text: str
    color: str
    muted: str = ""


def end_labels(
    figure: go.Figure,
    labels: Sequence[EndLabel],
    look: Look,
    *,
    x_end: object,
    y_range: tuple[float, float],
    log: bool,
    plot_px: float,
    top_px: float = 0.0,
) -> None:
    """Write labels right of the plot, moved apart, each with a thin leader in its own colour.

    Parameters: figure to add to; labels; x_end, the axis' right end; y_range in axis units; log, whether the axis is
    logarithmic; plot_px, height of the plot area [px]; top_px free to use above it.
    """
    if not labels:
        return
    size = 10.5 if look.phone else 12
    low, high = (math.log10(v) for v in y_range) if log else y_range
    value = [math.log10(max(label.y, 1e-300)) if log else label.y for label in labels]
    at = [plot_px * (1 - (v - low) / ((high - low) or 1)) for v in value]
    placed = spread(at, size + (4 if look.phone else 6), -top_px, plot_px)
    muted = tokens(look)["mute"]
    written = []
    for label, v, wanted, got in zip(labels, value, at, placed):
        aside = f' <span style="color:{muted};font-size:{size - 1.5}px">{label.muted}</span>' if label.muted and not look.phone else ""
        written.append({
            "x": x_end, "y": v, "ax": 18 if not look.phone else 10, "ay": float(got - wanted), "text": label.text + aside,
            "xanchor": "left", "yanchor": "middle", "align": "left", "showarrow": True, "arrowhead": 0, "arrowwidth": 1,
            "arrowcolor": label.color, "standoff": 0, "font": {"size": size, "color": label.color},
        })  # fmt: skip
    annotate(figure, written)


def margin_for(labels: Sequence[EndLabel], look: Look) -> int:
    """Right margin in pixels that holds these labels."""
    size = 10.5 if look.phone else 12
    widest = max((text_width(f"{label.text} {'' if look.phone else label.muted}", size) for label in labels), default=0)
    return int(min(widest, 150 if look.phone else 330) + (18 if look.phone else 34))


@dataclass(frozen=True)
class Placed:
    """A label's centre as pixels from its point; radius 0 to 9 needs no leader."""

    dx: float
    dy: float
    radius: float


def place(
    points: Sequence[tuple[float, float]],
    texts: Sequence[str],
    size: float,
    box: tuple[float, float, float, float],
    *,
    obstacles: Sequence[tuple[float, float]] = (),
    lines: Sequence[Sequence[tuple[float, float]]] = (),
    first: Sequence[int] = (),
    pad: float = 2.0,
) -> list[Placed | None]:
    """Places for labels beside points in a plane, greedily: highlighted first, then the most crowded.

    Parameters: points in pixels, y downwards; texts; size of the font [px]; box (left, top, right, bottom) to stay in;
    obstacles, further points not to cover; lines, curves better not crossed; first, indices that choose first. Returns: a place a label, None without room.
    """
    p = np.asarray(points, dtype=float).reshape(-1, 2)
    everything = np.vstack([p, np.asarray(obstacles, dtype=float).reshape(-1, 2)])
    along = np.vstack([np.empty((0, 2)), *(_dense(line) for line in lines)])
    crowd = np.exp(-((p[:, None] - everything[None]) ** 2).sum(-1) / 1800).sum(1)
    order = sorted(range(len(p)), key=lambda i: (i not in set(first), -crowd[i]))
    boxes: list[tuple[float, float, float, float]] = []
    leaders: list[np.ndarray] = []
    out: list[Placed | None] = [None] * len(p)
    for i in order:
        w, h = text_width(texts[i], size) + 2 * pad, size * 1.15 + 2 * pad
        best: tuple[float, Placed, tuple[float, float, float, float], np.ndarray] | None = None
        for radius in _RADII:
            if best is not None and best[0] <= 0.9 * radius:
                break  # the radius alone costs as much as the best place so far
            for angle in _ANGLES:
                found = _try(p[i], w, h, radius, angle, box, everything, along, boxes, leaders)
                if found and (best is None or found[0] < best[0]):
                    best = found
        if best is not None and best[0] < 1000:
            out[i] = best[1]
            boxes.append(best[2])
            leaders.append(best[3])
    return out


def _dense(line: Sequence[tuple[float, float]], step: float = 4.0) -> np.ndarray:
    """Points along a polyline, at most `step` pixels apart."""
    p = np.asarray(line, dtype=float).reshape(-1, 2)
    p = p[np.isfinite(p).all(axis=1)]
    if len(p) < 2:
        return p
    far = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(p, axis=0).T))])
    at = np.linspace(0, far[-1], min(int(far[-1] / step) + 2, 2000))
    return np.column_stack([np.interp(at, far, p[:, 0]), np.interp(at, far, p[:, 1])])


def _try(point, w, h, radius, angle, box, everything, along, boxes, leaders):  # noqa: ANN001, ANN202 - inner loop of `place`
    c, s = math.cos(math.radians(angle)), -math.sin(math.radians(angle))
    x = point[0] + radius * c + np.sign(round(c, 2)) * w / 2 * min(1, abs(c) * 1.6)
    y = point[1] + radius * s + np.sign(round(s, 2)) * h / 2 * min(1, abs(s) * 1.4)
    b = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
    if b[0] < box[0] or b[1] < box[1] or b[2] > box[2] or b[3] > box[3]:
        return None
    hits = sum(not (b[2] < q[0] or b[0] > q[2] or b[3] < q[1] or b[1] > q[3]) for q in boxes)
    e = everything
    covered = np.count_nonzero((e[:, 0] > b[0] - 4) & (e[:, 0] < b[2] + 4) & (e[:, 1] > b[1] - 4) & (e[:, 1] < b[3] + 4))
    touched = int(np.count_nonzero((along[:, 0] > b[0]) & (along[:, 0] < b[2]) & (along[:, 1] > b[1]) & (along[:, 1] < b[3])))
    crossed = sum(bool(((line[:, 0] > b[0]) & (line[:, 0] < b[2]) & (line[:, 1] > b[1]) & (line[:, 1] < b[3])).any()) for line in leaders)
    steps = np.linspace(0.15, 0.85, 8)[:, None]
    leader = np.asarray(point) + steps * (np.array([x, y]) - np.asarray(point)) if radius > 9 else np.empty((0, 2))
    over = sum(bool(((leader[:, 0] > q[0]) & (leader[:, 0] < q[2]) & (leader[:, 1] > q[1]) & (leader[:, 1] < q[3])).any()) for q in boxes)
    turn = 0 if angle in (0, 180) else 4 if abs(angle) in (35, 145) else 6
    cost = 1000 * hits + 60 * covered + 40 * min(touched, 10) + 90 * crossed + 90 * over + 0.9 * radius + turn
    return cost, Placed(float(x - point[0]), float(y - point[1]), radius), b, leader


def note(figure: go.Figure, look: Look, text: str, **where: object) -> None:
    """A quiet note in the plot, with a halo in the page's colour so that it reads on lines."""
    annotate(figure, [quiet(look, text, **where)])


def quiet(look: Look, text: str, **where: object) -> dict[str, object]:
    """The annotation of a note, for `annotate`."""
    t = tokens(look)
    font = {"size": 10.5 if look.phone else 12, "color": t["mute"], "shadow": halo(look.theme)}
    return {"text": text, "showarrow": False, "align": "left", "font": font} | where


def annotate(figure: go.Figure, annotations: Sequence[dict[str, object]]) -> None:
    """Add annotations in one go: one at a time, plotly copies all that were there before."""
    figure.layout.annotations = (*figure.layout.annotations, *annotations)
