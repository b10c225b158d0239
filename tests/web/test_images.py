"""Images: drawn by a real Chromium where there is one; queue, time limit, restart and cache with a stand-in for it."""

import asyncio
import io
import os
import shutil
import signal
import threading
import time

import pytest
from PIL import Image

from charts.template import FONT
from web import images
from web.images import ImageBusy, ImageRenderer, ImageUnavailable, Size

FIGURE = {"data": [{"type": "scatter", "x": [1, 2, 3], "y": [3, 1, 2]}], "layout": {"title": {"text": "IT power"}}}


class StandIn:
    """Draws after a pause, hangs or fails on demand, and counts."""

    drawn = 0
    opened = 0

    def __init__(self, pause_s=0.0, fail=False):
        self.pause_s, self.fail = pause_s, fail

    async def open(self):
        type(self).opened += 1

    async def calc_fig(self, figure, opts, topojson):
        await asyncio.sleep(self.pause_s)
        if self.fail:
            raise RuntimeError("tab crashed")
        type(self).drawn += 1
        return f"{opts['format']} {figure['layout']['title']['text']}".encode()

    async def close(self):
        pass


@pytest.fixture
def stand_in(monkeypatch):
    StandIn.drawn = StandIn.opened = 0
    made = []

    def use(**how):
        def kaleido(**_):
            made.append(StandIn(**how))
            return made[-1]

        monkeypatch.setattr("kaleido.Kaleido", kaleido)

    use()
    return use


def figure(title):
    return {"data": [], "layout": {"title": {"text": title}}}


def test_a_repeat_is_answered_from_disk_even_after_a_restart(stand_in, tmp_path):
    first = ImageRenderer(tmp_path).draw(figure("a"), "png")
    assert ImageRenderer(tmp_path).draw(figure("a"), "png") == first == b"png a"
    assert StandIn.drawn == 1
    assert ImageRenderer(tmp_path).draw(figure("a"), "png", Size(scale=2)) and StandIn.drawn == 2


def test_more_than_one_drawn_and_two_waiting_are_refused(stand_in, tmp_path):
    stand_in(pause_s=0.5)
    renderer = ImageRenderer(tmp_path)
    answers = []

    def ask(i):
        try:
            answers.append(renderer.draw(figure(str(i)), "png"))
        except ImageBusy:
            answers.append(None)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(None) == 3
    assert renderer.draw(figure("0"), "png") == b"png 0"  # the queue is free again


def test_two_asking_for_the_same_image_draw_it_once(stand_in, tmp_path):
    stand_in(pause_s=0.2)
    renderer = ImageRenderer(tmp_path)
    threads = [threading.Thread(target=renderer.draw, args=(figure("same"), "svg")) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert StandIn.drawn == 1


def test_a_hung_browser_is_ended_and_the_next_image_drawn_by_another(stand_in, tmp_path):
    stand_in(pause_s=60)
    renderer = ImageRenderer(tmp_path, time_limit_s=0.2)
    with pytest.raises(ImageUnavailable, match="longer than 0.2 s"):
        renderer.draw(figure("a"), "png")
    stand_in()
    assert renderer.draw(figure("a"), "png") == b"png a"


def test_a_failing_browser_is_replaced_once_and_then_said(stand_in, tmp_path):
    stand_in(fail=True)
    with pytest.raises(ImageUnavailable, match="failed on this figure"):
        ImageRenderer(tmp_path).draw(figure("a"), "png")
    assert StandIn.opened == 2


def test_the_browser_is_renewed_after_its_share(stand_in, tmp_path):
    renderer = ImageRenderer(tmp_path, renew_after=2)
    for i in range(5):
        renderer.draw(figure(str(i)), "png")
    assert StandIn.opened == 3


def test_without_a_browser_one_sentence_says_so(tmp_path):
    with pytest.raises(ImageUnavailable, match="Chromium"):
        ImageRenderer(tmp_path, browser_path="/nonexistent/chromium").draw(FIGURE, "png")


def test_a_cache_that_cannot_be_written_costs_only_the_cache(stand_in, tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert ImageRenderer(tmp_path / "file" / "cache").draw(figure("a"), "png") == b"png a"


def test_the_cache_keeps_what_was_used_last(tmp_path):
    for i in range(5):
        (tmp_path / f"{i}.png").write_bytes(b"x" * 100)
        os.utime(tmp_path / f"{i}.png", (time.time() - 100 + i,) * 2)
    (tmp_path / "old.part").write_bytes(b"x")
    os.utime(tmp_path / "old.part", (0, 0))
    images.sweep(tmp_path, 250)
    assert sorted(f.name for f in tmp_path.iterdir()) == ["3.png", "4.png"]


def test_the_placeholder_is_an_image_of_the_asked_size():
    image = Image.open(io.BytesIO(images.placeholder_png("IT power online, by site", "no Chromium here")))
    assert image.size == (1200, 630)


@pytest.mark.browser
@pytest.mark.skipif(not (os.environ.get("BROWSER_PATH") or shutil.which("chromium")), reason="no Chromium on this machine")
def test_a_real_browser_draws_and_survives_being_killed(tmp_path):
    renderer = ImageRenderer(tmp_path)
    try:
        image = Image.open(io.BytesIO(renderer.draw(FIGURE, "png", Size(600, 315, 2))))
        assert image.size == (1200, 630)
        assert len(image.convert("RGB").getcolors(2**24)) > 3
        world = {"data": [{"type": "scattergeo", "lon": [-90, 10], "lat": [35, 50]}], "layout": {"geo": {"showcountries": True}}}
        assert len(renderer.draw(world, "svg")) > 50_000  # coasts and borders, drawn without a network
        ours, machines = (
            {"data": [], "layout": {"title": {"text": "IT power"}, "font": {"family": f}}} for f in (FONT, FONT.replace("Inter", "Nowhere"))
        )
        assert renderer.draw(ours, "png") != renderer.draw(machines, "png")  # our typeface is there where the machine has none
        os.killpg(renderer._browser.subprocess.pid, signal.SIGKILL)
        assert renderer.draw(FIGURE, "svg").startswith(b"<svg")
    finally:
        renderer.close()
