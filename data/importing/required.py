"""What every row needs and the file says nowhere: asked once for the file, instead of rejecting every row."""

from __future__ import annotations

from data import shipped
from data.importing.rows import Builder

EACH_ROW = ("name", "model")  # what a row is about
MOST = 4
FEW = 12
STANDS_IN = "not stated"


def ask_for_file(builder: Builder) -> None:
    """Fill a required text that has no column with the answer to `every:FIELD`; the preview shows "not stated" meanwhile."""
    meta = builder.meta
    if meta.name == "clusters" or not builder.size or len(builder.given & set(meta.columns)) < 2:
        return
    absent = [
        name
        for name, column in meta.columns.items()
        if column.required
        and column.type == "text"
        and name not in builder.given
        and not name.endswith("_id")
        and name not in EACH_ROW
        and (name not in builder.frame or builder.frame.missing(name).all())
    ]
    if not absent or len(absent) > MOST:
        return
    for name in absent:
        column = meta.columns[name]
        choices = column.choices or (*_words(meta.name, name), f"value=<{name}>")
        meanwhile = column.choices[0] if column.choices else f"value={STANDS_IN}"
        about = f" ({column.help})" if column.help else ""
        answer = builder.report.ask(
            f"every:{name}", f"No column says the {name}{about}, which every row needs: which is it for the whole file?", choices, meanwhile
        )
        builder.add(name)
        builder.frame.fill(name, answer.removeprefix("value="))


def _words(table: str, name: str) -> tuple[str, ...]:
    """Return the words the shipped table uses in a column, most used first, where they are few."""
    uses: dict[str, int] = {}
    for row in shipped.rows(table):
        if row[name]:
            uses[row[name]] = uses.get(row[name], 0) + 1
    return tuple(sorted(uses, key=lambda word: -uses[word])) if len(uses) <= FEW else ()
