# ruff: noqa: PLC0415, PLW0603 - each engine imports only what it needs
"""Our engine: one native thread in each of as many processes as there are cores, with and without Spark."""

from __future__ import annotations

import multiprocessing
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from causeway.contract.model import Column, Contract

_barrier: Any = None
CORES = len(os.sched_getaffinity(0))


def contract(format: str) -> Contract:
    from bench.generate import COUNTRIES, STATUSES

    def column(name: str, type: str = "string", **facts: Any) -> Column:
        return Column(name, name, type, **{"required": True, **facts})

    columns = (
        column("order_id", "integer"),
        column("customer", pattern="^[0-9]{8}$"),
        column("email", pattern=r"^[^@\s]+@[^@\s]+$"),
        column("country", values=tuple(COUNTRIES)),
        column("status", values=tuple(STATUSES)),
        column("quantity", "integer", minimum=1, maximum=1000),
        column("unit_price", "number", precision=12, scale=2),
        column("discount", "number", minimum=0.0, maximum=1.0, required=False),
        column("weight", "number", minimum=0.0),
        column("priority", "boolean"),
        column("order_date", "date"),
        column("created_at", "timestamp", timezone="UTC"),
        column("city", max_length=60),
        column("note", required=False),
        column("score", "integer", required=False),
    )
    return Contract("orders", "1.0.0", columns, format=format, nulls=("",) if format == "csv" else ())


def fetch(source: str, version: str, start: int, stop: int) -> bytes:
    with open(source, "rb") as file:
        file.seek(start)
        return file.read(stop - start)


def curate_one(task: tuple[int, Any, str, str]) -> tuple[int, int]:
    from causeway.engine.curate import curate_slices
    from causeway.engine.write import write_parquet

    number, unit, format, out = task
    rules, good, bad = contract(format), 0, 0
    for i, part in enumerate(
        curate_slices(rules, unit.slices, fetch, batch="bench", committed_at=datetime.now(UTC))
    ):
        for _, data in write_parquet(part.frame, rules):
            Path(out, f"{number}-{i}.parquet").write_bytes(data)
        good, bad = good + part.frame.height, bad + part.rejected.num_rows
    return good, bad


def tasks(path: Path, out: Path, format: str) -> list[tuple[int, Any, str, str]]:
    from causeway.engine.plan import plan_units, target_bytes
    from causeway.flow.manifest import SourceVersion

    objects = [SourceVersion(str(path), "v", path.stat().st_size)]
    size = target_bytes(objects, CORES)
    units = plan_units(objects, contract(format), target_bytes=size, split=True)
    return [(i, unit, format, str(out)) for i, unit in enumerate(units)]


def warm(number: int) -> None:
    """Imports everything, as the peers' processes have done before their clock starts."""
    from causeway.engine.curate import curate_slices
    from causeway.engine.model import Slice
    from causeway.engine.write import write_parquet

    row = b"1,00000001,a@b,DE,new,1,1.00,,1,true,2020-01-01,2020-01-01T00:00:00Z,x,,"
    header = ",".join(column.name for column in contract("csv").columns).encode()
    for format, data in (("csv", header + b"\n" + row), ("jsonl", b'{"order_id":1}')):

        def fetch(_source: str, _version: str, start: int, stop: int, data: bytes = data) -> bytes:
            return data[start:stop]

        piece = Slice("s", "v", 0, len(data), len(data))
        now = datetime.now(UTC)
        for part in curate_slices(contract(format), [piece], fetch, batch="b", committed_at=now):
            write_parquet(part.frame, contract(format))


def prepare_pool() -> Any:
    os.environ["POLARS_MAX_THREADS"] = "1"
    context = multiprocessing.get_context("spawn")
    pool = context.Pool(CORES, _start, (context.Barrier(CORES),))
    pool.map(_meet, range(CORES), chunksize=1)
    return pool


def _start(barrier: Any) -> None:
    global _barrier
    _barrier = barrier
    warm(0)


def _meet(_: int) -> None:
    """Returns when every process of the pool is up: each holds one place at the barrier."""
    _barrier.wait()


def without_spark(pool: Any, path: Path, out: Path, format: str) -> tuple[int, int]:
    results = pool.map(curate_one, tasks(path, out, format), chunksize=1)
    return sum(good for good, _ in results), sum(bad for _, bad in results)


def through_spark(spark: Any, path: Path, out: Path, format: str) -> tuple[int, int]:
    from glue_jobs.tasks import in_tasks

    every = tasks(path, out, format)
    results = in_tasks(
        spark.sparkContext,
        {n: unit for n, unit, _, _ in every},
        lambda n, unit: curate_one((n, unit, format, str(out))),
    ).values()
    return sum(good for good, _ in results), sum(bad for _, bad in results)
