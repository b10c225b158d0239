"""python -m tests.speed [--json] [NAME ...]: how fast, as ratios within one run. Asserts nothing."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
from pathlib import Path


def modules() -> list[str]:
    """Names of the modules that measure, sorted."""
    return sorted(m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]) if not m.name.startswith("_"))


def main(arguments: list[str] | None = None) -> int:
    """Print every figure with its unit, and the ratio to what it is held against."""
    asked = argparse.ArgumentParser(prog="python -m tests.speed", description=__doc__)
    asked.add_argument("--json", action="store_true", help="print JSON")
    asked.add_argument("names", nargs="*", help=f"of {', '.join(modules())} (default all)")
    options = asked.parse_args(arguments)
    unknown = sorted(set(options.names) - set(modules()))
    if unknown:
        print(f"no measurement {', '.join(unknown)}; there are {', '.join(modules())}", file=sys.stderr)
        return 2
    result: dict[str, dict] = {}
    for name in options.names or modules():
        figures = importlib.import_module(f"tests.speed.{name}").figures()
        result |= figures
        if not options.json:
            for title, f in figures.items():
                ratio = "" if f.get("ratio") is None else f"  {f['ratio']:.3g} x {f['against']}"
                print(f"{title:58} {f['figure']:>12.5g} {f['unit']:<14}{ratio}", flush=True)
    if options.json:
        print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
