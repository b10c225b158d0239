"""The command line: `python -m analytics.bench run|env|check|aot|fit|table|compare|import`.

Exit codes: 0 it ran, 2 the request was refused, 3 a row is wrong or impossible (or a kernel may not be used), 4 the budget cut the run,
130 it was interrupted.
"""

from __future__ import annotations

import argparse
import csv
import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from analytics.bench import record as records
from analytics.bench.fit import critical_batches, efficiencies, fit, goals, inversions
from analytics.bench.predict import Spec
from analytics.bench.report import compare, statuses, table
from analytics.bench.restore import restore_or_recompute
from analytics.bench.runner import SUITES, Options, Refused, plan, run

SOURCES = Path(__file__).resolve().parents[2] / "data" / "sources"


def _csv_rows(name: str) -> list[dict[str, str]]:
    """A shipped table as text; read here without the store, because a GPU machine needs none of the product's packages."""
    with (SOURCES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def chip_of_device(name: str) -> str | None:
    """The chip id of a device name as the driver gives it, or None where the tables do not know it."""
    plain = name.removeprefix("NVIDIA ").strip().lower()
    for row in _csv_rows("chip_aliases.csv"):
        if row["alias"].removeprefix("NVIDIA ").strip().lower() == plain:
            return row["chip_id"] or None
    return None


def spec_of(device_name: str) -> Spec:
    """What the vendor states for a device; empty for a CPU and for a chip that the tables do not know."""
    chip_id = chip_of_device(device_name)
    for row in _csv_rows("chips.csv") if chip_id else []:
        if row["chip_id"] == chip_id:
            rates = {"bf16": row["bf16_tflops_dense"], "fp8": row["fp8_tflops_dense"]}
            known = {dtype: float(rate) * 1e12 for dtype, rate in rates.items() if rate}
            bandwidth = row["memory_bandwidth_gb_per_s"]
            return Spec(float(bandwidth) * 1e9 if bandwidth else None, known, chip_id)
    return Spec()


def _shard(text: str) -> tuple[int, int]:
    first, _, second = text.partition("/")
    if not (first.isdigit() and second.isdigit()):
        raise argparse.ArgumentTypeError(f"expected i/n such as 1/4, got {text!r}")
    return int(first), int(second)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m analytics.bench", description="Measure the operations that serving a model is made of."
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("run", help="measure, a row at a time, into a JSON Lines file")
    one.add_argument(
        "--suite", choices=SUITES, default="quick", help="smoke: a minute on a CPU; quick: the headline shapes; full: the sweeps"
    )
    one.add_argument("--ops", type=_names, help="operations, comma-separated: attn.decode, gemm, kv, ... (default: all)")
    one.add_argument("--backend", type=_names, help="only these backends, comma-separated")
    one.add_argument("--device", default=None, help="cpu, cuda or cuda:N (default: cuda where there is one, else cpu)")
    one.add_argument("--out", type=Path, help="the file the rows are appended to")
    one.add_argument("--budget-s", type=float, help="start no further case after this many seconds")
    one.add_argument("--case-limit-s", type=float, default=90.0, help="a case that takes longer is ended and gets status timeout")
    one.add_argument("--resume", action="store_true", help="continue a file: cases it holds already are not run again")
    one.add_argument("--shard", type=_shard, default=(1, 1), help="i/n: every n-th case, from the i-th")
    one.add_argument(
        "--timer", choices=("graph", "events", "kineto"), help="force a timer on CUDA (default: graph, and events where that fails)"
    )
    one.add_argument("--threads", type=int, default=2, help="threads on a CPU (default 2)")
    one.add_argument("--tune", action="store_true", help="time every candidate tiling of our kernels (backends triton-form1 and so on)")
    one.add_argument("--plan-only", action="store_true", help="print the cases in order and run none")
    two = verbs.add_parser("env", help="print what the machine is, as JSON")
    two.add_argument("--device", default=None)
    three = verbs.add_parser(
        "check", help="compare every backend with its reference and time nothing (our kernels too, under TRITON_INTERPRET=1)"
    )
    three.add_argument("--suite", choices=SUITES, default="smoke")
    three.add_argument("--ops", type=_names)
    three.add_argument("--backend", type=_names)
    three.add_argument("--device", default=None)
    four = verbs.add_parser("aot", help="compile every kernel variant for a GPU without having one")
    four.add_argument("--capability", type=int, choices=(90, 100), default=90)
    four.add_argument("--json", action="store_true")
    four.add_argument("--every", action="store_true", help="each shape that the suites launch, instead of one of each kind")
    for verb, text in (
        ("fit", "efficiencies from records, with the error on records left out, as JSON"),
        ("table", "records as a Markdown table"),
    ):
        verbs.add_parser(verb, help=text).add_argument("file", type=Path)
    five = verbs.add_parser("compare", help="two record files side by side")
    five.add_argument("first", type=Path)
    five.add_argument("second", type=Path)
    six = verbs.add_parser("import", help="records into the store as one revision")
    six.add_argument("file", type=Path)
    six.add_argument("--note", default=None)
    return parser


def _default_device(asked: str | None) -> str:
    if asked:
        return asked
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _run(args: argparse.Namespace) -> int:
    from analytics.bench.ops import select

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # leave by the door, so that the measuring process is ended too
    device = _default_device(args.device)
    chosen = select(args.ops)
    if args.backend:
        known = {backend.name for operation in chosen for backend in operation.backends}
        strange = [name for name in args.backend if name not in known]
        if strange:
            raise Refused(f"backend {strange[0]!r} is not one of {', '.join(sorted(known))}")
    if args.plan_only:
        for operation, case in plan(chosen, args.suite, device.partition(":")[0], args.shard):
            print(json.dumps({"op": operation.name, "params": dict(case.params), "dtype": case.dtype, "dtype_kv": case.dtype_kv}))
        return 0
    if not 1 <= args.threads <= 1024:
        raise Refused(f"--threads must be 1 to 1,024, got {args.threads}")
    if args.out is None:
        raise Refused("--out FILE.jsonl is needed: the rows have to go somewhere")
    options = Options(
        args.suite,
        device,
        args.out,
        args.backend,
        args.budget_s,
        args.case_limit_s,
        args.resume,
        args.shard,
        args.timer,
        spec_of,
        args.threads,
        args.tune,
    )
    return run(chosen, options, lambda done, total, text: print(f"{done}/{total} {text}", file=sys.stderr, flush=True))


def _check(args: argparse.Namespace) -> int:
    from analytics.bench.device import Device
    from analytics.bench.ops import select
    from analytics.bench.protocol import check

    device = Device(_default_device(args.device))
    wrong = 0
    for operation, case in plan(select(args.ops), args.suite, device.kind):
        for backend in operation.backends:
            asked = backend.name in args.backend if args.backend else not backend.tuning
            if operation.reference is None or not asked:
                continue
            reason = backend.reason(case, device)
            if reason:
                print(f"skipped  {case.op} {backend.name} {dict(case.params)}: {reason}")
                continue
            errors = check(operation, backend, case, device, 1)
            fault = errors.fault(operation.tolerance(case))
            wrong += fault is not None
            kv = f" {case.dtype_kv} KV" if case.dtype_kv else ""
            verdict, detail = ("WRONG", fault) if fault else ("right", f"{errors.rel_l2:.1e}")
            print(f"{verdict:8s} {case.op} {backend.name} {case.dtype}{kv} {dict(case.params)}: {detail}", flush=True)
    return 3 if wrong else 0


def _fit(rows: list[dict[str, Any]]) -> dict[str, Any]:
    devices = sorted({row["device"] for row in rows})
    chips = {device: chip for device in devices if (chip := chip_of_device(device))}
    return {
        "devices": devices,
        "statuses": statuses(rows),
        "fits": [asdict(one) for one in fit(rows)],
        "critical_batches": critical_batches(rows),
        "inversions": inversions(rows),
        "efficiencies": efficiencies(rows, chips),
        "restore_or_recompute": restore_or_recompute(rows),
        "goals": goals(rows),
    }


def _import(file: Path, note: str | None) -> int:
    from data.bench_records import import_records
    from data.settings import Settings
    from data.store import Store

    records.read(file)  # a file that is refused must not open the store
    store = Store.open(Settings.from_env())
    try:
        print(json.dumps(import_records(store, file.read_bytes(), file.name, note=note)))
    finally:
        store.close()
    return 0


def main(argv: list[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    try:
        if args.verb == "run":
            return _run(args)
        if args.verb == "check":
            return _check(args)
        if args.verb == "env":
            from analytics.bench.device import Device
            from analytics.bench.env import describe

            print(json.dumps(describe(Device(_default_device(args.device))), indent=2))
        elif args.verb == "aot":
            from analytics.bench.aot import main as compile_kernels

            return compile_kernels(args.capability, args.json, args.every)
        elif args.verb == "fit":
            print(json.dumps(_fit(records.read(args.file)), indent=2))
        elif args.verb == "table":
            print(table(records.read(args.file)))
        elif args.verb == "compare":
            for line in compare(records.read(args.first), records.read(args.second)):
                print(f"{line['verdict']:9s} {line['ratio']:6.3f}  {line['op']} {line['backend']} {line['shape']}")
        else:
            return _import(args.file, args.note)
    except ModuleNotFoundError as error:
        print(f"{error.name} is not installed; install requirements-bench.txt", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; rows written so far are kept, and --resume goes on from them", file=sys.stderr)
        return 130
    except (ValueError, OSError) as error:
        print(str(error), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
