"""What CSV may look like, and what becomes of every row of it."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from causeway.engine.read.headers import MAX_COLUMNS
from tests.causeway.engine.helpers import codes, column, contract, csv_bytes, run, values

ROOT = Path(__file__).parents[3]
SPECTRUM = sorted((ROOT / "node_modules/csv-spectrum/csvs").glob("*.csv"))
PAIR = contract(column("a", "integer", required=True), column("b"))


def test_the_odd_csvs_are_there() -> None:
    assert len(SPECTRUM) == 12


@pytest.mark.parametrize("path", SPECTRUM, ids=lambda path: path.stem)
def test_every_odd_csv_comes_out_as_its_authors_say(path: Path) -> None:
    expected = json.loads((path.parents[1] / "json" / f"{path.stem}.json").read_text("utf-8"))
    names = next(csv.reader(path.read_text("utf-8").splitlines()))
    result = run(contract(*(column(name) for name in names), nulls=()), path.read_bytes())
    got = [{name: row[name] for name in names} for row in result.rows.to_pylist()]
    if path.stem == "location_coordinates":  # its JSON has one object, and another phone number than its CSV
        got, expected = [{**got[0], "Contact Phone Number": "1234567890"}], [expected]
    assert got == expected


def test_naughty_strings_pass_unchanged() -> None:
    strings = json.loads((ROOT / "node_modules/big-list-of-naughty-strings/blns.json").read_text("utf-8"))
    assert len(strings) > 400
    data = csv_bytes(["n", "s"], [[str(i), s] for i, s in enumerate(strings)], quoting=csv.QUOTE_ALL)
    result = run(contract(column("n", "integer"), column("s"), nulls=()), data)
    assert values(result, "s") == strings


def test_a_row_with_several_faults_names_them_all_with_its_line_and_text() -> None:
    rules = contract(
        column("a", "integer", minimum=3), column("b", required=True), column("c", values=("x",))
    )
    result = run(rules, b"a,b,c\n5,ok,x\n1,,y\n")
    (bad,) = result.rejected.to_pylist()
    assert (bad["_source"], bad["_source_version"], bad["line"], bad["raw"]) == ("s0", "v0", 3, "1,,y")
    assert [(f["column"], f["code"]) for f in bad["faults"]] == [
        ("a", "minimum"),
        ("b", "required"),
        ("c", "enum"),
    ]
    assert bad["faults"][0]["message"] == "'1' is less than 3"


def test_rows_with_too_few_or_too_many_fields_are_rejected_alone() -> None:
    result = run(PAIR, b"a,b\n1,x\n2\n3,x,y\n4,x,\n5,x\n")
    assert values(result, "a") == [1, 5]
    assert codes(result) == [(3, ["fields"]), (4, ["fields"]), (5, ["fields"])]


def test_a_stray_quote_does_not_swallow_the_rows_after_it() -> None:
    result = run(PAIR, b'a,b\n1,"open\n2,x\n3,in"side\n4,"shut"x\n5,"fine, ""really"""\n')
    assert values(result, "a") == [2, 3, 5]
    assert values(result, "b") == ["x", 'in"side', 'fine, "really"']
    assert codes(result) == [(2, ["quote"]), (5, ["quote"])]


def test_newlines_in_quotes_keep_line_numbers_right() -> None:
    result = run(PAIR, b'a,b\n1,"two\nlines, ""quoted""\n"\nx,bad\n2,y\n')
    assert values(result, "b") == ['two\nlines, "quoted"\n', "y"]
    assert codes(result) == [(5, ["type"])]


def test_byte_order_mark_crlf_and_blank_lines_are_no_faults() -> None:
    result = run(PAIR, b"\xef\xbb\xbfa,b\r\n\r\n1,x\r\n\r\n2,y\r\n\n")
    assert values(result, "b") == ["x", "y"]
    assert result.rejected.num_rows == 0


def test_columns_are_found_by_name_in_any_order() -> None:
    assert values(run(PAIR, b"b,a\nx,1\n"), "a") == [1]


def test_a_missing_optional_column_is_null_and_a_missing_required_one_rejects_the_object() -> None:
    assert values(run(PAIR, b"a\n1\n"), "b") == [None]
    result = run(PAIR, b"b\nx\n")
    assert codes(result) == [(None, ["header"])]
    assert "columns are missing: a" in result.rejected["faults"][0][0]["message"].as_py()


def test_a_column_named_twice_rejects_the_object() -> None:
    assert codes(run(PAIR, b"a,b,a\n1,x,2\n")) == [(None, ["header"])]


def test_formula_looking_cells_are_kept() -> None:
    data = csv_bytes(["a", "b"], [["1", "=1+1"], ["2", "@SUM(A1)"], ["3", "+49"], ["4", "-1"]])
    assert values(run(PAIR, data), "b") == ["=1+1", "@SUM(A1)", "+49", "-1"]


