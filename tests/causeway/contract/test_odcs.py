"""Contracts: what they compile to, and how wrong ones are refused."""

from __future__ import annotations

import io
import pickle
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from causeway.contract.load import load_contract, load_contracts
from causeway.contract.model import ContractError
from causeway.engine.curate import Curated
from causeway.engine.dry_run import load_runnable
from causeway.engine.write import write_parquet
from local.demo.story import data_folder
from tests.causeway.engine.helpers import codes, run, values

ROOT = Path(__file__).parents[3]
REAL = load_contracts(ROOT / "contracts")
DATA = data_folder()
Draft = Callable[..., Path]


def curate_real(dataset: str, data: bytes) -> Curated:
    return run(REAL[dataset], data)


def test_every_real_flight_satisfies_its_contract() -> None:
    with (DATA / "flights.csv.zip").open("rb") as packed, zipfile.ZipFile(packed) as archive:
        result = curate_real("flights", archive.read("flights.csv"))
    assert (result.frame.height, result.rejected.num_rows) == (336_776, 0)
    assert {path for path, _ in write_parquet(result.rows, REAL["flights"])} == {
        *(f"time_hour_month=2013-{month:02}" for month in range(1, 13)),
        "time_hour_month=2014-01",
    }


def test_every_real_weather_row_satisfies_its_contract() -> None:
    frame = pl.read_csv((DATA / "weather.csv").read_bytes(), null_values="NA", infer_schema_length=None)
    result = curate_real("weather", frame.write_ndjson().encode())
    assert (result.frame.height, result.rejected.num_rows) == (26_115, 0)


def test_every_real_plane_satisfies_its_contract() -> None:
    frame = pl.read_csv((DATA / "planes.csv").read_bytes(), null_values="NA", infer_schema_length=None)
    sink = io.BytesIO()
    frame.write_parquet(sink)
    result = curate_real("planes", sink.getvalue())
    assert (result.frame.height, result.rejected.num_rows) == (3_322, 0)


def test_a_compiled_contract_travels_by_pickle_without_the_library() -> None:
    data = pickle.dumps(REAL["flights"])
    assert b"open_data_contract_standard" not in data
    assert b"pydantic" not in data
    assert pickle.loads(data) == REAL["flights"]


