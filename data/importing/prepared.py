"""From an uploaded file to something that can be looked at, answered, drafted and committed."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data import uploads
from data.importing import child, remembered
from data.importing.columns import to_frame
from data.importing.report import OpenQuestions, Question, Refused
from data.meta import TableMeta, load_meta
from data.revisions import TableChange
from data.store import Store

if TYPE_CHECKING:
    import pandas as pd

    from data.importing.checks import Beside
    from data.importing.diff import Difference
    from data.importing.physics import SameSite

SHOWN_ROWS = 1_000
READY_ROWS = 50_000  # of a store with more, what an upload is compared with is not got ready before it is needed


@dataclass
class Prepared:
    """One upload as read: what it says, what could not be read, what it would change. Nothing is written yet."""

    upload: str
    name: str
    table: str
    today: datetime.date
    rows: pa.Table
    report: dict[str, Any]
    difference: Difference
    header: list[str]
    fields: dict[str, str | None]
    present: list[str]
    answers: dict[str, str] = field(default_factory=dict)
    layout: str = ""
    strict: bool = False
    compared_with: int = 0
    same_sites: list[SameSite] = field(default_factory=list)
    revision: int | None = None

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The accepted rows as a frame."""
        return to_frame(self.rows)

    @property
    def questions(self) -> list[Question]:
        """Questions still open."""
        return [Question(item["id"], item["text"], tuple(item["choices"]), item["provisional"]) for item in self.report["questions"]]

    def to_json(self) -> dict[str, Any]:
        """Return the whole result; `rows` are the first 1,000 accepted rows in canonical columns."""
        return {
            "upload": self.upload,
            "table": self.table,
            "mapping": self.report["mapping"],
            "questions": self.report["questions"],
            "rejects": self.report["rejects"],
            "warnings": self.report["warnings"],
            "counts": self.report["counts"],
            "diff": self.difference.to_json(),
            "rows": _rows(to_frame(self.rows.slice(0, SHOWN_ROWS)), load_meta(self.table)),
            "revision": self.revision,
        }

    def mapping_file(self) -> dict[str, Any]:
        """Return the mapping as an object that `mapping=` accepts, to be kept as a JSON file."""
        return {"columns": self.fields, "answers": self.answers}

    def draft(self) -> dict[str, pd.DataFrame]:
        """Return the accepted rows as a draft for `Snapshot.with_draft`."""
        return {self.table: self.frame.drop(columns="_line")}


