"""Curates stored objects by their contract: every row ends in `rows` or, with its reasons, in `rejected`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from causeway.contract import RESCUED, Column, Contract
from glue_jobs.casts import cast, polars_type
from glue_jobs.checks import FAULT, RAW, any_broken, as_text, checks, faults
from glue_jobs.formats import EXTRA, read
from glue_jobs.keys import Banned, constraints, key_hashes, repeated_keys
from glue_jobs.model import (
    LINEAGE,
    NOTHING,
    REJECTED_SCHEMA,
    Fetch,
    Parsed,
    Piece,
    Slice,
    SourceCount,
    Unreadable,
    text,
)
from glue_jobs.stored import BLOCK

__all__ = [
    "LINEAGE",
    "REJECTED_SCHEMA",
    "Curated",
    "Piece",
    "SourceCount",
    "curate",
    "curate_slices",
    "curated_schema",
    "dry_run",
]

PART_BYTES = 256 << 20  # of input that one Curated holds: what becomes one output file per partition value


@dataclass
class Curated:
    frame: pl.DataFrame  # curated rows, as Polars holds them
    schema: pa.Schema
    rejected: pa.Table
    counts: list[SourceCount]
    keys: pl.DataFrame  # a hash of every key that the contract wants unique, and where it stands

    @cached_property
    def rows(self) -> pa.Table:
        return self.frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(self.schema)


def curated_schema(contract: Contract, evolved: Sequence[str] = ()) -> pa.Schema:
    new = [pa.field(name, pa.string()) for name in evolved]
    return pa.schema([*contract.arrow_schema(), *new, *LINEAGE])


def dry_run(contract: Contract) -> None:
    """Raises ValueError for an expression or a pattern that the engine could not run."""
    label = "transformLogic"
    try:
        frame = _together(contract, [])[0]
        label = "quality"
        for check in checks(contract):
            label = f"{check.column or 'row'}: {check.code}"
            if frame.select(check.broken).dtypes != [pl.Boolean]:
                raise ValueError(f"{label}: not a condition, for it is neither true nor false")
    except pl.exceptions.PolarsError as error:
        reason = re.sub(rf'"{RAW}[^"]*",? ?', "", " ".join(str(error).split()))
        raise ValueError(f"{label}: {reason}"[:500]) from error


def curate(contract: Contract, pieces: Sequence[Piece], *, batch: str, committed_at: datetime) -> Curated:
    data = {(piece.source, piece.version): piece.data for piece in pieces}
    slices = [Slice(p.source, p.version, 0, len(p.data), len(p.data)) for p in pieces]
    parts = curate_slices(
        contract,
        slices,
        lambda source, version, start, stop: data[source, version][start:stop],
        batch=batch,
        committed_at=committed_at,
        part_bytes=1 << 62,
    )
    return next(parts)


def curate_slices(
    contract: Contract,
    slices: Sequence[Slice],
    fetch: Fetch,
    *,
    batch: str,
    committed_at: datetime,
    part_bytes: int = PART_BYTES,
    banned: Banned | None = None,
) -> Iterator[Curated]:
    """Curates block by block, so that memory is bounded whatever an object's size; at least one part."""
    stamp = {"_contract": contract.version, "_batch": batch, "_committed_at": committed_at}
    results: list[_Result] = []
    size = 0
    for group in _groups(contract, slices, fetch):
        results.append(_check(contract, group, banned or {}))
        size += sum(len(parsed.data) for _, parsed in group if isinstance(parsed, Parsed))
        if size >= part_bytes:
            yield _part(contract, results, stamp)
            results, size = [], 0
    if results or not slices:
        yield _part(contract, results, stamp)


Read = tuple[Slice, Parsed | Unreadable]


def _groups(contract: Contract, slices: Sequence[Slice], fetch: Fetch) -> Iterator[list[Read]]:
    """Blocks of about one size: small objects are checked together, for each check has a fixed cost."""
    group: list[Read] = []
    size = 0
    for piece in slices:
        nothing = True
        try:
            for parsed in read(piece, fetch, contract):
                group.append((piece, parsed))
                nothing = False
                size += len(parsed.data)
                if size >= BLOCK:
                    yield group
                    group, size = [], 0
        except Unreadable as error:
            group = [item for item in group if item[0] is not piece]
            group.append((piece, error))
        else:
            if nothing:  # a slice in which no record begins
                group.append((piece, NOTHING))
    if group:
        yield group


@dataclass
class _Result:
    good: pl.DataFrame
    rejected: pl.DataFrame
    counts: list[SourceCount]
    keys: pl.DataFrame


