"""Every setting of the product: RIDGEPOINT_* environment variables with their defaults and meaning."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


def _flag(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("true or false")


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return read


def _day(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError("a day as YYYY-MM-DD") from None


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())


def _setting(default: Any, read: Callable[[str], Any], meaning: str) -> Any:
    return field(default=default, metadata={"read": read, "meaning": meaning})


@dataclass(frozen=True)
class Settings:
    """What the environment asks for; `from_env` reads it, `rows` lists it."""

    home: Path = _setting(Path("var"), Path, "folder for the store, kept uploads, links and images")
    host: str = _setting("127.0.0.1", str, "address the server binds to; loopback unless you open it")
    port: int = _setting(8501, _whole(1, 65535), "port the server listens on")
    allowed_hosts: tuple[str, ...] = _setting((), _names, "further host names the server answers to, separated by commas")
    public_url: str = _setting("", str, "address readers see, put into links and previews; the request's own when empty")
    today: datetime.date | None = _setting(None, _day, "the day taken as today; the clock's when empty")
    max_upload_mb: int = _setting(1000, _whole(1, 100_000), "largest CSV accepted over HTTP and by the command line, MB")
    max_page_upload_mb: int = _setting(50, _whole(1, 2_000), "largest CSV accepted by the page, MB")
    upload_quota_mb: int = _setting(5000, _whole(1, 1_000_000), "room for kept uploads, MB")
    import_memory_mb: int = _setting(2000, _whole(256, 100_000), "memory an import's process may take, MB")
    import_seconds: int = _setting(600, _whole(5, 86_400), "time an import's process may take, seconds")
    store_memory_mb: int = _setting(1024, _whole(128, 100_000), "memory the store may take, MB")
    images: bool = _setting(True, _flag, "draw PNG and SVG on the server (needs Chromium)")
    chromium: str = _setting("", str, "path of Chromium; found on PATH when empty")
    admin: bool = _setting(False, _flag, "allow the administrator's actions on pages (benchmark runs)")
    metrics: bool = _setting(False, _flag, "answer Streamlit's metrics and agent addresses")
    read_only: bool = _setting(False, _flag, "refuse every import, link and undo")

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Settings of an environment; ValueError names the variable, its value and what is accepted."""
        environment = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        known = {_variable(f.name): f for f in fields(cls)}
        for variable, text in environment.items():
            if not variable.startswith("RIDGEPOINT_"):
                continue
            if variable not in known:
                raise ValueError(f"{variable} is not a setting; `python -m data settings` lists them")
            setting = known[variable]
            if text == "" and setting.name != "today":
                continue
            try:
                values[setting.name] = setting.metadata["read"](text)
            except ValueError as wrong:
                raise ValueError(f"{variable}={text!r}: {wrong} is accepted") from None
        return cls(**values)

    def rows(self) -> list[dict[str, str]]:
        """One row a setting: variable, value in force, default, meaning."""
        return [
            {
                "variable": _variable(f.name),
                "value": _shown(getattr(self, f.name)),
                "default": _shown(f.default),
                "meaning": f.metadata["meaning"],
            }
            for f in fields(self)
        ]

    def day(self) -> datetime.date:
        """The day taken as today."""
        return self.today or datetime.date.today()


def _variable(name: str) -> str:
    return f"RIDGEPOINT_{name.upper()}"


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
