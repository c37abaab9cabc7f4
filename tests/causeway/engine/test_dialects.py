"""Dialects that a contract can name, each as its own programs write it."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from causeway.contract.load import load_contract
from causeway.contract.model import Contract, ContractError, Spelling
from causeway.engine.plan import plan_units
from causeway.flow.manifest import SourceVersion
from tests.causeway.engine.helpers import codes, column, contract, run, values

TEXTS = contract(column("a"), column("b"), column("c"), nulls=())


def rows(rules: Contract, data: bytes) -> list[tuple[Any, ...]]:
    result = run(rules, data)
    names = [c.name for c in rules.columns]
    return list(zip(*(values(result, name) for name in names), strict=True))


# Escapes


def test_an_escape_makes_text_of_quotes_delimiters_line_ends_and_itself() -> None:
    rules = replace(TEXTS, escape="\\")
    data = rb"""a,b,c
1,"a \"quoted\" b",5
2,"path C:\\dir\\",6
3,"x, \"y\", z",7
4,plain\,esc,8
5,"C:\new",\N
6,two\
lines,"\""
"""
    assert rows(rules, data) == [
        ("1", 'a "quoted" b', "5"),
        ("2", "path C:\\dir\\", "6"),
        ("3", 'x, "y", z', "7"),
        ("4", "plain,esc", "8"),
        ("5", "C:\\new", "\\N"),
        ("6", "two\nlines", '"'),
    ]


def test_text_files_of_mysql_and_postgres_have_no_quotes_and_a_null_with_a_backslash() -> None:
    rules = replace(TEXTS, escape="\\", quote="", delimiter="\t", header=False, nulls=("\\N",))
    assert rows(rules, b'1\tsay "hi"\t\\N\n2\ttab\\\there\tx\n3\t"\t\\\\\n') == [
        ("1", 'say "hi"', None),
        ("2", "tab\there", "x"),
        ("3", '"', "\\"),
    ]


CELLS = st.text(st.sampled_from("a\"\\, \n\r#é'\t"), max_size=6)


@settings(max_examples=200)
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=4))
@example([["\\", '\\"', "\n"], ["", " ", "#"]])
def test_what_pythons_writer_escapes_is_read_back(cells: list[list[str]]) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, escapechar="\\", doublequote=False, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([["a", "b", "c"], *cells])
    assert rows(replace(TEXTS, escape="\\"), out.getvalue().encode()) == [tuple(row) for row in cells]


# Blanks, comments, what stands around the table


def test_blanks_after_delimiters_are_no_part_of_a_value_but_in_quotes() -> None:
    rules = replace(TEXTS, skip_initial_space=True)
    assert rows(rules, b'a, b, c\n1, 2, "x, y"\n  2,3 ,  "  z ""q"""\n') == [
        ("1", "2", "x, y"),
        ("2", "3 ", '  z "q"'),
    ]


def test_blanks_are_left_out_in_files_without_a_quote_too() -> None:
    rules = replace(TEXTS, skip_initial_space=True)
    assert rows(rules, b"a, b, c\n1, 2,  3\n  4,5,6\n") == [("1", "2", "3"), ("4", "5", "6")]


def test_a_record_that_begins_with_the_comment_is_none_and_a_line_inside_a_value_is_no_comment() -> None:
    rules = replace(TEXTS, comment="#")
    data = b'# units: "m\n# src\na,b,c\n1,2,3\n#mid\n4,"x\n# not a comment\n",6\n7,#8,9\n'
    assert rows(rules, data) == [("1", "2", "3"), ("4", "x\n# not a comment\n", "6"), ("7", "#8", "9")]


def test_lines_before_the_header_and_after_the_last_record_are_skipped_and_places_still_true() -> None:
    rules = replace(contract(column("id", "integer"), column("amt", "number")), skip_lines=3, skip_footer=2)
    data = b'Report: "Sales\nGenerated 2024-01-01\n\nid,amt\n1,2.5\nx,3.5\nTotal,6.0\n(2 rows)\n'
    result = run(rules, data)
    assert values(result, "id") == [1]
    (rejected,) = result.rejected.to_pylist()
    assert (rejected["line"], rejected["raw"]) == (6, "x,3.5")
    assert data[rejected["offset"] :].startswith(b"x,3.5")


