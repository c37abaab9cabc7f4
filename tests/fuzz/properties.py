"""The properties, by name, each with what Hypothesis draws for it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.dirty import DIRTY, SQL, check_dirty, check_texts
from tests.fuzz.kinds import TEXT, tables
from tests.fuzz.roundtrip import check
from tests.fuzz.writers import COMPRESSIONS, ENCODINGS, WRITERS

CELLS = TEXT.filter(lambda text: "\r" not in text)  # that both of pandas' parsers take for a line's end
GRID = st.integers(2, 4).flatmap(lambda width: st.lists(st.tuples(*[CELLS] * width), min_size=1, max_size=6))

TEXTS = st.lists(DIRTY, min_size=1, max_size=6)

# What is checked, and what is drawn for it.
Property = tuple[Callable[[Any], None], st.SearchStrategy[Any]]
PROPERTIES: dict[str, Property] = {
    **{
        f"comes back equal: {writer}": (
            lambda drawn, writer=writer: check(writer, *drawn[0], *drawn[1:]),  # type: ignore[misc]
            st.tuples(tables(), st.sampled_from(ENCODINGS), st.sampled_from(COMPRESSIONS)),
        )
        for writer in WRITERS
    },
    **{
        f"is what DuckDB reads, or rejected whole: {kind}": (
            partial(check_dirty, kind),
            st.lists(DIRTY, max_size=6),
        )
        for kind in SQL
    },
    "pandas reads the same texts": (
        lambda drawn: check_texts(*drawn),
        st.tuples(st.sampled_from(",;\t|"), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]), GRID),
    ),
}
