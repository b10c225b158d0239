"""Reading a text as an uploaded file, without a store."""

import datetime

import pytest

from data.importing.read import read

TODAY = datetime.date(2026, 11, 23)


@pytest.fixture
def reading(tmp_path):
    """A function: text or bytes of a file in, what was read out."""

    def from_text(text, table="clusters", name="file.csv", encoding="utf-8", **more):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return read(path, table, name, TODAY, **more)

    return from_text


@pytest.fixture
def rows_of(reading):
    """A function: text of a file in, its accepted rows without empty cells out."""

    def from_text(text, **more):
        rows = reading(text, **more).frame.to_dict("records")
        return [{name: value for name, value in row.items() if value is not None and value == value} for row in rows]

    return from_text
