"""Between the passes: which columns are compared with which, and what ranks their values have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from causeway.engine.profile.counts import EXACT, ColumnCounts, Counts
from causeway.engine.profile.measures import CATEGORY, FLAG, QUANTITY, finite, numbers, texts

Doubles = NDArray[np.float64]
# Columns whose numbers are missing in the same rows are of one class: how many rows, and which.
Class = tuple[int, int]
EVERYWHERE: Class = (0, 0)
COMPARED = 200  # columns: 19,900 pairs
LEVELS = 4096  # of a category that is compared
CELLS = 1_000_000  # of a table of two categories
ALL_CELLS = 20_000_000  # of all tables and groups, which each task holds
RANKS = 20_000_000  # that are kept at most, of all columns in all classes


@dataclass
class Plan:
    """What the other passes need to know of the whole table."""

    classes: dict[str, Class] = field(default_factory=dict)  # of each quantity and flag that varies
    centre: dict[str, float] = field(default_factory=dict)
    scale: dict[str, float] = field(default_factory=dict)
    values: dict[str, Doubles] = field(default_factory=dict)  # in order, of those that are ranked
    counts: dict[str, Doubles] = field(default_factory=dict)  # how often each occurs
    grouping: dict[str, Class] = field(default_factory=dict)  # of each category that varies
    levels: dict[str, list[str]] = field(default_factory=dict)  # of each category and flag that varies
    tables: list[tuple[str, str]] = field(default_factory=list)  # pairs of those that are compared
    groups: list[tuple[str, str]] = field(default_factory=list)  # quantity and category
    skipped: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Why columns are compared with no other, or by less, or with fewer."""

    @property
    def missing(self) -> set[Class]:
        """The classes of columns that miss some values."""
        return {*self.classes.values(), *self.grouping.values()} - {EVERYWHERE}

    def of_class(self, chosen: Class) -> list[str]:
        return [name for name, its in self.classes.items() if its == chosen]

    def class_pairs(self) -> Iterator[tuple[Class, Class]]:
        every = sorted(set(self.classes.values()))
        return ((a, b) for i, a in enumerate(every) for b in every[i:])


def plan(counts: Counts, measures: Mapping[str, str]) -> Plan:
    made = Plan()
    for name, measure in measures.items():
        column = counts.columns[name]
        if not _varies(column, counts.rows, measure):
            continue
        reason, deviation = "", float(np.sqrt(column.sums.squares / max(column.sums.n, 1)))
        if measure != CATEGORY and not (np.isfinite(column.sums.mean) and 0 < deviation < np.inf):
            reason = "compared with no column: doubles cannot hold how far its values are apart"
        elif measure == CATEGORY and (column.values is None or column.values.height > LEVELS):
            reason = f"compared with no column: it has more than {LEVELS:,} values"
        elif len(made.classes.keys() | made.levels.keys()) == COMPARED:
            reason = f"compared with no column: it comes after {COMPARED} others"
        if reason:
            made.skipped[name].append(reason)
            continue
        its = (column.nulls + column.not_finite, column.places)
        if measure in (QUANTITY, FLAG):
            made.classes[name] = its
            made.centre[name] = column.sums.mean
            made.scale[name] = deviation
        if measure in (CATEGORY, FLAG) and column.values is not None:
            if measure == CATEGORY:
                made.grouping[name] = its
            made.levels[name] = texts(column.values["value"]).unique().sort().to_list()
    _pair(made)
    _rank(made, counts)
    return made


def _varies(column: ColumnCounts, rows: int, measure: str) -> bool:
    """Whether there is something to compare; else its measure, or what is said of the column, says why."""
    present = rows - column.nulls - column.not_finite
    one_value = column.values is not None and column.values.height == 1
    return measure in (QUANTITY, FLAG, CATEGORY) and present > 0 and not one_value


def _pair(made: Plan) -> None:
    """Choose tables and groups, the smallest first: each task holds all of them, so there is a limit."""
    height = {name: len(levels) + 1 for name, levels in made.levels.items()}
    tables = {(a, b): height[a] * height[b] for a, b in combinations(made.levels, 2)}
    # A flag's groups are among the tables.
    quantities = [name for name in made.classes if name not in made.levels]
    groups = {(name, category): 3 * height[category] for name in quantities for category in made.grouping}
    left, lost = ALL_CELLS, defaultdict[str, int](int)
    for pair, cells in sorted((tables | groups).items(), key=lambda item: item[1]):
        if cells > min(left, CELLS):
            lost[pair[0]] += 1
            lost[pair[1]] += 1
            continue
        left -= cells
        (made.tables if pair in tables else made.groups).append(pair)
    for name, number in lost.items():
        made.skipped[name].append(f"not compared with {number:,} others: they have too many values together")


