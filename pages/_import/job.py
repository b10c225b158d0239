"""One upload of this session: read beside the page in a thread, so that the page shows how far it is and can stop it."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from data.importing import Cancelled, Prepared, prepare
from data.process import the_store
from data.store import Store
from pages._shell import url_state

STAGES = {
    "keeping": "keeping the file",
    "detecting": "finding encoding and delimiter",
    "splitting": "splitting into rows",
    "mapping": "finding which column is which",
    "parsing": "reading the cells",
    "checking": "checking the rows",
    "comparing": "comparing with the store",
}
_KEY = "_import"
log = logging.getLogger(__name__)


@dataclass
class Job:
    """A file and how far its import is; `answers` and `mapping` are what the reader said so far."""

    content: bytes
    name: str
    table: str
    file_id: str
    answers: dict[str, str] = field(default_factory=dict)
    mapping: dict[str, Any] | None = None
    stage: str = "keeping"
    running: bool = True
    cancelled: bool = False
    prepared: Prepared | None = None
    refused: str = ""
    committed: int | None = None
    told: str = ""
    drafted: bool = False

    def begin(self, store: Store) -> None:
        """Read the file, again after an answer or a correction."""
        self.running, self.cancelled, self.prepared, self.refused, self.stage = True, False, None, "", "keeping"
        self.committed, self.told = None, ""
        threading.Thread(target=self._run, args=(store,), daemon=True).start()

    def _run(self, store: Store) -> None:
        try:
            self.prepared = prepare(
                self.content,
                table=self.table,
                store=store,
                name=self.name,
                mapping=self.mapping,
                answers=self.answers,
                progress=self._at,
                cancel=lambda: self.cancelled,
            )
        except Cancelled:
            self.refused = "The import was cancelled; nothing was written."
        except (ValueError, OSError) as wrong:
            self.refused = str(wrong)
        except Exception:  # whatever it is, the reader gets a sentence and the log the rest
            log.exception("the import of %s failed", self.name)
            self.refused = "The file could not be read; what went wrong stands in the server's log. Nothing was written."
        self.running = False

    def _at(self, stage: str) -> None:
        self.stage = stage

    @property
    def progress(self) -> float:
        """Share of the stages behind, from 0 to 1."""
        names = list(STAGES)
        return (names.index(self.stage) if self.stage in names else 0) / len(names)


def current() -> Job | None:
    """The upload of this session, if there is one."""
    return st.session_state.get(_KEY)


def start(content: bytes, name: str, table: str, file_id: str, mapping: dict[str, Any] | None) -> Job:
    """Take a new file; one that was under way is stopped."""
    before = current()
    if before is not None:
        before.cancelled = True
    job = Job(content, name, table, file_id, mapping=mapping)
    st.session_state[_KEY] = job
    job.begin(the_store())
    return job


def forget() -> None:
    """Put the upload of this session away; nothing of it was or will be written."""
    url_state.keep_state()
    job = st.session_state.pop(_KEY, None)
    if job is not None:
        job.cancelled = True
    st.session_state["_uploader"] = st.session_state.get("_uploader", 0) + 1
