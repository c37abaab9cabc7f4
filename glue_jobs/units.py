"""What one task curates: whole objects, a handful of small ones, or byte ranges of a large one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, TypeVar

import polars as pl
import pyarrow as pa

from causeway.contract.model import Contract
from glue_jobs.keys import Banned, repeated
from glue_jobs.model import Slice, SourceCount
from glue_jobs.stored import is_utf8

MIN_BYTES, MAX_BYTES = 32 << 20, 128 << 20  # of a unit: below, a task's own cost counts; above, its memory


@dataclass(frozen=True)
class SourceObject:
    source: str
    version: str
    size: int


@dataclass(frozen=True)
class Unit:
    slices: tuple[Slice, ...]


def target_bytes(objects: Iterable[SourceObject], slots: int) -> int:
    """The size of units that keep so many slots busy to the end: as many units as slots, or a multiple."""
    size = sum(item.size for item in objects)
    rounds = -(-size // (slots * MAX_BYTES))
    return max(MIN_BYTES, -(-size // max(rounds * slots, 1)))


def plan_units(
    objects: Sequence[SourceObject],
    contract: Contract,
    *,
    target_bytes: int = MAX_BYTES,
    split: bool = False,
) -> list[Unit]:
    """Objects in their order, as many to a unit as fit into target_bytes; with `split`, large ones in ranges.

    Whoever splits must look at `torn_sources` afterwards, and curate those again unsplit.
    """
    units: list[Unit] = []
    slices: list[Slice] = []
    room = target_bytes
    for item in objects:
        for piece in _slices(item, contract, target_bytes if split else max(item.size, 1)):
            if slices and piece.stop - piece.start > room:
                units.append(Unit(tuple(slices)))
                slices, room = [], target_bytes
            slices.append(piece)
            room -= piece.stop - piece.start
    return [*units, Unit(tuple(slices))] if slices else units


def _slices(item: SourceObject, contract: Contract, target: int) -> Iterator[Slice]:
    count = -(-item.size // target) if contract.format == "parquet" or is_utf8(contract.encoding) else 1
    edges = [item.size * i // max(count, 1) for i in range(max(count, 1) + 1)]
    for start, stop in pairwise(edges):
        yield Slice(item.source, item.version, start, stop, item.size)


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
