"""Uploaded files, kept as they came before anything reads them: named by content, within a quota."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass
from pathlib import Path

from data.blobs import Blobs
from data.store import Store


class UploadRefused(ValueError):
    """The file cannot be kept: too large, or no room left for it."""


@dataclass(frozen=True)
class Upload:
    """A kept file: its SHA-256, the name it came with, its size, and where it lies."""

    upload_id: str
    name: str
    size_bytes: int
    path: Path


def _digest(source: Path | bytes) -> str:
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse_read_only(store: Store) -> None:
    """Raise data.store.ReadOnly where the store cannot be written."""
    with store.writing() as cursor:
        cursor.execute("SELECT 1")


def keep(store: Store, source: Path | bytes, name: str, author: str = "") -> Upload:
    """Keep a copy of a file; the same content is kept once.

    Errors: UploadRefused when the file is larger than RIDGEPOINT_MAX_UPLOAD_MB or does not fit into
    RIDGEPOINT_UPLOAD_QUOTA_MB; data.store.ReadOnly when the store cannot be written.
    """
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    settings = store.settings
    if size > settings.max_upload_mb * 1_000_000:
        raise UploadRefused(
            f"the file has {size / 1e6:,.0f} MB; at most {settings.max_upload_mb:,} MB are accepted (RIDGEPOINT_MAX_UPLOAD_MB)"
        )
    refuse_read_only(store)
    blobs = Blobs(store.home / "uploads")
    kept_bytes = int(store.one("SELECT coalesce(sum(bytes), 0) FROM uploads"))
    if kept_bytes + size > settings.upload_quota_mb * 1_000_000:
        upload_id = _digest(source)
        if store.one("SELECT 1 FROM uploads WHERE upload_id = ?", [upload_id]) and blobs.path(upload_id).exists():
            return Upload(upload_id, name, size, blobs.path(upload_id))
        raise UploadRefused(
            f"kept uploads take {kept_bytes / 1e6:,.0f} of {settings.upload_quota_mb:,} MB and this file has {size / 1e6:,.1f} MB: "
            "remove old uploads or raise RIDGEPOINT_UPLOAD_QUOTA_MB"
        )
    upload_id = blobs.put(source) if isinstance(source, bytes) else blobs.put_file(source)  # what was written is what is named
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    with store.writing() as cursor:
        cursor.execute("INSERT INTO uploads VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", [upload_id, name, size, now, author])
    return Upload(upload_id, name, size, blobs.path(upload_id))
