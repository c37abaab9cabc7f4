"""The engine over local files: what AWS would do with them, without AWS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from causeway.contract.model import Contract, ContractError
from causeway.engine.check.keys import Banned
from causeway.engine.curate import Curated, curate_slices
from causeway.engine.model import SourceCount, Unreadable
from causeway.engine.plan import Unit, plan_units
from causeway.engine.settle import settle_keys, total
from causeway.engine.write import write_parquet
from causeway.flow.codes import Code
from causeway.flow.manifest import SourceVersion


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


def run(contract: Contract, files: Iterable[Path], out: Path | None = None) -> Report:
    paths = list(dict.fromkeys(files))
    for path in paths:
        if not path.is_file():
            raise ContractError(f"{path}: no such file")
    objects = [SourceVersion(str(path), "local", path.stat().st_size) for path in paths]
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
        raise Unreadable(Code.ACCESS, str(error)) from error


def _write(part: Curated, contract: Contract, out: Path, name: str) -> None:
    for partition, data in write_parquet(part.frame, contract):
        target = out / "curated" / (partition or "") / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    if part.rejected.num_rows:
        (out / "quarantine").mkdir(parents=True, exist_ok=True)
        pq.write_table(part.rejected, out / "quarantine" / name, compression="zstd")