@settings(max_examples=60)
@given(st.integers(0, 4), st.integers(0, 12), st.booleans(), st.integers(4, 40))
def test_the_footer_is_the_last_lines_however_the_object_is_cut_into_blocks(
    footer: int, count: int, newline: bool, block: int
) -> None:
    rules = replace(contract(column("n", "integer")), skip_footer=footer)
    lines = ["n", *map(str, range(count)), *["total"] * footer]
    data = ("\n".join(lines) + "\n" * newline).encode()
    with pytest.MonkeyPatch.context() as patch:
        for module in ("stored", "formats"):
            patch.setattr(f"causeway.engine.read.{module}.BLOCK", block)
        result = run(rules, data)
    assert (values(result, "n"), codes(result)) == (list(range(count)), [])


def test_excels_line_that_names_the_delimiter_is_no_record() -> None:
    rules = replace(TEXTS, delimiter=";")
    assert rows(rules, b"sep=;\r\na;b;c\r\n1;2;3\r\n") == [("1", "2", "3")]


def test_an_object_is_not_cut_where_a_piece_could_not_tell_its_records() -> None:
    objects = [SourceVersion("s", "v", 1 << 30)]
    assert len(plan_units(objects, TEXTS, split=True)) > 1
    for whole in (
        replace(TEXTS, escape="\\"),
        replace(TEXTS, skip_footer=1),
        replace(TEXTS, encoding="utf-16"),
    ):
        assert len(plan_units(objects, whole, split=True)) == 1


# Spellings of values


def euro(type: str, **facts: Any) -> Contract:
    spelling = Spelling(decimal=",", group=".")
    return contract(column("n", type, spelling=spelling, **facts), delimiter=";")


@pytest.mark.parametrize(
    ("type", "facts", "text", "value"),
    [
        ("number", {}, "1.234,56", 1234.56),
        ("number", {}, "-0,50", -0.5),
        ("number", {}, "1.234.567", 1234567.0),
        ("number", {}, ",5", 0.5),
        ("number", {"precision": 10, "scale": 2}, "1.234,56", Decimal("1234.56")),
        ("integer", {}, "1.000", 1000),
        ("integer", {}, "270,0", 270),
    ],
)
def test_numbers_are_read_by_the_contracts_separators(
    type: str, facts: dict[str, Any], text: str, value: object
) -> None:
    assert values(run(euro(type, **facts), f"n\n{text}\n".encode()), "n") == [value]


@pytest.mark.parametrize(
    ("type", "facts", "text"),
    [
        ("number", {}, "1.5"),
        ("number", {}, "1.23,4"),
        ("number", {}, "12.34.567"),
        ("number", {}, "1,2,3"),
        ("number", {"precision": 10, "scale": 2}, "1,234"),
        ("integer", {}, "1.00"),
        ("integer", {}, "1,5"),
    ],
)
def test_a_number_that_is_not_spelled_so_rejects_the_row(type: str, facts: dict[str, Any], text: str) -> None:
    assert codes(run(euro(type, **facts), f"n\n{text}\n".encode())) == [(2, ["type"])]


def test_booleans_are_spelled_as_the_contract_says_and_in_no_other_way() -> None:
    spelling = Spelling(true=("J", "ja"), false=("N", "nein"))
    result = run(contract(column("b", "boolean", spelling=spelling)), b'b\nJ\nnein\nja\nN\ntrue\n1\nj\n""\n')
    assert values(result, "b") == [True, False, True, False, None]
    assert codes(result) == [(6, ["type"]), (7, ["type"]), (8, ["type"])]


