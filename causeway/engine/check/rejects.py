"""Rejected records, each with its place, its text and every reason; and how many there are of each reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from causeway.engine.check.nested import as_json
from causeway.engine.check.rules import FAULT
from causeway.engine.model import NOTHING, RAW, Group, Parsed, SourceCount, Unreadable, text

REJECTED: dict[str, Any] = {
    "_piece": pl.UInt32,  # the place in the group
    "line": pl.Int64,
    "offset": pl.Int64,
    "raw": pl.String,
    "faults": pl.List(FAULT),
}


def rejected_rows(bad: pl.DataFrame, places: pl.DataFrame, faults: pl.Series, group: Group) -> pl.DataFrame:
    """Rows that broke a rule; `places` and `faults`, theirs, are as long as `bad`."""
    parsed = [p if isinstance(p, Parsed) else NOTHING for _, p in group]
    if any(p.data for p in parsed):
        spans = places.select("_piece", "_start", "_end").rows()
        raw = [text(parsed[i].data[start:end]) for i, start, end in spans]
        offset = [parsed[i].offset + start for i, start, _ in spans]
    else:
        raw, offset = _as_json(bad), [None] * bad.height
    return _rejected(places["_piece"], places["_line"], offset, raw, faults)


def _as_json(bad: pl.DataFrame) -> list[str]:
    """Rows of a format that has no text of its own, as JSON of the values that came in."""
    names = [name for name in bad.columns if name.startswith(RAW)] or bad.columns
    rows = bad.select(pl.col(name).alias(name.removeprefix(RAW)) for name in names).iter_rows(named=True)
    return [as_json(row) or "" for row in rows]


def malformed(group: Group) -> pl.DataFrame:
    """Records that never became rows."""
    records = [
        (i, m) for i, (_, parsed) in enumerate(group) if isinstance(parsed, Parsed) for m in parsed.malformed
    ]
    piece, line, offset = (
        [i for i, _ in records],
        [m.line for _, m in records],
        [m.offset for _, m in records],
    )
    faults = [_fault(m.code, m.message) for _, m in records]
    return _rejected(piece, line, offset, [m.raw for _, m in records], faults)


def whole_objects(group: Group) -> pl.DataFrame:
    objects = [(i, e) for i, (piece, e) in enumerate(group) if isinstance(e, Unreadable) and piece.whole]
    nothing = [None] * len(objects)
    faults = [_fault(e.code, str(e)) for _, e in objects]
    return _rejected([i for i, _ in objects], nothing, nothing, nothing, faults)


def _fault(code: str, message: str) -> list[dict[str, str]]:
    return [{"column": "", "code": code, "message": message}]


def _rejected(*values: Any) -> pl.DataFrame:
    columns = zip(REJECTED.items(), values, strict=True)
    return pl.DataFrame([pl.Series(name, value, dtype) for (name, dtype), value in columns])


def counts(good: pl.Series, bad: pl.DataFrame, group: Group) -> list[SourceCount]:
    """What became of each of the group's blocks; `good`: the place in the group of each curated row."""
    curated, rejected = (np.bincount(places, minlength=len(group)) for places in (good, bad["_piece"]))
    codes = bad.select(
        "_piece", code=pl.col("faults").list.eval(pl.element().struct.field("code")).list.unique()
    )
    reasons: dict[int, dict[str, int]] = {}
    by_code = codes.explode("code").group_by("_piece", "code").len().sort("_piece", "code")
    for i, code, n in by_code.iter_rows():
        reasons.setdefault(i, {})[code] = n
    counted = []
    for i, (piece, parsed) in enumerate(group):
        count = SourceCount(piece.source, piece.version, 0, 0, 0, reasons.get(i, {}), start=piece.start)
        if isinstance(parsed, Unreadable):
            counted.append(replace(count, unreadable=piece.whole, torn=not piece.whole))
            continue
        kept, lost = int(curated[i]), int(rejected[i])
        if parsed.rows != kept + lost:
            raise RuntimeError(f"{piece.source}: {parsed.rows} rows came in, {kept} + {lost} went out")
        counted.append(
            replace(
                count, rows=kept + lost, curated=kept, rejected=lost, lines=parsed.lines, torn=parsed.torn
            )
        )
    return counted
