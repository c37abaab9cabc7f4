"""The first pass: how often each value occurs, exactly while they are few; else sketches of a known error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import datasketches as ds
import numpy as np
import polars as pl

from causeway.engine.profile.measures import NESTED, QUANTITY, finite, numbers, texts

EXACT = 100_000  # distinct values of a column that are counted one by one
SMALLEST, K, LG_ITEMS = 4096, 400, 12  # of the sketches: their size, and so their error
ITEM = 200  # characters of a text that a sketch of frequent ones keeps

Doubles = np.ndarray[tuple[int], np.dtype[np.float64]]
Marks = np.ndarray[tuple[int], np.dtype[np.uint64]]


@dataclass
class Sketches:
    """Of a column with many values: how many there are, which are frequent, and quantiles (KLL).

    How many: the smallest hashes (k minimum values: Bar-Yossef et al., 2002). The library's own sketch takes
    a value at a time, which took longer than all the rest.
    """

    smallest: Marks = field(default_factory=lambda: np.zeros(0, np.uint64))
    frequent: ds.frequent_strings_sketch = field(default_factory=lambda: ds.frequent_strings_sketch(LG_ITEMS))
    quantiles: ds.kll_doubles_sketch = field(default_factory=lambda: ds.kll_doubles_sketch(K))
    passed_over: int = 0  # how often a value can have been left out of `frequent`

    def add(self, counted: pl.DataFrame, *, quantity: bool) -> None:
        # Values that occur once among so many are passed over: one by one, they would take most of the time.
        often = counted.filter(pl.col("count") > 1)
        for text, count in zip(texts(often["value"]).str.head(ITEM), often["count"], strict=True):
            self.frequent.update(text, count)
        self.passed_over += 1
        self._add_hashes(counted["value"].hash(seed=0).to_numpy())
        if quantity:
            doubles = numbers(counted["value"]).to_numpy()
            self.quantiles.update(np.repeat(doubles, counted["count"].to_numpy()))

    def merge(self, other: Sketches) -> None:
        self._add_hashes(other.smallest)
        self.frequent.merge(other.frequent)
        self.quantiles.merge(other.quantiles)
        self.passed_over += other.passed_over

    def _add_hashes(self, hashes: Marks) -> None:
        if len(hashes) > SMALLEST:
            hashes = np.partition(hashes, SMALLEST)[:SMALLEST]
        self.smallest = np.unique(np.concatenate([self.smallest, hashes]))[:SMALLEST]

    @property
    def distinct(self) -> tuple[float, float]:
        """How many values there are, and twice the standard error of that, as a share of it."""
        if len(self.smallest) < SMALLEST:
            return float(len(self.smallest)), 0.0
        return (SMALLEST - 1) * 2.0**64 / float(self.smallest[-1]), 2 / (SMALLEST - 2) ** 0.5

    @property
    def frequency_error(self) -> float:
        """By how much a count can be too low."""
        return float(self.frequent.epsilon * self.frequent.total_weight + self.passed_over)


@dataclass
class Sums:
    """Of a quantity's values, and of the lengths of texts: they add up without loss (Chan et al., 1979)."""

    n: int = 0
    mean: float = 0.0
    squares: float = 0.0  # of the distances from the mean
    minimum: float = np.inf
    maximum: float = -np.inf

    @classmethod
    def of(cls, values: Doubles) -> Sums:
        if not len(values):
            return cls()
        with np.errstate(over="ignore", invalid="ignore"):  # what doubles cannot hold is told when it is read
            mean = float(values.mean())
            squares = float(((values - mean) ** 2).sum())
        return cls(len(values), mean, squares, float(values.min()), float(values.max()))

    def __add__(self, other: Sums) -> Sums:
        if not (self.n and other.n):
            return self if self.n else other
        n, apart = self.n + other.n, other.mean - self.mean
        return Sums(
            n,
            self.mean + apart * other.n / n,
            self.squares + other.squares + apart * apart * self.n * other.n / n,
            min(self.minimum, other.minimum),
            max(self.maximum, other.maximum),
        )