def _rank(made: Plan, counts: Counts) -> None:
    """Ranks take memory for each value and class; columns with the fewest values come first."""
    left = RANKS // (len(set(made.classes.values())) + 1)
    few = [name for name in made.classes if counts.columns[name].values is not None]
    heights = {name: counts.columns[name].values.height for name in few}  # type: ignore[union-attr]
    for name in sorted(few, key=lambda name: heights[name]):
        if (left := left - heights[name]) < 0:
            made.skipped[name].append(f"no ranks: the columns together have more than {RANKS:,}")
            continue
        counted = counts.columns[name].values
        assert counted is not None
        listed = pl.DataFrame({"value": numbers(counted["value"]), "count": counted["count"]})
        listed = listed.group_by("value").agg(pl.col("count").sum()).sort("value")
        made.values[name] = listed["value"].to_numpy()
        made.counts[name] = listed["count"].cast(pl.Float64).to_numpy()
    for name in made.classes.keys() - few:
        made.skipped[name].append(f"no ranks: it has more than {EXACT:,} values")


def codes(frame: pl.DataFrame, made: Plan) -> dict[str, NDArray[np.int64]]:
    """Of each ranked column, which of its values each row has; 0 where it has none."""
    return {
        name: _places(values, numbers(frame[name]).fill_null(values[0]).to_numpy())
        for name, values in made.values.items()
    }


def _places(values: Doubles, column: Doubles) -> NDArray[np.int64]:
    """Where each of a column's numbers is among the values, which are in order."""
    lowest, spread = values[0], values[-1] - values[0]
    if spread > EXACT or np.any(values % 1):
        return np.searchsorted(values, column).astype(np.int64)
    table = np.zeros(int(spread) + 1, np.int64)  # five times as fast as searching
    table[(values - lowest).astype(np.int64)] = np.arange(len(values))
    found: NDArray[np.int64] = table[(column - lowest).astype(np.int64)]
    return found


def there(frame: pl.DataFrame, made: Plan) -> dict[Class, NDArray[np.bool_]]:
    """For each class, the rows in which its columns have values."""
    present = {}
    for name, its in (made.classes | made.grouping).items():
        if its not in present:
            present[its] = finite(frame[name]).is_not_null().to_numpy()
    return present


def scaled(frame: pl.DataFrame, made: Plan) -> dict[str, Doubles]:
    """Each quantity and flag with mean 0 and deviation 1 over the whole table; 0 where it is missing."""
    values = {}
    for name, centre in made.centre.items():
        values[name] = (numbers(frame[name]).fill_null(centre).to_numpy() - centre) / made.scale[name]
    return values


@dataclass
class Within:
    """What the second pass finds of a column where those of a class have values."""

    left_out: dict[tuple[str, Class], Doubles] = field(default_factory=dict)
    """How often each of its values occurs in the other rows, which are few."""
    sums: dict[tuple[str, Class], Doubles] = field(default_factory=dict)
    """How many numbers it has there, and their sum, scaled."""

    def __add__(self, other: Within) -> Within:
        left_out = {key: self.left_out[key] + other.left_out[key] for key in self.left_out}
        return Within(left_out, {key: self.sums[key] + other.sums[key] for key in self.sums})

    def mean(self, name: str, its: Class) -> float:
        n, total = self.sums.get((name, its), (1.0, 0.0))
        return float(total / n) if n else 0.0


def within(frame: pl.DataFrame, made: Plan) -> Within:
    """The second pass, which is for columns that miss values."""
    present, coded, values, found = there(frame, made), codes(frame, made), scaled(frame, made), Within()
    for its in made.missing:
        for name, own in made.classes.items():
            both = present[its] & present[own]
            found.sums[name, its] = np.array([both.sum(), values[name][both].sum()], np.float64)
            if name in coded and own != its:
                rows = ~present[its] & present[own]
                size = len(made.values[name])
                found.left_out[name, its] = np.bincount(coded[name][rows], minlength=size).astype(np.float64)
    return found


def ranks(made: Plan, found: Within) -> dict[tuple[str, Class], Doubles]:
    """The rank of each value of a column among the rows where it and those of the class have numbers."""
    return {
        (name, its): _average_ranks(counted - found.left_out.get((name, its), 0.0))
        for name, counted in made.counts.items()
        for its in {EVERYWHERE, *made.classes.values()}
    }


def _average_ranks(counted: Doubles) -> Doubles:
    """[2, 1] → the ranks 1.5 and 3, moved and scaled to -0.5 … 0.5, so that their squares stay exact."""
    last = np.cumsum(counted)
    total = max(last[-1], 1.0)
    centred: Doubles = (last - (counted - 1) / 2 - (total + 1) / 2) / total
    return centred
