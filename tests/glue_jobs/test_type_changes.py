"""Contracts that change the types of a table: what Iceberg can widen is widened, the rest refused."""

import dataclasses
from decimal import Decimal
from typing import Any

import pytest
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.expressions import GreaterThan
from pyiceberg.types import DecimalType, DoubleType, LongType

from causeway.contract.model import Column, Contract
from causeway.flow.failures import NotTheObjectsError
from glue_jobs import batch as batch_module
from tests.causeway.engine.helpers import column
from tests.glue_jobs.conftest import SmallLake


def trips(*columns: Column, version: str = "1.0.0", **facts: Any) -> Contract:
    every = (column("id", "integer"), *columns)
    return Contract("trips", version, every, nulls=("",), **facts)


def wider(old: Contract, **columns: Column) -> Contract:
    changed = tuple(columns.get(column.name, column) for column in old.columns)
    return dataclasses.replace(old, version="1.1.0", columns=changed)


NARROW = trips(
    column("n", "integer", bits=32),
    column("x", "number", bits=32),
    column("d", "number", precision=6, scale=2),
)
WIDE = wider(
    NARROW,
    n=column("n", "integer"),
    x=column("x", "number"),
    d=column("d", "number", precision=12, scale=2),
)


def test_integers_floats_and_decimals_are_widened_and_old_rows_stay(small_lake: SmallLake) -> None:
    small_lake.curate(small_lake.land("a", b"id,n,x,d\n1,7,1.5,9.99\n2,-1,,\n"), contract=NARROW)
    small_lake.curate(small_lake.land("b", b"id,n,x,d\n3,5000000000,1e300,1234567890.12\n"), contract=WIDE)
    types = {field.name: field.field_type for field in small_lake.table().schema().fields}
    assert (types["n"], types["x"], types["d"]) == (LongType(), DoubleType(), DecimalType(12, 2))
    rows = {row["id"]: (row["n"], row["x"], row["d"]) for row in small_lake.rows()}
    assert rows == {
        1: (7, 1.5, Decimal("9.99")),
        2: (-1, None, None),
        3: (5_000_000_000, 1e300, Decimal("1234567890.12")),
    }


@pytest.mark.parametrize(("name", "bound"), [("n", 6), ("x", 1.2), ("d", Decimal("9.50"))])
def test_filters_reach_the_rows_that_were_written_before_the_widening(
    small_lake: SmallLake, name: str, bound: Any
) -> None:
    small_lake.curate(small_lake.land("a", b"id,n,x,d\n1,7,1.5,9.99\n2,-1,,\n"), contract=NARROW)
    small_lake.curate(small_lake.land("b", b"id,n,x,d\n3,5000000000,1e300,1234567890.12\n"), contract=WIDE)
    condition = GreaterThan(name, bound)  # type: ignore[arg-type,call-arg]
    assert sorted(small_lake.table().scan(row_filter=condition).to_arrow()["id"].to_pylist()) == [1, 3]


def test_a_source_from_before_the_widening_can_be_replaced(small_lake: SmallLake) -> None:
    small_lake.curate(small_lake.land("a", b"id,n,x,d\n1,7,1.5,9.99\n"), contract=NARROW)
    small_lake.curate(small_lake.land("a", b"id,n,x,d\n1,5000000000,1.5,9.99\n"), contract=WIDE)
    assert [row["n"] for row in small_lake.rows()] == [5_000_000_000]


def test_parts_of_objects_and_arrays_and_a_partition_column_are_widened(small_lake: SmallLake) -> None:
    def nested(bits: int) -> Contract:
        part = column("n", "integer", bits=bits)
        return trips(
            column("o", "object", properties=(part,)),
            column("a", "array", items=column("", "integer", bits=bits)),
            column("p", "integer", bits=bits),
            format="jsonl",
            partitioning=(("p", "identity"),),
        )

    small_lake.curate(small_lake.land("a", b'{"id":1,"o":{"n":7},"a":[1,2],"p":1}'), contract=nested(32))
    late = dataclasses.replace(nested(64), version="1.1.0")
    small_lake.curate(
        small_lake.land("b", b'{"id":2,"o":{"n":5000000000},"a":[5000000000],"p":5000000000}'), contract=late
    )
    rows = {row["id"]: (row["o"], row["a"], row["p"]) for row in small_lake.rows()}
    big = 5_000_000_000
    assert rows == {1: ({"n": 7}, [1, 2], 1), 2: ({"n": big}, [big], big)}
    condition = GreaterThan("p", 1)  # type: ignore[arg-type,call-arg]
    assert small_lake.table().scan(row_filter=condition).to_arrow()["id"].to_pylist() == [2]


