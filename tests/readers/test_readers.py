"""Any common reader reads the tables: after new columns, replaced sources and widened types."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow.parquet as pq
import pytest
from pyiceberg.table import Table

from causeway.contract.model import Column, Contract
from local.aws.java import java_home
from tests.causeway.engine.helpers import column
from tests.glue_jobs.conftest import SmallLake, open_lake

READERS_PYTHON = Path(__file__).parents[2] / ".venv" / "readers" / "bin" / "python"
SCRIPT = Path(__file__).parent / "read_table.py"
NAMES = ("id", "n", "x", "d", "o", "a", "day", "moment", "clock", "city")


def trips(bits: int, precision: int, *more: Column, version: str) -> Contract:
    columns = (
        column("id", "integer", key=True, required=True, description="the trip's number"),
        column("n", "integer", bits=bits),
        column("x", "number", bits=bits),
        column("d", "number", precision=precision, scale=2),
        column("o", "object", properties=(column("n", "integer", bits=bits), column("t"))),
        column("a", "array", items=column("", "integer", bits=bits)),
        column("day", "date"),
        column("moment", "timestamp", timezone="UTC"),
        column("clock", "time"),
        column("city"),
    )
    return Contract(
        "trips",
        version,
        (*columns, *more),
        "Trips, for every reader",
        format="jsonl",
        partitioning=(("city", "identity"), ("day", "month")),
        on_schema_change="evolve",
    )


def line(number: int, *, n: int, d: str, **more: Any) -> dict[str, Any]:
    facts = {"o": {"n": n, "t": "x"}, "a": [n, n], "day": "2024-03-05", "moment": "2024-03-05T10:00:00Z"}
    return {"id": number, "n": n, "x": 1.5, "d": d, **facts, "clock": "10:11:12.5", "city": "O" * 70, **more}


def json_lines(*rows: dict[str, Any]) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()


BIG = 5_000_000_000
ROWS = [
    line(1, n=8, d="9.99"),
    line(2, n=-1, d="0.10", city=None),
    line(3, n=3, d="1.00", bike="red"),
    line(4, n=BIG, d="1234567890.12", day="2024-04-01"),
]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallLake]:
    with open_lake(tmp_path_factory.mktemp("readers")) as lake:
        narrow, wide = trips(32, 6, version="1.0.0"), trips(64, 12, version="1.1.0")
        lake.curate(lake.land("a", json_lines(line(1, n=7, d="1.00"), ROWS[1])), contract=narrow)
        lake.curate(lake.land("b", json_lines(ROWS[2])), contract=narrow)
        lake.curate(lake.land("a", json_lines(*ROWS[:2])), contract=narrow)
        lake.curate(lake.land("c", json_lines(ROWS[3])), contract=wide)
        yield lake


def expected(names: tuple[str, ...]) -> list[dict[str, Any]]:
    """The rows as any reader prints them: instants and decimals as texts."""
    printed = {"moment": "2024-03-05 10:00:00+00:00", "clock": "10:11:12.500000"}
    return [{name: printed.get(name, row.get(name)) for name in names} for row in ROWS]


def files(table: Table) -> list[str]:
    return [urlsplit(task.file.file_path).path for task in table.scan().plan_files()]


def read(python: str | Path, reader: str, *arguments: str, **environment: str) -> dict[str, Any]:
    done = subprocess.run(
        [python, SCRIPT, reader, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def same_rows(answer: dict[str, Any], names: tuple[str, ...]) -> None:
    rows = [{name: row[name] for name in names} for row in sorted(answer["rows"], key=lambda row: row["id"])]
    assert rows == expected(names)


@pytest.mark.parametrize("reader", ["pyiceberg", "polars", "daft", "duckdb"])
def test_a_reader_of_iceberg_reads_every_row_and_the_new_column(lake: SmallLake, reader: str) -> None:
    table = lake.table()
    answer = read(READERS_PYTHON, reader, table.metadata_location)
    same_rows(answer, (*NAMES, "bike"))


def test_awswrangler_reads_the_files(lake: SmallLake) -> None:
    same_rows(read(READERS_PYTHON, "awswrangler", "", *files(lake.table())), ("id", "n", "x", "city"))


@pytest.mark.spark
def test_spark_reads_the_files(lake: SmallLake) -> None:
    paths = [urlsplit(path).path for path in files(lake.table())]
    same_rows(
        read(sys.executable, "spark", "", *paths, JAVA_HOME=str(java_home())),
        ("id", "n", "x", "o", "a", "city"),
    )


def test_every_column_of_a_data_file_carries_the_tables_id(lake: SmallLake) -> None:
    table = lake.table()
    ids = {field.name: field.field_id for field in table.schema().fields}
    for path in files(table):
        schema = pq.read_schema(path)
        assert {f.name: int(f.metadata[b"PARQUET:field_id"]) for f in schema}.items() <= ids.items()
        inner = schema.field("o").type.field("n").metadata[b"PARQUET:field_id"]
        assert int(inner) == table.schema().find_field("o.n").field_id
    rejected = lake.catalog.load_table(("quarantine", "trips")).schema()
    assert rejected.find_field("raw").doc


def test_descriptions_the_key_and_what_is_required_are_in_the_table(lake: SmallLake) -> None:
    table = lake.table()
    assert table.schema().find_field("id").doc == "the trip's number"
    assert table.schema().find_field("_batch").doc == "batch that committed the row"
    assert table.schema().find_field("id").required
    assert not table.schema().find_field("n").required
    assert table.schema().identifier_field_names() == {"id"}
    assert table.properties["Description"] == "Trips, for every reader"


def test_a_new_description_reaches_a_table_that_is_there_in_one_line_of_what_glue_takes(
    lake: SmallLake,
) -> None:
    rules = trips(64, 12, version="1.2.0")
    long = column("city", description="where it\nbegan " + "x" * 300)
    rules = dataclasses.replace(rules, columns=(*rules.columns[:-1], long))
    lake.curate(lake.land("c", json_lines(ROWS[3])), contract=rules)
    doc = lake.table().schema().find_field("city").doc
    assert doc is not None
    assert doc.startswith("where it began x")
    assert len(doc) == 255
