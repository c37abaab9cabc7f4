"""Short ways to say: this contract, these bytes, what became of them."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from causeway.contract.model import Column, Contract
from causeway.engine.check.keys import Banned
from causeway.engine.curate import Curated, curate_slices
from causeway.engine.model import Fetch, Slice
from causeway.engine.plan import Unit
from causeway.engine.write import FieldIds

NO_IDS = FieldIds(pa.schema([]), pa.schema([]))  # of tables that are not there
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def column(name: str, type: str = "string", **facts: Any) -> Column:
    return Column(name, facts.pop("field", name), type, **facts)


def contract(*columns: Column, **facts: Any) -> Contract:
    nulls = ("",) if facts.get("format", "csv") == "csv" else ()
    return Contract("orders", "1.0.0", columns, **{"nulls": nulls, **facts})


def run(rules: Contract, *objects: bytes) -> Curated:
    """What comes of whole objects, with the sources s0, s1, … in versions v0, v1, …"""
    data = {(f"s{i}", f"v{i}"): data for i, data in enumerate(objects)}
    slices = tuple(Slice(*name, 0, len(data), len(data)) for name, data in data.items())
    return curate_unit(rules, Unit(slices), lambda source, version, a, b: data[source, version][a:b])


def curate_unit(
    rules: Contract, unit: Unit, fetch: Fetch, banned: Banned | None = None, at: datetime = NOW
) -> Curated:
    """A unit in one part."""
    parts = curate_slices(
        rules,
        unit.slices,
        fetch,
        batch="b",
        committed_at=at,
        part_bytes=1 << 62,
        banned=banned,
        hash_key=b"test",
    )
    *_, last = parts
    return last


def values(result: Curated, name: str) -> list[Any]:
    return list(result.rows[name].to_pylist())


def codes(result: Curated) -> list[tuple[int | None, list[str]]]:
    """(line, reason codes) of every rejected record."""
    return [(r["line"], [fault["code"] for fault in r["faults"]]) for r in result.rejected.to_pylist()]


def csv_bytes(header: list[str], rows: list[list[str]], **dialect: Any) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", **dialect).writerows([header, *rows])
    return out.getvalue().encode()
