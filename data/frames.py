"""Frames of facts: typing by meta, keys, sources, the ladder of confidence, and writing them exactly."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.meta import TableMeta

if TYPE_CHECKING:
    import pandas as pd

_SLUG = re.compile(r"[^a-z0-9]+")


def typed(frame: pd.DataFrame, meta: TableMeta, *, given_only: bool = False) -> pd.DataFrame:
    """The frame with exactly the table's columns: numbers float64, the rest object text, blank None.

    With `given_only` the columns the frame lacks, the key's apart, are left out instead of filled with blanks.
    Errors: ValueError naming the column and the first value that is no number.
    """
    import pandas as pd  # in each function: command lines that need no frame start without it

    out: dict[str, pd.Series] = {}
    for name, column in meta.columns.items():
        if name not in frame and given_only and name not in meta.key:
            continue
        if name not in frame:
            empty = np.full(len(frame), np.nan) if column.numeric else np.full(len(frame), None, dtype=object)
            out[name] = pd.Series(empty, index=frame.index, dtype=empty.dtype)
            continue
        values = frame[name]
        if column.numeric and values.dtype == np.float64:
            out[name] = values
        elif column.numeric:
            numbers = pd.to_numeric(values.replace("", None) if values.dtype != float else values, errors="coerce").astype(float)
            wrong = values[numbers.isna() & values.notna() & (values.astype(str).str.strip() != "")]
            if len(wrong):
                raise ValueError(f"{meta.name}, column {name}: {wrong.iloc[0]!r} is not a number")
            out[name] = numbers
        else:
            text = values.to_numpy(dtype=object, copy=True)
            text[pd.isna(text) | (text == "")] = None
            out[name] = pd.Series(text, index=frame.index, dtype=object)
    return pd.DataFrame(out, index=frame.index, copy=False).reset_index(drop=True)


def fact_keys(frame: pd.DataFrame, meta: TableMeta) -> list[str]:
    """The key of each row as one text: a JSON list of the key columns, blanks as ""."""
    parts = pc.binary_join_element_wise(*(_json_texts(frame[name]) for name in meta.key), ",")
    return pc.binary_join_element_wise("[", parts, "]", "").to_pylist()


def _json_texts(values: pd.Series) -> pa.Array:
    """The JSON text of each value of a key column; every distinct value is written once."""
    import pandas as pd

    codes, distinct = pd.factorize(values.to_numpy(dtype=object if values.dtype != np.float64 else None))
    texts = pa.array([json.dumps(key_text(v), ensure_ascii=False) for v in distinct] + ['""'], type=pa.string())
    return texts.take(pa.array(np.where(codes < 0, len(distinct), codes)))


def key_text(value: object) -> str:
    """The text of a key's value: numbers by their shortest text, missing as an empty one."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    return number_text(value) if isinstance(value, float) else str(value)


def number_text(value: float) -> str:
    """The shortest text that reads back as the same number; whole numbers without a point."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))


def source_id(title: str, url: str) -> str:
    """A stable id of a source: words of its title and eight digits that tell titles and addresses apart."""
    slug = _SLUG.sub("-", title.lower()).strip("-")[:48].strip("-")
    digest = hashlib.sha256("\n".join((title, url)).encode()).hexdigest()
    return f"{slug}-{digest[:8]}"


def sources_of(frame: pd.DataFrame, meta: TableMeta) -> pd.DataFrame:
    """Source of each row: columns source_id, title, url, in the frame's order."""
    import pandas as pd

    title_codes, titles = _texts(frame, meta.source_column, meta.source_text or meta.title)
    url_codes, urls = _texts(frame, meta.source_url_column, "")
    pairs, codes = np.unique(title_codes * len(urls) + url_codes, return_inverse=True)
    ids = np.array([source_id(titles[pair // len(urls)], urls[pair % len(urls)]) for pair in pairs] or [""], dtype=object)
    columns = {"source_id": ids[codes], "title": titles[title_codes], "url": urls[url_codes]}
    return pd.DataFrame({name: pd.Series(values, index=frame.index, dtype=object) for name, values in columns.items()})


def _texts(frame: pd.DataFrame, column: str | None, default: str) -> tuple[np.ndarray, np.ndarray]:
    """A text column as codes and its distinct texts, the last of which is the default for blanks."""
    if column is None or column not in frame:
        return np.zeros(len(frame), dtype=np.int64), np.array([default], dtype=object)
    import pandas as pd

    codes, distinct = pd.factorize(frame[column].to_numpy(dtype=object))
    texts = np.array([v if isinstance(v, str) else default for v in distinct] + [default], dtype=object)
    return np.where(codes < 0, len(texts) - 1, codes), texts


def with_rung(frame: pd.DataFrame, meta: TableMeta) -> pd.DataFrame:
    """The frame with `rung`, `single_source` and `not_reread` read from its own words."""
    import pandas as pd

    if meta.rung_column:
        rung = frame[meta.rung_column].map(
            lambda word: meta.rung_words.get(word, word if word in meta.rung_words.values() else meta.rung_default)
        )
    else:
        rung = pd.Series([meta.rung_default] * len(frame), index=frame.index)
    flags = {name: _any_word(frame, words) for name, words in (("single_source", meta.single_source), ("not_reread", meta.not_reread))}
    return frame.assign(rung=rung.astype(object), **flags)


def _any_word(frame: pd.DataFrame, words: dict[str, tuple[str, ...]]) -> np.ndarray:
    hit = np.zeros(len(frame), dtype=bool)
    for column, values in words.items():
        texts = frame[column].map(lambda v: number_text(v) if isinstance(v, float) and not np.isnan(v) else v)
        hit |= texts.isin(values).to_numpy()
    return hit


def csv_text(frame: pd.DataFrame) -> str:
    """Exact CSV of a frame: numbers by their shortest text, missing as blank, quotes where needed, lines end in \\n."""
    import pandas as pd

    columns = []
    for name in frame.columns:
        values = frame[name]
        if pd.api.types.is_float_dtype(values.dtype):
            columns.append(["" if np.isnan(v) else number_text(v) for v in values])
        else:
            missing = [v is None or v is pd.NA or (isinstance(v, float) and np.isnan(v)) for v in values]
            columns.append(["" if gone else _quoted(str(v)) for v, gone in zip(values, missing)])
    lines = [",".join(_quoted(str(name)) for name in frame.columns), *(",".join(row) for row in zip(*columns))]
    # A single blank column must not become an empty line, which readers skip.
    return "".join((line or '""') + "\n" for line in lines)


def _quoted(text: str) -> str:
    """Quotes where a reader needs them; Python's own csv module leaves a lone carriage return bare."""
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\r\n') else text
