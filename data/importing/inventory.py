"""Inventories by machine: chips counted over nodes, each node once, slices and nodes that are down left out."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import PurePath

import numpy as np

from data.importing import numbers, resolve, vocabulary
from data.importing.cluster_chips import number_each
from data.importing.mapping import Assigned
from data.importing.report import Report
from data.importing.rows import Context, chip_of
from data.importing.sheet import Column, Sheet, encode
from data.importing.text import clean, fold, is_missing

DEVICE = re.compile(r"\s*(?:GPU|MIG)-[\w/-]+\s*$")
UUID = re.compile(r"\s*(?:GPU|MIG)-[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
INDICES = ("index", "gpu index", "gpu id", "gpu idx", "device index", "minor number", "pci bus id", "bus id", "gpu serial", "serial")
READINESS = frozenset({"ready", "not ready", "scheduling disabled", "unknown"})
MACHINES = 100_000  # of one node list
GRES = re.compile(r"gpu:(?:([\w.+-]+):)?(\d+)(?:\([^)]*\))?", re.IGNORECASE)


@dataclass
class Node:
    """One machine: chips by type, whether it is down, the cluster it says it is of, the line it was first seen on."""

    chips: dict[str, float] = field(default_factory=dict)
    down: bool = False
    cluster: str = ""
    line: int = 0
    slices: int = 0


def inventory(sheet: Sheet, assigned: list[Assigned], report: Report, context: Context) -> tuple[Sheet, list[Assigned]]:
    """Return the sheet with one row a cluster and chip type when it lists machines; else as it came."""
    by_field = {(item.field, item.slot): item for item in assigned}
    node, per_node = by_field.get(("NODE", 0)), by_field.get(("GPUS_PER_NODE", 0))
    chip, count = by_field.get(("chip_id", 0)), by_field.get(("chip_count", 0))
    if node is not None and per_node is not None and _numeric(node.column) and _numeric(per_node.column):
        return _multiply(sheet, assigned, node, per_node, report)
    if node is not None and count is None and chip is not None and _numeric(node.column):
        counted = Assigned(node.column, "chip_count", node.confidence, "machines are counted, each of the chips beside them")
        for told in report.mapping:
            if told["column"] == node.column.name:
                told.update(field="chip_count", why=counted.why)
        return sheet, [counted if item is node else item for item in assigned]
    gres = next((item for item in (per_node, chip, count) if item and any(GRES.search(text) for text in item.column.sample(50))), None)
    if node is None and (gres is not None or per_node is not None or ("PARTITION", 0) in by_field):
        node = by_field.get(("name", 0))
    device = _devices(sheet, node) if gres is None and per_node is None and count is None else None
    if device is not None:
        node, chip = Assigned(device, "NODE", 1.0, "one device a row"), chip or _chips_in(sheet)
    bare = lists_machines(sheet) and gres is None and chip is None and per_node is None and count is None
    if bare:
        node = Assigned(next(column for column in sheet.columns if fold(column.name) == "name"), "NODE", 1.0, "machines of a platform")
        for told in report.mapping:
            if told["column"] == node.column.name:
                told.update(field="NODE", confidence=1.0, why=node.why)
    if node is None or _numeric(node.column) or (not bare and gres is None and chip is None and per_node is None and count is None):
        return sheet, assigned
    named = by_field.get(("name", 0))
    many = len(set(node.column.codes.tolist())) > 0.8 * len(node.column.codes)
    if (
        named is not None
        and named.column is not node.column
        and device is None
        and not many
        and gres is None
        and per_node is None
        and ("PARTITION", 0) not in by_field
    ):
        return sheet, assigned
    homes = ("cluster", "cluster name", "site", "site name", "data center", "datacenter", "data centre")
    other = named is not None and named.column is not node.column and not (chip is not None and chip.column is named.column)
    cluster = named.column if other and named is not None else None
    cluster = cluster or next((column for column in sheet.columns if fold(column.name) in homes and column is not node.column), None)
    state = next((column for column in sheet.columns if fold(column.name) in ("state", "status", "node state", "zustand")), None)
    for told in report.mapping:
        if state is not None and told["column"] == state.name:
            told.update(field="NODE_STATE", confidence=0.9, why="the state of each machine")
    nodes = _nodes(sheet, node, per_node, chip, count, cluster, state, report)
    if bare:
        _bare(sheet, nodes, report)
    return _as_clusters(sheet, nodes, report, context)


def lists_machines(sheet: Sheet) -> bool:
    """Tell whether a table is what a container platform prints of its machines: a name and a state of readiness each."""
    by_name = {fold(column.name): column for column in sheet.columns}
    states = {fold(part) for text in by_name["status"].sample(50) for part in text.split(",")} if "status" in by_name else set()
    return "name" in by_name and bool(states) and states <= READINESS and bool(states & {"ready", "not ready"})


def _devices(sheet: Sheet, node: Assigned | None) -> Column | None:
    """Return what identifies one device a row: the UUIDs that nvidia-smi lists, or the machine and the index in it."""
    for column in sheet.columns:
        pattern = DEVICE if "uuid" in fold(column.name).split() else UUID
        if column.sample(1) and all(pattern.match(text) for text in column.sample(50)):
            return column
    index = next((column for column in sheet.columns if fold(column.name) in INDICES), None)
    if node is None or index is None or node.column is index or _numeric(node.column):
        return None
    return encode("device", [f"{_text(node.column, row)}/{_text(index, row)}" for row in range(len(sheet.lines))])


def _text(column: Column, row: int) -> str:
    return clean(column.texts[column.codes[row]])


def _chips_in(sheet: Sheet) -> Assigned | None:
    """Return the column whose cells are chips, where none is mapped as the chip."""
    for column in sheet.columns:
        sample = [text for text in column.sample(50) if not is_missing(text)]
        if sample and sum(bool(resolve.chip(text)) for text in sample) >= 0.7 * len(sample):
            return Assigned(column, "chip_id", 0.9, "its cells are chips")
    return None


def _bare(sheet: Sheet, nodes: dict[str, Node], report: Report) -> None:
    """Ask how many chips machines have that are listed by name alone; those of the control plane have none."""
    roles = next((column for column in sheet.columns if fold(column.name) == "roles"), None)
    names = next(column for column in sheet.columns if fold(column.name) == "name")
    if roles is not None:
        for row in range(len(sheet.lines)):
            if re.search(r"control-plane|master|etcd", roles.texts[roles.codes[row]]):
                nodes.pop(clean(names.texts[names.codes[row]]), None)
    answer = report.ask(
        "chips_per_node",
        f"{len(nodes)} machine(s) are listed without their chips: how many has each?",
        ("each=<number of chips>", "leave-empty"),
        "leave-empty",
    )
    each = np.nan if answer == "leave-empty" else number_each(answer, "chips_per_node")
    for found in nodes.values():
        found.chips = {"unknown": each}


def _numeric(column: Column) -> bool:
    sample = [text for text in column.sample(50) if not is_missing(text)]
    return bool(sample) and all(re.fullmatch(r"\s*[\d.,' ]+\s*", text) for text in sample)


def _multiply(sheet: Sheet, assigned: list[Assigned], node: Assigned, per_node: Assigned, report: Report) -> tuple[Sheet, list[Assigned]]:
    """Count chips as nodes times chips a node, in a file that has one row a cluster."""
    if any(item.field == "chip_count" for item in assigned):
        return sheet, assigned
    cells = []
    for row in range(len(sheet.lines)):
        machines, each = (
            numbers.parse(node.column.texts[node.column.codes[row]]),
            numbers.parse(per_node.column.texts[per_node.column.codes[row]]),
        )
        cells.append("" if np.isnan(machines.value * each.value) else repr(machines.value * each.value))
    column = encode(f"{node.column.name} x {per_node.column.name}", cells)
    report.warn(f'chips are counted as "{node.column.name}" times "{per_node.column.name}"')
    kept = [item for item in assigned if item not in (node, per_node)]
    return sheet, [*kept, Assigned(column, "chip_count", 0.9, "nodes times chips a node")]


def _nodes(
    sheet: Sheet,
    node: Assigned,
    per_node: Assigned | None,
    chip: Assigned | None,
    count: Assigned | None,
    cluster: Column | None,
    state: Column | None,
    report: Report,
) -> dict[str, Node]:
    """Return machines by name; one listed twice (in two partitions) is counted once."""
    down_words = vocabulary.words("nodes_down")
    nodes: dict[str, Node] = {}
    twice: set[str] = set()
    for row in range(len(sheet.lines)):
        listed = clean(node.column.texts[node.column.codes[row]])
        wrong = _no_range(listed)
        if wrong:
            report.reject(int(sheet.lines[row]), node.column.name, listed, wrong)
            continue
        names = expand(listed)
        texts = [item.column.texts[item.column.codes[row]] for item in (per_node, chip, count) if item]
        chips, slices = ({}, 1) if resolve.is_slice(listed) else _chips_of(texts, chip.column.name if chip else "chip", report)
        said = f" {fold(state.texts[state.codes[row]])} " if state is not None else ""
        is_down = any(f" {word} " in said for word in down_words)
        for name in names:
            if name in nodes:
                twice.add(name)
                known = nodes[name]
                known.down |= is_down
                if slices and not chips:
                    known.slices += slices
                for chip_id, number in chips.items():
                    known.chips[chip_id] = max(known.chips.get(chip_id, 0), number)
                continue
            home = clean(cluster.texts[cluster.codes[row]]) if cluster is not None else ""
            nodes[name] = Node(dict(chips), is_down, home, int(sheet.lines[row]), slices)
    if twice:
        report.warn(
            f"{len(twice)} node(s) such as {sorted(twice)[0]} are listed more than once (in several partitions): each is counted once"
        )
    sliced = [name for name, found in nodes.items() if found.slices and not found.chips]
    if sliced:
        report.warn(f"{len(sliced)} node(s) such as {sliced[0]} list slices of chips (MIG or shared), which are no chips: not counted")
    return nodes


def _no_range(text: str) -> str:
    """Return why a node list cannot be counted: a range that runs backwards, or more machines than one list may name."""
    total = 0
    for low, high in re.findall(r"(?<=[\[,])\s*(\d{1,18})-(\d{1,18})\s*(?=[\],])", text):
        total += int(high) - int(low) + 1
        if int(high) < int(low):
            return f"the range {low}-{high} runs backwards"
        if total > MACHINES:
            return f"names {total:,} machines or more: at most {MACHINES:,} are counted from one list"
    return ""


def expand(text: str) -> list[str]:
    """Return the machines of a node list: "gpu[001-003,7],login1" -> gpu001, gpu002, gpu003, gpu7, login1."""
    found: list[str] = []
    for part in re.findall(r"[^,\[\]\s]+(?:\[[^\]]*\])?[^,\[\]\s]*", text):
        match = re.match(r"^(.*)\[([^\]]*)\](.*)$", part)
        if not match:
            found.append(part)
            continue
        for piece in match[2].split(","):
            ends = re.match(r"^(\d+)-(\d+)$", piece.strip())
            if not ends:
                found.append(f"{match[1]}{piece.strip()}{match[3]}")
                continue
            low, high = int(ends[1]), int(ends[2])
            found += [f"{match[1]}{number:0{len(ends[1])}d}{match[3]}" for number in range(low, high + 1)]
    return found


def _chips_of(texts: list[str], header: str, report: Report) -> tuple[dict[str, float], int]:
    """Return chips by type and the number of slices that a machine's cells name."""
    chips: dict[str, float] = {}
    slices = 0
    for text in texts:
        for kind, number in GRES.findall(text):
            if resolve.is_slice(kind):
                slices += int(number)
            elif kind or not chips:
                key = chip_of(kind, header, report) if kind else "unknown"
                chips[key or "unknown"] = chips.get(key or "unknown", 0) + int(number)
    if chips or slices:
        return chips, slices
    number, chip_id = np.nan, None
    for text in texts:
        if resolve.is_slice(text):
            return {}, 1
        listed = resolve.chips_with_counts(text)
        if listed:
            for named in listed:
                chips[named.chip_id] = chips.get(named.chip_id, 0) + float(named.count or 0)
            return chips, 0
        if resolve.chip(text):
            chip_id = chip_id or chip_of(text, header, report)
            continue
        value = numbers.parse(text)
        if not value.error and not value.missing and np.isnan(number):
            number = value.value
    if chip_id is None and np.isnan(number):
        return {}, 0
    if not np.isnan(number) and number == 0:
        return {}, 0
    return {chip_id or "unknown": 1.0 if np.isnan(number) else number}, 0


