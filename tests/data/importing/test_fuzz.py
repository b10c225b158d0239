"""Generated and mutated files: every one gets rows or a sentence, never a traceback, a hang or a value out of bounds."""

import datetime
import json
import random
import resource
from pathlib import Path

import numpy as np
import pytest

from data.importing import child
from data.importing.columns import to_frame
from data.importing.read import read
from data.importing.report import Refused
from data.meta import SOURCES, load_meta

TODAY = datetime.date(2026, 11, 23)
HERE = Path(__file__).parent.parent
SEEDS = sorted([*HERE.glob("*_samples/*.?sv"), SOURCES / "gpu_rental_prices.csv", SOURCES / "chips.csv"])
HEADERS = """
name cluster site owner company country city location latitude longitude coordinates status state phase online date year
quarter chips gpus chip type gpu quantity power it_power site_power MW kW capex cost price unit currency note source url
nodes partition gres metric value Q1 Q2 2025 2026 H100 id
""".split()  # noqa: SIM905
CELLS = (
    '', '100', '1,5', '1.234,5', '~150 MW', '1.2 GW', '100,000+', '$5-6B', '€500 million', '¥1', 'Q3 2025', '03/04/2025',
    '45537', 'H100', '8x H100, 4x A100', 'gpu[001-099]', 'gpu:h100:8', '=1+1', '#REF!', '#N/A', 'TOTAL', 'n/a', 'NaN', 'inf',
    '1e308', '-5', "35°3'N", '<script>', "' OR 1=1", '\x00', '\ufeff', '\u202eevil', 'Jülich', '昇腾910B', '(140)', "a" * 200,
    '2025-02-30', '[1][2]', '"', '""', '\n', '\t', ';', '|', 'None', 'True', '1e5', '007', '-', '—',
)  # fmt: skip
INSERTED = (
    b'"',
    b",",
    b";",
    b"\t",
    b"\n",
    b"\r",
    b"\x00",
    b"\xff",
    b"\xef\xbb\xbf",
    b"1e999",
    b"\xe2\x80\xae",
    b"'",
    b"PK",
    b"=",
    b"\\",
    b"|",
)


def generated(chance: random.Random) -> bytes:
    """A small table of odd headers and odd cells."""
    delimiter = chance.choice([",", ";", "\t", "|"])
    width = chance.randint(1, 9)
    quoted = chance.random() < 0.7

    def line(cells):
        safe = ['"' + cell.replace('"', '""') + '"' if quoted and set(cell) & set('",;\t|\n') else cell for cell in cells]
        return delimiter.join(safe)

    header = [" ".join(chance.sample(HEADERS, chance.randint(1, 2))) for _ in range(width)]
    rows = [
        [chance.choice(CELLS) for _ in range(width if chance.random() < 0.9 else chance.randint(0, 12))]
        for _ in range(chance.randint(0, 12))
    ]
    titles = [[chance.choice(CELLS)] for _ in range(chance.randint(0, 2))]
    text = chance.choice(["\n", "\r\n", "\r"]).join(line(cells) for cells in [*titles, header, *rows])
    return text.encode(chance.choice(["utf-8", "utf-8-sig", "utf-16", "cp1252"]), "replace")


def mutated(chance: random.Random) -> bytes:
    """A known file with bytes put in, taken out, doubled or swapped."""
    data = bytearray(chance.choice(SEEDS).read_bytes()[:6_000])
    for _ in range(chance.randint(1, 12)):
        place = chance.randrange(len(data) + 1)
        kind = chance.randrange(5)
        if kind == 0:
            data[place:place] = chance.choice(INSERTED)
        elif kind == 1:
            del data[place : place + chance.randint(1, 40)]
        elif kind == 2:
            data[place:place] = data[max(0, place - 60) : place]
        elif kind == 3 and place < len(data):
            data[place] = chance.randrange(256)
        else:
            data[place:place] = chance.choice(CELLS).encode()
    return bytes(data)


def check(path: Path, seed: int, table: str) -> str:
    """Read one file; returns "read" or "refused", fails on anything else."""
    try:
        found = read(path, table, "fuzz.csv", TODAY)
    except Refused as said:
        assert 10 < len(str(said)) < 2_000 and "Traceback" not in str(said) and "/" + "home" not in str(said), f"seed {seed}"
        return "refused"
    meta, frame, report = load_meta(table), found.frame, found.report
    assert list(frame.columns) == [*meta.columns, "_line"], f"seed {seed}"
    for name, column in meta.columns.items():
        values = frame[name].dropna()
        if column.numeric and len(values):
            assert np.isfinite(values.to_numpy(dtype=float)).all(), f"seed {seed}: {name}"
            assert column.minimum is None or values.min() >= column.minimum, f"seed {seed}: {name}"
            assert column.maximum is None or values.max() <= column.maximum, f"seed {seed}: {name}"
        if column.choices:
            assert set(values) <= set(column.choices), f"seed {seed}: {name}"
    assert not frame.duplicated(list(meta.key)).any(), f"seed {seed}"
    assert all(reject.reason and reject.row > 0 for reject in report.rejects), f"seed {seed}"
    json.dumps(report.to_json())
    return "read"


def hammer(tmp_path: Path, first: int, count: int) -> dict[str, int]:
    outcomes = {"read": 0, "refused": 0}
    for seed in range(first, first + count):
        chance = random.Random(seed)
        path = tmp_path / "fuzz.csv"
        path.write_bytes(generated(chance) if seed % 2 else mutated(chance))
        table = chance.choice(["clusters"] * 6 + ["chips", "gpu_rental_prices", "api_prices", "capability"])
        outcomes[check(path, seed, table)] += 1
    return outcomes


@pytest.mark.parametrize("part", range(5))
def test_500_files(tmp_path, part):
    outcomes = hammer(tmp_path, 1_000 * part, 100)
    assert outcomes["read"] > 20 and outcomes["refused"] > 0


@pytest.mark.long
@pytest.mark.timeout(3_000)
@pytest.mark.parametrize("part", range(20))
def test_10_000_files(tmp_path, part):
    assert sum(hammer(tmp_path, 100_000 + 1_000 * part, 500).values()) == 500
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2_000_000  # kB


def test_what_the_process_hands_back_is_what_was_read(tmp_path):
    for seed in (3, 5, 7):
        path = tmp_path / "fuzz.csv"
        path.write_bytes(generated(random.Random(seed)))
        job = {
            "path": str(path),
            "table": "clusters",
            "name": "fuzz.csv",
            "today": TODAY.isoformat(),
            "mapping": None,
            "answers": {},
            "remembered": {},
        }
        try:
            expected = read(path, "clusters", "fuzz.csv", TODAY)
        except Refused as said:
            with pytest.raises(Refused) as refused:
                child.run(job, tmp_path / "scratch", 2_000, 60)
            assert str(refused.value) == str(said)
            continue
        told, table = child.run(job, tmp_path / "scratch", 2_000, 60)
        assert told["report"] == json.loads(json.dumps(expected.report.to_json())) and to_frame(table).equals(expected.frame)
