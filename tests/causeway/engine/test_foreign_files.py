"""Files that other writers made, as the pyarrow wheel brings them for its own tests."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from causeway.contract.model import Column
from tests.causeway.engine.helpers import codes, column, contract, run

FILES = Path(pa.__file__).parent / "tests" / "data"
PARQUET = sorted(FILES.glob("**/*.parquet"))
OTHERS = sorted([*FILES.glob("**/*.orc"), *FILES.glob("**/*.feather")])
TYPES = ("string", "integer", "number", "date", "timestamp")


def test_the_foreign_files_are_there() -> None:
    assert (len(PARQUET), len(OTHERS)) == (4, 5)


def columns(path: Path, type: str) -> list[Column]:
    return [column(f"c{i}", type, field=name) for i, name in enumerate(pq.read_schema(path).names)]


@pytest.mark.parametrize("path", PARQUET, ids=lambda path: path.stem)
@pytest.mark.parametrize("type", TYPES)
def test_every_row_of_a_foreign_parquet_file_is_curated_or_rejected(path: Path, type: str) -> None:
    result = run(contract(*columns(path, type), format="parquet"), path.read_bytes())
    assert result.rows.num_rows + result.rejected.num_rows == pq.read_metadata(path).num_rows


@pytest.mark.parametrize("path", PARQUET, ids=lambda path: path.stem)
def test_a_foreign_parquet_file_without_the_contracts_columns_is_one_rejected_object(path: Path) -> None:
    rules = contract(column("of_no_file", required=True), format="parquet")
    assert codes(run(rules, path.read_bytes())) == [(None, ["header"])]


@pytest.mark.parametrize("path", PARQUET, ids=lambda path: path.stem)
def test_a_foreign_parquet_file_cut_anywhere_is_one_rejected_object(path: Path) -> None:
    rules, data = contract(*columns(path, "string"), format="parquet"), path.read_bytes()
    for stop in range(1, len(data), max(1, len(data) // 40)):
        assert codes(run(rules, data[:stop])) == [(None, ["format"])], stop


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.stem)
@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_a_file_of_another_format_is_one_rejected_object(path: Path, format: str) -> None:
    result = run(contract(column("a", required=True), format=format), path.read_bytes())
    assert [line for line, _ in codes(result)] == [None]


@pytest.mark.parametrize("path", PARQUET, ids=lambda path: path.stem)
def test_a_foreign_parquet_file_with_a_changed_byte_raises_nothing(path: Path) -> None:
    rules, data = contract(*columns(path, "string"), format="parquet"), path.read_bytes()
    for at in range(0, len(data), max(1, len(data) // 60)):
        changed = data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]
        (count,) = run(rules, changed).counts
        assert count.unreadable or count.rows == count.curated + count.rejected, at
