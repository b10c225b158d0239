"""The store: one DuckDB file of append-only events, opened by one process, read as of any revision."""

from __future__ import annotations

import contextlib
import datetime
import functools
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from data import editions, revisions
from data.meta import load_meta
from data.revisions import Revision, TableChange
from data.schema import migrate, refuse_other_versions
from data.settings import Settings
from data.snapshot import Snapshot

if TYPE_CHECKING:
    import pandas as pd

CACHED_STATES = 64


class StoreBusy(ValueError):
    """Another process holds the store."""


class UnknownRevision(ValueError):
    """A revision the store does not have."""


class ReadOnly(ValueError):
    """The store cannot be written now."""


@dataclass
class Store:
    """An open store. Reads take a cursor each; writers pass one lane, so revision numbers are dense."""

    settings: Settings
    connection: duckdb.DuckDBPyConnection
    home: Path
    read_only_reason: str = ""
    _lane: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        self._state = functools.lru_cache(maxsize=CACHED_STATES)(self._load_state)

    @classmethod
    def open(cls, settings: Settings | None = None, *, shipped: bool = True) -> Store:
        """Open or make the store under `settings.home`, lock it down and take in new shipped editions.

        A home that cannot be written is opened for reading; without a store in it, shipped facts are held in memory.
        Errors: StoreBusy, data.schema.StoreTooNew.
        """
        settings = settings or Settings.from_env()
        home = settings.home.resolve()
        connection, reason = _connect(home, settings)
        store = cls(settings, connection, home, reason.removeprefix("memory: "))
        ours = not reason or reason.startswith("memory")
        try:
            (migrate if ours else refuse_other_versions)(connection)
            _lock_down(connection, home)
            if shipped and ours:
                editions.take_in(store)
                editions.retake(store)  # where a process ended between an undo and what it let in
        except BaseException:
            connection.close()  # or the file stays locked for whoever tries again
            raise
        return store

    def close(self) -> None:
        """Close the file; committed revisions stay."""
        with self._lane:
            self.connection.close()

    @contextlib.contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of its own for one read."""
        cursor = self.connection.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    @contextlib.contextmanager
    def writing(self, *, edition: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction in the writers' lane: all of it or nothing. ReadOnly where the store cannot be written.

        `edition`: the product's own facts at the start, which a server that only reads takes in too.
        """
        if self.settings.read_only and not edition:
            raise ReadOnly("this server only reads (RIDGEPOINT_READ_ONLY is true): nothing was written")
        if self.read_only_reason and not edition:
            raise ReadOnly(f"{self.read_only_reason}: nothing was written; reading goes on")
        with self._lane, self.cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                yield cursor
                cursor.execute("COMMIT")
            except BaseException as failure:
                with contextlib.suppress(duckdb.Error):
                    cursor.execute("ROLLBACK")
                if isinstance(failure, (duckdb.IOException, duckdb.FatalException, duckdb.TransactionException, OSError)):
                    raise ReadOnly(
                        f"the store in {self.home} could not be written ({_first_line(failure)}): nothing was written"
                    ) from failure
                raise

    def head(self) -> int:
        """The newest revision's number; 0 for an empty store."""
        return int(self.one("SELECT coalesce(max(rev), 0) FROM revisions"))

    def one(self, sql: str, values: list[Any] | None = None) -> Any:
        """The first value of a query."""
        with self.cursor() as cursor:
            row = cursor.execute(sql, values or []).fetchone()
        return None if row is None else row[0]

    def frame(self, sql: str, values: list[Any] | None = None) -> pd.DataFrame:
        """A query's result as a frame."""
        with self.cursor() as cursor:
            return cursor.execute(sql, values or []).df()

    def snapshot(self, rev: int | None = None, today: datetime.date | None = None) -> Snapshot:
        """The facts as of a revision (the newest by default); UnknownRevision names those there are."""
        head = self.head()
        if rev is None:
            rev = head
        if not 1 <= rev <= head:
            raise UnknownRevision(f"revision {rev} does not exist; revisions 1 to {head} do")
        return Snapshot(self, rev, today or self.settings.day())

    def state(self, table: str, rev: int) -> pd.DataFrame:
        """Rows of a table as of a revision, ordered by key; shared between callers, so never to be changed."""
        changed_in = self.one(
            "SELECT coalesce(max(rev), 0) FROM revision_tables WHERE table_name = ? AND rev <= ?", [load_meta(table).name, rev]
        )
        return self._state(table, int(changed_in))

    def _load_state(self, table: str, rev: int) -> pd.DataFrame:
        with self.cursor() as cursor:
            cursor.execute("BEGIN")  # its two reads see one moment, whatever is committed between them
            try:
                return revisions.state(cursor, load_meta(table), rev)
            finally:
                cursor.execute("COMMIT")

    def size(self, table: str) -> int:
        """How many facts the newest state of a table has."""
        with self.cursor() as cursor:
            return revisions.size(cursor, load_meta(table))

    def ids(self, table: str) -> pa.Array:
        """Values of the first key column in a table's newest state, each once, in no order."""
        with self.cursor() as cursor:
            return revisions.ids(cursor, load_meta(table))

    def history(self, table: str, rev: int) -> pd.DataFrame:
        """Every event of a table up to a revision, by revision and key."""
        with self.cursor() as cursor:
            return revisions.history(cursor, load_meta(table), rev)

    def part(self, table: str, columns: list[str], ids: pa.Array | None = None) -> pd.DataFrame:
        """Some columns of a table's newest state with fact_key, ordered by key; `ids` are values of its first key column."""
        with self.cursor() as cursor:
            return revisions.part(cursor, load_meta(table), columns, ids)

    def ids_that_differ(self, table: str, rows: pa.Table, given: list[str]) -> pa.Array:
        """Values of the first key column that have a row in `rows` which is new, or which differs in a `given` column."""
        with self.cursor() as cursor:
            return revisions.ids_that_differ(cursor, load_meta(table), rows, given)

    def apply(
        self,
        changes: list[TableChange],
        *,
        kind: str = "import",
        author: str = "",
        file_name: str | None = None,
        sha256: str | None = None,
        note: str | None = None,
        today: datetime.date | None = None,
        origin: str = "upload",
    ) -> Revision:
        """Write changes as one new revision, or raise and write nothing."""
        with self.writing() as cursor:
            return revisions.write(
                cursor,
                changes,
                kind=kind,
                author=author,
                file_name=file_name,
                sha256=sha256,
                note=note,
                today=today or self.settings.day(),
                origin=origin,
            )

    def undo(self, rev: int, *, author: str = "", note: str | None = None, today: datetime.date | None = None) -> Revision:
        """Take a revision back by a new one; facts changed again since then stay and are counted in the note.

        Errors: UnknownRevision; ValueError where it is the first revision or nothing of it is left.
        """
        if not 1 <= rev <= self.head():
            raise UnknownRevision(f"revision {rev} does not exist; revisions 1 to {self.head()} do")
        with self.writing() as cursor:
            done = revisions.undo(cursor, rev, author=author, note=note, today=today or self.settings.day())
        editions.retake(self)
        return done

    def revisions(self) -> pd.DataFrame:
        """All revisions, newest first, with counts of what each added, changed and removed."""
        return self.frame(
            """SELECT r.rev, r.time, r.kind, r.author, r.file_name, r.sha256, r.note, r.today,
                      coalesce(sum(t.added), 0)::BIGINT AS added, coalesce(sum(t.changed), 0)::BIGINT AS changed,
                      coalesce(sum(t.removed), 0)::BIGINT AS removed,
                      coalesce(string_agg(t.table_name, ', ' ORDER BY t.table_name), '') AS tables
               FROM revisions r LEFT JOIN revision_tables t USING (rev) GROUP BY ALL ORDER BY r.rev DESC"""
        )

    def unsettled(self) -> pd.DataFrame:
        """Rows where a shipped edition differs from what a user changed."""
        return self.frame("SELECT * FROM unsettled ORDER BY table_name, fact_key")


