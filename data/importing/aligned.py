"""Tables that terminals print: columns kept apart by blanks and lined up under their headers, as sinfo or kubectl do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

DELIMITER = " "
LOOKED_AT = 300  # lines
LONGEST_HEADER = 5_000  # characters
LINES_ABOVE = 3  # lines above the header, such as the day a scheduler prints


@dataclass(frozen=True)
class Layout:
    """Lines above the header, the number of columns, and where lines are cut; no cuts where every line has a word a column."""

    above: int
    columns: int
    cuts: tuple[int, ...] = ()


def layout(lines: list[str]) -> Layout | None:
    """Return how the lines (none blank) hold a table whose columns are kept apart by blanks, or None where they hold none.

    Either all lines have as many words, or there are positions between the words of the header where every line has a blank.
    """
    best: Layout | None = None
    for above in range(max(0, min(LINES_ABOVE, len(lines) - 2)) + 1):
        table = [line.rstrip() for line in lines[above : above + LOOKED_AT]]
        if len(table) < 2 or len(table[0]) > LONGEST_HEADER or not table[0][0].isalnum():
            continue
        widths = {len(line.split()) for line in table}
        found = Layout(above, widths.pop()) if len(widths) == 1 and len(table) > 2 else _lined_up(table, above)
        if found is not None and found.columns > (best.columns if best else 1):
            best = found
    return best


def _lined_up(table: list[str], above: int) -> Layout | None:
    header = table[0]
    words = [match.start() for match in re.finditer(r"\S+", header)]
    free = [at for at in range(1, len(header)) if all(line[at : at + 1] in (" ", "") for line in table)]
    gaps = [[at for at in free if one < at < other] for one, other in zip(words, words[1:])]
    cuts = tuple(max(gap) for gap in gaps if gap)
    rows = [_cut(line, cuts) for line in table[1:]]
    filled = sum(sum(map(bool, cells)) for cells in rows) >= 0.6 * len(rows) * (len(cuts) + 1)  # lines of a text are not so full
    return Layout(above, len(cuts) + 1, cuts) if cuts and filled else None


def printed(text: str) -> bool:
    """Tell whether a text is a table whose columns are kept apart by blanks."""
    lines = [line for line in text.splitlines()[: LOOKED_AT + LINES_ABOVE] if line.strip()]
    found = layout(lines)
    return found is not None and not re.search(r"[,;|\t]", lines[found.above])


def _cut(line: str, cuts: tuple[int, ...]) -> list[str]:
    return [line[start:end].strip() for start, end in zip((0, *cuts), (*cuts, len(line)))]


def rows(text: str) -> Iterator[tuple[int, str, list[str] | None]]:
    """Yield (line number, line, cells) for each line that is not blank; no cells where it does not line up with the header."""
    numbered = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    found = layout([line for _, line in numbered[: LOOKED_AT + LINES_ABOVE]]) or Layout(len(numbered), 1)
    for index, (number, line) in enumerate(numbered):
        words = line.split()
        if index < found.above:
            yield number, line, [line.strip()]
        elif found.cuts and all(line[at : at + 1] in (" ", "") for at in found.cuts):
            yield number, line, _cut(line.rstrip(), found.cuts)
        else:
            yield number, line, words if len(words) == found.columns else None
