"""What every door needs: the settings, the store and the renderer of this process."""

from __future__ import annotations

import atexit
import functools

from data.process import the_store
from data.settings import Settings
from data.store import Store
from web.images import ImageRenderer


@functools.cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings.from_env()


def store() -> Store:
    """The store of this process."""
    return the_store(settings())


@functools.cache
def renderer() -> ImageRenderer:
    """The renderer of images, with its cache beside the store."""
    made = ImageRenderer(settings().home.resolve() / "cache" / "images", browser_path=settings().chromium or None)
    atexit.register(made.close)
    return made
