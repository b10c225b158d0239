"""What a table of facts is: its key, columns, units, sources and words, read from NAME.meta.yml beside NAME.csv."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

SOURCES = Path(__file__).parent / "sources"
RUNGS = ("primary", "reported", "modelled", "claim")
Rung = Literal["primary", "reported", "modelled", "claim"]
ColumnType = Literal["text", "integer", "number", "date"]


@dataclass(frozen=True)
class Column:
    """One column: its type, unit, help and what it accepts. Dates are ISO text of a year, a month or a day."""

    name: str
    type: ColumnType
    unit: str = ""
    help: str = ""
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    required: bool = False

    @property
    def numeric(self) -> bool:
        """Whether values are numbers."""
        return self.type in ("integer", "number")


@dataclass(frozen=True)
class TableMeta:
    """One table of facts as its meta.yml declares it."""

    name: str
    title: str
    about: str
    key: tuple[str, ...]
    columns: dict[str, Column]
    source_column: str | None = None
    source_url_column: str | None = None
    source_text: str = ""
    as_of_column: str | None = None
    rung_column: str | None = None
    rung_words: dict[str, str] = field(default_factory=dict)
    rung_default: str = "reported"
    not_reread: dict[str, tuple[str, ...]] = field(default_factory=dict)
    single_source: dict[str, tuple[str, ...]] = field(default_factory=dict)
    derived: dict[str, str] = field(default_factory=dict)
    credit: str = ""

    @property
    def path(self) -> Path:
        """The shipped CSV of this table."""
        return SOURCES / f"{self.name}.csv"


def table_names() -> list[str]:
    """Names of all tables of facts, sorted."""
    return sorted(p.name.removesuffix(".meta.yml") for p in SOURCES.glob("*.meta.yml"))


def read_yaml(path: Path) -> Any:
    """The content of a YAML file of ours, by the parser written in C where there is one: it is ten times as fast."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@functools.cache
def load_meta(name: str) -> TableMeta:
    """The declaration of a table; ValueError names the tables there are, or what is wrong in the file."""
    if name not in table_names():
        raise ValueError(f"no table {name!r}; tables are {', '.join(table_names())}")
    where = f"{name}.meta.yml"
    raw = read_yaml(SOURCES / where)
    columns = {c: _column(c, spec or {}, where) for c, spec in raw["columns"].items()}
    source, rung = raw.get("source") or {}, raw.get("rung") or {}
    meta = TableMeta(
        name=name,
        title=raw["title"],
        about=raw["about"],
        key=tuple(raw["key"]),
        columns=columns,
        source_column=source.get("column"),
        source_url_column=source.get("url_column"),
        source_text=source.get("text", ""),
        as_of_column=raw.get("as_of_column"),
        rung_column=rung.get("column"),
        rung_words=rung.get("words", {}),
        rung_default=rung.get("default", "reported"),
        not_reread={c: tuple(words) for c, words in (raw.get("not_reread") or {}).items()},
        single_source={c: tuple(words) for c, words in (raw.get("single_source") or {}).items()},
        derived=raw.get("derived") or {},
        credit=raw.get("credit", ""),
    )
    named = [*meta.key, *meta.not_reread, *meta.single_source, *meta.derived, *meta.derived.values()]
    named += [c for c in (meta.source_column, meta.source_url_column, meta.as_of_column, meta.rung_column) if c]
    unknown = sorted(set(named) - set(columns))
    if unknown:
        raise ValueError(f"{where} names columns the table lacks: {', '.join(unknown)}")
    wrong = sorted({*meta.rung_words.values(), meta.rung_default} - set(RUNGS))
    if wrong:
        raise ValueError(f"{where}: confidence {', '.join(wrong)} is not one of {', '.join(RUNGS)}")
    return meta


def _column(name: str, spec: dict[str, Any], where: str) -> Column:
    kind = spec.get("type", "text")
    if kind not in ("text", "integer", "number", "date"):
        raise ValueError(f"{where}, column {name}: type {kind!r} is not text, integer, number or date")
    known = {"type", "unit", "help", "choices", "minimum", "maximum", "required"}
    if set(spec) - known:
        raise ValueError(f"{where}, column {name}: {', '.join(sorted(set(spec) - known))} is not known; {', '.join(sorted(known))} are")
    return Column(
        name,
        kind,
        spec.get("unit", ""),
        spec.get("help", ""),
        tuple(str(c) for c in spec.get("choices", ())),
        spec.get("minimum"),
        spec.get("maximum"),
        bool(spec.get("required", False)),
    )
