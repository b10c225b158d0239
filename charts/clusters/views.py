"""The views of the cluster page by subject, in their order, and the controls in each one's row."""

GROUPS: dict[str, dict[str, str]] = {
    "Buildouts": {
        "clusters.power": "Over time",
        "clusters.ranking": "Ranking",
        "clusters.quarters": "By quarter",
        "clusters.growth": "Growth",
        "clusters.concentration": "Who holds it",
        "clusters.map": "Map",
        "clusters.file": "One cluster",
    },
    "Promises and evidence": {
        "clusters.promised": "Promised",
        "clusters.secured": "Power secured",
        "clusters.editions": "Editions",
    },
    "Power": {
        "clusters.chain": "Chip to site",
        "clusters.swings": "Swings",
        "clusters.electricity": "Electricity",
    },
    "Money and training": {
        "clusters.money": "What it costs",
        "clusters.training": "Training runs",
    },
    "Scale and fleets": {
        "clusters.scale": "What more chips bring",
        "clusters.consistency": "Do figures fit",
        "clusters.fleet": "What a demand takes",
        "clusters.whatif": "What if",
    },
}
VIEWS: dict[str, str] = {chart: words for group in GROUPS.values() for chart, words in group.items()}
CONTROLS = {
    "clusters.power": ["by", "quantity", "source", "voices"],
    "clusters.ranking": ["quantity", "source", "voices", "on"],
    "clusters.quarters": ["by", "quantity", "source"],
    "clusters.promised": ["quantity", "show", "owners", "find"],
    "clusters.concentration": ["by", "quantity", "source", "on"],
    "clusters.growth": ["quantity", "voices", "plans"],
    "clusters.secured": ["which", "find"],
    "clusters.chain": ["start", "show", "chip", "chips", "site_mw", "peak_pue"],
    "clusters.swings": ["show", "chips", "compute_w", "exchange_w", "step_s", "floor_w"],
    "clusters.money": ["basis", "measure", "it_mw", "rate", "life_years", "usd_per_mwh"],
    "clusters.training": ["show", "run", "chip", "chips", "mfu", "days"],
    "clusters.electricity": ["region", "measure"],
    "clusters.scale": ["show", "chips", "checkpoint_s", "restart_s", "miles"],
    "clusters.consistency": ["ratio", "odd", "chips", "find"],
    "clusters.fleet": ["limit", "measure", "queries", "model", "speed", "chips"],
    "clusters.whatif": ["cluster", "chip", "keep", "count", "it_mw", "country", "chip_usd"],
    "clusters.editions": ["compare", "quantity", "at"],
    "clusters.map": ["frame", "quantity", "source", "plans"],
    "clusters.file": ["cluster", "quantity", "log"],
}
