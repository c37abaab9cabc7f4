"""Keys that occur twice: inside a block at once, across a batch from the hashes that blocks report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from causeway.contract.model import Contract
from causeway.engine.check.rules import FAULT
from causeway.flow.codes import Code

Banned = Mapping[
    tuple[str, str, int], Mapping[int, str]
]  # (source, version, start of slice) → line → reason code

SEEDS = (11, 13)  # two 64-bit hashes: one alone would collide within a few billion rows
KEYS = {
    "constraint": pl.UInt8, "a": pl.UInt64, "b": pl.UInt64,
    "source": pl.String, "version": pl.String, "start": pl.Int64, "line": pl.Int64,
}  # fmt: skip
NO_KEYS = pl.DataFrame(schema=KEYS)


def constraints(contract: Contract) -> list[tuple[str, tuple[str, ...]]]:
    """(reason code, columns) of everything that must be unique."""
    key: list[tuple[str, tuple[str, ...]]] = [(Code.DUPLICATE_KEY, contract.key)] if contract.key else []
    return key + [(Code.UNIQUE, (column.name,)) for column in contract.columns if column.unique]


def repeated_keys(
    good: pl.DataFrame, places: pl.DataFrame, contract: Contract, group: Sequence[Any], banned: Banned
) -> tuple[pl.Series, pl.Series]:
    """Tell which rows to reject because their key occurs twice, and the faults of those rows."""
    flags: list[tuple[str, tuple[str, ...], pl.Series]] = []
    for code, columns in constraints(contract):
        key = good.select(columns)
        present = key.select(pl.all_horizontal(pl.all().is_not_null())).to_series()
        if key.filter(present).n_unique() == present.sum():
            continue
        last_wins = code == Code.DUPLICATE_KEY and contract.duplicates == "last"
        repeats = (
            ~key.select(pl.struct(pl.all()).is_last_distinct()).to_series()
            if last_wins
            else key.is_duplicated()
        )
        flags.append((code, columns, repeats & present))
    messages: dict[int, list[dict[str, str]]] = {}
    for code, columns, flag in flags:
        for at in flag.arg_true():
            messages.setdefault(at, []).append(_fault(code, columns))
    for at, code in _banned(places, group, banned):
        if all(fault["code"] != code for fault in messages.get(at, [])):
            messages.setdefault(at, []).append(_fault(code, dict(constraints(contract))[code]))
    wrong = pl.Series(np.isin(np.arange(good.height), list(messages)), dtype=pl.Boolean)
    return wrong, pl.Series([messages[at] for at in sorted(messages)], dtype=pl.List(FAULT))


def _fault(code: str, columns: tuple[str, ...]) -> dict[str, str]:
    names = ", ".join(columns)
    return {"column": names, "code": code, "message": f"another row of the batch has the same {names}"}


def _banned(places: pl.DataFrame, group: Sequence[Any], banned: Banned) -> list[tuple[int, str]]:
    lines = [banned.get((piece.source, piece.version, piece.start), {}) for piece, _ in group]
    if not any(lines):
        return []
    rows = enumerate(places.select("_piece", "_line").iter_rows())
    return [(at, lines[i][line]) for at, (i, line) in rows if line in lines[i]]


def key_hashes(
    good: pl.DataFrame, places: pl.DataFrame, contract: Contract, group: Sequence[Any]
) -> pl.DataFrame:
    """A row for each key that must be unique: two hashes of it, and where it stands."""
    pieces = pl.DataFrame(
        [(p.source, p.version, p.start) for p, _ in group],
        schema={"source": pl.String, "version": pl.String, "start": pl.Int64},
        orient="row",
    )
    frames = [pl.DataFrame(schema=KEYS)]
    for i, (_, columns) in enumerate(constraints(contract)):
        present = good.select(columns).hstack(places.select("_piece", "_line")).drop_nulls(columns)
        key = present.select(columns)
        hashes = pl.DataFrame(
            {"a": key.hash_rows(SEEDS[0]), "b": key.hash_rows(SEEDS[1]), "line": present["_line"]}
        )
        named = hashes.hstack(pieces[present["_piece"]])
        frames.append(named.with_columns(pl.lit(i, pl.UInt8).alias("constraint")).select(list(KEYS)))
    return pl.concat(frames)


def repeated(keys: Iterable[pl.DataFrame], contract: Contract) -> dict[tuple[str, str, int], dict[int, str]]:
    """Rows to reject because another unit has their key: curate those units again with this as `banned`.

    The order of `keys` is the order of the batch, for a contract that lets the last row win.
    """
    every = pl.concat([pl.DataFrame(schema=KEYS), *keys])
    repeats = every.filter(pl.struct("constraint", "a", "b").is_duplicated())
    last_wins = (
        pl.lit(contract.duplicates == "last") & (pl.col("constraint") == 0) & pl.lit(bool(contract.key))
    )
    last = pl.struct("constraint", "a", "b").is_last_distinct()
    banned: dict[tuple[str, str, int], dict[int, str]] = {}
    codes = [code for code, _ in constraints(contract)]
    for row in repeats.filter(~(last_wins & last)).iter_rows(named=True):
        banned.setdefault((row["source"], row["version"], row["start"]), {})[row["line"]] = codes[
            row["constraint"]
        ]
    return banned