def _check(contract: Contract, group: list[Read], banned: Banned) -> _Result:
    frame, where = _together(contract, group)
    found = checks(contract)
    broken = any_broken(frame, found)
    rejected = [_whole_objects(group), _misfits(group)]
    good = frame
    if broken.any():
        bad = frame.filter(broken)
        rejected.append(_rejects(bad, where.filter(broken), faults(bad, found), group))
        good = frame.select(pl.exclude("^raw:.*$")).filter(~broken)
        where = where.filter(~broken)
    if constraints(contract):
        wrong, why = repeated_keys(good, where, contract, group, banned)
        if wrong.any():
            rejected.append(_rejects(good.filter(wrong), where.filter(wrong), why, group))
            good, where = good.filter(~wrong), where.filter(~wrong)
    bad_rows = pl.concat(rejected).sort("_piece", "line", maintain_order=True)
    new = (
        [name for name in good.columns if name.startswith(EXTRA)]
        if contract.on_schema_change == "evolve"
        else []
    )
    rows = [good[name].alias(name.removeprefix(EXTRA)) for name in (*contract.arrow_schema().names, *new)]
    return _Result(
        pl.DataFrame([*rows, *_sources(where["_piece"], group)]),
        bad_rows.hstack(_sources(bad_rows["_piece"], group)),
        _counts(where, bad_rows, group),
        key_hashes(good, where, contract, group),
    )


def _together(contract: Contract, group: list[Read]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The group's rows: typed columns beside what each came from; and, apart, where each row stands."""
    parsed = [(i, p) for i, (_, p) in enumerate(group) if isinstance(p, Parsed) and p.frame.width]
    frames = [_unknown_fields(p.frame, contract) for _, p in parsed]
    frame = pl.concat(frames, how="diagonal_relaxed") if frames else pl.DataFrame()
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, frame.height)
    series = []
    for column in contract.inputs:
        raw = frame[column.name] if column.name in frame.columns else nothing
        series += [cast(raw, column).alias(column.name), raw.alias(RAW + column.name)]
    series += [frame[name] for name in frame.columns if name.startswith(("_", EXTRA))]
    if RESCUED not in frame.columns:
        series.append(nothing.alias(RESCUED))
    typed = pl.DataFrame(series)
    for column in contract.columns:
        if column.transform:
            typed = typed.with_columns(_derived(column))
    columns = {
        "_piece": [np.full(p.frame.height, i, np.uint32) for i, p in parsed],
        "_line": [p.line for _, p in parsed],
        "_start": [p.start for _, p in parsed],
        "_end": [p.end for _, p in parsed],
    }
    none = np.empty(0, np.int64)
    where = {name: np.concatenate([none, *parts]) for name, parts in columns.items()}  # type: ignore[misc]
    return typed, pl.DataFrame(where, schema_overrides={"_piece": pl.UInt32})


def _derived(column: Column) -> pl.Expr:
    return pl.sql_expr(str(column.transform)).cast(polars_type(column), strict=False).alias(column.name)


