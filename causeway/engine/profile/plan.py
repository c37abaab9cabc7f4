"""Between the passes: which columns are compared with which, and what ranks their values have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from causeway.engine.profile.counts import EXACT, ColumnCounts, Counts
from causeway.engine.profile.measures import CATEGORY, FLAG, QUANTITY, numbers, texts

Doubles = NDArray[np.float64]
# Columns whose numbers are missing in the same rows are of one class: how many rows, and which.
Class = tuple[int, int]
EVERYWHERE: Class = (0, 0)
COMPARED = 200  # columns: 19,900 pairs
LEVELS = 4096  # of a category that is compared
CELLS = 1_000_000  # of a table of two categories
RANKS = 20_000_000  # that are kept at most, of all columns in all classes


@dataclass
class Plan:
    """What the other passes need to know of the whole table."""

    rows: int
    classes: dict[str, Class] = field(default_factory=dict)  # of each quantity and flag that varies
    centre: dict[str, float] = field(default_factory=dict)
    scale: dict[str, float] = field(default_factory=dict)
    values: dict[str, Doubles] = field(default_factory=dict)  # in order, of those that are ranked
    counts: dict[str, Doubles] = field(default_factory=dict)  # how often each occurs
    levels: dict[str, list[str]] = field(default_factory=dict)  # of each category and flag that varies
    skipped: dict[str, str] = field(default_factory=dict)  # why a column is compared with none, or by less

    @property
    def missing(self) -> list[Class]:
        """The classes of columns whose numbers are missing somewhere."""
        return sorted({self.classes[name] for name in self.classes} - {EVERYWHERE})

    def of_class(self, chosen: Class) -> list[str]:
        return [name for name, its in self.classes.items() if its == chosen]

    def class_pairs(self) -> Iterator[tuple[Class, Class]]:
        every = sorted(set(self.classes.values()))
        return ((a, b) for i, a in enumerate(every) for b in every[i:])

    def tables(self) -> Iterator[tuple[str, str]]:
        """The pairs of categories that are compared."""
        names = list(self.levels)
        pairs = ((a, b) for i, a in enumerate(names) for b in names[i + 1 :])
        return ((a, b) for a, b in pairs if len(self.levels[a]) * len(self.levels[b]) <= CELLS)


def plan(counts: Counts, measures: dict[str, str]) -> Plan:
    made = Plan(counts.rows)
    for name, measure in measures.items():
        column = counts.columns[name]
        reason = _incomparable(column, counts.rows, measure)
        if not reason and len(made.classes.keys() | made.levels.keys()) == COMPARED:
            reason = f"more than {COMPARED} columns can be compared, and it comes after them"
        if reason:
            made.skipped[name] = reason
            continue
        if measure in (QUANTITY, FLAG):
            made.classes[name] = (column.nulls + column.not_finite, column.places)
            made.centre[name] = column.sums.mean
            made.scale[name] = float(np.sqrt(column.sums.squares / column.sums.n))
        if measure in (CATEGORY, FLAG) and column.values is not None:
            made.levels[name] = texts(column.values["value"]).unique().sort().to_list()
    _rank(made, counts)
    return made


def _incomparable(column: ColumnCounts, rows: int, measure: str) -> str:
    if measure not in (QUANTITY, FLAG, CATEGORY):
        return f"{measure}: compared with no column"
    if not rows:
        return "there are no rows"
    if column.nulls + column.not_finite == rows:
        return "it has no values"
    if column.values is not None and column.values.height == 1:
        return "it has one value"
    if measure == CATEGORY and (column.values is None or column.values.height > LEVELS):
        return f"it has more than {LEVELS:,} values"
    return ""


def _rank(made: Plan, counts: Counts) -> None:
    """Ranks take memory for each value and class; columns with the fewest values come first."""
    left = RANKS // (len(made.missing) + 1)
    few = [name for name in made.classes if counts.columns[name].values is not None]
    heights = {name: counts.columns[name].values.height for name in few}  # type: ignore[union-attr]
    for name in sorted(few, key=lambda name: heights[name]):
        if (left := left - heights[name]) < 0:
            made.skipped[name] = f"no ranks: the columns together have more than {RANKS:,}"
            continue
        counted = counts.columns[name].values
        assert counted is not None
        listed = pl.DataFrame({"value": numbers(counted["value"]), "count": counted["count"]})
        listed = listed.group_by("value").agg(pl.col("count").sum()).sort("value")
        made.values[name] = listed["value"].to_numpy()
        made.counts[name] = listed["count"].cast(pl.Float64).to_numpy()
    for name in made.classes.keys() - few:
        made.skipped[name] = f"no ranks: it has more than {EXACT:,} values"


def codes(frame: pl.DataFrame, made: Plan) -> dict[str, NDArray[np.int64]]:
    """Of each ranked column, which of its values each row has; 0 where it has none."""
    return {
        name: np.searchsorted(values, numbers(frame[name]).fill_null(values[0]).to_numpy()).astype(np.int64)
        for name, values in made.values.items()
    }


def there(frame: pl.DataFrame, made: Plan) -> dict[Class, NDArray[np.bool_]]:
    """For each class, the rows in which its columns have numbers."""
    first = {its: name for name, its in reversed(made.classes.items())}
    return {its: numbers(frame[name]).is_not_null().to_numpy() for its, name in first.items()}


def count_missing(frame: pl.DataFrame, made: Plan) -> dict[tuple[str, Class], Doubles]:
    """The second pass: how often each value occurs in the rows that a class leaves out. These are few."""
    present, coded = there(frame, made), codes(frame, made)
    left_out: dict[tuple[str, Class], Doubles] = {}
    for its in made.missing:
        for name, code in coded.items():
            if made.classes[name] != its:
                rows = ~present[its] & present[made.classes[name]]
                size = len(made.values[name])
                left_out[name, its] = np.bincount(code[rows], minlength=size).astype(np.float64)
    return left_out


def ranks(made: Plan, left_out: dict[tuple[str, Class], Doubles]) -> dict[tuple[str, Class], Doubles]:
    """The rank of each value of a column among the rows where it and those of the class have numbers."""
    ranked = {}
    for name, counted in made.counts.items():
        for its in {EVERYWHERE, *made.classes.values()}:
            ranked[name, its] = _average_ranks(counted - left_out.get((name, its), 0.0))
    return ranked


def _average_ranks(counted: Doubles) -> Doubles:
    """[2, 1] → the ranks 1.5 and 3, moved and scaled to -0.5 … 0.5, so that their squares stay exact."""
    last = np.cumsum(counted)
    total = max(last[-1], 1.0)
    centred: Doubles = (last - (counted - 1) / 2 - (total + 1) / 2) / total
    return centred
