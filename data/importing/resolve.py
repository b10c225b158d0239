"""Chips by the names people use: aliases decide, likeness only proposes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache, lru_cache

from rapidfuzz import fuzz, process

from data import shipped
from data.importing import numbers
from data.importing.text import clean, is_missing, without_footnotes

VENDOR_WORDS = re.compile(
    r"\b(?:nvidia|amd|google|amazon|aws|huawei|intel|instinct|radeon|tesla|cloud|meta|microsoft|baidu|cambricon|gpus?|chips?|accelerators?|"
    r"superchips?|cards?|tensor core|servers?|nodes?|modules?|systems?|racks?|xpus?|units?)\b",
    re.IGNORECASE,
)
NO_MODEL = re.compile(r"(?:SXM|HBM|NVL|PCIE|GEN|OAM|GDDR|DDR|X)\d+[A-Za-z]?", re.IGNORECASE)
TYPING_ERROR = 75
SLICE = re.compile(r"\b(?:mig|\d+g\.\d+gb|vgpu|[1-7]c\.\d+g|grid|time-?slic\w*|shard)\b|\d+g\.\d+gb", re.IGNORECASE)
AMOUNT = r"[~≈]?\s*[\d.,]+\s*(?:k|m|million|thousand)?(?:\s*(?:[-–—]|\bto\b)\s*[\d.,]+\s*(?:k|m|million|thousand)?)?"
# Streaming multiprocessors or compute units a chip shows to lists that count accelerator cores (datasheets of the chips).
ACCELERATOR_CORES = {
    "h100-sxm": 132, "h200-sxm": 132, "gh200": 132, "h100-sxm-64-mn5": 132, "h100-pcie": 114, "a100-sxm-40": 108, "a100-sxm-80": 108,
    "a100-pcie-40": 108, "a100-pcie-80": 108, "a100-sxm-64-leonardo": 124, "v100-sxm2-16": 80, "v100-sxm2-32": 80, "p100-sxm2": 56,
    "mi300a": 228, "mi250x": 220, "mi300x": 304, "mi210": 104, "max-1550": 128,
}  # fmt: skip


@dataclass(frozen=True)
class Chip:
    """One chip named in a cell: its id, how many the same cell names (with the ends of a range), and what was assumed."""

    chip_id: str
    count: float | None = None
    assumed: str = ""
    chips_per_system: int = 1
    nearest: str = ""
    low: float = math.nan
    high: float = math.nan
    approximate: bool = False


def _key(text: str) -> str:
    return re.sub(r"[^\w+]+|_", "", text.casefold())


@cache
def _index() -> dict[str, tuple[str, str]]:
    """Return spelling key -> (chip id, note)."""
    index = {_key(row["alias"]): (row["chip_id"], row["note"]) for row in reversed(shipped.rows("chip_aliases"))}
    for row in shipped.rows("chips"):
        index.setdefault(_key(row["name"]), (row["chip_id"], ""))
        index[_key(row["chip_id"])] = (row["chip_id"], "")
    for word in ("mixed", "none", "unknown"):
        index[word] = (word, "")
    return index


@cache
def _spellings() -> tuple[str, ...]:
    return tuple(sorted({row["alias"] for row in shipped.rows("chip_aliases")} | {row["name"] for row in shipped.rows("chips")}))


@cache
def chip_ids() -> frozenset[str]:
    """Return every chip id the tables know, with mixed, none and unknown."""
    return frozenset(row["chip_id"] for row in shipped.rows("chips")) | {"mixed", "none", "unknown"}


@lru_cache(maxsize=50_000)
def chip(text: str) -> Chip | None:
    """Return the chip a text names, or None; a chip that is only similar comes back as `nearest` of an unknown one."""
    shown = without_footnotes(clean(text))
    if is_missing(shown) or len(shown) > 200:
        return None
    found = _lookup(shown)
    if found:
        chip_id, note = found
        system = re.search(r"(\d+) chips", note) if note.startswith("system") or ": " in note else None
        assumed = note if "assum" in note or "not stated" in note else ""
        return Chip(chip_id, assumed=assumed, chips_per_system=int(system[1]) if system else 1)
    parts = [part.strip() for part in re.split(r"\s*(?:/|,|;|\+|&|\band\b|\bund\b|\bor\b|\n)\s*", shown) if part.strip()]
    if len(parts) > 1:
        named = [_lookup(part) for part in parts]
        if all(named):
            ids = {item[0] for item in named if item}
            return Chip(ids.pop() if len(ids) == 1 else "mixed")
    return None


def proposal(text: str) -> str:
    """Return the known spelling most like the text when it is very like it, else an empty text."""
    shown = clean(text)
    if len(shown) < 3 or len(shown) > 60 or not re.search(r"\d", shown) or re.search(r"[\\()';=*]|/.*/", shown):
        return ""
    tokens = _model_tokens(shown)
    named = {token for token in tokens if token in _by_token() and chip(token)}
    if len(named) == 1:
        near = process.extractOne(shown, _by_token()[named.pop()], scorer=fuzz.ratio, processor=str.casefold)
        return near[0] if near else ""
    spellings = [
        spelling
        for spelling in _spellings()
        if not tokens or any(fuzz.ratio(own, other) >= TYPING_ERROR for own in tokens for other in _model_tokens(spelling))
    ]
    match = process.extractOne(shown, spellings, scorer=fuzz.ratio, processor=str.casefold, score_cutoff=84)
    return match[0] if match and not named else ""


@lru_cache(maxsize=5_000)
def _model_tokens(text: str) -> frozenset[str]:
    """Return the words of letters and digits that tell models apart: "HGX B200 8-GPU" -> b200."""
    return frozenset(word.casefold() for word in re.findall(r"(?<![\w])[A-Za-z]{1,4}\d[\dA-Za-z]*", text) if not NO_MODEL.fullmatch(word))


@cache
def _by_token() -> dict[str, tuple[str, ...]]:
    """Return model word -> the known spellings that hold it."""
    found: dict[str, list[str]] = {}
    for spelling in _spellings():
        for token in _model_tokens(spelling):
            found.setdefault(token, []).append(spelling)
    return {token: tuple(spellings) for token, spellings in found.items()}


def _lookup(text: str) -> tuple[str, str] | None:
    index = _index()
    for candidate in (text, re.sub(r"^gpu:|:\d+(?:\(.*\))?$", "", text), re.sub(r"\(.*?\)", "", text)):
        key = _key(candidate)
        if key in index:
            return index[key]
        short = _key(VENDOR_WORDS.sub(" ", candidate.replace("_", " ").replace("-", " ")))
        for form in (short, re.sub(r"(?:sxm\d?|oam|hbm\d?e?)$", "", short)):
            if form and form in index:
                return index[form]
        singular = re.sub(r"s$", "", short)
        if singular and singular in index:
            return index[singular]
    return None


@lru_cache(maxsize=50_000)
def chips_with_counts(text: str) -> tuple[Chip, ...]:
    """Return the chips of a cell that gives a count for each: "8x H100, 4x A100", "H100: 150k; H200: 50k"; () when it does not."""
    shown = without_footnotes(clean(text))
    if not re.search(r"\d", shown) or len(shown) > 300:
        return ()
    found = []
    for part in re.split(r"\s*(?:;|\n|\+|&|\band\b|\bund\b|,(?!\d{3}(?!\d))|(?<=[a-zA-Z\d])/(?=\d+ ?(?:x|k)?\s)|\s/\s)\s*", shown):
        if not part.strip():
            continue
        match = re.match(rf"^({AMOUNT})\s*(?:[x×*]\s*|\s+)(.+)$", part, re.IGNORECASE)
        named = chip(match[2]) if match else None
        if match and named:
            count = numbers.parse(match[1])
        else:
            match = re.match(rf"^(.+?)\s*(?:[:=x×]|\()\s*({AMOUNT})\s*\)?$", part, re.IGNORECASE)
            named = chip(match[1]) if match else None
            if not match or not named:
                return ()
            count = numbers.parse(match[2])
        if count.missing or count.error:
            return ()
        found.append(Chip(named.chip_id, count.value, named.assumed, named.chips_per_system, "", count.low, count.high, count.approximate))
    return tuple(found)


def is_slice(text: str) -> bool:
    """Tell whether the text names a slice of a chip (a MIG partition or a shared one), which is no chip."""
    return bool(SLICE.search(text))
