"""What a profile says of one column."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from causeway.engine.profile.counts import EXACT, ColumnCounts, Sums
from causeway.engine.profile.measures import NESTED, QUANTITY, numbers, texts
from causeway.engine.profile.plan import Doubles

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
BINS, MOST, PATTERNS = 20, 10, 5
SHOWN = 60  # characters of a value
EXACTLY: dict[str, Any] = {"method": "exact"}
KLL, KMV, ITEMS = "KLL sketch", "k minimum values", "Frequent Items sketch"


def describe(column: ColumnCounts, measure: str, rows: int) -> dict[str, Any]:
    """Counts, nulls and what the measure allows; `notes` say what is missing here, and why."""
    present = rows - column.nulls - column.not_finite
    facts: dict[str, Any] = {
        "measure": measure,
        "nulls": column.nulls,
        "null_share": column.nulls / rows if rows else None,
        "notes": _notes(column, measure, rows, present),
    }
    if column.not_finite:
        facts["not_finite"] = column.not_finite
    if measure == NESTED or not present:
        return facts
    facts |= {"distinct": _distinct(column), "frequent": _frequent(column)}
    facts |= {"minimum": shown(column.lowest), "maximum": shown(column.highest)}
    if measure == QUANTITY:
        facts |= _quantity(column)
    if column.lengths.n:
        facts["lengths"] = _summary(column.lengths)
    if column.dtype == pl.String and column.values is not None:
        facts["patterns"] = _patterns(column.values)
    return facts


def _notes(column: ColumnCounts, measure: str, rows: int, present: int) -> list[str]:
    if not rows:
        return ["there are no rows"]
    if measure == NESTED:
        return ["nested: only nulls are counted"]
    if not present:
        return ["it has no values"]
    notes = []
    if column.not_finite:
        notes.append(f"{column.not_finite:,} values are no finite numbers, and left out of the rest")
    if column.values is None:
        notes.append(f"more than {EXACT:,} values: some numbers are estimates, each with its error")
    elif column.values.height == 1:
        notes.append("constant: it has one value")
    elif column.values.height == present:
        notes.append("each value occurs once")
    return notes


def _distinct(column: ColumnCounts) -> dict[str, Any]:
    if column.values is not None:
        return {"count": column.values.height, **EXACTLY}
    assert column.sketches
    estimate, error = column.sketches.distinct
    return {"count": round(estimate), "method": KMV, "relative_error": error}


def _frequent(column: ColumnCounts) -> dict[str, Any]:
    if column.values is not None:
        ordered = column.values.sort(["count", "value"], descending=[True, False]).head(MOST)
        listed = zip(texts(ordered["value"]).to_list(), ordered["count"].to_list(), strict=True)
        return {"values": [_counted(text, count) for text, count in listed], **EXACTLY}
    assert column.sketches
    import datasketches as ds  # noqa: PLC0415

    sketch = column.sketches.frequent
    sure = sketch.get_frequent_items(ds.frequent_items_error_type.NO_FALSE_POSITIVES)
    first = sorted(sure, key=lambda item: (-item[2], item[0]))[:MOST]
    values = [_counted(text, lower) for text, _, lower, _ in first]
    return {"values": values, "method": ITEMS, "error": column.sketches.frequency_error}


def _counted(text: str, count: int) -> dict[str, Any]:
    return {"value": text if len(text) <= SHOWN else f"{text[:SHOWN]}…", "count": count}


def _summary(sums: Sums) -> dict[str, Any]:
    return {"minimum": int(sums.minimum), "maximum": int(sums.maximum), "mean": sums.mean}


def _quantity(column: ColumnCounts) -> dict[str, Any]:
    """Mean and deviation (null beyond what doubles hold), quantiles, a histogram if there is room for it."""
    sums, dtype = column.sums, column.dtype
    deviation = float(np.sqrt(sums.squares / (sums.n - 1))) if sums.n > 1 else None
    facts: dict[str, Any] = {
        "mean": _back(sums.mean, dtype) if np.isfinite(sums.mean) else None,
        "deviation": deviation if deviation is not None and np.isfinite(deviation) else None,
    }
    if dtype.is_temporal():
        facts["unit"] = "days" if dtype == pl.Date else "seconds"  # of the deviation
    levels, edges, counts, method = _shape(column)
    pairs = zip(QUANTILES, levels, strict=True)
    quantiles = [{"share": share, "value": _back(float(level), dtype)} for share, level in pairs]
    facts["quantiles"] = {"values": quantiles, **method}
    if len(counts):
        bins = {"edges": [_back(float(e), dtype) for e in edges], "counts": [round(c) for c in counts]}
        facts["histogram"] = {**bins, **method}
    return facts


def _shape(column: ColumnCounts) -> tuple[Doubles, Doubles, Doubles, dict[str, Any]]:
    """Quantiles; the histogram's edges and counts, none where doubles cannot part them; the method."""
    least, most = column.sums.minimum, column.sums.maximum
    edges = np.linspace(least, most, BINS + 1) if np.isfinite(most - least) else np.zeros(1)
    parted = len(edges) > 1 and bool((np.diff(edges) > 0).all())
    if column.values is not None:
        listed = pl.DataFrame({"v": numbers(column.values["value"]), "n": column.values["count"]}).sort("v")
        at, counted = listed["v"].to_numpy(), listed["n"].to_numpy()
        counts = np.histogram(at, edges, weights=counted)[0] if parted else np.zeros(0)
        return _quantiles(at, counted), edges, counts, EXACTLY
    assert column.sketches
    sketch = column.sketches.quantiles
    counts = np.array(sketch.get_pmf(list(edges[1:-1]))) * column.sums.n if parted else np.zeros(0)
    method = {"method": KLL, "rank_error": sketch.normalized_rank_error(False)}
    return np.array(sketch.get_quantiles(list(QUANTILES))), edges, counts, method


def _quantiles(at: Doubles, counted: NDArray[np.int64]) -> Doubles:
    """Between two values in proportion, as numpy and pandas do."""
    last = np.cumsum(counted)
    places = np.array(QUANTILES) * (last[-1] - 1)
    below = at[np.searchsorted(last, np.floor(places), side="right")]
    above = at[np.searchsorted(last, np.ceil(places), side="right")]
    part = places - np.floor(places)
    # Two values may be further apart than doubles reach.
    between: Doubles = np.where(above == below, below, below * (1 - part) + above * part)
    return between


def _patterns(values: pl.DataFrame) -> list[dict[str, Any]]:
    """Digits as 9, letters as A and a."""
    shape = pl.col("value").str.head(SHOWN)
    for letters, sign in ((r"\p{Nd}", "9"), (r"\p{Lu}", "A"), (r"\p{Ll}", "a")):
        shape = shape.str.replace_all(letters, sign)
    shapes = values.group_by(shape.alias("shape")).agg(pl.col("count").sum())
    ordered = shapes.sort(["count", "shape"], descending=[True, False]).head(PATTERNS)
    return [{"pattern": row["shape"], "count": row["count"]} for row in ordered.to_dicts()]


def shown(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, str):
        return value if len(value) <= SHOWN else f"{value[:SHOWN]}…"
    return value.hex() if isinstance(value, bytes) else value


def _back(number: float, dtype: pl.DataType) -> Any:
    """The number as a value of the column, for people."""
    if dtype == pl.Date:
        return (date(1970, 1, 1) + timedelta(days=round(number))).isoformat()
    if isinstance(dtype, pl.Datetime):
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=number)
        return (at if dtype.time_zone else at.replace(tzinfo=None)).isoformat()
    if dtype == pl.Time:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=number)).time().isoformat()
    return number