def _connect(home: Path, settings: Settings) -> tuple[duckdb.DuckDBPyConnection, str]:
    """The connection, and why it cannot be written ("" where it can)."""
    config: dict[str, Any] = {
        "memory_limit": f"{settings.store_memory_mb}MB",
        "threads": min(4, os.cpu_count() or 1),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "storage_compatibility_version": "v1.5.0",  # a new file's compressions are those of the DuckDB that is pinned
    }
    path = home / "ridgepoint.duckdb"
    try:
        home.mkdir(parents=True, exist_ok=True)
        writable = os.access(home, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))
    except OSError:
        writable = False
    try:
        if writable:
            try:
                return duckdb.connect(str(path), config=config), ""
            except duckdb.IOException as failure:
                if "lock" in str(failure).lower():
                    raise
                if not path.exists():
                    return duckdb.connect(config=config), f"memory: the folder {home} cannot be written"
        if path.exists():
            return duckdb.connect(str(path), read_only=True, config=config), f"the folder {home} cannot be written"
    except duckdb.IOException as failure:
        if "lock" not in str(failure).lower():
            raise ValueError(f"the store {path} cannot be opened: {_first_line(failure)}") from failure
        raise StoreBusy(
            f"the store {path} is in use by another process: stop that server, or use its pages and its HTTP addresses instead"
        ) from failure
    return duckdb.connect(config=config), f"memory: the folder {home} cannot be written"


def _lock_down(connection: duckdb.DuckDBPyConnection, home: Path) -> None:
    """No file, network or extension from here on, and no way back while this process runs."""
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _first_line(failure: BaseException) -> str:
    return (str(failure).splitlines() or [type(failure).__name__])[0][:200]