def _unknown_fields(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Fields beyond the contract, as its policy wants them: new columns of text, or one of JSON."""
    extra = [name for name in frame.columns if name.startswith(EXTRA)]
    if contract.on_schema_change == "evolve":
        if RESCUED in frame.columns:
            frame = _spread(frame)
        return frame.with_columns(as_text(frame[name]).alias(name) for name in extra)
    if not extra:
        return frame
    fields = [as_text(frame[name]).alias(name.removeprefix(EXTRA)) for name in extra]
    some = frame.select(pl.any_horizontal(pl.col(extra).is_not_null())).to_series()
    rescued = pl.DataFrame(fields).select(
        pl.when(some).then(pl.struct(pl.all()).struct.json_encode()).alias(RESCUED)
    )
    return frame.drop(extra).hstack(rescued)


def _spread(frame: pl.DataFrame) -> pl.DataFrame:
    """Rescued JSON fields as columns of text."""
    at = frame[RESCUED].is_not_null().arg_true()
    columns: dict[str, list[str | None]] = {}
    for i, rest in zip(at, frame[RESCUED].gather(at), strict=True):
        for key, value in json.loads(rest).items():
            column = columns.setdefault(EXTRA + key, [None] * frame.height)
            column[i] = (
                value if isinstance(value, str) or value is None else json.dumps(value, ensure_ascii=False)
            )
    return frame.drop(RESCUED).with_columns(
        pl.Series(name, column, pl.String) for name, column in columns.items()
    )


def _rejects(bad: pl.DataFrame, where: pl.DataFrame, why: pl.Series, group: list[Read]) -> pl.DataFrame:
    raw, offset = [], []
    for at, (i, _, start, end) in enumerate(where.iter_rows()):
        parsed = group[i][1]
        if isinstance(parsed, Parsed) and parsed.data:
            raw.append(text(parsed.data[start:end]))
            offset.append(parsed.offset + start)
        else:
            raw.append(_row_as_json(bad, at))
            offset.append(None)
    return _rejected(where["_piece"], where["_line"], offset, raw, why)


def _row_as_json(bad: pl.DataFrame, at: int) -> str:
    row = bad.row(at, named=True)
    raw = {name.removeprefix(RAW): value for name, value in row.items() if name.startswith(RAW)} or row
    return json.dumps(raw, default=str, ensure_ascii=False)


def _misfits(group: list[Read]) -> pl.DataFrame:
    found = [
        (i, m) for i, (_, parsed) in enumerate(group) if isinstance(parsed, Parsed) for m in parsed.misfits
    ]
    why = [[{"column": "", "code": m.code, "message": m.message}] for _, m in found]
    raw = [m.raw for _, m in found]
    return _rejected(
        [i for i, _ in found], [m.line for _, m in found], [m.offset for _, m in found], raw, why
    )


def _whole_objects(group: list[Read]) -> pl.DataFrame:
    found = [(i, e) for i, (piece, e) in enumerate(group) if isinstance(e, Unreadable) and piece.whole]
    nothing = [None] * len(found)
    why = [[{"column": "", "code": error.code, "message": str(error)}] for _, error in found]
    return _rejected([i for i, _ in found], nothing, nothing, nothing, why)


def _rejected(piece: Any, line: Any, offset: Any, raw: Any, why: Any) -> pl.DataFrame:
    columns: dict[str, Any] = {
        "_piece": pl.UInt32,
        "line": pl.Int64,
        "offset": pl.Int64,
        "raw": pl.String,
        "faults": pl.List(FAULT),
    }
    values = zip(columns.items(), (piece, line, offset, raw, why), strict=True)
    return pl.DataFrame([pl.Series(name, value, dtype) for (name, dtype), value in values])


def _counts(where: pl.DataFrame, bad: pl.DataFrame, group: list[Read]) -> list[SourceCount]:
    curated = dict(where["_piece"].value_counts().iter_rows())
    codes = bad.select(
        "_piece", code=pl.col("faults").list.eval(pl.element().struct.field("code")).list.unique()
    )
    reasons: dict[int, dict[str, int]] = {}
    for i, code, n in (
        codes.explode("code").group_by("_piece", "code").len().sort("_piece", "code").iter_rows()
    ):
        reasons.setdefault(i, {})[code] = n
    rejected = dict(bad["_piece"].value_counts().iter_rows())
    counts = []
    for i, (piece, parsed) in enumerate(group):
        count = SourceCount(piece.source, piece.version, 0, 0, 0, reasons.get(i, {}), start=piece.start)
        if isinstance(parsed, Unreadable):
            counts.append(replace(count, unreadable=piece.whole, torn=not piece.whole))
        else:
            kept, lost = curated.get(i, 0), rejected.get(i, 0)
            torn = parsed.torn
            counts.append(
                replace(count, rows=kept + lost, curated=kept, rejected=lost, lines=parsed.lines, torn=torn)
            )
            if parsed.rows != kept + lost:
                raise RuntimeError(f"{piece.source}: {parsed.rows} rows came in, {kept} + {lost} went out")
    return counts


def _sources(piece: pl.Series, group: list[Read]) -> list[pl.Series]:
    sources = pl.Series("_source", [piece.source for piece, _ in group], dtype=pl.String)
    versions = pl.Series("_source_version", [piece.version for piece, _ in group], dtype=pl.String)
    return [sources.gather(piece), versions.gather(piece)]


def _part(contract: Contract, results: list[_Result], stamp: Mapping[str, Any]) -> Curated:
    if not results:
        results = [_check(contract, [], {})]
    constants = [
        pl.lit(value).cast(pl.Datetime("us", "UTC") if name == "_committed_at" else pl.String).alias(name)
        for name, value in stamp.items()
    ]
    rows = pl.concat([result.good for result in results], how="diagonal").with_columns(constants)
    known = {*contract.arrow_schema().names, *LINEAGE.names}
    schema = curated_schema(contract, [name for name in rows.columns if name not in known])
    rejected = pl.concat([result.rejected for result in results]).with_columns(constants)
    table = (
        rejected.select(REJECTED_SCHEMA.names)
        .to_arrow(compat_level=pl.CompatLevel.oldest())
        .cast(REJECTED_SCHEMA)
    )
    counts = [count for result in results for count in result.counts]
    return Curated(
        rows.select(schema.names), schema, table, counts, pl.concat([result.keys for result in results])
    )
