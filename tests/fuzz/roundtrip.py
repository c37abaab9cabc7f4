"""Round trips: values of every type, written by others' programs, curated, read back by another reader."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import reject

from causeway.engine.write import write_parquet
from tests.causeway.engine.helpers import run
from tests.fuzz.kinds import NESTED, Rows, arrow, names, rules
from tests.fuzz.writers import LOSSY, WRITERS, Writer


def check(writer: str, kinds: tuple[str, ...], rows: Rows, encoding: str, compress: Writer) -> None:
    """Raises AssertionError unless the rows come back equal from the curated file, read by DuckDB."""
    write, format, dialect = WRITERS[writer]
    unfit = LOSSY.get(writer, set()) | (NESTED if format == "csv" else set())
    kept = [i for i, kind in enumerate(kinds) if not i or kind not in unfit]
    kinds, rows = tuple(kinds[i] for i in kept), [tuple(row[i] for i in kept) for row in rows]
    data = write(arrow(kinds, rows))
    if format != "parquet":
        try:
            data = compress(data.decode().encode(encoding))
        except UnicodeEncodeError:
            reject()
        dialect = {"encoding": encoding, **dialect}
    contract_ = rules(kinds, format=format, **dialect)
    result = run(contract_, data)
    rejected = result.rejected.to_pylist()
    assert not rejected, (writer, data[:300], rejected[0]["faults"])
    parts = [part for _, part in write_parquet(result.frame, contract_)]
    back = sorted((row for part in parts for row in _read(part, kinds)), key=repr)
    truth = sorted(([_plain(v, format) for v in row] for row in rows), key=repr)
    assert back == truth, (writer, encoding, data[:300], back, truth)


def _read(data: bytes, kinds: tuple[str, ...]) -> list[list[Any]]:
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        Path(file.name).write_bytes(data)
        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'UTC'")
        selected = ", ".join(names(kinds))
        table = connection.sql(f"SELECT {selected} FROM '{file.name}'").to_arrow_table()
    return [list(row.values()) for row in table.to_pylist()]


def _plain(value: Any, format: str) -> Any:
    if value == "" and format == "csv":
        return None  # an empty field and an empty text are the same there
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC)
    if isinstance(value, dict):
        return {name: _plain(value[name], format) for name in sorted(value)}
    return 0.0 if isinstance(value, float) and value == 0 else value
