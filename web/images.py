"""Figures drawn as PNG or SVG on the server, by one browser that is kept alive.

Starting a browser takes seconds and drawing takes tenths, so one browser serves every request, one figure at a time. A short queue
admits requests, a cache on disk answers repeats, a time limit ends a hung browser, and a browser that has drawn many figures is
replaced, because its memory grows.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from web.typeface import FONT_FILE, fontconfig

Form = Literal["png", "svg"]

log = logging.getLogger(__name__)

TOPO_FOLDER = Path(__file__).resolve().parent / "static" / "topo"  # shapes of maps, which plotly would fetch from elsewhere
CARD_WIDTH_PX, CARD_HEIGHT_PX = 1200, 630  # the size link previews are shown at
_SWEEP_EVERY = 50  # new files between two looks at the size of the cache
_NO_NETWORK = "127.0.0.1:9"  # a proxy nobody listens on: the browser draws what it is given and fetches nothing


class ImageUnavailable(RuntimeError):
    """No image can be drawn here: the message says why."""


class ImageBusy(RuntimeError):
    """Too many images are being drawn; ask again in a few seconds."""


@dataclass(frozen=True)
class Size:
    """Width and height of an image [CSS px] and the pixels drawn for each of them."""

    width_px: int = CARD_WIDTH_PX
    height_px: int = CARD_HEIGHT_PX
    scale: int = 1


class ImageRenderer:
    """Draws figures with one kept-alive browser.

    Parameters
    ----------
    cache_dir : folder of drawn images, made when first needed
    waiting : how many requests may wait behind the one being drawn
    time_limit_s : longest time one figure may take [s]
    start_limit_s : longest time the browser may take to start [s]
    renew_after : figures after which the browser is replaced
    cache_limit_bytes : the oldest images go when the folder holds more [B]
    browser_path : the Chromium to use; None looks at BROWSER_PATH and the usual places
    """

    def __init__(
        self,
        cache_dir: Path,
        *,
        waiting: int = 2,
        time_limit_s: float = 15.0,
        start_limit_s: float = 30.0,
        renew_after: int = 500,
        cache_limit_bytes: int = 200_000_000,
        browser_path: str | None = None,
    ) -> None:
        self.cache_dir = cache_dir
        self.time_limit_s = time_limit_s
        self.start_limit_s = start_limit_s
        self.renew_after = renew_after
        self.cache_limit_bytes = cache_limit_bytes
        self._browser_path = browser_path
        self._seats = threading.BoundedSemaphore(1 + waiting)
        self._one_at_a_time = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._browser: Any = None
        self._drawn = 0
        self._since_sweep = 0

    def draw(self, figure: dict[str, Any], form: Form, size: Size | None = None) -> bytes:
        """Return one figure as a file.

        Parameters
        ----------
        figure : a plotly figure as plain JSON values (`data` and `layout`)
        form : "png" or "svg"
        size : width, height and scale; the size of a link preview when absent

        Raises
        ------
        ImageBusy : the queue is full
        ImageUnavailable : there is no browser, it does not start, or the figure took longer than the limit
        """
        size = size or Size()
        path = self._path(figure, form, size)
        if cached := _read(path):
            return cached
        with self._seat(), self._one_at_a_time:
            if cached := _read(path):  # drawn by the request before this one
                return cached
            image = self._draw_now(figure, form, size)
            self._keep(path, image)
        return image

    def close(self) -> None:
        """End the browser; a later `draw` starts another."""
        with self._one_at_a_time:
            self._end_browser()

    def _path(self, figure: dict[str, Any], form: Form, size: Size) -> Path:
        text = json.dumps([figure, form, size.width_px, size.height_px, size.scale, _drawing_version()], sort_keys=True)
        return self.cache_dir / f"{hashlib.sha256(text.encode()).hexdigest()[:40]}.{form}"

    @contextlib.contextmanager
    def _seat(self) -> Iterator[None]:
        if not self._seats.acquire(blocking=False):
            raise ImageBusy("too many images are being drawn at once; ask again in a few seconds")
        try:
            yield
        finally:
            self._seats.release()

    def _draw_now(self, figure: dict[str, Any], form: Form, size: Size) -> bytes:
        if self._drawn >= self.renew_after:
            self._end_browser()
        options = {"format": form, "width": size.width_px, "height": size.height_px, "scale": size.scale}
        for last_try in (False, True):
            browser = self._running_browser()
            try:
                image = self._wait(browser.calc_fig(figure, opts=options, topojson=f"{TOPO_FOLDER.as_uri()}/"), self.time_limit_s)
            except TimeoutError as error:
                self._end_browser(kill=True)
                raise ImageUnavailable(f"drawing the image took longer than {self.time_limit_s:g} s and was stopped") from error
            except Exception as error:  # the browser died or refused; kaleido has many exception classes for it
                self._end_browser(kill=True)
                if last_try:
                    log.warning("image not drawn: %s", error)
                    raise ImageUnavailable("the browser that draws images failed on this figure") from error
            else:
                self._drawn += 1
                return bytes(image)
        raise AssertionError("unreachable")

    def _running_browser(self) -> Any:
        if self._browser is not None:
            return self._browser
        from choreographer.errors import ChromeNotFoundError
        from kaleido import Kaleido

        path = self._browser_path or os.environ.get("BROWSER_PATH") or shutil.which("chromium") or None
        with contextlib.suppress(OSError):  # without it the machine's own fonts serve
            os.environ["FONTCONFIG_FILE"] = str(fontconfig(self.cache_dir / "fonts"))
        try:
            browser = Kaleido(n=1, timeout=self.time_limit_s, mathjax=False, path=path, proxy_server=_NO_NETWORK)
        except ChromeNotFoundError as error:
            raise ImageUnavailable("images need a Chromium or Chrome on this machine; none was found (set BROWSER_PATH to one)") from error
        self._browser, self._drawn = browser, 0
        try:
            self._wait(browser.open(), self.start_limit_s)
        except Exception as error:
            self._end_browser(kill=True)
            log.warning("browser for images did not start: %s", error)
            raise ImageUnavailable("the browser that draws images did not start") from error
        return browser

    def _wait(self, work: Any, limit_s: float) -> Any:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name="images", daemon=True).start()
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, limit_s), self._loop)
        try:
            return future.result(limit_s + 5)
        except TimeoutError:
            future.cancel()
            raise

    def _end_browser(self, *, kill: bool = False) -> None:
        browser, self._browser = self._browser, None
        if browser is None:
            return
        process = getattr(browser, "subprocess", None)
        if kill and process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)  # it leads its own session: its helpers go with it
        with contextlib.suppress(Exception):
            self._wait(browser.close(), 10.0)

    def _keep(self, path: Path, image: bytes) -> None:
        try:
            self.cache_dir.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.cache_dir, suffix=".part", delete=False) as part:
                part.write(image)
            os.replace(part.name, path)
        except OSError as error:  # a full or read-only disk costs the cache, not the answer
            log.warning("image not cached: %s", error)
            return
        self._since_sweep += 1
        if self._since_sweep >= _SWEEP_EVERY:
            self._since_sweep = 0
            sweep(self.cache_dir, self.cache_limit_bytes)


def sweep(folder: Path, limit_bytes: int) -> None:
    """Remove the longest unused images of a folder until it holds at most `limit_bytes`, and parts left by a killed process."""
    files = []
    for file in folder.iterdir():
        with contextlib.suppress(OSError):
            if not file.is_file():
                continue
            stat = file.stat()
            if file.suffix == ".part" and time.time() - stat.st_mtime > 3600:
                file.unlink()
            else:
                files.append((stat.st_mtime, stat.st_size, file))
    held = sum(size for _, size, _ in files)
    for _, size, file in sorted(files):
        if held <= limit_bytes:
            return
        with contextlib.suppress(OSError):
            file.unlink()
        held -= size


def placeholder_png(title: str, sentence: str, size: Size | None = None) -> bytes:
    """Return a plain PNG with a title and a sentence, drawn without a browser."""
    import io
    import textwrap

    from PIL import Image, ImageDraw, ImageFont

    size = size or Size()
    image = Image.new("RGB", (size.width_px * size.scale, size.height_px * size.scale), "#ffffff")
    pen = ImageDraw.Draw(image)
    unit = image.width / 60
    pen.rectangle((0, 0, image.width, unit / 2), fill="#0072b2")
    y = unit * 5
    for text, height, colour in ((title, unit * 2, "#1a1a1a"), (sentence, unit * 1.2, "#5f5f5f"), ("Ridgepoint", unit * 1.2, "#0072b2")):
        font = ImageFont.truetype(FONT_FILE, size=height)
        for line in textwrap.wrap(text, width=int(1.6 * (image.width - 8 * unit) / height))[:3]:
            pen.text((unit * 4, y), line, font=font, fill=colour)
            y += height * 1.4
        y += unit
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _read(path: Path) -> bytes | None:
    try:
        image = path.read_bytes()
        os.utime(path)  # the sweep removes the longest unused first
    except FileNotFoundError:
        return None
    except OSError:
        return None
    return image or None


def _drawing_version() -> str:
    from importlib.metadata import version

    return f"plotly {version('plotly')} kaleido {version('kaleido')} {FONT_FILE.name}"
