"""JSON Lines: the same rules over the fields' text."""

from __future__ import annotations

import functools
import json
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from tests.causeway.engine.helpers import codes, column, contract, run, values

PAIR = contract(column("a", "integer", required=True), column("b"), format="jsonl")
NAUGHTY = Path(__file__).parents[3] / "node_modules/big-list-of-naughty-strings/blns.json"


def test_a_malformed_line_is_rejected_alone() -> None:
    result = run(PAIR, b'{"a":1,"b":"x"}\n{"a":2,\n[1]\n5\n\n{"a":3}\n{"a":1} x\n')
    assert values(result, "a") == [1, 3]
    assert codes(result) == [(2, ["json"]), (3, ["json"]), (4, ["json"]), (7, ["json"])]


def test_an_object_without_any_json_line_is_rejected_whole() -> None:
    assert codes(run(PAIR, b"a,b\n1,x\n")) == [(None, ["format"])]


def test_naughty_strings_pass_unchanged() -> None:
    strings = json.loads(NAUGHTY.read_text("utf-8"))
    lines = [json.dumps({"a": i, "b": s}, ensure_ascii=i % 2 == 0) for i, s in enumerate(strings)]
    assert values(run(PAIR, "\n".join(lines).encode()), "b") == strings


def test_fields_the_contract_does_not_know_are_rescued_added_or_refused() -> None:
    data = b'{"a":1}\n{"a":2,"c":{"d":[1]},"e":"x"}\n{"b":null,"a":3,"e":null}\n'
    rescued = values(run(PAIR, data), "_rescued")
    assert [text and json.loads(text) for text in rescued] == [None, {"c": {"d": [1]}, "e": "x"}, {"e": None}]
    evolved = run(contract(*PAIR.columns, format="jsonl", on_schema_change="evolve"), data)
    assert (values(evolved, "c"), values(evolved, "e")) == ([None, '{"d":[1]}', None], [None, "x", None])
    frozen = run(contract(*PAIR.columns, format="jsonl", on_schema_change="freeze"), data)
    assert codes(frozen) == [(2, ["schema"]), (3, ["schema"])]


def test_a_key_that_occurs_twice_rejects_the_line() -> None:
    assert codes(run(PAIR, b'{"a":1,"a":2}\n{"a":3}\n')) == [(1, ["json"])]


def test_numbers_keep_every_digit() -> None:
    rules = contract(column("d", "number", precision=38, scale=9), column("i", "integer"), format="jsonl")
    result = run(rules, b'{"d":12345678901234567890.123456789,"i":9007199254740993}\n{"d":0.1,"i":5.0}\n')
    assert values(result, "d") == [Decimal("12345678901234567890.123456789"), Decimal("0.1")]
    assert values(result, "i") == [9007199254740993, 5]


def test_arrays_and_objects_become_nested_columns() -> None:
    tags = column("tags", "array", items=column("item"))
    place = column("place", "object", properties=(column("lat", "number"), column("name")))
    rules = contract(tags, place, format="jsonl")
    result = run(
        rules, b'{"tags":["x","y"],"place":{"lat":1.5,"name":"A"}}\n{"tags":{"no":1},"place":null}\n'
    )
    assert values(result, "tags") == [["x", "y"]]
    assert values(result, "place") == [{"lat": 1.5, "name": "A"}]
    assert codes(result) == [(2, ["type"])]


def test_every_spelling_of_null_is_null() -> None:
    rules = contract(column("a", "integer"), column("b"), format="jsonl", nulls=("NA", "-", ""))
    result = run(rules, b'{"a":"NA","b":"-"}\n{"a":"","b":"x"}\n{"a":null,"b":"NA"}\n')
    assert (values(result, "a"), values(result, "b")) == ([None] * 3, [None, "x", None])


def test_field_names_may_hold_anything() -> None:
    names = ["a.b", "x/y~z", "it's", 'q"q', "ü €", "$"]
    rules = contract(*(column(f"c{i}", field=name) for i, name in enumerate(names)), format="jsonl")
    result = run(rules, json.dumps({name: name for name in names}).encode())
    assert [values(result, f"c{i}")[0] for i in range(len(names))] == names


DEEP = "[" * 5000 + "]" * 5000


def test_a_line_that_only_lax_parsers_read_costs_no_other_line_and_no_digit() -> None:
    rules = contract(column("d", "number", precision=38, scale=9), format="jsonl")
    result = run(rules, b'{"d":12345678901234567.5,}\n{"d":12345678901234567.5}\n{"d":1.5,}\n')
    assert values(result, "d") == [Decimal("12345678901234567.5"), Decimal("1.5")]
    assert codes(result) == [(1, ["type"])]


@pytest.mark.parametrize("limit", [1000, 20_000])  # which other libraries set as they like
def test_values_nested_ever_so_deep_are_kept_or_rejected_alone(
    request: pytest.FixtureRequest, limit: int
) -> None:
    request.addfinalizer(functools.partial(sys.setrecursionlimit, sys.getrecursionlimit()))
    sys.setrecursionlimit(limit)
    tags = column("tags", "array", items=column("item"))
    for policy in ("rescue", "evolve"):
        rules = contract(column("a", "integer"), tags, format="jsonl", on_schema_change=policy)
        result = run(rules, f'{{"a":1,"x":{DEEP}}}\n{{"a":2,"tags":{DEEP}}}\n{{"a":3}}\n'.encode())
        assert values(result, "a") == [1, 3]
        assert codes(result) == [(2, ["type"])]
        kept = values(result, "x" if policy == "evolve" else "_rescued")
        assert DEEP in kept[0]


def test_lines_that_differ_are_read_whatever_characters_an_error_would_quote() -> None:
    rules = contract(column("c", field="Ü"), format="jsonl")
    for length in range(200):
        text = "x" * length + "Üüß" * 100
        data = "\n".join(
            [json.dumps({"Ü": text}, ensure_ascii=False), json.dumps({text: 1}, ensure_ascii=False)]
        )
        assert values(run(rules, data.encode()), "c") == [text, None]


def test_new_columns_whose_names_are_taken_are_rescued_not_joined() -> None:
    """By lineage, by a derived column, by a column that the file calls otherwise, or but for the case."""
    columns = (
        column("id", "integer"),
        column("total", "integer", transform="id * 2"),
        column("a", field="A"),
    )
    rules = contract(*columns, format="jsonl", on_schema_change="evolve")
    taken = {"_source": "x", "total": "7", "a": "y", "ID": "8", "": "z", "_rescued": "r", "\0\n": "n"}
    result = run(rules, json.dumps({"id": 1, "A": "b", **taken, "new": "d"}).encode())
    (row,) = result.rows.to_pylist()
    assert (row["total"], row["a"], row["_source"], row["new"]) == (2, "b", "s0", "d")
    assert json.loads(row["_rescued"]) == taken


def test_a_line_with_two_objects_is_rejected_and_says_so() -> None:
    result = run(contract(column("a", "integer"), format="jsonl"), b'{"a":1}\n{"a":2}{"a":3}\n')
    assert values(result, "a") == [1]
    ((fault,),) = result.rejected["faults"].to_pylist()
    assert "more than one JSON object" in fault["message"]


def test_a_key_twice_inside_an_object_rejects_the_row_as_at_the_top() -> None:
    place = column("place", "object", properties=(column("x", "integer"),))
    result = run(contract(place, format="jsonl"), b'{"place":{"x":1,"x":2}}\n{"place":{"x":3}}\n')
    assert values(result, "place") == [{"x": 3}]
    assert [line for line, _ in codes(result)] == [1]
