"""What changed in each column between two tables, or two states of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from causeway.engine.profile.columns import SHOWN
from causeway.engine.profile.counts import ColumnCounts, Counts
from causeway.engine.profile.measures import NESTED, QUANTITY, numbers, texts
from causeway.engine.profile.plan import LEVELS, Doubles

BINS = 10  # of a quantity, with as many rows of the reference in each as its values allow
LEAST = 1e-4  # share that a bin has at least: or the index of an empty one would be infinite
MODERATE, LARGE = 0.1, 0.25  # of the population stability index, as credit scoring reads it
LISTED = 20  # new or vanished values


def drift(reference: Counts, now: Counts, measures: Mapping[str, str]) -> dict[str, Any]:
    """By column that both have, from the reference to now; `notes` say what is not compared."""
    return {
        name: _column(reference, now, name, measures[name])
        for name in measures
        if name in reference.columns and name in now.columns
    }


def _column(reference: Counts, now: Counts, name: str, measure: str) -> dict[str, Any]:
    one, other = reference.columns[name], now.columns[name]
    before, after = (_null_share(counts, rows) for counts, rows in ((one, reference.rows), (other, now.rows)))
    facts: dict[str, Any] = {"null_share": {"before": before, "after": after}, "notes": []}
    if measure == NESTED:
        facts["notes"].append("nested: only nulls are compared")
        return facts
    shares = _of_quantity(one, other) if measure == QUANTITY else _of_values(one, other)
    if shares is None:
        facts["notes"].append("one of both has no values, or too many to compare")
        return facts
    index = stability(*shares)
    facts["psi"] = index
    if index >= MODERATE:
        facts["notes"].append(f"{'much' if index >= LARGE else 'somewhat'} differently distributed")
    if measure != QUANTITY:
        facts |= _new_and_vanished(one, other)
    return facts


def _null_share(column: ColumnCounts, rows: int) -> float | None:
    return column.nulls / rows if rows else None


def stability(reference: Doubles, now: Doubles) -> float:
    """The population stability index of two lists of shares: the sum of (now - before) ln(now / before)."""
    p, q = np.maximum(now, LEAST), np.maximum(reference, LEAST)
    return float(((p - q) * np.log(p / q)).sum())


def _of_quantity(one: ColumnCounts, other: ColumnCounts) -> tuple[Doubles, Doubles] | None:
    """The shares of both in bins that hold equal numbers of the reference's rows."""
    if not (one.sums.n and other.sums.n and one.quantity and other.quantity):
        return None
    edges = np.unique(_at(one, np.arange(1, BINS) / BINS))
    return _shares(one, edges), _shares(other, edges)


def _at(column: ColumnCounts, shares: Doubles) -> Doubles:
    if column.sketches:
        return np.array(column.sketches.quantiles.get_quantiles(list(shares)))
    at, last = _sorted(column)
    found: Doubles = at[np.searchsorted(last, shares * last[-1])]
    return found


def _shares(column: ColumnCounts, edges: Doubles) -> Doubles:
    """Of values up to the first edge, up to the second, …, and above the last."""
    if column.sketches:
        return np.array(column.sketches.quantiles.get_pmf(list(edges), True))
    at, last = _sorted(column)
    below = np.concatenate([[0], last])[np.searchsorted(at, edges, side="right")]
    shares: Doubles = np.diff(np.concatenate([[0], below, [last[-1]]])) / last[-1]
    return shares


def _sorted(column: ColumnCounts) -> tuple[Doubles, Doubles]:
    assert column.values is not None
    at, counted = numbers(column.values["value"]).to_numpy(), column.values["count"].to_numpy()
    order = np.argsort(at)
    return at[order], np.cumsum(counted[order]).astype(np.float64)


def _of_values(one: ColumnCounts, other: ColumnCounts) -> tuple[Doubles, Doubles] | None:
    counted = [_by_value(column) for column in (one, other)]
    if any(not values or len(values) > LEVELS for values in counted):
        return None
    every = sorted(counted[0].keys() | counted[1].keys())
    shares = [np.array([values.get(text, 0) for text in every], np.float64) for values in counted]
    return shares[0] / shares[0].sum(), shares[1] / shares[1].sum()


def _by_value(column: ColumnCounts) -> dict[str, int]:
    if column.values is None or column.values.height > LEVELS:
        return {}
    return dict(zip(texts(column.values["value"]).to_list(), column.values["count"].to_list(), strict=True))


def _new_and_vanished(one: ColumnCounts, other: ColumnCounts) -> dict[str, Any]:
    before, after = _by_value(one), _by_value(other)
    changes = {"new": sorted(after.keys() - before.keys()), "vanished": sorted(before.keys() - after.keys())}
    return {
        name: {"count": len(values), "values": [value[:SHOWN] for value in values[:LISTED]]}
        for name, values in changes.items()
    }
