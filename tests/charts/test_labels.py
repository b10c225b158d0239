from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charts.labels import place, spread, text_width

positions = st.lists(st.floats(0, 500), min_size=1, max_size=25)


@given(positions, st.floats(1, 30))
def test_spread_keeps_labels_apart_and_in_order(wanted, gap):
    placed = spread(wanted, gap)
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(placed[order]) >= gap - 1e-6).all()


@given(positions)
def test_labels_with_room_stay_where_they_want_to_be(wanted):
    far = [i * 100.0 for i in range(len(wanted))]
    assert spread(far, 20) == pytest.approx(far)


def test_spread_is_least_squares_for_two_at_one_place():
    assert spread([100.0, 100.0], 10) == pytest.approx([95.0, 105.0])


def test_placed_labels_do_not_overlap():
    points = [(100.0 + 3 * i, 100.0 + (i % 3)) for i in range(12)]
    texts = [f"Site {i}" for i in range(12)]
    boxes = []
    for (x, y), text, spot in zip(points, texts, place(points, texts, 12, (0, 0, 600, 400))):
        if spot is None:
            continue
        w, h = text_width(text, 12), 12 * 1.15
        box = (x + spot.dx - w / 2, y + spot.dy - h / 2, x + spot.dx + w / 2, y + spot.dy + h / 2)
        assert box[0] >= -3 and box[1] >= -3 and box[2] <= 603 and box[3] <= 403
        assert not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in boxes)
        boxes.append(box)
    assert len(boxes) >= 8


def test_tags_take_no_room():
    assert text_width("<b>12 MW</b>", 10) == pytest.approx(text_width("12 MW", 10))
