"""Rejected records: where each stood, what it looked like, every reason; and how many there are of what."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from causeway.engine.check.rules import FAULT
from causeway.engine.model import NOTHING, RAW, Group, Parsed, SourceCount, Unreadable, text

REJECTED: dict[str, Any] = {
    "_piece": pl.UInt32,  # the place in the group
    "line": pl.Int64,
    "offset": pl.Int64,
    "raw": pl.String,
    "faults": pl.List(FAULT),
}


def rejected_rows(bad: pl.DataFrame, where: pl.DataFrame, why: pl.Series, group: Group) -> pl.DataFrame:
    """Rows that broke a rule; `where` and `why`, their faults, are as long as `bad`."""
    parsed = [p if isinstance(p, Parsed) else NOTHING for _, p in group]
    if any(p.data for p in parsed):
        places = where.select("_piece", "_start", "_end").rows()
        raw = [text(parsed[i].data[start:end]) for i, start, end in places]
        offset = [parsed[i].offset + start for i, start, _ in places]
    else:
        raw, offset = _as_json(bad), [None] * bad.height
    return _rejected(where["_piece"], where["_line"], offset, raw, why)


def _as_json(bad: pl.DataFrame) -> list[str]:
    """Rows of a format without text of its own, as they came in."""
    names = [name for name in bad.columns if name.startswith(RAW)] or bad.columns
    rows = bad.select(pl.col(name).alias(name.removeprefix(RAW)) for name in names).iter_rows(named=True)
    return [json.dumps(row, default=str, ensure_ascii=False) for row in rows]


def misfits(group: Group) -> pl.DataFrame:
    """Records that never became rows."""
    found = [
        (i, m) for i, (_, parsed) in enumerate(group) if isinstance(parsed, Parsed) for m in parsed.misfits
    ]
    piece, line, offset = [i for i, _ in found], [m.line for _, m in found], [m.offset for _, m in found]
    why = [_fault(m.code, m.message) for _, m in found]
    return _rejected(piece, line, offset, [m.raw for _, m in found], why)


def whole_objects(group: Group) -> pl.DataFrame:
    found = [(i, e) for i, (piece, e) in enumerate(group) if isinstance(e, Unreadable) and piece.whole]
    nothing = [None] * len(found)
    why = [_fault(e.code, str(e)) for _, e in found]
    return _rejected([i for i, _ in found], nothing, nothing, nothing, why)


def _fault(code: str, message: str) -> list[dict[str, str]]:
    return [{"column": "", "code": code, "message": message}]


def _rejected(*values: Any) -> pl.DataFrame:
    columns = zip(REJECTED.items(), values, strict=True)
    return pl.DataFrame([pl.Series(name, value, dtype) for (name, dtype), value in columns])


def counts(good: pl.Series, bad: pl.DataFrame, group: Group) -> list[SourceCount]:
    """What became of each of the group's blocks; `good`: the place in the group of each curated row."""
    curated, rejected = (np.bincount(where, minlength=len(group)) for where in (good, bad["_piece"]))
    codes = bad.select(
        "_piece", code=pl.col("faults").list.eval(pl.element().struct.field("code")).list.unique()
    )
    reasons: dict[int, dict[str, int]] = {}
    by_code = codes.explode("code").group_by("_piece", "code").len().sort("_piece", "code")
    for i, code, n in by_code.iter_rows():
        reasons.setdefault(i, {})[code] = n
    found = []
    for i, (piece, parsed) in enumerate(group):
        count = SourceCount(piece.source, piece.version, 0, 0, 0, reasons.get(i, {}), start=piece.start)
        if isinstance(parsed, Unreadable):
            found.append(replace(count, unreadable=piece.whole, torn=not piece.whole))
            continue
        kept, lost = int(curated[i]), int(rejected[i])
        if parsed.rows != kept + lost:
            raise RuntimeError(f"{piece.source}: {parsed.rows} rows came in, {kept} + {lost} went out")
        found.append(
            replace(
                count, rows=kept + lost, curated=kept, rejected=lost, lines=parsed.lines, torn=parsed.torn
            )
        )
    return found
