"""A table's profile, from parts of it that are read several times, anywhere."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import polars as pl

from causeway.engine.profile.associations import associations
from causeway.engine.profile.columns import describe
from causeway.engine.profile.counts import Counts, add_all, count
from causeway.engine.profile.drift import drift
from causeway.engine.profile.moments import Moments, moments
from causeway.engine.profile.plan import Within, plan, ranks, within

FORMAT = 1
Part = TypeVar("Part")
# Works on each part, in order.
Each = Callable[[Callable[[tuple[int, Any]], Any], Iterable[tuple[int, Any]]], Iterable[Any]]


def count_all(
    parts: Sequence[Part], read: Callable[[Part], pl.DataFrame], measures: dict[str, str], each: Each = map
) -> Counts:
    """What the first pass finds, and what a later profile is compared with."""
    numbered = list(enumerate(parts))
    return add_all(list(each(lambda at: count(read(at[1]), measures, at[0]), numbered)), measures)


def profile(
    parts: Sequence[Part],
    read: Callable[[Part], pl.DataFrame],
    measures: dict[str, str],
    each: Each = map,
    reference: Counts | None = None,
) -> dict[str, Any]:
    """What is in the columns that `measures` names, how they relate, and what changed since the reference.

    `read` gives the rows of a part, with the same columns and types for each; there is at least one part.
    `each` works on the parts, in this process or elsewhere: three times, whatever the number of columns.
    """
    numbered = list(enumerate(parts))
    counts = count_all(parts, read, measures, each)
    made = plan(counts, measures)
    found = Within()
    if made.missing:
        found = functools.reduce(operator.add, each(lambda at: within(read(at[1]), made), numbered))
    ranked = ranks(made, found)
    sums: Moments = functools.reduce(
        operator.add, each(lambda at: moments(read(at[1]), made, found, ranked), numbered)
    )
    columns = {name: describe(counts.columns[name], of, counts.rows) for name, of in measures.items()}
    for name, reason in made.skipped.items():
        columns[name]["notes"].append(reason)
    document = {
        "format": FORMAT,
        "rows": counts.rows,
        "columns": columns,
        "associations": associations(made, sums),
    }
    return document if reference is None else {**document, "drift": drift(reference, counts, measures)}
