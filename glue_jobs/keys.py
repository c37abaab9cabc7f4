"""Keys that occur twice: found inside a block at once, and across a batch from the hashes that blocks report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from causeway.contract import Contract
from glue_jobs.checks import FAULT

Banned = Mapping[tuple[str, str, int], Mapping[int, str]]  # (source, version, start of slice) → line → reason code

SEEDS = (11, 13)  # two 64-bit hashes: one alone would collide within a few billion rows
KEYS = {
    "constraint": pl.UInt8, "a": pl.UInt64, "b": pl.UInt64,
    "source": pl.String, "version": pl.String, "start": pl.Int64, "line": pl.Int64,
}  # fmt: skip


def constraints(contract: Contract) -> list[tuple[str, tuple[str, ...]]]:
    """(reason code, columns) of everything that must be unique."""
    key = [("duplicate_key", contract.key)] if contract.key else []
    return key + [("unique", (column.name,)) for column in contract.columns if column.unique]


def reject_repeated(
    good: pl.DataFrame, contract: Contract, group: Sequence[Any], banned: Banned
) -> tuple[pl.DataFrame, pl.DataFrame, pl.Series]:
    """Rows to keep, rows to reject, and their faults."""
    flags: dict[int, pl.Series] = {}
    every = constraints(contract)
    for i, (code, columns) in enumerate(every):
        key = good.select(columns)
        present = key.select(pl.all_horizontal(pl.all().is_not_null())).to_series()
        if key.filter(present).n_unique() < present.sum():
            if code == "duplicate_key" and contract.duplicates == "last":
                flags[i] = ~key.select(pl.struct(pl.all()).is_last_distinct()).to_series() & present
            else:
                flags[i] = key.is_duplicated() & present
    elsewhere = _banned(good, group, banned)
    if not flags and not elsewhere:
        return good, good.clear(), pl.Series([], dtype=pl.List(FAULT))
    messages: list[list[dict[str, str]]] = [[] for _ in range(good.height)]
    for i, flag in flags.items():
        for at in flag.arg_true():
            messages[at].append(_fault(*every[i]))
    for at, code in elsewhere:
        if all(fault["code"] != code for fault in messages[at]):
            messages[at].append(_fault(code, dict(every)[code]))
    wrong = pl.Series([bool(message) for message in messages])
    why = pl.Series([message for message in messages if message], dtype=pl.List(FAULT))
    return good.filter(~wrong), good.filter(wrong), why


def _fault(code: str, columns: tuple[str, ...]) -> dict[str, str]:
    names = ", ".join(columns)
    return {"column": names, "code": code, "message": f"another row of the batch has the same {names}"}


def _banned(good: pl.DataFrame, group: Sequence[Any], banned: Banned) -> list[tuple[int, str]]:
    lines = [banned.get((piece.source, piece.version, piece.start), {}) for piece, _ in group]
    if not any(lines):
        return []
    rows = enumerate(good.select("_piece", "_line").iter_rows())
    return [(at, lines[i][line]) for at, (i, line) in rows if line in lines[i]]


def key_hashes(good: pl.DataFrame, contract: Contract, group: Sequence[Any]) -> pl.DataFrame:
    """What `repeated` needs to find the same key in another block."""
    pieces = pl.DataFrame(
        [(p.source, p.version, p.start) for p, _ in group],
        schema={"source": pl.String, "version": pl.String, "start": pl.Int64},
        orient="row",
    )
    frames = [pl.DataFrame(schema=KEYS)]
    for i, (_, columns) in enumerate(constraints(contract)):
        present = good.drop_nulls(columns)
        key = present.select(columns)
        hashes = pl.DataFrame({"a": key.hash_rows(SEEDS[0]), "b": key.hash_rows(SEEDS[1]), "line": present["_line"]})
        named = hashes.hstack(pieces[present["_piece"]])
        frames.append(named.with_columns(pl.lit(i, pl.UInt8).alias("constraint")).select(list(KEYS)))
    return pl.concat(frames)


def repeated(keys: Iterable[pl.DataFrame], contract: Contract) -> dict[tuple[str, str, int], dict[int, str]]:
    """Rows to reject because another unit has their key: curate those units again with this as `banned`.

    The order of `keys` is the order of the batch, for a contract that lets the last row win.
    """
    every = pl.concat([pl.DataFrame(schema=KEYS), *keys])
    again = every.filter(pl.struct("constraint", "a", "b").is_duplicated())
    last_wins = pl.lit(contract.duplicates == "last") & (pl.col("constraint") == 0) & pl.lit(bool(contract.key))
    last = pl.struct("constraint", "a", "b").is_last_distinct()
    banned: dict[tuple[str, str, int], dict[int, str]] = {}
    codes = [code for code, _ in constraints(contract)]
    for row in again.filter(~(last_wins & last)).iter_rows(named=True):
        banned.setdefault((row["source"], row["version"], row["start"]), {})[row["line"]] = codes[row["constraint"]]
    return banned
