"""python -m data: import, history, undo, export, check, settings."""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from pathlib import Path
from typing import Any

from data.settings import Settings


def parser() -> argparse.ArgumentParser:
    """The command line, as `--help` shows it."""
    top = argparse.ArgumentParser(prog="python -m data", description="The store of facts: imports, revisions, exports, integrity.")
    commands = top.add_subparsers(dest="command", required=True)
    add = commands.add_parser("import", help="read a CSV, show what it would change, and with --commit write it as one revision")
    add.add_argument("file", type=Path)
    add.add_argument("--table", default="clusters", help="table of facts (default clusters)")
    add.add_argument("--mapping", help="a mapping to use: a JSON file, or the JSON itself")
    add.add_argument("--answers", help="answers to questions by question id: a JSON file, or the JSON itself")
    add.add_argument("--today", type=datetime.date.fromisoformat, help="the day taken as today, YYYY-MM-DD")
    add.add_argument("--commit", action="store_true", help="write the accepted rows")
    add.add_argument("--strict", action="store_true", help="write nothing where any row is rejected")
    add.add_argument("--author", default="", help="name kept with the revision")
    add.add_argument("--note", default="", help="note kept with the revision")
    add.add_argument("--json", action="store_true", help="print JSON")
    history = commands.add_parser("history", help="list revisions, newest first")
    history.add_argument("--json", action="store_true", help="print JSON")
    undo = commands.add_parser("undo", help="take a revision back by a new one")
    undo.add_argument("rev", type=int)
    undo.add_argument("--author", default="", help="name kept with the revision")
    out = commands.add_parser("export", help="write every table as exact CSV into a folder")
    out.add_argument("folder", type=Path)
    out.add_argument("--rev", type=int, help="revision to export (default newest)")
    commands.add_parser("check", help="test the integrity of everything; exit 1 on any fault")
    listing = commands.add_parser("settings", help="list every RIDGEPOINT_ setting with its value")
    listing.add_argument("--json", action="store_true", help="print JSON")
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 0 where it did what was asked, 1 on faults found, 2 on bad input with one sentence."""
    asked = parser().parse_args(arguments)
    try:
        return {"import": _import, "history": _history, "undo": _undo, "export": _export, "check": _check, "settings": _settings}[
            asked.command
        ](asked)
    except (ValueError, OSError) as wrong:
        print(f"{asked.command}: {wrong}", file=sys.stderr)
        return 2


def _import(asked: argparse.Namespace) -> int:
    from data.importing.child import Reader

    mapping = _json("--mapping", asked.mapping, '{"columns": {"Header": "field"}}', listed=True) if asked.mapping is not None else None
    answers = _json("--answers", asked.answers, '{"power:Power": "IT"}') if asked.answers is not None else None
    if not asked.file.is_file():
        raise ValueError(f"{asked.file} is not a file")
    with Reader() as reader:  # it loads its program while this process loads its own
        from data import importing
        from data.store import Store

        store = Store.open()
        try:
            prepared = importing.prepare(
                asked.file,
                table=asked.table,
                store=store,
                name=asked.file.name,
                today=asked.today or store.settings.day(),
                mapping=mapping,
                answers=answers,
                strict=asked.strict,
                reader=reader,
            )
            result = prepared.to_json()
            if asked.commit:
                result["revision"] = importing.commit(prepared, store, author=asked.author, note=asked.note)
        finally:
            store.close()
    print(json.dumps(result, ensure_ascii=False, indent=1) if asked.json else _report(result, asked.commit))
    return 0


def _report(result: dict[str, Any], committed: bool) -> str:
    """What an import found, for a person."""
    diff = result["diff"]
    counts = ", ".join(f"{len(v) if isinstance(v, (list, dict)) else v} {name}" for name, v in diff.items())
    lines = [f"{result['table']}: {counts}"]
    lines += [f"question {q['id']}: {q['text']} [{' | '.join(map(str, q['choices']))}]" for q in result["questions"]]
    lines += [f"rejected row {r['row']}, {r['column']} = {r['value']!r}: {r['reason']}" for r in result["rejects"][:50]]
    if len(result["rejects"]) > 50:
        lines.append(f"... and {len(result['rejects']) - 50} more; --json lists all")
    lines += [f"note: {w if isinstance(w, str) else w.get('text', w)}" for w in result["warnings"][:50]]
    if result["revision"]:
        lines.append(f"written as revision {result['revision']}")
    elif committed:
        lines.append("nothing to write: no row differs from what the store has")
    else:
        lines.append("nothing was written; --commit writes the accepted rows")
    return "\n".join(lines)


def _history(asked: argparse.Namespace) -> int:
    import pandas as pd

    from data.store import Store

    store = Store.open()
    rows = store.revisions()
    store.close()
    if asked.json:
        print(rows.to_json(orient="records", date_format="iso", indent=1))
    else:
        shown = rows[["rev", "time", "kind", "author", "file_name", "added", "changed", "removed", "tables", "note"]].fillna("")
        shown = shown.assign(time=shown["time"].dt.strftime("%Y-%m-%d %H:%M"))
        with pd.option_context("display.width", 200, "display.max_colwidth", 60):
            print(shown.to_string(index=False))
    return 0


def _undo(asked: argparse.Namespace) -> int:
    from data.store import Store

    store = Store.open()
    try:
        done = store.undo(asked.rev, author=asked.author)
    finally:
        store.close()
    print(f"revision {asked.rev} is taken back by revision {done.rev}: {json.dumps(done.counts)}")
    return 0


def _export(asked: argparse.Namespace) -> int:
    from data.exporting import export
    from data.store import Store

    store = Store.open()
    try:
        counts = export(store, asked.folder, asked.rev)
    finally:
        store.close()
    print("\n".join(f"{name}.csv {count} rows" for name, count in counts.items()))
    return 0


def _check(_: argparse.Namespace) -> int:
    from data.integrity import faults
    from data.store import Store

    store = Store.open()
    found = faults(store)
    head = store.head()
    store.close()
    print("\n".join(found) if found else f"sound: {head} revisions, every event, count, source, upload and link")
    return 1 if found else 0


def _settings(asked: argparse.Namespace) -> int:
    rows = Settings.from_env().rows()
    if asked.json:
        print(json.dumps(rows, indent=1))
    else:
        for row in rows:
            print(f"{row['variable']}={row['value']}\n    {row['meaning']} (default {row['default'] or 'empty'})")
    return 0


def _json(option: str, given: str, example: str, listed: bool = False) -> Any:
    """Return the JSON object (or, where `listed`, the list) that an option holds, or that the file it names holds."""
    inline = given.lstrip().startswith(("{", "["))
    where = option if inline else f"{option} {given[:200]}"
    accepted = f"accepted is a JSON object such as {example}, or a file that holds one"
    try:
        found = json.loads(given if inline else Path(given).read_text(encoding="utf-8-sig"))
    except OSError:
        raise ValueError(f"{where}: neither JSON nor a file that can be read; {accepted}") from None
    except (ValueError, RecursionError) as wrong:
        raise ValueError(f"{where} is not JSON ({str(wrong)[:200]}); {accepted}") from None
    if not isinstance(found, (dict, list) if listed else dict):
        raise ValueError(f"{where} is JSON but no object; {accepted}")
    return found


if __name__ == "__main__":
    sys.exit(main())
