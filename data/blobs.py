"""Files kept by their content: uploads and the tables that links showed. Written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

BLOCK_BYTES = 256 << 10  # larger ones are given back to the system each time, and cost more than they save


class Blobs:
    """A folder of files named by the SHA-256 of what is in them."""

    def __init__(self, folder: Path):
        self.folder = folder

    def put(self, content: bytes) -> str:
        """Keep these bytes; returns their SHA-256. OSError where the disk refuses."""
        digest = hashlib.sha256(content).hexdigest()
        if not self.path(digest).exists():
            with self._partial() as partial:
                partial.write_bytes(content)
                self._settle(partial, digest)
        return digest

    def put_file(self, source: Path) -> str:
        """Keep a copy of a file, read once and never whole in memory; returns its SHA-256."""
        hashed = hashlib.sha256()
        with self._partial() as partial:
            with source.open("rb") as file, partial.open("wb") as copy:
                while block := file.read(BLOCK_BYTES):
                    hashed.update(block)
                    copy.write(block)
            digest = hashed.hexdigest()
            if not self.path(digest).exists():
                self._settle(partial, digest)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes of a kept file; KeyError where there is none."""
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError:
            raise KeyError(digest) from None

    def path(self, digest: str) -> Path:
        """Where a kept file lies; ValueError where the name is no SHA-256."""
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise ValueError(f"{digest!r} is not the SHA-256 of a kept file")
        return self.folder / digest[:2] / digest

    def names(self) -> list[str]:
        """SHA-256 of every kept file, sorted."""
        return sorted(p.name for p in self.folder.glob("??/*") if len(p.name) == 64)

    def size(self) -> int:
        """Bytes kept."""
        return sum(self.path(name).stat().st_size for name in self.names())

    def faults(self, expected: set[str]) -> list[str]:
        """Kept files that are missing or damaged, as sentences."""
        found = []
        for name in sorted(expected):
            path = self.path(name)
            if not path.exists():
                found.append(f"{path}: the file is missing")
                continue
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != name:
                    found.append(f"{path}: the content no longer matches its name")
        return found

    def _partial(self) -> _Partial:
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="partial-", dir=self.folder)
        os.close(handle)
        return _Partial(Path(name))

    def _settle(self, partial: Path, digest: str) -> None:
        """Force the bytes to disk, then give the file its name in one step."""
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        target = self.path(digest)
        target.parent.mkdir(exist_ok=True)
        os.replace(partial, target)


class _Partial:
    """A temporary file that is gone afterwards unless it was given its name."""

    def __init__(self, path: Path):
        self.path = path

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.path.unlink(missing_ok=True)


def leftovers(folder: Path) -> Iterator[Path]:
    """Temporary files a killed writer left behind; safe to remove while no writer runs."""
    return folder.glob("partial-*")