@dataclass
class ColumnCounts:
    """Of one column. `values` has each value and its count, or is None when `sketches` stand for them."""

    dtype: pl.DataType
    quantity: bool
    nulls: int = 0
    not_finite: int = 0
    places: int = 0  # which rows have no number: equal for two columns if they are the same rows
    values: pl.DataFrame | None = None
    sketches: Sketches | None = None
    lowest: Any = None
    highest: Any = None
    sums: Sums = field(default_factory=Sums)
    lengths: Sums = field(default_factory=Sums)

    def __add__(self, other: ColumnCounts) -> ColumnCounts:
        both = ColumnCounts(
            self.dtype,
            self.quantity,
            self.nulls + other.nulls,
            self.not_finite + other.not_finite,
            (self.places + other.places) % (1 << 64),
            lowest=_of_both(min, self.lowest, other.lowest),
            highest=_of_both(max, self.highest, other.highest),
            sums=self.sums + other.sums,
            lengths=self.lengths + other.lengths,
        )
        if self.values is not None and other.values is not None:
            dtype = self.values["value"].dtype
            added = pl.concat([self.values, other.values.cast({"value": dtype})])
            both.values = added.group_by("value").agg(pl.col("count").sum())
            return _limited(both)
        if self.sketches or other.sketches:
            both.sketches = Sketches()
            for counts in (self, other):
                if counts.sketches:
                    both.sketches.merge(counts.sketches)
                elif counts.values is not None:
                    both.sketches.add(counts.values, quantity=self.quantity)
        return both


@dataclass
class Counts:
    """Of a table, or a part of one. The counts of two parts add up to those of both."""

    rows: int
    columns: dict[str, ColumnCounts]

    def __add__(self, other: Counts) -> Counts:
        columns = {name: column + other.columns[name] for name, column in self.columns.items()}
        return Counts(self.rows + other.rows, columns)


def count(frames: Iterable[pl.DataFrame], measures: Mapping[str, str], part: int) -> Counts:
    """Of a part: its rows come in frames, at least one; `part` tells it from the others."""
    counted: Counts | None = None
    for frame in frames:
        marks = _marks(part, counted.rows if counted else 0, frame.height)
        columns = {name: _count(frame[name], measure, marks) for name, measure in measures.items()}
        these = Counts(frame.height, columns)
        counted = counted + these if counted else these
    assert counted
    return counted


def _marks(part: int, start: int, rows: int) -> Marks:
    """A number for each row that hardly any other row of any part has (splitmix64)."""
    with np.errstate(over="ignore"):
        # Scrambled first, or the rows of parts 1 and 2 would be next to each other.
        first = _mixed(np.array([part % (1 << 64)], dtype=np.uint64))
        return _mixed(np.arange(start, start + rows, dtype=np.uint64) + first)


def _mixed(numbers: Marks) -> Marks:
    mixed = numbers * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def _count(series: pl.Series, measure: str, marks: Marks) -> ColumnCounts:
    counts = ColumnCounts(series.dtype, measure == QUANTITY, nulls=series.null_count())
    if measure == NESTED:
        return counts
    series = finite(series)
    counts.not_finite = series.null_count() - counts.nulls
    present = series.drop_nulls()
    missing = series.is_null().to_numpy()
    with np.errstate(over="ignore"):
        counts.places = int(marks[missing].sum(dtype=np.uint64)) if missing.any() else 0
    if series.dtype == pl.String:
        counts.lengths = Sums.of(present.str.len_chars().to_numpy().astype(np.float64))
    elif series.dtype.is_numeric() or series.dtype.is_temporal() or series.dtype == pl.Boolean:
        counts.sums = Sums.of(numbers(present).to_numpy())
    counts.lowest, counts.highest = present.min(), present.max()
    counts.values = present.alias("value").value_counts(name="count").cast({"count": pl.Int64})
    return _limited(counts)


def _limited(counts: ColumnCounts) -> ColumnCounts:
    if counts.values is not None and counts.values.height > EXACT:
        counts.sketches = Sketches()
        counts.sketches.add(counts.values, quantity=counts.quantity)
        counts.values = None
    return counts


def _of_both(choose: Any, one: Any, other: Any) -> Any:
    return choose(one, other) if one is not None and other is not None else one if other is None else other