def _as_clusters(sheet: Sheet, nodes: dict[str, Node], report: Report, context: Context) -> tuple[Sheet, list[Assigned]]:
    """Add machines up into one row a cluster and chip type."""
    down = sum(sum(node.chips.values()) for node in nodes.values() if node.down)
    machines = sum(node.down and bool(node.chips) for node in nodes.values())
    count_down = False
    if down and np.isfinite(down):
        answer = report.ask(
            "nodes_down",
            f"{machines} node(s) with {down:g} chips are down, drained or in maintenance: count their chips?",
            ("leave-out", "count"),
            "leave-out",
        )
        count_down = answer == "count"
    if any(node.cluster for node in nodes.values()):
        stem = ""
    else:
        stem = PurePath(context.file_name).stem
        answer = report.ask("cluster_name", "Which cluster is this inventory of?", ("name=<name of the cluster>",), f"name={stem}")
        stem = answer.removeprefix("name=")
    totals: dict[tuple[str, str], float] = defaultdict(float)
    lines: dict[tuple[str, str], int] = {}
    for node in nodes.values():
        if node.down and not count_down:
            continue
        for chip_id, number in node.chips.items():
            key = (node.cluster or stem, chip_id)
            totals[key] += number
            lines.setdefault(key, node.line)
    report.warn(f"the file lists {len(nodes)} machine(s): their chips are added up into {len(totals)} row(s), one a cluster and chip type")
    order = list(totals)
    columns = [
        encode("cluster", [name for name, _ in order]),
        encode("chip", [chip_id for _, chip_id in order]),
        encode("chips", ["" if np.isnan(totals[key]) else repr(totals[key]) for key in order]),
        encode("status", ["operational"] * len(order)),
    ]  # fmt: skip
    made = Sheet(columns, np.array([lines[key] for key in order], dtype=np.int64), sheet.header_line, sheet.caption, sheet.as_of)
    report.read = len(nodes) + len(report.rejected_rows)
    fields = ("name", "chip_id", "chip_count", "status")
    return made, [Assigned(column, field, 1.0, "added up over the machines") for column, field in zip(columns, fields)]
