"""The views of the cluster page in their order, and the controls in each one's row."""

VIEWS = {
    "clusters.power": "Over time",
    "clusters.ranking": "Ranking",
    "clusters.quarters": "By quarter",
    "clusters.promised": "Promised",
    "clusters.concentration": "Who holds it",
    "clusters.growth": "Growth",
    "clusters.secured": "Power secured",
    "clusters.electricity": "Electricity",
    "clusters.editions": "Editions",
    "clusters.map": "Map",
    "clusters.file": "One cluster",
}
CONTROLS = {
    "clusters.power": ["by", "quantity", "source", "voices"],
    "clusters.ranking": ["quantity", "source", "voices", "on"],
    "clusters.quarters": ["by", "quantity", "source"],
    "clusters.promised": ["quantity", "show", "owners", "find"],
    "clusters.concentration": ["by", "quantity", "source", "on"],
    "clusters.growth": ["quantity", "voices", "plans"],
    "clusters.secured": ["which", "find"],
    "clusters.electricity": ["region", "measure"],
    "clusters.editions": ["compare", "quantity"],
    "clusters.map": ["frame", "quantity", "source", "plans"],
    "clusters.file": ["cluster", "quantity", "log"],
}
