"""What one unit cannot see of another: torn objects, repeated keys, totals, lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Protocol, TypeVar

import polars as pl
import pyarrow as pa

from causeway.contract.model import Contract
from causeway.engine.check.keys import Banned, repeated
from causeway.engine.model import SourceCount
from causeway.engine.plan import Unit


class HasKeys(Protocol):
    """What a unit came to, with the hashes of its keys among it."""

    @property
    def keys(self) -> pl.DataFrame: ...


Result = TypeVar("Result", bound=HasKeys)


def settle_keys(
    units: Mapping[int, Unit],
    results: MutableMapping[int, Result],
    contract: Contract,
    curate: Callable[[Mapping[int, Unit], Banned], Mapping[int, Result]],
) -> None:
    """Keys that occur in more than one unit: the units that hold them are curated again without them."""
    if banned := repeated([results[n].keys for n in sorted(results)], contract):
        affected = {
            n: unit
            for n, unit in units.items()
            if any((s.source, s.version, s.start) in banned for s in unit.slices)
        }
        results.update(curate(affected, banned))


def total(counts: Iterable[SourceCount]) -> list[SourceCount]:
    """One count a source, whatever the number of its slices and blocks."""
    sums: dict[tuple[str, str], SourceCount] = {}
    for count in counts:
        so_far = sums.get((count.source, count.version))
        sums[count.source, count.version] = count if so_far is None else _add(so_far, count)
    return list(sums.values())


def _add(a: SourceCount, b: SourceCount) -> SourceCount:
    codes = sorted({*a.reasons, *b.reasons})
    return SourceCount(
        a.source,
        a.version,
        a.rows + b.rows,
        a.curated + b.curated,
        a.rejected + b.rejected,
        {code: a.reasons.get(code, 0) + b.reasons.get(code, 0) for code in codes},
        a.unreadable or b.unreadable,
        0,
        a.lines + b.lines,
        a.torn or b.torn,
    )


def torn_sources(counts: Iterable[SourceCount]) -> set[tuple[str, str]]:
    """Objects whose slices could not tell records apart: drop their results, curate them unsplit."""
    return {(count.source, count.version) for count in counts if count.torn}


def number_lines(rejected: pa.Table, counts: Iterable[SourceCount]) -> pa.Table:
    """Lines of split objects, counted from the object's start instead of the slice's."""
    bases: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for (source, version, start), lines in sorted(_lines_by_slice(counts).items()):
        known = bases.setdefault((source, version), [(0, 0)])
        known[-1] = (start, known[-1][1])
        known.append((1 << 62, known[-1][1] + lines))
    rows = [(s, v, start, base) for (s, v), known in bases.items() for start, base in known[:-1]]
    schema = {"_source": pl.String, "_source_version": pl.String, "offset": pl.Int64, "_base": pl.Int64}
    frame = pl.DataFrame(rejected)
    based = (
        frame.with_row_index("_at")
        .sort("offset", nulls_last=False)
        .join_asof(
            pl.DataFrame(rows, schema, orient="row").sort("offset"),
            on="offset",
            by=["_source", "_source_version"],
            check_sortedness=False,
        )
    )
    numbered = based.sort("_at").select(pl.col("line") + pl.col("_base").fill_null(0)).to_series()
    return rejected.set_column(rejected.schema.get_field_index("line"), "line", numbered.to_arrow())


def _lines_by_slice(counts: Iterable[SourceCount]) -> dict[tuple[str, str, int], int]:
    lines: dict[tuple[str, str, int], int] = {}
    for count in counts:
        key = (count.source, count.version, count.start)
        lines[key] = lines.get(key, 0) + count.lines
    return lines
