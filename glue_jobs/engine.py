"""Curates stored objects by their contract: every row ends in `rows` or, with its reasons, in `rejected`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl
import pyarrow as pa

from causeway.contract import RESCUED, Contract
from glue_jobs.checks import RAW, cast, checks, find_faults
from glue_jobs.formats import parse
from glue_jobs.model import LINEAGE, REJECTED_SCHEMA, Parsed, Piece, Unreadable, text

__all__ = ["LINEAGE", "REJECTED_SCHEMA", "Curated", "Piece", "SourceCount", "curate", "curated_schema"]


@dataclass(frozen=True)
class SourceCount:
    source: str
    version: str
    rows: int
    curated: int
    rejected: int
    reasons: dict[str, int] = field(default_factory=dict)  # code → rows (a row counts once for each code)
    unreadable: bool = False  # a whole object, of no known number of rows, in one rejected record
    lines: int = 0


@dataclass
class Curated:
    rows: pa.Table
    rejected: pa.Table
    counts: list[SourceCount]


def curated_schema(contract: Contract) -> pa.Schema:
    schema = contract.arrow_schema()
    for lineage in LINEAGE:
        schema = schema.append(lineage)
    return schema


def curate(contract: Contract, pieces: Sequence[Piece], *, batch: str, committed_at: datetime) -> Curated:
    parsed: list[tuple[Piece, Parsed | Unreadable]] = []
    for piece in pieces:
        try:
            parsed.append((piece, parse(piece.data, contract)))
        except Unreadable as error:
            parsed.append((piece, error))
    results = [_curate_one(contract, piece, result) for piece, result in parsed]
    stamp = {"_batch": batch, "_committed_at": committed_at}
    rows = pl.concat([good for good, _, _ in results], how="diagonal")
    rejected = pl.concat([bad for _, bad, _ in results])
    return Curated(
        _stamped(rows, curated_schema(contract), stamp),
        _stamped(rejected, REJECTED_SCHEMA, stamp),
        [count for _, _, count in results],
    )


def _stamped(frame: pl.DataFrame, schema: pa.Schema, stamp: dict[str, object]) -> pa.Table:
    """The table in its final shape and exact types, with the batch's values in every row."""
    n = frame.height
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    for name, value in stamp.items():
        table = table.append_column(schema.field(name), pa.repeat(pa.scalar(value, schema.field(name).type), n))
    evolved = [table.schema.field(name) for name in table.column_names if name not in schema.names]
    for new in evolved:
        schema = schema.insert(len(schema) - len(LINEAGE), pa.field(new.name, pa.string()))
    return table.select(schema.names).cast(schema)


def _curate_one(
    contract: Contract, piece: Piece, parsed: Parsed | Unreadable
) -> tuple[pl.DataFrame, pl.DataFrame, SourceCount]:
    names = contract.arrow_schema().names
    if isinstance(parsed, Unreadable):
        empty = pl.from_arrow(contract.arrow_schema().empty_table())
        assert isinstance(empty, pl.DataFrame)
        bad = _rejected([(None, None, [("", parsed.code, str(parsed))])])
        count = SourceCount(piece.source, piece.version, 0, 0, 0, {parsed.code: 1}, unreadable=True)
        return _sourced(empty, piece), _sourced(bad, piece), count
    frame = _typed(contract, parsed)
    found = checks(contract)
    flag = frame.select(pl.any_horizontal([check.broken.fill_null(False) for check in found]).alias("bad"))["bad"]
    evolved = list(parsed.extra) if contract.on_schema_change == "evolve" else []
    good = frame.select(*names, *evolved)
    if flag.any():
        good = good.filter(~flag)
    bad = _bad_rows(frame.filter(flag), parsed, found)
    reasons = bad["faults"].list.eval(pl.element().struct.field("code").unique()).explode().value_counts()
    count = SourceCount(
        piece.source, piece.version, parsed.rows, good.height, bad.height, dict(sorted(reasons.rows())), lines=parsed.rows
    )
    return _sourced(good, piece), _sourced(bad, piece), count


def _typed(contract: Contract, parsed: Parsed) -> pl.DataFrame:
    frame = parsed.frame
    series = []
    for column in contract.columns:
        raw = frame[column.name] if column.name in frame.columns else pl.Series([None] * frame.height, dtype=pl.String)
        series += [cast(raw, column).alias(column.name), raw.alias(RAW + column.name)]
    if contract.on_schema_change == "rescue" and RESCUED not in frame.columns:
        rescued = pl.struct(parsed.extra).struct.json_encode() if parsed.extra else pl.lit(None, pl.String)
        frame = frame.with_columns(rescued.alias(RESCUED))
    rest = [name for name in frame.columns if name not in {c.name for c in contract.columns}]
    return pl.DataFrame(series).hstack(frame.select(rest))


def _bad_rows(bad: pl.DataFrame, parsed: Parsed, found: list) -> pl.DataFrame:  # type: ignore[type-arg]
    misfits = _rejected([(m.line, m.raw, [("", m.code, m.message)]) for m in parsed.misfits])
    if not bad.height:
        return misfits
    faults = find_faults(bad, found)
    raw = [text(parsed.data[s:e]) for s, e in bad.select("_start", "_end").iter_rows()]
    rows = pl.DataFrame({"line": bad["_line"], "raw": pl.Series(raw, dtype=pl.String), "faults": faults["faults"]})
    return pl.concat([misfits, rows]).sort("line")


def _rejected(records: list[tuple[int | None, str | None, list[tuple[str, str, str]]]]) -> pl.DataFrame:
    fault = pl.Struct({"column": pl.String, "code": pl.String, "message": pl.String})
    return pl.DataFrame(
        {
            "line": pl.Series([r[0] for r in records], dtype=pl.Int64),
            "raw": pl.Series([r[1] for r in records], dtype=pl.String),
            "faults": pl.Series(
                [[dict(zip(("column", "code", "message"), f, strict=True)) for f in r[2]] for r in records],
                dtype=pl.List(fault),
            ),
        }
    )


def _sourced(frame: pl.DataFrame, piece: Piece) -> pl.DataFrame:
    return frame.with_columns(
        pl.lit(piece.source).alias("_source"), pl.lit(piece.version).alias("_source_version")
    )
