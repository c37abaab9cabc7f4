"""The third pass: sums over pairs of columns. One product of matrices serves every pair of two classes."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from causeway.engine.profile.measures import finite, texts
from causeway.engine.profile.plan import Class, Doubles, Plan, Within, codes, scaled, there

NOISE = 1e-12  # of a deviation of 1: what rounding makes of numbers that are all the same


@dataclass
class Cross:
    """Sums over the rows where two groups of columns have numbers: of each x and y, and of each pair."""

    n: float
    x: Doubles
    y: Doubles
    xx: Doubles
    yy: Doubles
    xy: Doubles

    @classmethod
    def of(cls, x: Doubles, y: Doubles) -> Cross:
        """Of matrices with a row for each column of the table."""
        squares = (np.einsum("ij,ij->i", x, x), np.einsum("ij,ij->i", y, y))
        return cls(float(x.shape[1]), x.sum(1), y.sum(1), *squares, x @ y.T)

    def __add__(self, other: Cross) -> Cross:
        return Cross(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def correlation(self, i: int, j: int) -> float | None:
        """Pearson's, of the i-th x and the j-th y; None if one of them does not vary in these rows."""
        if not self.n:
            return None
        spread_x = self.xx[i] - self.x[i] ** 2 / self.n
        spread_y = self.yy[j] - self.y[j] ** 2 / self.n
        if min(spread_x, spread_y) <= self.n * NOISE**2:
            return None
        together = self.xy[i, j] - self.x[i] * self.y[j] / self.n
        return float(np.clip(together / np.sqrt(spread_x * spread_y), -1.0, 1.0))


@dataclass
class Moments:
    values: dict[tuple[Class, Class], Cross] = field(default_factory=dict)
    ranks: dict[tuple[Class, Class], Cross] = field(default_factory=dict)
    tables: dict[tuple[str, str], NDArray[np.int64]] = field(default_factory=dict)
    groups: dict[tuple[str, str], Doubles] = field(default_factory=dict)
    """Of a quantity by category: count, sum and sum of squares, for each level."""

    def __add__(self, other: Moments) -> Moments:
        return Moments(*(_added(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)))


def _added(one: dict[Any, Any], other: dict[Any, Any]) -> dict[Any, Any]:
    return {key: one[key] + other[key] for key in one}


def moments(
    frame: pl.DataFrame, made: Plan, found: Within, ranked: dict[tuple[str, Class], Doubles]
) -> Moments:
    """Values are measured from their mean in just those rows, or their spread there would drown in it."""
    present, coded, values, sums = there(frame, made), codes(frame, made), scaled(frame, made), Moments()
    for a, b in made.class_pairs():
        rows = present[a] & present[b]
        every = bool(rows.all())
        x, y = (
            _matrix([values[name] - found.mean(name, other) for name in made.of_class(its)], rows, every)
            for its, other in ((a, b), (b, a))
        )
        sums.values[a, b] = Cross.of(x, y)
        x, y = (
            _matrix([ranked[name, other][coded[name]] for name in ranked_of(made, its)], rows, every)
            for its, other in ((a, b), (b, a))
        )
        sums.ranks[a, b] = Cross.of(x, y)
    level = _levels(frame, made)
    for one, other in made.tables:
        shape = len(made.levels[one]) + 1, len(made.levels[other]) + 1  # nulls come last
        cells = np.bincount(level[one] * shape[1] + level[other], minlength=shape[0] * shape[1])
        sums.tables[one, other] = cells.reshape(shape)[:-1, :-1]
    for name, category in made.groups:
        grouping = made.grouping[category]
        rows = present[made.classes[name]] & present[grouping]
        centred = values[name][rows] - found.mean(name, grouping)
        sums.groups[name, category] = _grouped(level[category][rows], centred, made.levels[category])
    return sums


def ranked_of(made: Plan, its: Class) -> list[str]:
    return [name for name in made.of_class(its) if name in made.values]


def _matrix(columns: list[Doubles], rows: NDArray[np.bool_], every: bool) -> Doubles:
    if not columns:
        return np.empty((0, int(rows.sum())))
    return np.stack([column if every else column[rows] for column in columns])


def _levels(frame: pl.DataFrame, made: Plan) -> dict[str, NDArray[np.int64]]:
    """Which level of a category or flag each row has; a null is one after the last."""
    return {
        name: texts(finite(frame[name]))
        .cast(pl.Enum(levels))
        .to_physical()
        .cast(pl.Int64)
        .fill_null(len(levels))
        .to_numpy()
        for name, levels in made.levels.items()
    }


def _grouped(group: NDArray[np.int64], value: Doubles, levels: list[str]) -> Doubles:
    weights = (None, value, value**2)
    return np.stack([np.bincount(group, weight, len(levels)).astype(np.float64) for weight in weights])