@pytest.mark.parametrize(
    ("form", "text", "microseconds"),
    [
        ("epochSeconds", "1700000000", 0),
        ("epochSeconds", "1700000000.25", 250_000),
        ("epochMilliseconds", "1700000000123", 123_000),
        ("epochMicroseconds", "1700000000000001", 1),
    ],
)
def test_instants_are_counted_from_1970_in_the_unit_that_the_contract_names(
    form: str, text: str, microseconds: int
) -> None:
    instant = datetime(2023, 11, 14, 22, 13, 20, microseconds, tzinfo=UTC)
    moment = column("t", "timestamp", timezone="UTC", format=form)
    assert values(run(contract(moment), f"t\n{text}\n".encode()), "t") == [instant]
    lines = run(contract(moment, format="jsonl"), f'{{"t": {text}}}\n{{"t": "{text}"}}'.encode())
    assert values(lines, "t") == [instant, instant]


@pytest.mark.parametrize(
    "text", ["1700000000.0000001", "now", "99999999999999", "2023-11-14T22:13:20Z", "1e9"]
)
def test_what_is_no_count_of_seconds_or_finer_than_microseconds_rejects_the_row(text: str) -> None:
    moment = column("t", "timestamp", timezone="UTC", format="epochSeconds")
    assert codes(run(contract(moment), f"t\n{text}\n".encode())) == [(2, ["type"])]


# In the contract

HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: 1.0.0\nschema:\n- name: t\n"
BODY = "  properties:\n  - {name: n, logicalType: number}\n  - {name: b, logicalType: boolean%s}\n"


def compiled(folder: Path, facts: str, own: str = "") -> Contract:
    path = folder / "t.odcs.yaml"
    path.write_text(HEAD + "  customProperties:\n" + facts + BODY % own)
    return load_contract(path)


def test_a_contract_names_its_dialect_and_a_column_a_spelling_of_its_own(tmp_path: Path) -> None:
    names = {"escape": "'\\'", "comment": "'#'", "skipLines": 2, "skipFooter": 1, "skipInitialSpace": "true"}
    names |= {"decimalSeparator": "','", "groupSeparator": "'.'", "trueValues": "[J]", "falseValues": "[N]"}
    facts = "".join(f"  - {{property: {name}, value: {value}}}\n" for name, value in names.items())
    own = ", customProperties: [{property: trueValues, value: [1]}, {property: falseValues, value: [0]}]"
    rules = compiled(tmp_path, facts, own.replace("[1]", "['1']").replace("[0]", "['0']"))
    dialect = (rules.escape, rules.comment, rules.skip_lines, rules.skip_footer, rules.skip_initial_space)
    assert dialect == ("\\", "#", 2, 1, True)
    assert rules.columns[0].spelling == Spelling(",", ".", ("J",), ("N",))
    assert rules.columns[1].spelling == Spelling(",", ".", ("1",), ("0",))


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ("{property: escape, value: ab}", "(escape): 'ab' is not one ASCII character"),
        ("{property: escape, value: ','}", "delimiter and escape are both ','"),
        ("{property: comment, value: '\"'}", "quote and comment are both"),
        ("{property: skipLines, value: -1}", "is not a number of lines"),
        ("{property: skipLine, value: 1}", "did you mean 'skipLines'"),
        ("{property: decimalSeparator, value: '5'}", "is not one character that numbers may hold"),
        ("{property: groupSeparator, value: '.'}", "decimalSeparator and groupSeparator are both '.'"),
        ("{property: trueValues, value: [J]}", "trueValues and falseValues: expected both"),
        ("{property: trueValues, value: J}", "is not a list of strings"),
    ],
)
def test_a_dialect_that_cannot_be_is_refused_with_its_place(facts: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        compiled(tmp_path, f"  - {facts}\n")
    assert reason in str(caught.value)


def test_what_means_nothing_in_the_datasets_format_is_refused(tmp_path: Path) -> None:
    facts = "  - {property: format, value: parquet}\n  - {property: delimiter, value: ';'}\n"
    with pytest.raises(ContractError, match="means nothing in a parquet file"):
        compiled(tmp_path, facts)
