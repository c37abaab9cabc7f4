"""Numbers in JSON, where a column is text: as they are written, digit by digit."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from causeway.engine.read.json_numbers import begin_like_numbers
from tests.causeway.engine.helpers import codes, column, contract, run, values

NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,22})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)
TEXTS = st.text(st.sampled_from('aé"\\/ 0.1e'), max_size=6).map(
    lambda text: json.dumps(text, ensure_ascii=False)
)
LEAVES = NUMBERS | TEXTS | st.sampled_from(["true", "false", "null"])


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    arrays = st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]")
    objects = st.lists(inner, max_size=3).map(
        lambda items: "{" + ",".join(f'"k{i}":{item}' for i, item in enumerate(items)) + "}"
    )
    return arrays | objects


JSON = st.recursive(LEAVES, _nested, max_leaves=5)
CONTRACT = contract(column("ref"), column("other", "integer"), format="jsonl")


def as_field(text: str) -> str | None:
    """A JSON text, as a field of text holds it."""
    value = json.loads(text)
    return None if value is None else value if isinstance(value, str) else text


@settings(max_examples=150)
@given(st.lists(st.tuples(JSON, JSON | st.none()), min_size=1, max_size=4))
@example([("-0", "-0"), ("1e400", "[1e400]"), ("100000000000000000000", "1.10")])
@example([('{"a":0.10}', None), ("[-0,-0.0]", None)])
def test_a_json_value_is_kept_as_it_is_written_in_text_rescued_and_new_columns(
    rows: list[tuple[str, str | None]],
) -> None:
    more = ["" if unknown is None else f', "more": {unknown}' for _, unknown in rows]
    lines = [f'{{"other": 1, "ref": {ref}{rest}}}' for (ref, _), rest in zip(rows, more, strict=True)]
    data = "\n".join(lines).encode()
    rescued = run(CONTRACT, data)
    assert values(rescued, "ref") == [as_field(ref) for ref, _ in rows]
    assert values(rescued, "_rescued") == [m and f'{{"more":{m}}}' for _, m in rows]
    evolved = run(replace(CONTRACT, on_schema_change="evolve"), data)
    new = [m and as_field(m) for _, m in rows]
    assert (values(evolved, "more") if "more" in evolved.new_columns else [None] * len(rows)) == new


@settings(max_examples=100)
@given(st.lists(NUMBERS, min_size=1, max_size=4))
def test_numbers_inside_arrays_and_objects_are_as_written_where_the_part_is_text(numbers: list[str]) -> None:
    parts = column(
        "doc",
        "object",
        properties=(
            column("text"),
            column("list", "array", items=column("")),
            column("exact", "number", precision=38),
        ),
    )
    first, every = numbers[0], ", ".join(numbers)
    line = f'{{"doc": {{"text": {first}, "list": [{every}], "exact": 10.00, "x": {first}}}}}'
    result = run(contract(parts, format="jsonl"), line.encode())
    assert codes(result) == []
    assert values(result, "doc") == [{"text": numbers[0], "list": numbers, "exact": Decimal(10)}]
    assert values(result, "_rescued") == [f'{{"doc":{{"x":{numbers[0]}}}}}']


@given(st.lists(st.text("-09[{a é", max_size=20) | st.none()), st.integers(0, 5))
def test_texts_that_begin_like_numbers_are_seen_by_their_first_bytes(
    texts: list[str | None], start: int
) -> None:
    series = pl.Series(texts, dtype=pl.String).slice(start)
    begin = {at for at, text in enumerate(texts[start:]) if text and text[0] in "-0123456789[{"}
    assert {at for at in begin_like_numbers(series) if series[at] is not None} == begin
