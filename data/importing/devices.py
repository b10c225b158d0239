"""What `nvidia-smi -L` prints: a line a GPU, its slices indented below, with the host before it where several were asked at once."""

from __future__ import annotations

import re

from data.importing.records import Records

LINE = re.compile(r"^\s*(?:(?P<host>[\w.-]+):\s*)?GPU (?P<index>\d+): (?P<name>.+?) \(UUID: (?P<uuid>GPU-[\w-]+)\)\s*$")
SLICE = re.compile(r"^\s*(?:[\w.-]+:\s*)?MIG .+\(UUID: MIG-[\w/-]+\)\s*$")  # a part of the GPU above it
HEADER = ["host", "index", "name", "uuid"]


def listed(text: str) -> Records | None:
    """Return the GPUs as rows when every line of the text is one, or a slice of one; else None."""
    if "(UUID: GPU-" not in text[:2_000]:
        return None
    records = Records([HEADER], [0])
    for number, line in enumerate(text.splitlines(), start=1):
        found = LINE.match(line)
        if found:
            records.rows.append([found["host"] or "", found["index"], found["name"], found["uuid"]])
            records.lines.append(number)
        elif line.strip() and not SLICE.match(line):
            return None
    return records
