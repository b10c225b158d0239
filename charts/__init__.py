"""Charts, each defined once and drawn by every door: page, link, HTTP, image, test."""

import importlib
import pkgutil


def load_all() -> None:
    """Import every module under charts/, so that every chart is registered."""
    for found in pkgutil.walk_packages(__path__, f"{__name__}."):
        importlib.import_module(found.name)
