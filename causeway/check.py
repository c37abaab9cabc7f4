"""`causeway check`: runs a contract over local files with the engine that runs on AWS."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from causeway.contract.load import load_contract
from causeway.contract.model import Contract, ContractError
from glue_jobs.engine import Curated, curate_slices, dry_run
from glue_jobs.keys import Banned
from glue_jobs.model import SourceCount, Unreadable
from glue_jobs.output import write_parquet
from glue_jobs.units import SourceObject, Unit, plan_units, settle_keys, total

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


@dataclass
class Report:
    rows_in: int = 0
    rows_curated: int = 0
    rows_quarantined: int = 0
    objects_unreadable: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)
    examples: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class UnitResult:
    counts: list[SourceCount]
    keys: pl.DataFrame
    examples: dict[str, str]


def load_runnable(path: Path) -> Contract:
    """The contract, if the engine can run its expressions and patterns; ContractError otherwise."""
    contract = load_contract(path)
    try:
        dry_run(contract)
    except ValueError as error:
        raise ContractError(f"{path}: schema[0]: {error}") from error
    return contract


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


def run(contract: Contract, files: Iterable[Path], out: Path | None = None) -> Report:
    paths = list(dict.fromkeys(files))
    for path in paths:
        if not path.is_file():
            raise ContractError(f"{path}: no such file")
    objects = [SourceObject(str(path), "local", path.stat().st_size) for path in paths]
    units = dict(enumerate(plan_units(objects, contract)))

    def curate(some: Mapping[int, Unit], banned: Banned) -> dict[int, UnitResult]:
        return {n: _curate(contract, n, unit, banned, out) for n, unit in some.items()}

    results = curate(units, {})
    settle_keys(units, results, contract, curate)
    return _report(results[n] for n in sorted(results))


def _curate(contract: Contract, n: int, unit: Unit, banned: Banned, out: Path | None) -> UnitResult:
    counts: list[SourceCount] = []
    keys: list[pl.DataFrame] = []
    examples: dict[str, str] = {}
    _unlink(n, out)  # by the first round: a partition may have had none but repeated rows
    now = datetime.now(UTC)
    parts = curate_slices(contract, unit.slices, fetch, batch="check", committed_at=now, banned=banned)
    for i, part in enumerate(parts):
        if part.anew:
            counts, keys, examples = [], [], {}
            _unlink(n, out)
        counts += part.counts
        keys.append(part.keys)
        examples = _examples(part) | examples
        if out:
            _write(part, contract, out, f"part-{n:05}-{i:03}.parquet")
    return UnitResult(counts, pl.concat(keys), examples)


def _unlink(n: int, out: Path | None) -> None:
    for written in out.glob(f"**/part-{n:05}-*.parquet") if out else ():
        written.unlink()


def _examples(part: Curated) -> dict[str, str]:
    """One rejected row for each reason code."""
    examples: dict[str, str] = {}
    for record in part.rejected.slice(0, 10_000).select(["_source", "line", "faults"]).to_pylist():
        for fault in record["faults"]:
            line = "" if record["line"] is None else f":{record['line']}"
            column = fault["column"] and f" {fault['column']}"
            examples.setdefault(fault["code"], f"{record['_source']}{line}{column}: {fault['message']}")
    return examples


def _report(results: Iterable[UnitResult]) -> Report:
    report, counts = Report(), []
    for result in results:
        counts += result.counts
        report.examples = result.examples | report.examples
    for count in total(counts):
        report.rows_in += count.rows
        report.rows_curated += count.curated
        report.rows_quarantined += count.rejected
        report.objects_unreadable += count.unreadable
        for code, rows in count.reasons.items():
            report.reasons[code] = report.reasons.get(code, 0) + rows
        report.files.append(
            {
                "file": count.source,
                "rows": count.rows,
                "curated": count.curated,
                "quarantined": count.rejected,
            }
            | {"reasons": count.reasons, "unreadable": count.unreadable}
        )
    return report


def fetch(source: str, version: str, start: int, stop: int) -> bytes:
    try:
        with open(source, "rb") as file:
            file.seek(start)
            return file.read(stop - start)
    except OSError as error:
        raise Unreadable("access", str(error)) from error


def _write(part: Curated, contract: Contract, out: Path, name: str) -> None:
    for partition, data in write_parquet(part.frame, contract):
        target = out / "curated" / (partition or "") / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    if part.rejected.num_rows:
        (out / "quarantine").mkdir(parents=True, exist_ok=True)
        pq.write_table(part.rejected, out / "quarantine" / name, compression="zstd")


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
