"""The engine over local files: what AWS would do with them, without AWS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from causeway.contract.model import Contract, ContractError
from causeway.engine.check.keys import Banned
from causeway.engine.curate import Curated, curate_slices
from causeway.engine.model import SourceCount, Unreadable
from causeway.engine.plan import Unit, plan_units
from causeway.engine.settle import settle_keys, source_reports
from causeway.engine.write import write_parquet
from causeway.flow.codes import Code
from causeway.flow.manifest import SourceVersion
from causeway.flow.report import Report

RUN = "local"  # the name of the batch, its run and the files' version


@dataclass(frozen=True)
class UnitResult:
    counts: list[SourceCount]
    keys: pl.DataFrame
    examples: dict[str, str]


def run(contract: Contract, files: Iterable[Path], out: Path | None = None) -> tuple[Report, dict[str, str]]:
    """What became of each file, and an example of each reason code.

    `out` is the folder under which curated/ and quarantine/ are written as Parquet. Raises ContractError
    for a file that is not there.
    """
    paths = list(dict.fromkeys(files))
    for path in paths:
        if not path.is_file():
            raise ContractError(f"{path}: no such file")
    objects = [SourceVersion(str(path), RUN, path.stat().st_size) for path in paths]
    units = dict(enumerate(plan_units(objects, contract)))

    def curate(chosen: Mapping[int, Unit], banned: Banned) -> dict[int, UnitResult]:
        return {n: _curate(contract, n, unit, banned, out) for n, unit in chosen.items()}

    results = curate(units, {})
    settle_keys(units, results, contract, curate)
    ordered = [results[n] for n in sorted(results)]
    examples: dict[str, str] = {}
    for result in ordered:
        examples = result.examples | examples
    sources = source_reports(count for result in ordered for count in result.counts)
    return Report(contract.dataset, RUN, RUN, contract.version, tuple(sources)), examples


def fetch(source: str, version: str, start: int, stop: int) -> bytes:
    try:
        with open(source, "rb") as file:
            file.seek(start)
            return file.read(stop - start)
    except OSError as error:
        raise Unreadable(Code.ACCESS, str(error)) from error


def _curate(contract: Contract, n: int, unit: Unit, banned: Banned, out: Path | None) -> UnitResult:
    counts: list[SourceCount] = []
    keys: list[pl.DataFrame] = []
    examples: dict[str, str] = {}
    _remove_files(n, out)  # of the first round: a partition may have had none but repeated rows
    now = datetime.now(UTC)
    parts = curate_slices(contract, unit.slices, fetch, batch=RUN, committed_at=now, banned=banned)
    for i, part in enumerate(parts):
        if part.anew:
            counts, keys, examples = [], [], {}
            _remove_files(n, out)
        counts += part.counts
        keys.append(part.keys)
        examples = _examples(part) | examples
        if out:
            _write(part, contract, out, f"part-{n:05}-{i:03}.parquet")
    return UnitResult(counts, pl.concat(keys), examples)


def _remove_files(n: int, out: Path | None) -> None:
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


def _write(part: Curated, contract: Contract, out: Path, name: str) -> None:
    for partition, data in write_parquet(part.frame, contract):
        target = out / "curated" / (partition or "") / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    if part.rejected.num_rows:
        (out / "quarantine").mkdir(parents=True, exist_ok=True)
        pq.write_table(part.rejected, out / "quarantine" / name, compression="zstd")