def prepare(
    source: Path | str | bytes,
    *,
    table: str = "clusters",
    store: Store,
    name: str = "",
    today: datetime.date | None = None,
    mapping: Any = None,
    answers: dict[str, Any] | None = None,
    strict: bool = False,
    author: str = "",
    progress: Callable[[str], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    reader: child.Reader | None = None,
) -> Prepared:
    """Keep the file, read it in a process of its own, and compare it with the store. Nothing is written to the facts.

    Parameters: `source` a path or the bytes; `mapping` {"columns": {header: field or null}, "answers": {...}} as
    `Prepared.mapping_file` gives it, or None for the one remembered for this header; `answers` by question id;
    `progress` hears each stage; `cancel` is asked several times a second; `reader` is a process to read it in, started earlier.
    Errors: Refused (ValueError) with one sentence; Cancelled; data.uploads.UploadRefused; data.store.ReadOnly.
    """
    meta = load_meta(table)
    day = today or store.settings.day()
    content = source if isinstance(source, bytes) else Path(source)
    if isinstance(content, Path) and not content.is_file():
        raise Refused(f"{content} is not a file")
    shown_name = name or (content.name if isinstance(content, Path) else "upload.csv")
    if progress:
        progress("keeping")
    uploads.refuse_read_only(store)
    given = mapping if mapping is not None else None
    from_file = dict(given.get("answers") or {}) if isinstance(given, dict) and isinstance(given.get("answers"), dict) else {}
    given_answers = {str(key): str(value) for key, value in {**from_file, **(answers or {})}.items()}
    settings = store.settings
    with contextlib.nullcontext(reader) if reader else child.Reader() as reading:  # it loads its program while the file is kept
        kept = uploads.keep(store, content, shown_name, author)
        job = {
            "path": str(kept.path), "table": table, "name": shown_name, "today": day.isoformat(), "mapping": given,
            "answers": given_answers,
            "remembered": remembered.remembered(store, table) if given is None else {},
        }  # fmt: skip
        reading.begin(job, store.home / "tmp", settings.import_memory_mb, settings.import_seconds)
        with ThreadPoolExecutor(1) as meanwhile:
            beside = meanwhile.submit(_beside, store, table)
            told, rows = reading.result(progress, cancel)
    from data.importing import checks, diff, price_units

    if table == "clusters":
        rows = _same_sites(rows, given_answers, store)
    if progress:
        progress("comparing")
    prepared = Prepared(
        kept.upload_id, shown_name, table, day, rows, told["report"], diff.Difference(rows), told["header"], told["fields"], told["present"],
        told["answers"], told["layout"], strict,
    )  # fmt: skip
    prepared.compared_with = store.head()
    prepared.difference = diff.against_store(rows, store, meta, told["present"])
    put = prepared.difference.put
    if table == "clusters" and len(put):
        held = beside.result()
        if held is None or held.rev != prepared.compared_with:
            held = checks.Beside.of(store)
        prepared.same_sites = checks.same_sites(put, held)
        prepared.report["warnings"] += checks.implausible(put, held)
        prepared.report["warnings"] += [site.sentence for site in prepared.same_sites]
    if table == "api_prices":
        prepared.report["warnings"] += price_units.misread(to_frame(put))
    if strict and prepared.report["counts"]["rejected"]:
        prepared.report["warnings"].insert(
            0, f"strict: {prepared.report['counts']['rejected']} row(s) are rejected, so nothing can be committed"
        )
    return prepared


def _beside(store: Store, table: str) -> Beside | None:
    """Load what compares, and get ready what clusters are compared with, while another process reads the file.

    Returns None where no row may need it, and getting it would take longer than most files take to read.
    """
    from data.importing import checks, diff, price_units  # noqa: F401

    return checks.Beside.of(store) if table == "clusters" and store.size(table) <= READY_ROWS else None


def _same_sites(rows: pa.Table, answers: dict[str, str], store: Store) -> pa.Table:
    """Store a cluster under the id the user says it is known by (answers same:<id> = <known id>)."""
    wanted = {key.removeprefix("same:"): value for key, value in answers.items() if key.startswith("same:")}
    if not wanted:
        return rows
    known = set(store.ids("clusters").to_pylist())
    ids = rows["cluster_id"].cast(pa.string())
    for own, other in wanted.items():
        if own == other:
            continue
        if other not in known:
            raise Refused(f'the answer same:{own} = "{other}" names no cluster of the store')
        ids = pc.if_else(pc.equal(ids, own), other, ids)
    return rows.set_column(rows.column_names.index("cluster_id"), "cluster_id", ids)


def commit(prepared: Prepared, store: Store, *, author: str = "", note: str | None = None) -> int | None:
    """Write the accepted rows as one revision and remember the mapping; returns its number, None when nothing differs.

    Errors: OpenQuestions while a question is open; Refused when `strict` and rows are rejected; data.store.ReadOnly.
    """
    if prepared.report["questions"]:
        raise OpenQuestions(prepared.questions)
    if prepared.strict and prepared.report["counts"]["rejected"]:
        raise Refused(f"strict: {prepared.report['counts']['rejected']} row(s) are rejected, so nothing was written")
    from data.importing.diff import against_store

    meta = load_meta(prepared.table)
    found = prepared.difference
    if store.head() != prepared.compared_with:  # somebody wrote since: compare again
        found = against_store(prepared.rows, store, meta, prepared.present)
    if not len(found.put) and not found.remove:
        return None
    counts = prepared.report["counts"]
    said = note or f"{counts['read']:,} rows read, {counts['kept']:,} kept, {counts['rejected']:,} rejected"
    change = TableChange(prepared.table, put=found.put, remove=found.remove)
    revision = store.apply(
        [change], kind="import", author=author, file_name=prepared.name, sha256=prepared.upload, note=said, today=prepared.today
    )
    remembered.remember(store, prepared.table, prepared.header, prepared.fields, prepared.answers)
    prepared.revision = revision.rev
    return revision.rev


def _rows(frame: pd.DataFrame, meta: TableMeta) -> list[dict[str, Any]]:
    rows = frame.reindex(columns=list(meta.columns)).to_dict("records")
    return [{str(name): None if isinstance(value, float) and np.isnan(value) else value for name, value in row.items()} for row in rows]
