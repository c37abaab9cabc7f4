"""One unit, curated part by part: what a Spark task does, and a local run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from causeway.contract.model import Contract
from causeway.engine.check.keys import NO_KEYS, Banned
from causeway.engine.curate import Curated, curate_slices
from causeway.engine.model import Fetch, SourceCount
from causeway.engine.plan import Unit

# Keeps a part, the nth of its unit; returns where: files of curated rows, files of rejected ones.
Store = Callable[[int, Curated], tuple[list[str], list[str]]]


@dataclass(frozen=True)
class UnitResult:
    """What a unit came to: counts, files written, hashes of its keys, columns that no contract names."""

    counts: list[SourceCount] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    rejected_files: list[str] = field(default_factory=list)
    keys: pl.DataFrame = field(default_factory=lambda: NO_KEYS)
    new_columns: set[str] = field(default_factory=set)


def curate_unit(
    contract: Contract,
    unit: Unit,
    fetch: Fetch,
    store: Store,
    *,
    batch: str,
    committed_at: datetime,
    banned: Banned,
    hash_key: bytes,
) -> UnitResult:
    """Curate a unit and store its parts, so that memory does not grow with it."""
    parts = curate_slices(
        contract,
        unit.slices,
        fetch,
        batch=batch,
        committed_at=committed_at,
        banned=banned,
        hash_key=hash_key,
    )
    result, keys = UnitResult(), [NO_KEYS]
    for n, part in enumerate(parts):
        if part.anew:  # the parts before are void
            result, keys = UnitResult(), [NO_KEYS]
        files, rejected_files = store(n, part)
        result.files.extend(files)
        result.rejected_files.extend(rejected_files)
        result.counts.extend(part.counts)
        result.new_columns.update(part.new_columns)
        keys.append(part.keys)
    return UnitResult(result.counts, result.files, result.rejected_files, pl.concat(keys), result.new_columns)
