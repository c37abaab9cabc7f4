"""`causeway check`: runs a contract over local files with the engine that runs on AWS."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from causeway.contract.model import Contract
from causeway.engine.dry_run import load_runnable
from causeway.engine.local import Report, run

CLEAN, REJECTED = 0, 1
FORMAT_VERSION = 1


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "check",
        help="check files against a contract",
        description="Exit status: 0 every row is clean, 1 some were rejected, 2 wrong usage or contract.",
    )
    parser.add_argument("contract", type=Path, metavar="CONTRACT")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write curated/ and quarantine/ Parquet here")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.set_defaults(run=check)


def check(options: argparse.Namespace) -> int:
    contract = load_runnable(options.contract)
    started = time.perf_counter()
    report = run(contract, options.files, options.out)
    report.seconds = round(time.perf_counter() - started, 3)
    print(
        json.dumps(as_json(report), ensure_ascii=False)
        if options.json
        else as_text(contract, report, options.out)
    )
    return REJECTED if report.rows_quarantined or report.objects_unreadable else CLEAN


def as_json(report: Report) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "rows_in": report.rows_in,
        "rows_curated": report.rows_curated,
        "rows_quarantined": report.rows_quarantined,
        "objects_unreadable": report.objects_unreadable,
        "reasons": dict(sorted(report.reasons.items())),
        "files": report.files,
        "seconds": report.seconds,
    }


def as_text(contract: Contract, report: Report, out: Path | None) -> str:
    lines = [f"Contract {contract.dataset} {contract.version}", ""]
    width = max(len(entry["file"]) for entry in report.files)
    lines.append(f"{'FILE':{width}}  {'ROWS':>10}  {'CURATED':>10}  {'REJECTED':>10}")
    for entry in report.files:
        if entry["unreadable"]:
            lines.append(f"{entry['file']:{width}}  cannot be read ({', '.join(entry['reasons'])})")
        else:
            numbers = (entry["rows"], entry["curated"], entry["quarantined"])
            lines.append(f"{entry['file']:{width}}" + "".join(f"  {n:>10,}" for n in numbers))
    if report.reasons:
        lines += ["", f"{'REASON':14}  {'TIMES':>8}  FOR EXAMPLE"]
        for code, times in sorted(report.reasons.items(), key=lambda item: (-item[1], item[0])):
            example = report.examples.get(code, "").replace("\n", "\\n").replace("\r", "\\r")
            lines.append(f"{code:14}  {times:>8,}  {example[:160]}")
    if out:
        lines += ["", f"Written to {out}/curated and {out}/quarantine"]
    lines += ["", _last_line(report)]
    return "\n".join(lines)


def _last_line(report: Report) -> str:
    return (
        f"Done. FILES={len(report.files)} ROWS={report.rows_in} CURATED={report.rows_curated} "
        f"REJECTED={report.rows_quarantined} UNREADABLE={report.objects_unreadable} "
        f"TOOK={report.seconds:.2f}s"
    )
