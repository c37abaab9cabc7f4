"""A table's profile, from parts of it that are read several times, anywhere."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic

import polars as pl

from causeway.engine.profile.associations import Association, associations
from causeway.engine.profile.columns import describe
from causeway.engine.profile.counts import Counts, count
from causeway.engine.profile.drift import drift
from causeway.engine.profile.moments import moments
from causeway.engine.profile.parts import AddUp, Part, in_turn
from causeway.engine.profile.plan import Plan, Within, plan, ranks, within

FORMAT = 1


@dataclass(frozen=True)
class Rows(Generic[Part]):
    """A table's rows, in parts, of which there is at least one, each with a number of its own.

    `read` gives a part's rows, in frames of the same columns; `add_up` works on the parts.
    """

    parts: Sequence[Part]
    read: Callable[[Part], Iterable[pl.DataFrame]]
    number: Callable[[Part], int]
    add_up: AddUp = in_turn

    def count(self, measures: Mapping[str, str]) -> Counts:
        """The first pass, and all that a later profile is compared with."""
        read, number = self.read, self.number  # alone, they travel
        return self.add_up(lambda part: count(read(part), measures, number(part)), self.parts)

    def associate(self, made: Plan) -> list[Association]:
        """The other two passes, whatever the number of columns; the strongest pair comes first."""
        read, found = self.read, Within()
        if made.missing:
            found = self.add_up(lambda part: in_turn(lambda f: within(f, made), read(part)), self.parts)
        ranked = ranks(made, found)
        each = functools.partial(moments, made=made, found=found, ranked=ranked)
        return associations(made, self.add_up(lambda part: in_turn(each, read(part)), self.parts))


def profile(rows: Rows[Any], measures: Mapping[str, str], reference: Counts | None = None) -> dict[str, Any]:
    """What is in the columns that `measures` names, how they relate, and what changed since the reference."""
    counts = rows.count(measures)
    made = plan(counts, measures)
    return document(counts, measures, made, rows.associate(made), reference)


def document(
    counts: Counts,
    measures: Mapping[str, str],
    made: Plan,
    related: Sequence[Association] = (),
    reference: Counts | None = None,
) -> dict[str, Any]:
    columns = {name: describe(counts.columns[name], of, counts.rows) for name, of in measures.items()}
    for name, reasons in made.skipped.items():
        columns[name]["notes"] += reasons
    facts = {"format": FORMAT, "rows": counts.rows, "columns": columns, "associations": [*related]}
    return facts if reference is None else {**facts, "drift": drift(reference, counts, measures)}
