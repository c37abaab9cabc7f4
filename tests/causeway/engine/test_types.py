"""Which texts are values of which type, to the edges."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from causeway.contract.model import Column
from tests.causeway.engine.helpers import codes, column, contract, csv_bytes, run, values

WRONG = object()
CASES: list[tuple[Column, dict[str, Any]]] = [
    (
        column("v", "integer"),
        {
            "9223372036854775807": 2**63 - 1,
            "-9223372036854775808": -(2**63),
            "9223372036854775808": WRONG,
            "007": 7,
            "+5": 5,
            "270.0": 270,
            "1.5": WRONG,
            "1e3": WRONG,
            " 1": WRONG,
            "1_0": WRONG,
            "٣": WRONG,
        },
    ),
    (column("v", "integer", bits=32), {"2147483647": 2**31 - 1, "2147483648": WRONG}),
    (
        column("v", "number"),
        {
            "1.5": 1.5,
            "1e3": 1000.0,
            "-0.25": -0.25,
            "nan": WRONG,
            "inf": WRONG,
            "1e999": WRONG,
            "0x10": WRONG,
        },
    ),
    (
        column("v", "number", precision=6, scale=2),
        {
            "1234.56": Decimal("1234.56"),
            "-0.10": Decimal("-0.10"),
            "1.100": Decimal("1.10"),
            "5": Decimal("5.00"),
            "1.005": WRONG,
            "12345.67": WRONG,
            "1e2": WRONG,
        },
    ),
    (column("v", "boolean"), {"true": True, "FALSE": False, "1": True, "0": False, "yes": WRONG}),
    (
        column("v", "date"),
        {
            "2024-02-29": date(2024, 2, 29),
            "2023-02-29": WRONG,
            "20240101": WRONG,
            "2024-01-01T00:00:00": WRONG,
        },
    ),
    (column("v", "date", format="%d.%m.%Y"), {"31.12.2024": date(2024, 12, 31), "2024-12-31": WRONG}),
    (
        column("v", "timestamp", timezone="UTC"),
        {
            "2024-01-01T10:00:00Z": datetime(2024, 1, 1, 10, tzinfo=UTC),
            "2024-01-01 10:00:00": datetime(2024, 1, 1, 10, tzinfo=UTC),
            "2024-01-01T10:00:00+05:30": datetime(2024, 1, 1, 4, 30, tzinfo=UTC),
            "2024-01-01T10:00:00.123456Z": datetime(2024, 1, 1, 10, 0, 0, 123456, UTC),
            "2024-01-01T10:00Z": datetime(2024, 1, 1, 10, tzinfo=UTC),
            "2024-13-01T10:00:00Z": WRONG,
            "2024-01-01T25:00:00Z": WRONG,
            "yesterday": WRONG,
        },
    ),
    (
        column("v", "timestamp", timezone="Europe/Berlin"),
        {
            "2024-03-31T01:59:59": datetime(2024, 3, 31, 0, 59, 59, tzinfo=UTC),
            "2024-03-31T02:30:00": WRONG,  # the clocks skip it
            "2024-10-27T02:30:00": WRONG,  # the clocks show it twice
            "2024-10-27T02:30:00+02:00": datetime(2024, 10, 27, 0, 30, tzinfo=UTC),
        },
    ),
    (
        column("v", "timestamp"),
        {"2024-01-01T10:00:00": datetime(2024, 1, 1, 10), "2024-01-01T10:00:00Z": WRONG},
    ),
    (
        column("v", "time"),
        {
            "10:11:12.5": time(10, 11, 12, 500000),
            "10:11:12.123456": time(10, 11, 12, 123456),
            "10:11:12.1234567": WRONG,  # finer than a table holds
            "10:11": time(10, 11),
            "24:00:00": WRONG,
        },
    ),
]
SINGLE = [(kind, text, value) for kind, cases in CASES for text, value in cases.items()]


@pytest.mark.parametrize(("kind", "text", "value"), SINGLE, ids=[f"{k.type}-{t}" for k, t, _ in SINGLE])
def test_a_text_is_its_value_or_is_rejected(kind: Column, text: str, value: Any) -> None:
    result = run(contract(kind), csv_bytes(["v"], [[text]]))
    if value is WRONG:
        assert result.rows.num_rows == 0
        assert result.rejected["faults"][0][0]["code"].as_py() == "type"
        assert result.rejected["raw"][0].as_py() == text
    else:
        assert values(result, "v") == [value]
        assert result.rows.schema.field("v").type == kind.arrow_type()


RULES: list[tuple[Column, str, str, str]] = [
    (column("v", "integer", minimum=3), "3", "2", "minimum"),
    (column("v", "integer", maximum=3), "3", "4", "maximum"),
    (column("v", "integer", exclusive_minimum=3), "4", "3", "minimum"),
    (column("v", "integer", exclusive_maximum=3), "2", "3", "maximum"),
    (column("v", "integer", multiple_of=10), "20", "21", "multiple_of"),
    (column("v", "number", precision=5, scale=2, minimum=Decimal("0.05")), "0.05", "0.04", "minimum"),
    (column("v", "date", minimum=date(2020, 1, 1)), "2020-01-01", "2019-12-31", "minimum"),
    (
        column("v", "timestamp", timezone="UTC", exclusive_maximum=datetime(2020, 1, 1, tzinfo=UTC)),
        "2019-12-31T23:59:59Z",
        "2020-01-01T00:00:00Z",
        "maximum",
    ),
    (column("v", min_length=2), "äö", "ä", "length"),
    (column("v", max_length=2), "äö", "äöü", "length"),
    (column("v", pattern="^[A-Z]+$"), "AB", "aB", "pattern"),
    (column("v", values=("x", "y")), "x", "z", "enum"),
    (column("v", "integer", values=(1, 2)), "1", "3", "enum"),
    (column("v", required=True), "x", '""', "required"),
]


@pytest.mark.parametrize(("kind", "good", "bad", "code"), RULES, ids=[f"{r[3]}-{r[0].type}" for r in RULES])
def test_a_rule_keeps_what_satisfies_it_and_rejects_what_does_not(
    kind: Column, good: str, bad: str, code: str
) -> None:
    result = run(contract(kind), f"v\n{good}\n{bad}\n".encode())
    assert result.rows.num_rows == 1
    assert [f["code"] for f in result.rejected["faults"][0].as_py()] == [code]
    assert result.rejected["line"].to_pylist() == [3]


def test_no_rule_but_required_speaks_of_nulls() -> None:
    kinds = [column("w")] + [
        column("v", k.type, **{"minimum": k.minimum, "values": k.values}) for k, *_ in RULES[:1]
    ]
    assert run(contract(*kinds), b"w,v\nx,\n").rows.num_rows == 1


def wrapped(kind: Column, shape: str) -> Column:
    if shape == "array":
        return column("v", "array", items=kind)
    return column("v", "object", properties=(kind, column("other")))


def lines(shape: str, *texts: str | None) -> bytes:
    return "\n".join(json.dumps({"v": [t] if shape == "array" else {"v": t}}) for t in texts).encode()


@pytest.mark.parametrize("shape", ["array", "object"])
@pytest.mark.parametrize(("kind", "cases"), CASES, ids=[k.type for k, _ in CASES])
def test_inside_arrays_and_objects_a_text_is_the_same_value(
    kind: Column, cases: dict[str, Any], shape: str
) -> None:
    rules = contract(wrapped(kind, shape), format="jsonl")
    result = run(rules, lines(shape, None, *cases))
    right = [None, *(value for value in cases.values() if value is not WRONG)]
    assert values(result, "v") == [[v] if shape == "array" else {"v": v, "other": None} for v in right]
    assert codes(result) == [(n, ["type"]) for n, v in enumerate(cases.values(), 2) if v is WRONG]
    assert result.rows.schema.field("v").type == rules.columns[0].arrow_type()


@pytest.mark.parametrize("shape", ["array", "object"])
@pytest.mark.parametrize(("kind", "good", "bad", "code"), RULES, ids=[f"{r[3]}-{r[0].type}" for r in RULES])
def test_inside_arrays_and_objects_a_rule_is_the_same(
    kind: Column, good: str, bad: str, code: str, shape: str
) -> None:
    missing = None if bad == '""' else bad
    result = run(
        contract(wrapped(kind, shape), format="jsonl"), lines(shape, good, missing) + b'\n{"v":null}'
    )
    assert result.rows.num_rows == 2
    assert codes(result) == [(2, [code])]
    assert " in '" in result.rejected["faults"][0].as_py()[0]["message"]


def test_arrays_are_kept_by_their_length_and_without_repetition() -> None:
    few = column("v", "array", items=column("i", "integer"), min_length=1, max_length=2, unique_items=True)
    result = run(
        contract(few, format="jsonl"), b'{"v":[1]}\n{"v":[]}\n{"v":[1,2,3]}\n{"v":[1,1]}\n{"v":[null,1]}'
    )
    assert values(result, "v") == [[1], [None, 1]]
    assert codes(result) == [(2, ["length"]), (3, ["length"]), (4, ["unique"])]


def test_nested_ever_so_deep_the_innermost_rule_holds_and_the_fault_says_where() -> None:
    price = column("price", "number", precision=38, scale=9, minimum=Decimal(0))
    line = column("line", "object", properties=(column("prices", "array", items=price),))
    rules = contract(column("v", "array", items=line), format="jsonl")
    result = run(rules, b'{"v":[{"prices":[12345678901234567890.123456789]}]}\n{"v":[{"prices":[1,-1]}]}')
    assert values(result, "v") == [[{"prices": [Decimal("12345678901234567890.123456789")]}]]
    (fault,) = result.rejected["faults"][0].as_py()
    assert fault == {
        "column": "v",
        "code": "minimum",
        "message": """item.prices.item in '[{"prices":[1,-1]}]' is less than 0""",
    }


MOMENT = datetime(2020, 1, 2, 3, 4, 5)
ARROW: list[tuple[pa.DataType, Any]] = [
    *((kind, 1) for kind in (pa.int8(), pa.uint64(), pa.float16(), pa.float32(), pa.float64())),
    *((kind, "1") for kind in (pa.string(), pa.large_string(), pa.string_view())),
    *((kind, b"\xff\xfe") for kind in (pa.binary(), pa.large_binary(), pa.binary(2))),
    *((pa.timestamp(unit, zone), MOMENT) for unit in ("s", "ns") for zone in (None, "UTC", "Europe/Berlin")),
    *((kind, MOMENT.date()) for kind in (pa.date32(), pa.date64())),
    *((kind, MOMENT.time()) for kind in (pa.time32("s"), pa.time64("ns"))),
    (pa.time64("ns"), pa.scalar(1, pa.time64("ns"))),  # finer than a table holds
    *((kind, Decimal("1.5")) for kind in (pa.decimal128(9, 3), pa.decimal256(60, 2))),
    (pa.bool_(), True),
    (pa.null(), None),
    (pa.duration("ms"), MOMENT - datetime(2020, 1, 1)),
    (pa.dictionary(pa.int32(), pa.string()), "1"),
]
ARROW += [
    nested
    for kind, value in ARROW
    for nested in (
        (pa.list_(kind), [value]),
        (pa.struct([("w", kind)]), {"w": value}),
        (pa.map_(pa.string(), kind), [("w", value)]),
    )
]


def parquet_bytes(kind: pa.DataType, value: Any, rows: int = 2) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"v": pa.array([value, None], kind), "n": [1, 2]})[:rows], sink)
    return sink.getvalue()


WANTED = [
    *(kind for kind, _ in CASES),
    column("v"),
    column("v", "array", items=column("i", "time")),
    column("v", "object", properties=(column("w", "integer"),)),
]


@pytest.mark.parametrize("wanted", WANTED, ids=lambda wanted: wanted.type)
def test_a_parquet_file_of_any_types_is_curated_or_rejected_and_never_half(wanted: Column) -> None:
    rules = contract(wanted, column("n", "integer"), format="parquet")
    for kind, value in ARROW:
        try:
            data = parquet_bytes(kind, value)
        except (pa.ArrowException, TypeError, ValueError):
            continue  # not even Arrow writes it
        result = run(rules, data)
        whole = result.counts[0].unreadable
        assert result.rows.num_rows + result.rejected.num_rows == (1 if whole else 2), kind
        assert whole or result.rows.num_rows, kind  # the null is never wrong
        (kept,) = [row["v"] for row in result.rows.to_pylist() if row["n"] == 1] or [value]
        assert value is None or kept is not None, kind  # a value never becomes a null
        assert run(rules, parquet_bytes(kind, value, rows=0)).rows.num_rows == 0, kind


@pytest.mark.parametrize("number", [pa.int64(), pa.float64(), pa.list_(pa.int64())], ids=str)
@pytest.mark.parametrize("moment", ["date", "timestamp", "time"])
def test_a_number_of_a_parquet_file_is_no_moment(number: pa.DataType, moment: str) -> None:
    nested = pa.types.is_list(number)
    wanted = column("v", "array", items=column("i", moment)) if nested else column("v", moment)
    result = run(contract(wanted, format="parquet"), parquet_bytes(number, [1] if nested else 1))
    assert codes(result) == [(1, ["type"])]


PLACE = column(
    "place",
    "object",
    field="Place",
    properties=(
        column("city", field="City", required=True),
        column("points", "array", items=column("p", "object", properties=(column("x", "number"),))),
    ),
)
PLACES = [
    {"City": "Rome", "zip": "00100", "points": [{"x": 1.5, "y": [2]}, {"x": 2.5}]},
    {"City": "Pisa", "points": [{"x": 3.5}, None]},
    None,
]
KEPT = [{"city": "Rome", "points": [{"x": 1.5}, {"x": 2.5}]}, {"city": "Pisa", "points": [{"x": 3.5}, None]}]
BEYOND = {"Place": {"zip": "00100", "points": [{"y": [2]}, None]}}


def with_places(format: str) -> bytes:
    if format == "jsonl":
        return "\n".join(json.dumps({"id": i, "Place": place}) for i, place in enumerate(PLACES)).encode()
    if format == "csv":
        texts = [json.dumps(place) if place else "" for place in PLACES]
        return csv_bytes(["id", "Place"], [[str(i), text] for i, text in enumerate(texts)])
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": range(len(PLACES)), "Place": PLACES}), sink)
    return sink.getvalue()


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_fields_inside_a_value_that_the_contract_does_not_know_are_no_more_lost_than_whole_ones(
    format: str,
) -> None:
    columns, data = (column("id", "integer"), PLACE), with_places(format)
    rescued = run(contract(*columns, format=format), data)
    assert values(rescued, "place") == [*KEPT, None]
    assert [v and json.loads(v) for v in values(rescued, "_rescued")] == [BEYOND, None, None]
    evolved = run(contract(*columns, format=format, on_schema_change="evolve"), data)
    assert values(evolved, "_rescued") == values(rescued, "_rescued")
    frozen = run(contract(*columns, format=format, on_schema_change="freeze"), data)
    assert (values(frozen, "place"), codes(frozen)) == ([KEPT[1], None], [(frozen_line(format), ["schema"])])


def frozen_line(format: str) -> int:
    return 2 if format == "csv" else 1  # after the header


def test_unknown_fields_of_a_row_and_of_its_values_are_rescued_together() -> None:
    place = json.dumps({"City": "Ü", "big": 12345678901234567890, "none": None})
    result = run(contract(PLACE, format="jsonl"), f'{{"Place":{place},"more":[1]}}'.encode())
    (kept,) = values(result, "_rescued")
    assert json.loads(kept) == {
        "more": [1],
        "Place": {"big": 12345678901234567890, "none": None},
    }


def test_half_a_character_in_a_value_costs_its_row_alone() -> None:
    rules = contract(column("id", "integer"), column("tags", "array", items=column("t")))
    rows = [["1", r'["\ud800"]'], ["2", r'["\ud83d\ude00"]'], ["3", r'["\\ud800"]']]
    result = run(rules, csv_bytes(["id", "tags"], rows))
    assert values(result, "tags") == [["😀"], [r"\ud800"]]
    assert codes(result) == [(2, ["type"])]


@pytest.mark.parametrize(
    ("text", "good"),
    [("1.15", True), ("19.99", True), ("0.29", True), ("1234567.89", True), ("0.005", False), ("1e20", True)],
)
def test_a_multiple_is_told_in_decimal_as_it_is_written(text: str, good: bool) -> None:
    rules = contract(column("p", "number", multiple_of=0.01))
    assert codes(run(rules, csv_bytes(["p"], [[text]]))) == ([] if good else [(2, ["multiple_of"])])


@pytest.mark.parametrize(
    ("form", "text", "good"),
    [
        (None, "24-03-05", False),
        (None, "2024-03-05", True),
        (None, "0024-03-05", True),
        ("%m/%d/%Y", "03/05/24", False),
        ("%m/%d/%Y", "03/05/0024", True),
        ("%d.%m.%y", "05.03.24", True),
    ],
)
def test_a_year_of_two_digits_is_none_where_four_are_asked_for(
    form: str | None, text: str, good: bool
) -> None:
    rules = contract(column("d", "date", format=form))
    assert codes(run(rules, csv_bytes(["d"], [[text]]))) == ([] if good else [(2, ["type"])])


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%S%:z", "%Y-%m-%dT%H:%M:%S%z"])
def test_z_is_an_offset_where_one_is_asked_for(form: str) -> None:
    rules = contract(column("t", "timestamp", format=form, timezone="UTC"))
    texts = ["2024-03-05T09:00:00Z", "2024-03-05T10:00:00+01:00"]
    assert (
        values(run(rules, csv_bytes(["t"], [[text] for text in texts])), "t")
        == [datetime(2024, 3, 5, 9, tzinfo=UTC)] * 2
    )


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_a_fraction_finer_than_microseconds_is_rejected_and_zeros_are_none(zone: str | None) -> None:
    rules, end = contract(column("t", "timestamp", timezone=zone)), "Z" if zone else ""
    texts = [f"2024-01-01T00:00:00.{digits}{end}" for digits in ("123456", "123456000", "123456789")]
    assert codes(run(rules, csv_bytes(["t"], [[text] for text in texts]))) == [(4, ["type"])]


def test_a_message_has_the_form_as_the_contract_spells_it() -> None:
    rules = contract(column("d", "date", format="%m/%d/%Y", format_text="MM/dd/yyyy"))
    ((fault,),) = run(rules, b"d\nx\n").rejected["faults"].to_pylist()
    assert fault["message"] == "'x' is not a date in the form MM/dd/yyyy"
