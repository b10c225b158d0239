"""The model's version: a short hash of the numeric core and of the data it is calibrated on."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from data.meta import SOURCES

ANALYTICS = Path(__file__).parent.parent / "analytics"
CALIBRATION = ("kernel_efficiency.csv", "calibration.csv")


@functools.cache
def model_version() -> str:
    """Ten hex digits that change whenever analytics/ or its calibration data do."""
    digest = hashlib.sha256()
    files = sorted(ANALYTICS.rglob("*.py")) + [SOURCES / name for name in CALIBRATION if (SOURCES / name).exists()]
    for path in files:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]
