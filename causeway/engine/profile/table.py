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
from causeway.engine.profile.moments import Moments, moments
from causeway.engine.profile.plan import Within, plan, ranks, within

FORMAT = 1
Part = TypeVar("Part")
Result = TypeVar("Result")


def profile(
    parts: Sequence[Part],
    read: Callable[[Part], pl.DataFrame],
    measures: dict[str, str],
    each: Callable[[Callable[[tuple[int, Part]], Any], Iterable[tuple[int, Part]]], Iterable[Any]] = map,
) -> dict[str, Any]:
    """What is in the columns that `measures` names, and how they relate.

    `read` gives the rows of a part, with the same columns and types for each; there is at least one part.
    `each` works on the parts, in this process or elsewhere: three times, whatever the number of columns.
    """
    numbered = list(enumerate(parts))
    counts: Counts = add_all(list(each(lambda at: count(read(at[1]), measures, at[0]), numbered)), measures)
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
    return {
        "format": FORMAT,
        "rows": counts.rows,
        "columns": columns,
        "associations": associations(made, sums),
    }
