"""The pages there are: file, address, title in the menu, and the chart each opens on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Entry:
    """A page: its file in pages/, its address, its words in the menu, the chart an embed without a name shows."""

    file: str
    address: str
    title: str
    chart: str = ""

    @property
    def path(self) -> Path:
        """Where its script is."""
        return FOLDER / f"{self.file}.py"


_ALL = (
    Entry("overview", "", "Overview"),
    Entry("clusters", "clusters", "Clusters", "clusters.power"),
    Entry("chips", "chips", "Export controls", "chips.plane"),
    Entry("prices", "prices", "Inference cost", "prices.level"),
    Entry("serving", "serving", "Serving", "serving.memory"),
    Entry("measured", "measured", "Measured"),
    Entry("claims", "claims", "Claims"),
    Entry("sources", "sources", "Sources"),
    Entry("data", "data", "Data"),
)


def entries() -> list[Entry]:
    """The pages whose scripts exist, in the order of the menu."""
    return [entry for entry in _ALL if entry.path.is_file()]
