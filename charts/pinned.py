"""Charts as links keep them: making a link of what is on show, opening it, and telling what has changed since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from charts import compute, registry, state
from data import links
from data.link_changes import Difference, difference
from data.links import Link
from data.model_version import model_version
from data.store import Store


@dataclass(frozen=True)
class Notice:
    """What a link shows otherwise than the chart would now, and why: `causes` of "model", "data" and "day"."""

    sentence: str
    causes: tuple[str, ...]
    difference: Difference
    old_finding: str
    new_finding: str
    old_rev: int
    new_rev: int

    def to_json(self) -> dict[str, Any]:
        """The notice as plain values."""
        plain = {"sentence": self.sentence, "causes": list(self.causes), **self.difference.to_json()}
        findings = {"old_finding": self.old_finding, "new_finding": self.new_finding}
        return plain | findings | {"old_revision": self.old_rev, "new_revision": self.new_rev}


@dataclass(frozen=True)
class Pinned:
    """A link opened: its chart, its parameters as today's model of them reads them, and the table it showed."""

    link: Link
    chart: Any
    params: Any
    ignored: tuple[str, ...]
    table: pd.DataFrame


def make(store: Store, chart: Any, params: Any, rev: int | None = None) -> Link:
    """Keep what a chart shows at a revision (the newest by default) and return its link.

    Errors: UnknownRevision; ReadOnly where the store cannot be written.
    """
    snapshot = store.snapshot(rev)
    made = compute.compute(chart, params, snapshot)
    return links.save(
        store,
        page=chart.page,
        chart=chart.id,
        params=params.model_dump(mode="json"),
        rev=made.rev,
        model=made.model,
        table=made.table,
        receipt=made.receipt.to_json(),
        words=made.words.to_json(),
        today=snapshot.today,
    )


def opened(store: Store, link_id: str) -> Pinned:
    """Open a link on the table it showed. Errors: UnknownLink, also where its chart is no longer there."""
    link = links.load(store, link_id)
    chart = registry.CHARTS.get(link.chart)
    if chart is None:
        raise links.UnknownLink(
            f"link {link.id} shows the chart {link.chart}, which this version does not have; /s/{link.id}.csv holds its table"
        )
    params, ignored = state.decode(chart.params, state.pairs(link.params))
    return Pinned(link, chart, params, tuple(ignored), links.table_of(store, link))


def notice(store: Store, pinned: Pinned) -> Notice | None:
    """Return what differs between a link and its chart computed now; None where nothing does.

    The causes are told apart by changing one thing at a time: first the model, then the data, then the day.
    """
    link, head = pinned.link, store.head()
    then = _computed(store, pinned, link.rev, link.today)
    causes = []
    if link.model != model_version() and difference(pinned.table, then.table):
        causes.append("model")
    now_data = then if head == link.rev else _computed(store, pinned, head, link.today)
    if head != link.rev and difference(then.table, now_data.table):
        causes.append("data")
    today = store.settings.day()
    now = now_data if today == link.today else _computed(store, pinned, head, today)
    if today != link.today and difference(now_data.table, now.table):
        causes.append("day")
    found = difference(pinned.table, now.table)
    if not found or not causes:
        return None
    old, new = str(link.words.get("finding") or ""), str(now.words.to_json().get("finding") or "")
    told = {
        "model": f"the model changed ({link.model} → {now.model})",
        "data": f"the data changed (revision {link.rev} → {head})",
        "day": f"the day moved on ({link.today:%-d %b %Y} → {today:%-d %b %Y})",
    }
    why = " and ".join(told[cause] for cause in causes)
    sentence = f"This link shows what it showed on {link.today:%-d %b %Y}. Since then {why}: {found.sentence()}."
    return Notice(sentence, tuple(causes), found, old, new, link.rev, head)


def _computed(store: Store, pinned: Pinned, rev: int, today: Any) -> Any:
    return compute.compute(pinned.chart, pinned.params, store.snapshot(rev, today=today))
