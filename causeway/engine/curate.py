"""Curates stored objects by their contract: every row ends in `rows` or, with its reasons, in `rejected`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import polars as pl
import pyarrow as pa

from causeway.contract.model import Contract
from causeway.contract.schema import LINEAGE, REJECTED_SCHEMA
from causeway.engine.check import rejects
from causeway.engine.check.keys import Banned, constraints, key_hashes, repeated_keys
from causeway.engine.check.rules import checks, faults
from causeway.engine.check.typed import typed
from causeway.engine.hashing import hashed
from causeway.engine.model import EXTRA, NOTHING, RAW, Fetch, Group, Parsed, Slice, SourceCount, Unreadable
from causeway.engine.read.formats import read
from causeway.engine.read.stored import BLOCK
from causeway.engine.write import NUMBERS, partition_keys
from causeway.flow.codes import Code

MAX_PARTITIONS = 4_000  # that an object's rows may be of: ten years of days
PART_BYTES = 256 << 20  # of input that one Curated holds: what becomes one output file per partition value


@dataclass
class Curated:
    frame: pl.DataFrame  # curated rows, as Polars holds them
    schema: pa.Schema
    rejected: pa.Table
    counts: list[SourceCount]
    keys: pl.DataFrame  # a hash of every key that the contract wants unique, and where it stands
    new_columns: tuple[str, ...]  # of `rows`, that the contract does not name
    anew: bool = False  # forget the parts before it: an object in them cannot be read to its end

    @cached_property
    def rows(self) -> pa.Table:
        return self.frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(self.schema)


def curated_schema(contract: Contract, evolved: Sequence[str] = ()) -> pa.Schema:
    new = [pa.field(name, pa.string()) for name in evolved]
    return pa.schema([*contract.arrow_schema(), *new, *LINEAGE])


def curate_slices(
    contract: Contract,
    slices: Sequence[Slice],
    fetch: Fetch,
    *,
    batch: str,
    committed_at: datetime,
    part_bytes: int = PART_BYTES,
    banned: Banned | None = None,
    hash_key: bytes = b"",
) -> Iterator[Curated]:
    """Curate block by block, so that memory is bounded whatever an object's size; yields at least one part.

    An object is either read or rejected as a whole. Where that shows only at its end, the parts so far are
    void: another one follows that is `anew`, and the rest after it.
    """
    stamp = {"_contract": contract.version, "_batch": batch, "_committed_at": committed_at}
    damaged: dict[Slice, Unreadable] = {}
    given = False
    while True:
        anew = given
        try:
            groups = _groups(contract, slices, fetch, damaged)
            for results in _results(contract, groups, banned or {}, part_bytes):
                yield replace(_part(contract, results, stamp, hash_key), anew=anew)
                given, anew = True, False
        except _DamagedLaterError as error:
            damaged[error.piece] = error.reason
        else:
            return


class _DamagedLaterError(Exception):
    """An object that cannot be read, of which rows were read already."""

    def __init__(self, piece: Slice, reason: Unreadable) -> None:
        super().__init__(str(reason))
        self.piece, self.reason = piece, reason


def _results(
    contract: Contract, groups: Iterator[Group], banned: Banned, part_bytes: int
) -> Iterator[list[_Result]]:
    results: list[_Result] = []
    partitions: dict[str, pl.DataFrame] = {}
    size, given = 0, False
    for group in groups:
        results.append(_check(contract, group, banned))
        if contract.partitioning:
            _limit_partitions(contract, results[-1].good, group, partitions)
        size += sum(parsed.size for _, parsed in group if isinstance(parsed, Parsed))
        if size >= part_bytes:
            yield results
            results, size, given = [], 0, True
    if results or not given:
        yield results


def _limit_partitions(
    contract: Contract, good: pl.DataFrame, group: Group, partitions: dict[str, pl.DataFrame]
) -> None:
    """Refuse an object whose rows would become more files than a table can bear; keeps those seen of each."""
    keys = good.select("_source", *partition_keys(contract, NUMBERS)).unique()
    for (source,), of_source in keys.partition_by("_source", as_dict=True, include_key=False).items():
        before = partitions.get(str(source), of_source.clear())
        every = partitions[str(source)] = pl.concat([before, of_source]).unique()
        if every.height > MAX_PARTITIONS:
            names = ", ".join(name for name, _ in contract.partitioning)
            message = (
                f"column {names}: its rows are of more than {MAX_PARTITIONS:,} partitions, a file for each"
            )
            piece = next(piece for piece, _ in group if piece.source == source)
            raise _DamagedLaterError(piece, Unreadable(Code.PARTITIONS, message))


def _groups(
    contract: Contract, slices: Sequence[Slice], fetch: Fetch, damaged: Mapping[Slice, Unreadable]
) -> Iterator[Group]:
    """Read blocks of about one size: small objects are checked together, for a check has a fixed cost."""
    group: Group = []
    size = 0
    for piece in slices:
        if piece in damaged:
            group.append((piece, damaged[piece]))
            continue
        nothing, given = True, False
        try:
            for parsed in read(piece, fetch, contract):
                group.append((piece, parsed))
                nothing = False
                size += parsed.size
                if size >= BLOCK // 2:  # a full block ends just short of its size, at a line end
                    given = True
                    yield group
                    group, size = [], 0
        except Unreadable as error:
            if given:
                raise _DamagedLaterError(piece, error) from error
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


def _check(contract: Contract, group: Group, banned: Banned) -> _Result:
    rows, places = typed(contract, group)
    all_checks = checks(contract)
    broken = rows.select(all_checks.anything.alias("b"))["b"]
    rejected = [rejects.whole_objects(group), rejects.malformed(group)]
    good = rows.select(pl.exclude(f"^{RAW}.*$"))
    if broken.any():
        bad = rows.filter(broken)
        rejected.append(rejects.rejected_rows(bad, places.filter(broken), faults(bad, all_checks), group))
        good, places = good.filter(~broken), places.filter(~broken)
    if constraints(contract):
        wrong, key_faults = repeated_keys(good, places, contract, group, banned)
        if wrong.any():
            rejected.append(
                rejects.rejected_rows(good.filter(wrong), places.filter(wrong), key_faults, group)
            )
            good, places = good.filter(~wrong), places.filter(~wrong)
    bad_rows = pl.concat(rejected).sort("_piece", "line", maintain_order=True)
    names = contract.arrow_schema().names
    if contract.on_schema_change == "evolve":
        names += [name for name in good.columns if name.startswith(EXTRA)]
    return _Result(
        pl.DataFrame(
            [
                *(good[name].alias(name.removeprefix(EXTRA)) for name in names),
                *_sources(places["_piece"], group),
            ]
        ),
        bad_rows.hstack(_sources(bad_rows["_piece"], group)),
        rejects.counts(places["_piece"], bad_rows, group),
        key_hashes(good, places, contract, group),
    )


def _sources(piece: pl.Series, group: Group) -> list[pl.Series]:
    sources = pl.Series("_source", [piece.source for piece, _ in group], dtype=pl.String)
    versions = pl.Series("_source_version", [piece.version for piece, _ in group], dtype=pl.String)
    return [sources.gather(piece), versions.gather(piece)]


def _part(contract: Contract, results: list[_Result], stamp: Mapping[str, Any], hash_key: bytes) -> Curated:
    if not results:
        results = [_check(contract, [], {})]
    constants = [
        pl.lit(value).cast(pl.Datetime("us", "UTC") if name == "_committed_at" else pl.String).alias(name)
        for name, value in stamp.items()
    ]
    rows = pl.concat([result.good for result in results], how="diagonal").with_columns(constants)
    rows = rows.with_columns(hashed(rows[name], hash_key) for name in contract.hashed)
    known = {*contract.arrow_schema().names, *LINEAGE.names}
    evolved = tuple(name for name in rows.columns if name not in known)
    schema = curated_schema(contract, evolved)
    rejected = pl.concat([result.rejected for result in results]).with_columns(constants)
    table = (
        rejected.select(REJECTED_SCHEMA.names)
        .to_arrow(compat_level=pl.CompatLevel.oldest())
        .cast(REJECTED_SCHEMA)
    )
    counts = [count for result in results for count in result.counts]
    keys = pl.concat([result.keys for result in results])
    return Curated(rows.select(schema.names), schema, table, counts, keys, evolved)
