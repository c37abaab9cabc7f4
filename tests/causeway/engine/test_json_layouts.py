"""JSON in layouts other than one object a line: every object is a row, what is none is rejected."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from causeway.engine.plan import plan_units
from causeway.engine.settle import source_reports, torn_sources
from causeway.flow.manifest import SourceVersion
from tests.causeway.engine.helpers import codes, column, contract, curate_unit, run, values

RULES = contract(column("id", "integer", required=True), column("t"), format="jsonl")
TEXTS = st.text(st.sampled_from('a{}[]",:\\\n é'), max_size=8)
ROWS = st.lists(st.fixed_dictionaries({"id": st.integers(0, 99), "t": TEXTS}), min_size=1, max_size=6)

LAYOUTS: dict[str, Callable[[list[dict[str, Any]]], str]] = {
    "lines": lambda rows: "\n".join(map(json.dumps, rows)),
    "array": json.dumps,
    "array over lines": lambda rows: "[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n",
    "array indented": lambda rows: json.dumps(rows, indent=2),
    "joined": lambda rows: "".join(map(json.dumps, rows)),
    "joined with blanks": lambda rows: "  ".join(map(json.dumps, rows)) + "\n",
    "objects indented": lambda rows: "\n".join(json.dumps(row, indent=1) for row in rows),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=60)
@given(rows=ROWS, block=st.integers(5, 60))
@example(rows=[{"id": 1, "t": '}{"'}, {"id": 2, "t": "\\"}], block=7)
def test_every_object_is_a_row_however_they_are_laid_out_and_cut_into_blocks(
    layout: str, rows: list[dict[str, Any]], block: int
) -> None:
    data = LAYOUTS[layout](rows).encode()
    with pytest.MonkeyPatch.context() as patch:
        for module in ("stored", "formats"):
            patch.setattr(f"causeway.engine.read.{module}.BLOCK", block)
        result = run(RULES, data)
    assert codes(result) == []
    assert (values(result, "id"), values(result, "t")) == ([r["id"] for r in rows], [r["t"] for r in rows])


@pytest.mark.parametrize(
    ("data", "ids", "rejected"),
    [
        ('[{"id":1}, 5, {"id":2}, "x"]', [1, 2], [(1, "5"), (1, '"x"')]),
        ('[\n{"id":1},\n{"id":"no"},\n{"id":3}\n]', [1, 3], [(3, '{"id":"no"}')]),
        ('[{"id":1},{"id":2', [1], [(1, '{"id":2')]),
        ('[{"id":1}] trailing', [1], [(1, "] trailing")]),
        ('{"id":1}{"id":2} x', [1, 2], [(1, "x")]),
        ('{"id":1}\n{"id":2}{"id":3}\n{"id":4}', [1, 4], [(2, '{"id":2}{"id":3}')]),
    ],
)
def test_what_is_no_object_among_them_is_rejected_with_its_place_and_text(
    data: str, ids: list[int], rejected: list[tuple[int, str]]
) -> None:
    result = run(RULES, data.encode())
    assert values(result, "id") == ids
    places = [(row["line"], row["raw"].strip(" ,")) for row in result.rejected.to_pylist()]
    assert places == rejected
    for row in result.rejected.to_pylist():
        assert data[row["offset"] :].startswith(row["raw"])


@pytest.mark.parametrize("text", ["[]", " [ ] \n"])
def test_an_array_of_nothing_is_an_object_without_records(text: str) -> None:
    assert codes(run(RULES, text.encode())) == [(None, ["empty"])]


@pytest.mark.parametrize("layout", ["array over lines", "objects indented"])
def test_a_large_object_of_another_layout_is_curated_in_one_piece(layout: str) -> None:
    rows = [{"id": i, "t": "x" * 20} for i in range(100)]
    data = LAYOUTS[layout](rows).encode()
    units = plan_units([SourceVersion("s", "v", len(data))], RULES, target_bytes=1000, split=True)
    assert len(units) > 1
    fetch = lambda source, version, start, stop: data[start:stop]  # noqa: E731
    parts = [curate_unit(RULES, unit, fetch) for unit in units]
    assert torn_sources(count for part in parts for count in part.counts) == {("s", "v")}
    (whole,) = plan_units([SourceVersion("s", "v", len(data))], RULES)
    (report,) = source_reports(curate_unit(RULES, whole, fetch).counts)
    assert (report.landed, report.curated) == (100, 100)
