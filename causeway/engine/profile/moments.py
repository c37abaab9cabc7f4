"""The third pass: sums over pairs of columns. One product of matrices serves every pair of two classes."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from causeway.engine.profile.measures import numbers, texts
from causeway.engine.profile.plan import Class, Doubles, Plan, codes, there


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
        spread_x = self.xx[i] - self.x[i] ** 2 / self.n if self.n else 0.0
        spread_y = self.yy[j] - self.y[j] ** 2 / self.n if self.n else 0.0
        if spread_x <= 1e-12 * self.xx[i] or spread_y <= 1e-12 * self.yy[j]:
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


def moments(frame: pl.DataFrame, made: Plan, ranked: dict[tuple[str, Class], Doubles]) -> Moments:
    present, coded, sums = there(frame, made), codes(frame, made), Moments()
    scaled = {
        name: (numbers(frame[name]).fill_null(made.centre[name]).to_numpy() - made.centre[name])
        / made.scale[name]
        for name in made.classes
    }
    for a, b in made.class_pairs():
        rows = present[a] & present[b]
        every = bool(rows.all())
        x, y = (_matrix([scaled[name] for name in made.of_class(its)], rows, every) for its in (a, b))
        sums.values[a, b] = Cross.of(x, y)
        x, y = (
            _matrix([ranked[name, other][coded[name]] for name in ranked_of(made, its)], rows, every)
            for its, other in ((a, b), (b, a))
        )
        sums.ranks[a, b] = Cross.of(x, y)
    _tables(frame, made, sums, present, scaled)
    return sums


def ranked_of(made: Plan, its: Class) -> list[str]:
    return [name for name in made.of_class(its) if name in made.values]


def _matrix(columns: list[Doubles], rows: NDArray[np.bool_], every: bool) -> Doubles:
    if not columns:
        return np.empty((0, int(rows.sum())))
    return np.stack([column if every else column[rows] for column in columns])


def _tables(
    frame: pl.DataFrame,
    made: Plan,
    sums: Moments,
    present: dict[Class, NDArray[np.bool_]],
    scaled: dict[str, Doubles],
) -> None:
    """Categories by each other, and quantities by category. A null is a level after the last."""
    level = {
        name: texts(frame[name]).cast(pl.Enum(levels)).to_physical().cast(pl.Int64).fill_null(len(levels))
        for name, levels in made.levels.items()
    }
    at = {name: series.to_numpy() for name, series in level.items()}
    for a, b in made.tables():
        shape = len(made.levels[a]) + 1, len(made.levels[b]) + 1
        cells = np.bincount(at[a] * shape[1] + at[b], minlength=shape[0] * shape[1])
        sums.tables[a, b] = cells.reshape(shape)[:-1, :-1]
    for category in at.keys() - made.classes.keys():  # a flag's are among the correlations
        for name, its in made.classes.items():
            if name in made.levels:
                continue
            rows = present[its]
            group, value, size = at[category][rows], scaled[name][rows], len(made.levels[category]) + 1
            weights = (None, value, value**2)
            counted = [np.bincount(group, weight, size)[:-1].astype(np.float64) for weight in weights]
            sums.groups[name, category] = np.stack(counted)