def test_compiling_a_contract_does_not_load_the_engine() -> None:
    code = (
        "import sys; from causeway.contract.load import load_contracts; load_contracts('contracts');"
        "print([name for name in sys.modules if name.startswith(('glue_jobs', 'polars'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_types_become_those_of_the_table(draft: Draft) -> None:
    path = draft(
        "  - {name: a, logicalType: integer, required: true}\n"
        "  - {name: b, logicalType: number, physicalType: 'decimal(12,2)'}\n"
        "  - {name: c, logicalType: timestamp, logicalTypeOptions: {timezone: false}}\n"
        "  - {name: d, logicalType: array, items: {logicalType: date}}\n"
    )
    assert load_contract(path).arrow_schema() == pa.schema(
        [
            pa.field("a", pa.int64(), nullable=False),
            ("b", pa.decimal128(12, 2)),
            ("c", pa.timestamp("us")),
            ("d", pa.list_(pa.date32())),
            ("_rescued", pa.string()),
        ]
    )


def test_the_standards_library_rules_are_kept_row_by_row(draft: Draft) -> None:
    body = (
        "  - name: a\n    logicalType: string\n    quality:\n"
        "    - {metric: nullValues, mustBe: 0}\n"
        "    - {metric: duplicateValues, mustBe: 0}\n"
        "    - {metric: invalidValues, mustBe: 0, arguments: {validValues: [x, y], pattern: '^[xy]$'}}\n"
    )
    (column,) = load_contract(draft(body)).columns
    assert (column.required, column.unique, column.values, column.pattern) == (
        True,
        True,
        ("x", "y"),
        "^[xy]$",
    )


COUNT = "SELECT count(*) FROM ${{object}} WHERE {}"


@pytest.mark.parametrize(
    "rule",
    [
        "{type: custom, engine: causeway, implementation: 'net <= gross'}",
        f"{{type: sql, query: '{COUNT.format('net > gross')}', mustBe: 0}}",
        f"{{type: sql, query: '{COUNT.format('${property} > gross')};', mustBe: 0}}",
    ],
    ids=["what is true of good rows", "a count of bad ones", "of a property"],
)
def test_a_rule_in_sql_is_kept_row_by_row(draft: Draft, rule: str) -> None:
    of_column, of_schema = (
        (f"    quality: [{rule}]\n", "") if "property" in rule else ("", f"  quality: [{rule}]\n")
    )
    path = draft(
        f"  - name: net\n    logicalType: integer\n{of_column}"
        f"  - {{name: gross, logicalType: integer}}\n{of_schema}"
    )
    result = run(load_contract(path), b"net,gross\n1,2\n3,2\n3,\n2,2\n")
    assert values(result, "net") == [1, 3, 2]
    assert codes(result) == [(3, ["rule"])]


def test_bounds_of_timestamps_are_in_the_columns_time_zone(draft: Draft) -> None:
    path = draft(
        "  - name: a\n    logicalType: timestamp\n    logicalTypeOptions:\n"
        "      {defaultTimezone: Europe/Berlin, minimum: '2024-07-01 00:00:00'}\n"
    )
    result = run(load_runnable(path), b"a\n2024-07-01T00:00:00\n2024-06-30T21:59:59Z\n2024-06-30T22:00:00Z\n")
    assert codes(result) == [(3, ["minimum"])]


def test_arrays_and_objects_have_rules_of_their_own(draft: Draft) -> None:
    path = draft(
        "  - name: tags\n    logicalType: array\n"
        "    items: {logicalType: string, enum: [{value: x}, {value: y}]}\n"
        "    logicalTypeOptions: {minItems: 1, maxItems: 2, uniqueItems: true}\n"
        "  - name: place\n    logicalType: object\n    logicalTypeOptions: {required: [lat]}\n"
        "    properties: [{name: lat, logicalType: number}, {name: name, logicalType: string}]\n"
    )
    tags, place = load_contract(path).columns
    assert (tags.min_length, tags.max_length, tags.unique_items) == (1, 2, True)
    assert tags.items
    assert tags.items.values == ("x", "y")
    assert [part.required for part in place.properties] == [True, False]


WRONG = [
    (
        "  - {name: a, logicalType: array, items: {logicalType: string, unique: true}}\n",
        "(a).items",
        "of whole columns",
    ),
    (
        "  - name: a\n    logicalType: array\n"
        "    items: {logicalType: string, logicalTypeOptions: {pattern: '{}'}}\n",
        "schema[0]",
        "items: pattern: regex",
    ),
    (
        "  - name: a\n    logicalType: timestamp\n"
        "    logicalTypeOptions: {timezone: false, format: \"yyyy-MM-dd'T'HH:mm:ssXXX\"}\n",
        "(a).logicalTypeOptions.format",
        "has an offset",
    ),
    ("  - {name: a, logicalType: array}\n", "(a).items", "says what its items are"),
    ("  - {name: a, logicalType: object}\n", "(a).properties", "says what its properties are"),
    (
        "  - name: a\n    logicalType: object\n    logicalTypeOptions: {required: [y]}\n"
        "    properties: [{name: x, logicalType: string}]\n",
        "(a).logicalTypeOptions.required",
        "no property y",
    ),
    (
        "  - name: a\n    logicalType: object\n    properties:\n    - name: x\n      logicalType: string\n"
        "      quality: [{type: custom, engine: causeway, implementation: x > 1}]\n",
        "(a).properties[0] (x).quality[0]",
        "not a part of one",
    ),
    (
        "  - {name: a, logicalType: time, logicalTypeOptions: {timezone: true}}\n",
        "timezone",
        "a time of day has none here",
    ),
    (
        "  - {name: a, logicalType: timestamp, logicalTypeOptions: {defaultTimezone: Mars/Base}}\n",
        "schema[0]",
        "time zone",
    ),
    (
        "  - name: a\n    logicalType: timestamp\n"
        "    logicalTypeOptions: {timezone: false, minimum: '2020-01-01T00:00:00Z'}\n",
        "minimum",
        "is not a timestamp",
    ),
    (
        "  - {name: a, logicalType: string}\n  quality:\n"
        "  - {type: sql, query: 'SELECT avg(a) FROM t GROUP BY b', mustBeLessThan: 3}\n",
        "schema[0].quality[0]",
        "SELECT COUNT(*) FROM <table> WHERE",
    ),
    (
        "  - {name: a, logicalType: text}\n",
        "schema[0].properties[0] (a).logicalType",
        "not one of string, integer",
    ),
    (
        "  - {name: a, logicalTyp: string}\n",
        "schema[0].properties[0].logicalTyp",
        "did you mean 'logicalType'",
    ),
    ("  - {name: _a, logicalType: string}\n", "properties[0].name", "does not begin with '_'"),
    (
        "  - {name: a, logicalType: string}\n  - {name: a, logicalType: string}\n",
        "properties[1]",
        "used twice",
    ),
    (
        "  - {name: a, logicalType: string}\n  - {name: A, logicalType: string}\n",
        "properties[1]",
        "used twice",
    ),
    (
        "  - {name: a, logicalType: integer, logicalTypeOptions: {minimum: few}}\n",
        "minimum",
        "'few' is not a integer",
    ),
    (
        "  - {name: a, logicalType: string, logicalTypeOptions: {patern: x}}\n",
        "patern",
        "did you mean 'pattern'",
    ),
    (
        "  - {name: a, logicalType: string, logicalTypeOptions: {pattern: '(?=x)'}}\n",
        "schema[0]",
        "look-around",
    ),
    (
        "  - {name: a, logicalType: string, required: maybe}\n",
        "required",
        "found 'maybe'; expected true or false",
    ),
    (
        "  - {name: a, logicalType: integer, logicalTypeOptions: {format: int32}}\n",
        "logicalTypeOptions.format",
        "'int32' is not one of i32",
    ),
    (
        "  - {name: a, logicalType: number, logicalTypeOptions: {precision: ten}}\n",
        "logicalTypeOptions.precision",
        "'ten' is not a whole number",
    ),
    (
        "  - {name: a, logicalType: string, logicalTypeOptions: {maxLength: few}}\n",
        "logicalTypeOptions.maxLength",
        "'few' is not a whole number",
    ),
    (
        "  - {name: a, logicalType: timestamp, logicalTypeOptions: {defaultTimezone: Nowhere/X}}\n",
        "schema[0]",
        "defaultTimezone",
    ),
    ("  - {name: a, logicalType: number, physicalType: 'decimal(40,2)'}\n", "(a)", "precision is 1 to 38"),
    ("  - {name: a, logicalType: date, logicalTypeOptions: {format: QQ}}\n", "format", "not supported"),
    ("  - {name: a, logicalType: integer, transformLogic: 'nope + 1'}\n", "schema[0]", "one at least must"),
    (
        "  - {name: a, logicalType: string}\n  quality:\n"
        "  - {type: custom, engine: causeway, implementation: 'b > 1'}\n",
        "schema[0]",
        '"b" not found',
    ),
    (
        "  - {name: a, logicalType: string}\n"
        "  customProperties:\n  - {property: onSchemaChang, value: evolve}\n",
        "onSchemaChang",
        "did you mean 'onSchemaChange'",
    ),
    (
        "  - name: a\n    logicalType: string\n"
        "    customProperties: [{property: partnerAcess, value: withhold}]\n",
        "(partnerAcess)",
        "did you mean 'partnerAccess'",
    ),
    ("  - {name: a, logicalType: strin}\n", "(a).logicalType", "did you mean 'string'"),
    ("  - {name: a, logicalType: string, enum: [open, shipped]}\n", "enum[0]", "write {value: open}"),
    (
        "  - {name: a, logicalType: string, enum: [{value: no}]}\n",
        "(a).enum",
        "False is not a string; put it",
    ),
    ("  - {name: a, logicalType: string, enum: open}\n", "enum", "found 'open'; expected a list"),
    ("  - name a\n", "properties[0]", "found 'name a'; expected keys with values"),
]


@pytest.mark.parametrize(("body", "where", "why"), WRONG, ids=[why for _, _, why in WRONG])
def test_a_wrong_contract_is_one_line_with_file_place_and_reason(
    draft: Draft, body: str, where: str, why: str
) -> None:
    path = draft(body)
    with pytest.raises(ContractError) as caught:
        load_runnable(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert where in message
    assert why in message
    assert "\n" not in message


BOUNDS = [
    ("integer", "minimum: 5, maximum: 3", "minimum 5 is above maximum 3"),
    ("number", "minimum: 0.5, maximum: 0.3", "minimum 0.5 is above maximum 0.3"),
    ("integer", "exclusiveMinimum: 5, maximum: 3", "exclusiveMinimum 5 is above maximum 3"),
    ("integer", "minimum: 5, exclusiveMaximum: 5", "minimum 5 is the same as exclusiveMaximum 5"),
    ("integer", "exclusiveMinimum: 5, exclusiveMaximum: 3", "exclusiveMinimum 5 is above exclusiveMaximum 3"),
    ("date", "minimum: 2024-02-01, maximum: 2024-01-01", "minimum 2024-02-01 is above maximum 2024-01-01"),
    ("timestamp", "minimum: '2024-02-01', maximum: '2024-01-01'", "is above maximum 2024-01-01"),
    ("time", "minimum: '10:00', maximum: '09:00'", "minimum 10:00:00 is above maximum 09:00:00"),
    ("string", "minLength: 5, maxLength: 3", "minLength 5 is above maxLength 3"),
    ("array, items: {logicalType: string}", "minItems: 5, maxItems: 3", "minItems 5 is above maxItems 3"),
    ("string", "maxLength: -1", "-1 is not a whole number, 0 or more"),
    ("integer", "multipleOf: 0", "0 is not above 0"),
    ("integer", "minimum: 1.5", "1.5 is not a integer"),
    ("number", "minimum: .nan", "nan is not a number"),
]


@pytest.mark.parametrize(("kind", "options", "why"), BOUNDS, ids=[why for *_, why in BOUNDS])
def test_bounds_that_no_value_can_keep_are_refused(draft: Draft, kind: str, options: str, why: str) -> None:
    path = draft(f"  - {{name: a, logicalType: {kind}, logicalTypeOptions: {{{options}}}}}\n")
    with pytest.raises(ContractError, match=re.escape(why)):
        load_contract(path)


def test_bounds_that_one_value_keeps_are_taken(draft: Draft) -> None:
    path = draft("  - {name: a, logicalType: integer, logicalTypeOptions: {minimum: 5, maximum: 5}}\n")
    (column,) = load_contract(path).columns
    assert (column.minimum, column.maximum) == (5, 5)


@pytest.mark.parametrize(
    ("body", "at", "advice"),
    [
        ("  - name: a\n   logicalType: string\n", (9, 4), "indent the line as its neighbours"),
        ("  - name: a\n      logicalType: string\n", (9, 18), "indent the line as its neighbours"),
        ("  - name: a\n\tlogicalType: string\n", (9, 1), "indent by blanks, not by tabs"),
        ("  - name: a\n    description: @x\n", (9, 18), "put a text that begins so in quotes"),
        ("  - name: a\n    logicalType string\n", (9, 5), "write key: value"),
        ("  - {name: a, logicalType: string\n", (8, 5), "close the bracket"),
        ("  - name: 'a\n    logicalType: string\n", (8, 11), "close the quote"),
        ("  - name: a\n    name: b\n", (9, 5), "name is there twice; remove one"),
    ],
)
def test_what_is_no_yaml_is_one_line_with_line_column_and_what_to_do(
    draft: Draft, body: str, at: tuple[int, int], advice: str
) -> None:
    path = draft(body)
    with pytest.raises(ContractError) as caught:
        load_contract(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: line {at[0]}, column {at[1]}: not YAML: ")
    assert advice in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("top", "why"),
    [
        (
            "name: flights",
            "name: 'flights' is not the file's name, which is the dataset's; write name: orders",
        ),
        (
            "customProperties: [{property: encoding, value: utf-9}]",
            "(encoding): means nothing here; move it to the customProperties of schema[0]",
        ),
    ],
)
def test_what_is_said_of_a_contract_and_would_be_ignored_is_refused(draft: Draft, top: str, why: str) -> None:
    path = draft("  - {name: a, logicalType: string}\n")
    path.write_text(f"{top}\n{path.read_text()}")
    with pytest.raises(ContractError, match=re.escape(why)):
        load_contract(path)


def test_a_directory_names_every_wrong_contract(draft: Draft, tmp_path: Path) -> None:
    draft("", name="a.odcs.yaml")
    draft("  - {name: a, logicalType: text}\n", name="b.odcs.yaml")
    for name in ("c.yaml", "d.odcs.yml", "With Blanks.odcs.yaml"):  # none that would be overlooked
        draft("  - {name: a, logicalType: string}\n", name=name)
    with pytest.raises(ContractError) as caught:
        load_contracts(tmp_path)
    assert len(str(caught.value).splitlines()) == 5


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ("{property: delimiter, value: '¦'}", "(delimiter): '¦' is not one ASCII character"),
        ("{property: quote, value: '«'}", "(quote): '«' is not one ASCII character"),
        ("{property: delimiter, value: '\"'}", "must differ"),
        ("{property: encoding, value: utf-9}", "'utf-9' is no encoding that Python knows"),
        ("{property: encoding, value: utf-9}", "did you mean utf-8?"),
        ("{property: encoding, value: base64}", "'base64' is no encoding"),
        ("{property: encoding, value: undefined}", "'undefined' is no encoding"),
        ("{property: encoding, value: idna}", "'idna' is no encoding"),
        ("{property: onSchemaChange, value: evlove}", "did you mean evolve?"),
    ],
)
def test_a_dialect_by_which_nothing_can_be_read_is_refused(draft: Draft, facts: str, why: str) -> None:
    path = draft(f"  - {{name: a, logicalType: string}}\n  customProperties:\n  - {facts}\n")
    with pytest.raises(ContractError, match=re.escape(why)):
        load_runnable(path)