def test_null_spellings_are_those_of_the_contract() -> None:
    rules = contract(column("a"), column("b", "integer"), nulls=("NA",))
    result = run(rules, b"a,b\nNA,NA\n,1\n")
    assert values(result, "a") == [None, ""]
    assert values(result, "b") == [None, 1]


def test_delimiter_and_quote_are_those_of_the_contract() -> None:
    rules = contract(column("a"), column("b"), delimiter=";", quote="'")
    assert values(run(rules, b"a;b\n'x;y';\"z\n"), "a") == ["x;y"]
    rules = contract(column("a"), column("b"), quote="")
    assert values(run(rules, b'a,b\n5",x"\n'), "a") == ['5"']


def test_without_header_columns_go_by_position() -> None:
    rules = contract(column("a", "integer"), column("b"), header=False)
    result = run(rules, b"1,x\nno,y\n")
    assert values(result, "a") == [1]
    assert codes(result) == [(2, ["type"])]


def test_unknown_columns_are_rescued_added_or_refused_as_the_contract_says() -> None:
    data = b"a,b,new\n1,x,7\n2,y,\n"
    assert values(run(PAIR, data), "_rescued") == ['{"new":"7"}', None]
    evolved = run(contract(*PAIR.columns, on_schema_change="evolve"), data)
    assert values(evolved, "new") == ["7", None]
    assert codes(run(contract(*PAIR.columns, on_schema_change="freeze"), data)) == [(None, ["schema"])]


def test_a_line_in_another_encoding_is_rejected_alone() -> None:
    good = b"".join(b"%d,x\n" % i for i in range(50))
    result = run(PAIR, b"a,b\n" + good + b"7,caf\xe9\n")
    assert result.rows.num_rows == 50
    assert codes(result) == [(52, ["encoding"])]


def test_an_encoding_the_contract_names_is_read() -> None:
    for encoding in ("latin-1", "utf-16"):
        rules = contract(*PAIR.columns, encoding=encoding)
        assert values(run(rules, "a,b\n1,café\n".encode(encoding)), "b") == ["café"]


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("data", [b"a,b\r1,x\r2,y\r", b"a,b\r1,x\r2,y", b"a\r1\r"])
def test_lines_that_end_with_a_carriage_return_alone_are_no_rows_and_are_not_lost(
    data: bytes, header: bool
) -> None:
    rules = PAIR if b"," in data else contract(column("a"))
    result = run(replace(rules, header=header), data)
    assert (result.rows.num_rows, codes(result)) == (0, [(None, ["format"])])


def test_a_row_beside_the_header_is_not_lost_where_line_ends_are_mixed() -> None:
    result = run(PAIR, b"a,b\r1,x\n2,y\n")
    assert (result.rows.num_rows, codes(result)) == (0, [(None, ["format"])])


@pytest.mark.parametrize("rows", ["1,x|2,y|", "1,x|2,y", '1,"x, |z"|2,y|', "1,x||2,y|"])
def test_a_carriage_return_too_many_belongs_to_no_value(rows: str) -> None:
    result = run(PAIR, f"a,b|{rows}".replace("|", "\r\r\n").encode())
    assert result.rejected.num_rows == 0
    assert values(result, "a") == [1, 2]
    assert values(result, "b")[1] == "y"
    assert values(result, "b")[0] in ("x", "x, \r\r\nz")


def test_empty_columns_beside_the_table_are_none_and_what_stands_in_them_is_rescued() -> None:
    result = run(PAIR, b"a,b,,\n1,x,,\n2,y,,\n")
    assert (result.rejected.num_rows, values(result, "_rescued")) == (0, [None, None])
    result = run(PAIR, b"a,b,,\n1,x,,note\n2,y,,\n")
    assert values(result, "a") == [1, 2]
    assert json.loads(values(result, "_rescued")[0]) == {"unnamed column 4": "note"}


def test_a_name_that_occurs_twice_is_named_even_if_it_is_empty() -> None:
    (fault,) = run(PAIR, b"a,,b,,c\n1,2,3,4,5\n").rejected["faults"][0].as_py()
    assert fault["message"] == "column names occur twice: ''"


def test_more_columns_than_any_table_has_are_refused_at_once() -> None:
    names = [f"c{n}" for n in range(MAX_COLUMNS + 1)]
    assert codes(run(PAIR, ",".join(names).encode() + b"\n")) == [(None, ["header"])]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_quoted_value_of_many_lines_is_one_value_however_long(end: str) -> None:
    long = end.join(f"{n},line of text" for n in range(80_000))
    assert len(long) > 1 << 20
    result = run(PAIR, end.join(["a,b", "1,x", f'2,"{long}"', "3,y", ""]).encode())
    assert (values(result, "a"), result.rejected.num_rows) == ([1, 2, 3], 0)
    assert values(result, "b")[1] == long


def test_a_quote_that_never_closes_costs_its_own_line_however_many_follow() -> None:
    rows = "".join(f"{n},t\n" for n in range(300_000))
    result = run(PAIR, f'a,b\n1,"oops\n{rows}'.encode())
    assert (result.rows.num_rows, codes(result)) == (300_000, [(2, ["quote"])])