def test_the_type_changes_with_the_rows_that_need_it_or_not_at_all(
    small_lake: SmallLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_lake.curate(small_lake.land("a", b"id,n,x,d\n1,7,1.5,9.99\n"), contract=NARROW)
    before = small_lake.table().schema()

    def lose(*_: Any, **__: Any) -> int:
        raise CommitFailedException("moved")

    monkeypatch.setattr(batch_module, "change_table", lose)
    batch = small_lake.batch(small_lake.land("b", b"id,n,x,d\n2,5000000000,,\n"), contract=WIDE)
    with pytest.raises(CommitFailedException):
        batch.curate()
    assert small_lake.table().schema() == before


def test_a_contract_that_goes_back_to_a_narrower_type_still_commits(small_lake: SmallLake) -> None:
    small_lake.curate(small_lake.land("a", b"id,n,x,d\n3,5000000000,1e300,1\n"), contract=WIDE)
    small_lake.curate(small_lake.land("b", b"id,n,x,d\n1,7,1.5,9.99\n"), contract=NARROW)
    assert {row["id"]: row["n"] for row in small_lake.rows()} == {3: 5_000_000_000, 1: 7}


@pytest.mark.parametrize(
    "changed",
    [column("n"), column("n", "date"), column("n", "number"), column("n", "array", items=column(""))],
)
def test_a_type_that_cannot_be_widened_is_refused_before_any_object_is_read(
    small_lake: SmallLake, changed: Column
) -> None:
    small_lake.curate(small_lake.land("a", b"id,n,x,d\n1,7,1.5,9.99\n"), contract=NARROW)
    rows = small_lake.rows()
    batch = small_lake.batch(small_lake.land("b", b"id,n,x,d\n2,8,,\n"), contract=wider(NARROW, n=changed))
    batch.distribute = None  # type: ignore[assignment]
    with pytest.raises(NotTheObjectsError, match=r"table lake.trips: .*n.*next major version"):
        batch.curate()
    assert small_lake.rows() == rows


def test_the_next_major_version_has_a_table_of_its_own_beside_the_old_one(small_lake: SmallLake) -> None:
    source = small_lake.land("a", b"id,n,x,d\n1,7,1.5,9.99\n")
    small_lake.curate(source, contract=NARROW)
    second = dataclasses.replace(wider(NARROW, n=column("n")), version="2.0.0")
    small_lake.curate(source, contract=second)
    assert [row["n"] for row in small_lake.rows()] == [7]
    new = small_lake.catalog.load_table(("lake", "trips_v2"))
    assert new.scan().to_arrow()["n"].to_pylist() == ["7"]
    assert small_lake.entry("a").contract == "2.0.0"


def test_a_column_that_a_contract_no_longer_requires_or_names_may_be_missing(small_lake: SmallLake) -> None:
    first = trips(column("k", "integer", key=True, required=True), column("gone", required=True))
    small_lake.curate(small_lake.land("a", b"id,k,gone\n1,1,x\n"), contract=first)
    assert small_lake.table().schema().identifier_field_names() == {"k"}
    second = dataclasses.replace(trips(column("k", "integer")), version="1.9.0")
    small_lake.curate(small_lake.land("b", b"id,k\n2,\n"), contract=second)
    assert {row["id"]: (row["k"], row["gone"]) for row in small_lake.rows()} == {1: (1, "x"), 2: (None, None)}


@pytest.mark.parametrize("facts", [{"type": "number"}, {"type": "string", "access": "withhold"}])
def test_a_key_that_iceberg_cannot_name_still_has_a_table(
    small_lake: SmallLake, facts: dict[str, Any]
) -> None:
    rules = trips(column("k", key=True, required=True, **facts))
    small_lake.curate(small_lake.land("a", b"id,k\n1,1.5\n"), contract=rules)
    assert (small_lake.ids(), small_lake.table().schema().identifier_field_names()) == ([1], set())
