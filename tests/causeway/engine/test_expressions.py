"""The contract's SQL: derived columns and rules, over values that suit them and values that do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest

from causeway.contract.model import Column, Contract, Rule
from causeway.engine.dry_run import dry_run
from tests.causeway.engine.helpers import codes, column, contract, csv_bytes, run, values


def derived(sql: str, type: str = "number", **facts: object) -> Contract:
    return contract(
        column("id", "integer"),
        column("n", "integer"),
        column("x", "number"),
        column("text"),
        column("moment", "timestamp", timezone="UTC"),
        Column("d", "d", type, transform=sql, **facts),  # type: ignore[arg-type]
    )


def rows(*texts: str) -> bytes:
    return csv_bytes(["id", "n", "x", "text", "moment"], [text.split("|") for text in texts])


@pytest.mark.parametrize(
    ("sql", "type", "good", "bad", "reason"),
    [
        ("CAST(text AS DOUBLE)", "number", "1|||1.5|", "2|||abc|", "Could not convert string 'abc'"),
        ("strptime(text, '%d.%m.%Y')", "date", "1|||05.03.2024|", "2|||2024-03-05|", "Could not parse"),
        ("n * n", "integer", "1|3|||", "2|9007199254740993|||", "Overflow"),
        ("x / n", "number", "1|2|3||", "2|0|3||", "Division by zero"),
        ("n % (n - 1)", "integer", "1|3|||", "2|1|||", "Division by zero"),
        ("n // 0.0", "number", "1||1||", "2|1|1||", "Division by zero"),
    ],
)
def test_a_row_that_an_expression_cannot_be_computed_of_is_rejected_with_expression_value_and_reason(
    sql: str, type: str, good: str, bad: str, reason: str
) -> None:
    result = run(derived(sql, type), rows(good, bad, "3||||"))
    assert values(result, "id") == [1, 3]
    assert codes(result) == [(3, ["expression"])]
    message = result.rejected.to_pylist()[0]["faults"][0]["message"]
    assert sql in message
    assert reason in message
    assert any(f"'{value}'" in message for value in bad.split("|")[1:] if value)


@pytest.mark.parametrize(
    ("sql", "type", "facts", "text", "value"),
    [
        ("text", "date", {}, "2024-03-05", date(2024, 3, 5)),
        ("text", "date", {"format": "%d.%m.%Y"}, "05.03.2024", date(2024, 3, 5)),
        ("text", "number", {"precision": 10, "scale": 2}, "1.50", Decimal("1.50")),
        ("CAST(text AS DOUBLE)", "integer", {}, "270.0", 270),
        ("CAST(text AS HUGEINT)", "integer", {}, "7", 7),
        ("upper(text)", "string", {}, "abc", "ABC"),
        ("strptime(text, '%d.%m.%Y')", "timestamp", {}, "05.03.2024", datetime(2024, 3, 5)),
    ],
)
def test_what_an_expression_gives_is_taken_as_if_it_stood_in_a_file(
    sql: str, type: str, facts: dict[str, object], text: str, value: object
) -> None:
    assert values(run(derived(sql, type, **facts), rows(f"1|||{text}|")), "d") == [value]


@pytest.mark.parametrize(
    ("sql", "type", "text"),
    [
        ("text", "date", "31.12.2024"),
        ("CAST(text AS DOUBLE)", "integer", "2.5"),
        ("CAST(text AS DOUBLE) * 1e300 * 1e300", "number", "1"),  # infinite
        ("CAST(text AS DECIMAL(10, 3))", "decimal", "1.005"),
        ("strptime(text, '%d.%m.%Y %H')", "date", "05.03.2024 10"),
        ("CAST(text AS BIGINT)", "i32", "3000000000"),
    ],
)
def test_what_an_expression_gives_that_is_not_of_the_columns_type_rejects_the_row(
    sql: str, type: str, text: str
) -> None:
    facts = {"decimal": ("number", {"precision": 10, "scale": 2}), "i32": ("integer", {"bits": 32})}
    kind, more = facts.get(type, (type, {}))
    assert codes(run(derived(sql, kind, **more), rows(f"1|||{text}|"))) == [(2, ["type"])]


def test_a_rule_that_cannot_be_computed_rejects_the_row_and_one_that_is_null_does_not() -> None:
    rules = replace(
        contract(column("code")), rules=(Rule("client error", "CAST(code AS INTEGER) < 500", "code"),)
    )
    result = run(rules, b'code\n200\nabc\n503\n""\n')
    assert values(result, "code") == ["200", None]
    assert codes(result) == [(3, ["expression"]), (4, ["rule"])]


def test_a_derived_column_may_use_the_ones_before_it_and_a_rule_all() -> None:
    rules = contract(
        column("a", "integer"),
        Column("b", "b", "integer", transform="a * 2"),
        Column("c", "c", "integer", transform="b + a"),
    )
    result = run(replace(rules, rules=(Rule("small", "c < 7"),)), b"a\n1\n2\n3\n")
    assert values(result, "c") == [3, 6]
    assert codes(result) == [(4, ["rule"])]


def test_a_required_derived_column_that_cannot_be_computed_has_one_fault() -> None:
    result = run(derived("CAST(text AS INTEGER)", "integer", required=True), rows("1|||x|", "2||||"))
    assert codes(result) == [(2, ["expression"]), (3, ["required"])]


def test_hours_are_those_of_utc_whatever_the_machines_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert values(run(derived("hour(moment)", "integer"), rows("1||||2024-03-05T10:00:00Z")), "d") == [10]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("avg(n) > 1", "aggregates are not allowed"),
        ("count(*) OVER () > 1", "window functions are not allowed"),
        ("(SELECT max(n) FROM rows) > n", "only the row's own columns"),
        ("random() > 0.5", "volatile"),
        ("n", "not a condition"),
        ("n > ", "syntax error"),
        ("nothing > 1", "nothing"),
        ("n > 1) FROM rows; SELECT (1", "expected one expression"),
        ("CAST('x' AS INTEGER) < n", "Could not convert"),
        ("read_text('/etc/hostname') = text", "table function"),
    ],
)
def test_a_rule_that_can_never_work_is_refused_before_any_file_lands(sql: str, reason: str) -> None:
    with pytest.raises(ValueError, match="(?s)" + reason.replace("(", r"\(")):
        dry_run(replace(derived("n"), rules=(Rule("it", sql),)))


@pytest.mark.parametrize(
    ("sql", "type"), [("n", "date"), ("n > 1", "date"), ("moment", "number"), ("[n]", "string")]
)
def test_an_expression_whose_type_can_never_be_the_columns_is_refused(sql: str, type: str) -> None:
    with pytest.raises(ValueError, match="never is a"):
        dry_run(derived(sql, type))
