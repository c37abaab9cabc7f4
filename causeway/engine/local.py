"""The engine over local files: what AWS would do with them, without AWS."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from causeway.contract.model import Contract, ContractError
from causeway.engine.check.keys import Banned
from causeway.engine.curate import Curated
from causeway.engine.model import Unreadable
from causeway.engine.plan import Unit, plan_units
from causeway.engine.settle import settle_keys, source_reports
from causeway.engine.unit import UnitResult, curate_unit
from causeway.engine.write import parquet, write_parquet
from causeway.flow.codes import Code
from causeway.flow.manifest import SourceVersion
from causeway.flow.report import Report

RUN = "local"  # the name of the batch, its run and the files' version


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

    examples: dict[str, str] = {}

    def store(n: int, i: int, part: Curated) -> tuple[list[str], list[str]]:
        if i == 0 or part.anew:  # void is what an earlier round or parts of this one left
            for path in out.glob(f"**/part-{n:05}-*.parquet") if out else ():
                path.unlink()
        examples.update(_examples(part) | examples)
        if out:
            _write(part, contract, out, f"part-{n:05}-{i:03}.parquet")
        return [], []

    hash_key = secrets.token_bytes()  # so that nobody takes these hashes for those that the lake has

    def curate(chosen: Mapping[int, Unit], banned: Banned) -> dict[int, UnitResult]:
        facts: dict[str, Any] = {"batch": RUN, "committed_at": datetime.now(UTC), "banned": banned}
        return {
            n: curate_unit(contract, unit, fetch, partial(store, n), hash_key=hash_key, **facts)
            for n, unit in chosen.items()
        }

    results = curate(units, {})
    settle_keys(units, results, contract, curate)
    sources = source_reports(count for n in sorted(results) for count in results[n].counts)
    return Report(contract.dataset, RUN, RUN, contract.version, tuple(sources)), examples


def fetch(source: str, version: str, start: int, stop: int) -> bytes:
    try:
        with open(source, "rb") as file:
            file.seek(start)
            return file.read(stop - start)
    except OSError as error:
        raise Unreadable(Code.ACCESS, str(error)) from error


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
    curated = write_parquet(part.frame, contract)
    files = {Path("curated", partition or "", name): data for partition, data in curated}
    if part.rejected.num_rows:
        files[Path("quarantine", name)] = parquet(part.rejected)
    for path, data in files.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(data)
