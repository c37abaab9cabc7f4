"""Tables partitioned by the values of a text: every row in its partition, whatever the text."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyiceberg.expressions import EqualTo, IsNull

from causeway.engine import curate
from causeway.engine.dry_run import load_runnable
from causeway.engine.write import write_parquet
from tests.causeway.engine.helpers import codes, column, contract, run
from tests.glue_jobs.conftest import CONTRACT, SmallLake, open_lake

BY_CITY = CONTRACT.replace("csv}", "jsonl}").replace(
    "city, logicalType: string, required: true", "city, logicalType: string, partitioned: true"
)


@pytest.fixture
def by_city(tmp_path: Path) -> Iterator[SmallLake]:
    with open_lake(tmp_path, BY_CITY) as lake:
        yield lake


def lines(cities: Sequence[str | None]) -> bytes:
    return "\n".join(json.dumps({"id": i, "city": city}) for i, city in enumerate(cities)).encode()


def scanned(lake: SmallLake, city: str | None) -> list[int]:
    condition = IsNull("city") if city is None else EqualTo("city", city)  # type: ignore[arg-type,call-arg]
    ids: list[int] = lake.table().scan(row_filter=condition).to_arrow()["id"].to_pylist()
    return sorted(ids)


def test_each_text_is_a_partition_of_its_own_however_long_and_null_is_another(by_city: SmallLake) -> None:
    cities = [None, "null", "", "x" * 64, "x" * 65, "x" * 66, "é" * 5000, "a/b=c", "..", "Oslo", None]
    by_city.curate(by_city.land("a", lines(cities)))
    partitions = [
        row["partition"]["city_identity"] for row in by_city.table().inspect.partitions().to_pylist()
    ]
    assert sorted(map(repr, partitions)) == sorted(map(repr, set(cities)))
    for city in cities:
        assert scanned(by_city, city) == [i for i, other in enumerate(cities) if other == city]


def test_what_is_left_of_a_partition_when_a_source_is_replaced_stays_in_it(by_city: SmallLake) -> None:
    long = "x" * 100
    by_city.curate(by_city.land("a", lines([long, "b"])), by_city.land("b", lines(["b", "b", "b"])))
    by_city.curate(by_city.land("a", lines(["c"])))
    assert (scanned(by_city, long), scanned(by_city, "b"), scanned(by_city, "c")) == ([], [0, 1, 2], [0])


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.none() | st.text(max_size=120), max_size=8))
@example({None, "null", "%6Eull"})
@example({"x" * 100, "x" * 101, "x" * 101 + "y", "é" * 40})
def test_every_partition_has_a_folder_of_its_own_inside_the_tables(cities: set[str | None]) -> None:
    rules = contract(column("city"), format="jsonl", partitioning=(("city", "identity"),))
    result = run(rules, "\n".join(json.dumps({"city": city}) for city in cities).encode() or b"{}")
    paths = [path for path, _ in write_parquet(result.frame, rules)]
    assert len(set(paths)) == len(paths) == max(len(cities), 1)
    assert all(len(str(path).encode()) < 200 and str(path).count("/") == 0 for path in paths)


def test_an_object_of_too_many_partitions_is_rejected_by_the_columns_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(curate, "MAX_PARTITIONS", 3)
    rules = contract(
        column("city"), column("day", "date"), partitioning=(("city", "identity"), ("day", "month"))
    )
    enough = b"city,day\n" + b"".join(b"a,2024-%02d-01\na,2024-%02d-02\n" % (m, m) for m in (1, 2, 3))
    many = b"city,day\n" + b"".join(b"a,2024-%02d-01\n" % m for m in (1, 2, 3, 4))
    result = run(rules, enough, many)
    assert result.rows["_source"].to_pylist() == ["s0"] * 6
    assert codes(result) == [(None, ["partitions"])]
    assert "column city, day" in result.rejected.to_pylist()[0]["faults"][0]["message"]


def test_partitions_are_counted_over_all_blocks_of_an_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curate, "MAX_PARTITIONS", 3)
    monkeypatch.setattr(curate, "BLOCK", 8)
    monkeypatch.setattr("causeway.engine.read.stored.BLOCK", 8)
    monkeypatch.setattr("causeway.engine.read.formats.BLOCK", 8)
    rules = contract(column("city"), partitioning=(("city", "identity"),))
    result = run(rules, b"city\naaaaa\nbbbbb\nccccc\nddddd\n")
    assert (result.rows.num_rows, codes(result)) == (0, [(None, ["partitions"])])


@pytest.mark.parametrize(
    ("options", "warned"),
    [("", True), (", logicalTypeOptions: {maxLength: 3}", False), (", enum: [{value: a}]", False)],
)
def test_synth_warns_of_a_partition_by_a_text_without_bounds(
    options: str, warned: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "trips.odcs.yaml"
    path.write_text(BY_CITY.replace("partitioned: true", "partitioned: true" + options))
    load_runnable(path)
    assert ("city: a partition for each value" in capsys.readouterr().err) == warned
