"""What one unit cannot see of another: torn objects, repeated keys, totals, lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, MutableMapping

import polars as pl
import pyarrow as pa

from causeway.contract.model import Contract
from causeway.engine.check.keys import Banned, repeated
from causeway.engine.model import SourceCount
from causeway.engine.plan import Unit
from causeway.engine.unit import UnitResult
from causeway.flow.report import SourceReport


def settle_keys(
    units: Mapping[int, Unit],
    results: MutableMapping[int, UnitResult],
    contract: Contract,
    curate: Callable[[Mapping[int, Unit], Banned], Mapping[int, UnitResult]],
) -> None:
    """Keys that occur in more than one unit: the units that hold them are curated again without them."""
    if banned := repeated([results[n].keys for n in sorted(results)], contract):
        affected = {
            n: unit
            for n, unit in units.items()
            if any((s.source, s.version, s.start) in banned for s in unit.slices)
        }
        results.update(curate(affected, banned))


def source_reports(counts: Iterable[SourceCount]) -> list[SourceReport]:
    """What became of each source, whatever the number of its slices and blocks."""
    by_source: dict[tuple[str, str], list[SourceCount]] = {}
    for count in counts:
        by_source.setdefault((count.source, count.version), []).append(count)
    return [
        SourceReport(
            source,
            version,
            landed=sum(part.rows for part in parts),
            curated=sum(part.curated for part in parts),
            quarantined=sum(part.rejected for part in parts),
            reasons=_sum_reasons(parts),
            unreadable=any(part.unreadable for part in parts),
        )
        for (source, version), parts in by_source.items()
    ]


def _sum_reasons(parts: Iterable[SourceCount]) -> dict[str, int]:
    reasons: Counter[str] = Counter()
    for part in parts:
        reasons.update(part.reasons)
    return dict(sorted(reasons.items()))


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
    at = rejected.schema.get_field_index("line")
    return rejected.set_column(at, rejected.schema.field(at), numbered.to_arrow())


def _lines_by_slice(counts: Iterable[SourceCount]) -> dict[tuple[str, str, int], int]:
    lines: dict[tuple[str, str, int], int] = {}
    for count in counts:
        key = (count.source, count.version, count.start)
        lines[key] = lines.get(key, 0) + count.lines
    return lines
