"""Bounds of a profile: what a contract may say of a table's numbers, and what it may not."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from causeway.contract.bound import OPERATORS, Bound
from causeway.contract.changes import breaking_changes
from causeway.contract.load import load_contract, load_contracts
from causeway.contract.model import Contract, ContractError
from causeway.engine.dry_run import load_runnable
from tests.causeway.engine.helpers import codes, run, values

CONTRACTS = Path(__file__).parents[3] / "contracts"
HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: 2.0.0\n{sla}schema:\n- name: orders\n"
COLUMNS = {
    "id": "logicalType: integer, customProperties: [{property: measure, value: identifier}]",
    "net": "logicalType: number",
    "city": "logicalType: string",
    "paid": "logicalType: boolean",
    "day": "logicalType: date",
    "seen": "logicalType: timestamp",
    "local": "logicalType: timestamp, logicalTypeOptions: {timezone: false}",
    "clock": "logicalType: time",
    "tags": "logicalType: array, items: {logicalType: string}",
    "mail": "logicalType: string, classification: restricted",
    "born": "logicalType: date, customProperties: [{property: partnerAccess, value: hash}]",
    "ssn": "logicalType: string, customProperties: [{property: partnerAccess, value: hash}]",
}
Made = Callable[..., Contract]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """The contract with this rule under a column, or under the schema if no column is named."""

    def make(rule: str = "", column: str = "", sla: str = "") -> Contract:
        lines = [HEAD.format(sla=f"slaProperties: [{sla}]\n" if sla else ""), "  properties:\n"]
        for name, said in COLUMNS.items():
            lines.append(f"  - {{name: {name}, {said}{f', quality: [{rule}]' if name == column else ''}}}\n")
        lines += [f"  quality: [{rule}]\n"] if rule and not column else []
        path = tmp_path / "orders.odcs.yaml"
        path.write_text("".join(lines))
        return load_runnable(path)

    return make


def sql(query: str, said: str = "mustBe: 1") -> str:
    return f"{{type: sql, query: '{query}', {said}}}"


@pytest.mark.parametrize(
    ("column", "rule", "metric", "allowed"),
    [
        ("net", "{metric: nullValues, mustBeLessThan: 5}", "nullValues", "less than 5 rows"),
        ("net", "{metric: nullValues, unit: percent, mustBeLessOrEqualTo: 5}", "nullValues", "at most 5 %"),
        ("tags", "{metric: nullValues, unit: rows, mustBe: 1200}", "nullValues", "exactly 1,200 rows"),
        ("net", "{metric: nullValues, mustBeLessThan: 5000.0}", "nullValues", "less than 5,000 rows"),
        ("ssn", "{rule: duplicateValues, mustBeLessThan: 10}", "duplicateValues", "less than 10 rows"),
        (
            "",
            "{metric: rowCount, mustBeBetween: [100, 120]}",
            "rowCount",
            "more than 100 and less than 120 rows",
        ),
        ("", "{type: library, metric: rowCount, mustNotBe: 0}", "rowCount", "not 0 rows"),
        (
            "net",
            sql("SELECT AVG({property}) FROM {object}", "mustBeGreaterOrEqualTo: 1.5, unit: EUR"),
            "mean",
            "at least 1.5 EUR",
        ),
        (
            "net",
            sql("SELECT STDDEV(net) FROM orders", "mustNotBeBetween: [1, 2]"),
            "deviation",
            "at most 1 or at least 2",
        ),
        (
            "day",
            sql("SELECT STDDEV(day) FROM orders", "mustBeGreaterThan: 2"),
            "deviation",
            "more than 2 days",
        ),
        ("city", sql("SELECT COUNT(DISTINCT {property}) FROM {object}"), "distinct", "exactly 1 values"),
        ("id", sql("SELECT MAX(id) FROM orders"), "maximum", "exactly 1"),
        (
            "day",
            sql("SELECT MIN({property}) FROM {object}", "mustNotBe: 1970-01-01"),
            "minimum",
            "not 1970-01-01",
        ),
        (
            "seen",
            sql("SELECT MIN(seen) FROM orders", 'mustNotBe: "1970-01-01T01:00:00+01:00"'),
            "minimum",
            "not 1970-01-01T00:00:00+00:00",
        ),
        (
            "local",
            sql("SELECT MAX(local) FROM orders", "mustNotBe: 2999-01-01 00:00:00"),
            "maximum",
            "not 2999-01-01T00:00:00",
        ),
        ("clock", sql("SELECT MAX(clock) FROM orders", 'mustBe: "23:30"'), "maximum", "exactly 23:30:00"),
    ],
)
def test_a_contract_bounds_a_number_in_the_standards_own_words(
    made: Made, column: str, rule: str, metric: str, allowed: str
) -> None:
    contract = made(rule, column)
    (bound,) = contract.bounds
    assert (bound.column, bound.metric, bound.allowed, bound.severity) == (column, metric, allowed, "warning")
    assert contract.rules == ()
    assert not any(one.required or one.unique for one in contract.columns)
    assert pickle.loads(pickle.dumps(contract)) == contract


@pytest.mark.parametrize(
    "query",
    [
        "select avg( net )from orders;",
        "SELECT AVG({property}) AS mean FROM {object}",
        "SELECT AVG(${property}) FROM ${object}",
        "SELECT AVG(${column}) FROM ${table}",
        'SELECT Avg("net")\n  FROM lake."orders"',
        "SELECT AVG(NET) FROM ORDERS_V2",
    ],
)
def test_a_query_may_be_written_as_people_write_it(made: Made, query: str) -> None:
    text = query.replace('"', '\\"').replace("\n", "\\n")
    rule = f'{{type: sql, query: "{text}", mustBe: 1}}'
    assert [bound.metric for bound in made(rule, "net").bounds] == ["mean"]
    if "{property}" not in query and "{column}" not in query:
        assert [bound.column for bound in made(rule).bounds] == ["net"]


@pytest.mark.parametrize(
    ("said", "severity"),
    [("", "warning"), (", severity: warning", "warning"), (", severity: error", "error")],
)
def test_a_bound_warns_unless_its_severity_is_error(made: Made, said: str, severity: str) -> None:
    assert made(f"{{metric: rowCount, mustNotBe: 0{said}}}").bounds[0].severity == severity
    custom = f"customProperties: [{{property: severity, value: {severity}}}]"
    entry = "property: latency, value: 1, unit: d, element: day"
    assert made(sla=f"{{{entry}{', ' + custom if said else ''}}}").bounds[0].severity == severity


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("", "nullValues of net"),
        (", id: net_there", "net_there"),
        (", id: a, name: Net is there", "Net is there"),
    ],
)
def test_a_bound_has_the_name_that_the_contract_gives_it(made: Made, said: str, name: str) -> None:
    assert made(f"{{metric: nullValues, mustBeLessThan: 5{said}}}", "net").bounds[0].name == name


@pytest.mark.parametrize("unit", ["", ", unit: rows", ", unit: percent", ", severity: error"])
def test_no_null_and_no_duplicate_stay_rules_of_each_row(made: Made, unit: str) -> None:
    rule = f"{{metric: nullValues, mustBe: 0{unit}}}, {{metric: duplicateValues, mustBe: 0{unit}}}"
    contract = made(rule, "city")
    (city,) = (column for column in contract.columns if column.name == "city")
    assert (city.required, city.unique, contract.bounds) == (True, True, ())


@pytest.mark.parametrize(
    ("element", "column"),
    [
        ("orders.seen", "seen"),
        ("orders_v2.day", "day"),
        ("ORDERS.LOCAL", "local"),
        ("seen", "seen"),
    ],
)
@pytest.mark.parametrize(
    ("unit", "short"), [("d", "d"), ("days", "d"), ("h", "h"), ("hour", "h"), ("m", "m"), ("minutes", "m")]
)
def test_latency_bounds_the_age_of_the_newest_value(
    made: Made, element: str, column: str, unit: str, short: str
) -> None:
    contract = made(sla=f"{{property: Latency, value: 36, unit: {unit}, element: {element}}}")
    expected = Bound(
        f"latency of {column}", "latency", "mustBeLessOrEqualTo", (36,), column, short, "warning"
    )
    assert contract.bounds == (expected,)
    assert expected.allowed == f"at most 36 {short}"


REFUSED = [
    # which number there is of which column
    ("city", sql("SELECT AVG(city) FROM orders"), "quality[0]", "AVG: city is string (category); of it"),
    ("id", sql("SELECT AVG(id) FROM orders"), "quality[0]", "AVG: id is integer (identifier); of it"),
    ("day", sql("SELECT AVG(day) FROM orders"), "quality[0]", "COUNT(DISTINCT), MIN, MAX, STDDEV, latency"),
    (
        "city",
        sql("SELECT MIN(city) FROM orders"),
        "quality[0]",
        "bounds of nullValues, duplicateValues, COUNT",
    ),
    ("paid", sql("SELECT MAX(paid) FROM orders"), "quality[0]", "MAX: paid is boolean (flag)"),
    ("born", sql("SELECT MAX(born) FROM orders"), "quality[0]", "MAX: born is hashed"),
    ("tags", "{metric: duplicateValues, mustBe: 3}", "quality[0]", "tags is array (nested); of it there are"),
    ("tags", sql("SELECT COUNT(DISTINCT tags) FROM orders"), "quality[0]", "bounds of nullValues"),
    ("mail", "{metric: nullValues, mustBeLessThan: 5}", "(mail).quality[0]", "mail is withheld"),
    # names
    ("", sql("SELECT AVG(nett) FROM orders"), "quality[0].query", "no column 'nett'; did you mean 'net'?"),
    ("net", sql("SELECT AVG(net) FROM order"), "quality[0].query", "did you mean 'orders'?"),
    ("net", sql("SELECT MAX(id) FROM orders"), "quality[0].query", "asks of id; expected net"),
    ("", sql("SELECT MAX({property}) FROM orders"), "quality[0].query", "expected the column's name"),
    # queries
    (
        "net",
        sql("SELECT MEDIAN(net) FROM orders"),
        "quality[0]",
        "MIN, MAX, STDDEV, COUNT(DISTINCT <column>)",
    ),
    ("net", sql("SELECT AVG(net + 1) FROM orders"), "quality[0]", "SELECT AVG(<column>) FROM <table>"),
    ("net", sql("SELECT AVG(net) FROM orders WHERE id > 1"), "quality[0]", "SELECT AVG(<column>) FROM"),
    (
        "net",
        sql("SELECT COUNT(*) FROM orders WHERE net < 0", "mustBeLessThan: 5"),
        "quality[0]",
        "or the schema's rowCount",
    ),
    (
        "net",
        "{query: 'SELECT AVG(net) FROM orders', mustBe: 1}",
        "quality[0]",
        "type: sql, query: SELECT AVG",
    ),
    # metrics
    ("", "{metric: nullValues, mustBeLessThan: 5}", "schema[0].quality[0].metric", "goes with a column"),
    ("", "{metric: duplicateValues, mustBe: 0}", "schema[0].quality[0].metric", "primaryKey says it"),
    ("", "{metric: rowCont, mustBe: 5}", "schema[0].quality[0].metric", "did you mean 'rowCount'?"),
    ("net", "{metric: rowCount, mustBe: 5}", "quality[0].metric", "rowCount goes with the schema"),
    ("net", "{metric: rowCount, mustBe: 0}", "quality[0]", "rowCount goes with the schema"),
    ("net", "{metric: nullValue, mustBe: 5}", "quality[0].metric", "did you mean 'nullValues'?"),
    ("net", "{metric: nullValue, mustBe: 0}", "quality[0]", "did you mean 'nullValues'?"),
    (
        "net",
        "{metric: missingValues, mustBe: 5}",
        "quality[0]",
        "nullValues and duplicateValues take a bound",
    ),
    (
        "net",
        "{metric: nullValues, mustBe: 5, arguments: {validValues: [1]}}",
        "quality[0].arguments",
        "takes none",
    ),
    # operators, limits, units, severities
    ("net", "{metric: nullValues}", "quality[0]", "expected exactly one of mustBe, mustNotBe"),
    (
        "net",
        "{metric: nullValues, mustBeLessThan: 5, mustBeGreaterThan: 1}",
        "quality[0]",
        "found mustBeGreaterThan, mustBeLessThan",
    ),
    ("net", "{metric: nullValues, mustBe: few}", "quality[0].mustBe", "'few' is not a number"),
    ("net", "{metric: nullValues, mustBe: [1, 2]}", "quality[0].mustBe", "[1, 2] is not a number"),
    ("net", "{metric: nullValues, mustBe: .nan}", "quality[0].mustBe", "nan is not a number"),
    ("net", "{metric: nullValues, mustBe: true}", "quality[0].mustBe", "True is not a number"),
    ("net", "{metric: nullValues, mustBe: 1.5}", "quality[0].mustBe", "1.5 is not a whole number"),
    ("net", "{metric: nullValues, mustBe: -1}", "quality[0].mustBe", "-1 is not 0 or more"),
    ("net", "{metric: nullValues, unit: percent, mustBe: 101}", "mustBe", "101 is not from 0 to 100"),
    ("net", "{metric: nullValues, unit: percents, mustBe: 1}", "quality[0].unit", "did you mean 'percent'?"),
    ("", "{metric: rowCount, unit: percent, mustBe: 1}", "quality[0].unit", "is not one of rows"),
    ("net", "{metric: nullValues, mustBeLessThan: 0}", "mustBeLessThan", "0: no nullValues can be so"),
    (
        "net",
        "{metric: nullValues, unit: percent, mustBeGreaterThan: 100}",
        "mustBeGreaterThan",
        "no nullValues can be so",
    ),
    ("", "{metric: rowCount, mustBeBetween: [1, 2]}", "mustBeBetween", "no rowCount can be so"),
    ("", "{metric: rowCount, mustBeBetween: [9, 2]}", "mustBeBetween", "the smaller number first"),
    (
        "",
        "{metric: rowCount, mustNotBe: 0, severity: info}",
        "quality[0].severity",
        "not one of warning, error",
    ),
    (
        "",
        "{metric: rowCount, mustNotBe: 0, severity: eror}",
        "quality[0].severity",
        "did you mean 'error'?",
    ),
    ("day", sql("SELECT MIN(day) FROM orders", "mustBe: few"), "mustBe", "'few' is not a date"),
    ("day", sql("SELECT MIN(day) FROM orders", "mustBe: 2024-01-01 01:00:00"), "mustBe", "is not a date"),
    (
        "day",
        sql("SELECT MIN(day) FROM orders", "mustBeLessThan: 5"),
        "mustBeLessThan",
        "mustNotBe are allowed",
    ),
    ("day", sql("SELECT STDDEV(day) FROM orders", "mustBe: 5, unit: hours"), "unit", "not one of days"),
]


@pytest.mark.parametrize(("column", "rule", "where", "why"), REFUSED)
def test_a_bound_that_no_profile_could_tell_is_refused_with_what_is_allowed(
    made: Made, column: str, rule: str, where: str, why: str
) -> None:
    with pytest.raises(ContractError) as caught:
        made(rule, column)
    _, place, reason = str(caught.value).split(": ", 2)
    assert place.endswith(where)
    assert why in reason
    assert "\n" not in reason


LATENCY = "property: latency, value: 36, unit: h, element: orders.seen"


@pytest.mark.parametrize(
    ("sla", "where", "why"),
    [
        (
            "property: retention, value: 3, unit: y",
            "",
            "nothing here watches 'retention'; take it out. Allowed is",
        ),
        (LATENCY.replace("36", "'36'"), ".value", "'36' is not a number above 0"),
        (LATENCY.replace("36", "0"), ".value", "0 is not a number above 0"),
        (LATENCY.replace("36", "true"), ".value", "True is not a number above 0"),
        (LATENCY.replace("unit: h", "unit: hrs"), ".unit", "'hrs' is not one of d, day, days, h, hour"),
        (LATENCY.replace("unit: h, ", ""), ".unit", "None is not one of d, day"),
        (f"{LATENCY}, valueExt: 4", ".valueExt", "latency has none"),
        (
            LATENCY.replace(", element: orders.seen", ""),
            ".element",
            "a date or a timestamp: day, seen, local",
        ),
        (LATENCY.replace("orders.", "order."), ".element", "did you mean 'orders.seen'?"),
        (LATENCY.replace(".seen", ".sen"), ".element", "no column 'sen'; did you mean 'seen'?"),
        (LATENCY.replace(".seen", ".net"), ".element", "latency: net is number (quantity)"),
        (LATENCY.replace(".seen", ".born"), ".element", "latency: born is hashed"),
        (LATENCY.replace(".seen", ".clock"), ".element", "latency: clock is time"),
        (
            f"{LATENCY}, customProperties: [{{property: severity, value: high}}]",
            ".customProperties[0] (severity)",
            "'high' is not one of warning, error",
        ),
    ],
)
def test_a_service_level_that_nothing_here_watches_is_refused_with_what_is_allowed(
    made: Made, sla: str, where: str, why: str
) -> None:
    with pytest.raises(ContractError) as caught:
        made(sla=f"{{{sla}}}")
    _, place, reason = str(caught.value).split(": ", 2)
    assert place == f"slaProperties[0]{where}"
    assert why in reason


def test_a_bound_inside_a_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.odcs.yaml"
    part = "{name: x, logicalType: string, quality: [{metric: nullValues, mustBeLessThan: 5}]}"
    path.write_text(
        f"{HEAD.format(sla='')}  properties: [{{name: o, logicalType: object, properties: [{part}]}}]\n"
    )
    with pytest.raises(ContractError, match=r"\(x\)\.quality\[0\]: nullValues: only mustBe: 0 .* whole ones"):
        load_contract(path)


def test_bounds_reject_no_row(made: Made) -> None:
    contract = made("{metric: nullValues, mustBeLessThan: 1}, {metric: duplicateValues, mustBe: 1}", "net")
    only = replace(contract, columns=tuple(c for c in contract.columns if c.name in ("id", "net")))
    result = run(only, b"id,net\n1,\n2,\n3,5\n4,5\n5,5\n")
    assert (values(result, "id"), codes(result)) == ([1, 2, 3, 4, 5], [])


def test_a_bound_may_come_change_and_go_without_a_new_version(made: Made) -> None:
    without, some = made(), made("{metric: nullValues, mustBeLessThan: 5}", "net")
    other = replace(some, bounds=(replace(some.bounds[0], limits=(1,), severity="error"),))
    for old, new in ((without, some), (some, other), (other, without)):
        assert breaking_changes(old, new) == []


def test_every_operator_of_the_standard_is_known(made: Made) -> None:
    from open_data_contract_standard.model import DataQuality  # noqa: PLC0415

    assert {name for name in DataQuality.model_fields if name.startswith("must")} == OPERATORS.keys()
    for operator in OPERATORS:
        limits = "[5, 9]" if operator.endswith("Between") else "5"
        assert made(f"{{metric: rowCount, {operator}: {limits}}}").bounds[0].operator == operator


def test_the_demos_contracts_have_bounds() -> None:
    assert all(contract.bounds for contract in load_contracts(CONTRACTS).values())
