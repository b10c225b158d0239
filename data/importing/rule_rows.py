"""Export rules of an upload: a row whose expressions, dates or words cannot be read is rejected with column and position."""

from __future__ import annotations

import numpy as np

from analytics.chips.groups import CountryGroups
from analytics.chips.rules import read_rules
from data import shipped
from data.importing.rows import Builder


def check(builder: Builder) -> None:
    """Reject every row the rule book would refuse: nothing malformed reaches the store."""
    groups = CountryGroups(shipped.rows("country_groups"))
    columns = {name: builder.column(name) for name in builder.meta.columns}
    for row in np.flatnonzero(~builder.bad):
        told = {name: values[row] for name, values in columns.items()}
        try:
            read_rules([told], groups)
        except ValueError as error:
            reason = str(error).partition(f"({str(told['rule_id'] or '').strip()}), ")[2] or str(error)
            column, _, rest = reason.removeprefix("column ").partition(
                ", " if reason.startswith("column ") and ", position" in reason else ": "
            )
            mask = np.zeros(builder.size, dtype=bool)
            mask[row] = True
            shown = np.array([str(told.get(column) or "")] * builder.size, dtype=object)
            builder.reject(mask, builder.item(column), rest, column=column, values=shown)
