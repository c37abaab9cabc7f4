"""Where each rule of each contract draws its line: the last values it keeps, the first it refuses.

A rule that is moved, dropped or added changes the outcome for one of these values at least; the mutants
show that none could be changed unseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from causeway.contract.load import load_contracts
from causeway.contract.model import Column, Contract, Rule
from tests.causeway.engine.helpers import column, csv_bytes, run

REAL = load_contracts(Path(__file__).parents[3] / "contracts")

# A rule of every kind that the three real contracts have not.
EVERY_KIND = Contract(
    "kinds",
    "1.0.0",
    (
        column("id", "integer", key=True),
        column("code", unique=True),
        column("above", "integer", exclusive_minimum=0),
        column("price", "number", precision=5, scale=2),
        column("day", "date"),
        column("net", "number"),
        column("gross", "number"),
    ),
    rules=(Rule("net is at most gross", "net <= gross"),),
)
OURS = ("flights", "mail", "planes", "weather")
CONTRACTS = {name: REAL[name] for name in OURS} | {"kinds": EVERY_KIND}

# By column: values that are kept, and values that are not. The first row of `kept` values is a good row.
Edges = dict[str, tuple[list[str], list[str]]]
EDGES: dict[str, Edges] = {
    "flights": {
        "year": (["2013"], ["2012", "2014", "", "MMXIII"]),
        "month": (["1", "12"], ["0", "13", "", "1.5"]),
        "day": (["1", "31"], ["0", "32", ""]),
        "dep_time": (["517", "1", "2400", ""], ["0", "2401"]),
        "sched_dep_time": (["515", "0", "2359"], ["-1", "2360", ""]),
        "dep_delay": (["2", "-120", "2880", ""], ["-121", "2881"]),
        "arr_time": (["830", "1", "2400", ""], ["0", "2401"]),
        "sched_arr_time": (["819", "0", "2359"], ["-1", "2360", ""]),
        "arr_delay": (["11", "-180", "2880", ""], ["-181", "2881"]),
        "carrier": (["UA", "9E"], ["U", "UAL", "ua", ""]),
        "flight": (["1545", "1", "9999"], ["0", "10000", ""]),
        "tailnum": (["N14228", "NABCD", "D942D", ""], ["N142", "N142289", "n14228", "114228"]),
        "origin": (["EWR", "JFK", "LGA"], ["SWF", ""]),
        "dest": (["IAH"], ["IA", "IAHX", "iah", ""]),
        "air_time": (["227", "1", "1440", ""], ["0", "1441"]),
        "distance": (["1400", "1", "12500"], ["0", "12501", ""]),
        "hour": (["5", "0", "23"], ["-1", "24", ""]),
        "minute": (["15", "0", "59"], ["-1", "60", ""]),
        "time_hour": (
            ["2013-01-01T10:00:00Z", "2013-01-01T00:00:00Z", "2014-01-01T23:59:59Z"],
            ["2012-12-31T23:59:59Z", "2014-01-02T00:00:00Z", ""],
        ),
    },
    "mail": {
        "id": (["0123456789abcdef", "0" * 16], ["0123456789abcde", "0" * 17, "A" * 16, ""]),
        "received": (
            ["2002-09-16T00:00:00Z", "2001-01-01T00:00:00Z", "2003-12-31T23:59:59Z"],
            ["2000-12-31T23:59:59Z", "2004-01-01T00:00:00Z", ""],
        ),
        "subject": (["Re: tea", "a" * 1000, ""], ["a" * 1001]),
        "body": (["Yes.", "a" * 100_000, ""], ["a" * 100_001]),
        "structure": (["plain", "html", "multipart"], ["mixed", ""]),
        "attachments": (["0", "100"], ["-1", "101", ""]),
        "label": (["ham", "spam"], ["eggs", ""]),
        "collection": (["easy-ham", "hard-ham", "spam"], ["ham", ""]),
    },
    "planes": {
        "tailnum": (["N10156", "N1015"], ["N101", "N101566", "G10156", ""]),
        "year": (["2004", "1950", "2013", ""], ["1949", "2014"]),
        "type": (
            ["Fixed wing multi engine", "Fixed wing single engine", "Rotorcraft"],
            ["Balloon", ""],
        ),
        "manufacturer": (["EMBRAER", "E" * 60], ["E" * 61, ""]),
        "model": (["EMB-145XR", "E" * 60], ["E" * 61, ""]),
        "engines": (["2", "1", "4"], ["0", "5", ""]),
        "seats": (["55", "1", "900"], ["0", "901", ""]),
        "speed": (["90", "1", "1500", ""], ["0", "1501"]),
        "engine": (
            ["Turbo-fan", "4 Cycle", "Reciprocating", "Turbo-jet", "Turbo-prop", "Turbo-shaft"],
            ["Electric", ""],
        ),
    },
    "weather": {
        "origin": (["EWR", "JFK", "LGA"], ["SWF", ""]),
        "year": (["2013"], ["2012", "2014", ""]),
        "month": (["1", "12"], ["0", "13", ""]),
        "day": (["1", "31"], ["0", "32", ""]),
        "hour": (["1", "0", "23"], ["-1", "24", ""]),
        "temp": (["39.02", "-60", "130", ""], ["-60.1", "130.1", "warm"]),
        "dewp": (["26.06", "-60", "100", ""], ["-60.1", "100.1"]),
        "humid": (["59.37", "0", "100", ""], ["-0.1", "100.1"]),
        "wind_dir": (["270", "0", "360", ""], ["-10", "370", "5"]),
        "wind_speed": (["10.35", "0", "1100", ""], ["-0.1", "1100.1"]),
        "wind_gust": (["20.7", "0", "250", ""], ["-0.1", "250.1"]),
        "precip": (["0.5", "0", "20"], ["-0.1", "20.1", ""]),
        "pressure": (["1012", "870", "1085", ""], ["869.9", "1085.1"]),
        "visib": (["5", "0", "10"], ["-0.1", "10.1", ""]),
        "time_hour": (
            ["2013-01-01T06:00:00Z", "2013-01-01T00:00:00Z", "2013-12-31T23:59:59Z"],
            ["2012-12-31T23:59:59Z", "2014-01-01T00:00:00Z", ""],
        ),
    },
    "kinds": {
        "id": (["1"], ["one"]),
        "code": (["a", ""], []),
        "above": (["1", ""], ["0"]),
        "price": (["9.99", "999.99", "0.5", ""], ["1000.00", "0.001"]),
        "day": (["2024-02-29", ""], ["2023-02-29"]),
        "net": (["5", "10", ""], ["10.5"]),
        "gross": (["10", "5", ""], ["4.5"]),
    },
}
Probe = tuple[str, str, bool]  # column, value, kept


def probes(edges: Edges) -> list[Probe]:
    return [
        (name, value, kept)
        for name, values in edges.items()
        for kept, some in zip((True, False), values, strict=True)
        for value in some
    ]


def verdicts(rules: Contract, edges: Edges) -> list[bool]:
    """Whether each probe, alone in a good row, is kept. Keys are looked at elsewhere: all rows have one."""
    alone = replace(
        rules,
        format="csv",
        nulls=("",),
        columns=tuple(replace(c, key=False, unique=False) for c in rules.columns),
    )
    names = [c.name for c in rules.columns]
    rows = [
        [value if name == probed else edges[name][0][0] for name in names]
        for probed, value, _ in probes(edges)
    ]
    result = run(alone, csv_bytes(names, rows))
    refused = {row["line"] for row in result.rejected.to_pylist()}
    assert result.frame.height + len(refused) == len(rows)
    return [line not in refused for line in range(2, len(rows) + 2)]


def same_key(rules: Contract, edges: Edges, name: str, other: str) -> bool:
    """Whether two good rows that differ in this column alone count as one and the same."""
    names = [c.name for c in rules.columns]
    row = [edges[n][0][0] for n in names]
    differs = [other if n == name else value for n, value in zip(names, row, strict=True)]
    result = run(
        replace(rules, format="csv", nulls=("",), duplicates="reject"), csv_bytes(names, [row, differs])
    )
    return bool(result.rejected.num_rows)


def mutants(contract: Contract) -> Iterator[tuple[str, Contract]]:
    for i, old in enumerate(contract.columns):
        for change in changes(old):
            columns = (*contract.columns[:i], replace(old, **change), *contract.columns[i + 1 :])
            yield f"{old.name}: {change}", replace(contract, columns=columns)
    for i, rule in enumerate(contract.rules):
        yield f"no rule {rule.name}", replace(contract, rules=contract.rules[:i] + contract.rules[i + 1 :])
    for rule in contract.rules:
        strict = replace(rule, sql=rule.sql.replace("<=", "<"))
        yield f"stricter {rule.name}", replace(contract, rules=(strict,))


def changes(column: Column) -> Iterator[dict[str, Any]]:
    """Each rule of a column moved by a little, either way, and dropped."""
    step: Any = {"timestamp": timedelta(seconds=1), "integer": column.multiple_of or 1}.get(column.type, 0.25)
    for name in ("minimum", "maximum", "exclusive_minimum", "exclusive_maximum"):
        if (bound := getattr(column, name)) is not None:
            yield from ({name: bound - step}, {name: bound + step}, {name: None})
    for name in ("min_length", "max_length", "precision", "scale"):
        if bound := getattr(column, name):
            yield from ({name: bound - 1}, {name: bound + 1})
    for name in ("pattern", "multiple_of"):
        if getattr(column, name) is not None:
            yield {name: None}
    if column.values:
        yield {"values": ()}
        for value in column.values:
            yield {"values": tuple(v for v in column.values if v != value)}
    if not column.key:
        yield {"required": not column.required}


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_each_rule_keeps_the_last_good_value_and_refuses_the_first_bad_one(dataset: str) -> None:
    found = zip(probes(EDGES[dataset]), verdicts(CONTRACTS[dataset], EDGES[dataset]), strict=True)
    assert [probe for probe, kept in found if kept != probe[2]] == []


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_no_rule_could_be_moved_or_dropped_unseen(dataset: str) -> None:
    contract, edges = CONTRACTS[dataset], EDGES[dataset]
    expected = [kept for _, _, kept in probes(edges)]
    unseen = [name for name, mutant in mutants(contract) if verdicts(mutant, edges) == expected]
    assert unseen == []


@pytest.mark.parametrize("dataset", OURS)
def test_no_column_could_join_or_leave_the_primary_key_unseen(dataset: str) -> None:
    contract, edges = CONTRACTS[dataset], EDGES[dataset]
    for i, old in enumerate(contract.columns):
        other = next((value for value in edges[old.name][0][1:] if value), None)
        if other is None:
            continue  # one value is all it may have
        if contract.key == (old.name,):
            assert same_key(contract, edges, old.name, edges[old.name][0][0])
            continue
        mutant = (*contract.columns[:i], replace(old, key=not old.key), *contract.columns[i + 1 :])
        assert same_key(contract, edges, old.name, other) is not old.key
        assert same_key(replace(contract, columns=mutant), edges, old.name, other) is old.key
