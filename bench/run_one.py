# ruff: noqa: PLC0415 - each engine imports only what it needs
"""One engine, once, in a process of its own: `python -m bench.run_one ENGINE FORMAT FILE OUT`."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import bounds, ours, peers

Prepare = Callable[[Path, str], Any]  # input, format → what the run starts with
Run = Callable[[Any, Path, Path, str], tuple[int, int] | None]  # … output → good and bad rows, if it knows


def spark_session() -> Any:
    from pyspark.sql import SparkSession

    from causeway.engine.plan import Unit
    from glue_jobs.tasks import in_tasks
    from local.aws.java import java_home

    os.environ["JAVA_HOME"] = str(java_home())
    os.environ["POLARS_MAX_THREADS"] = "1"
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master(f"local[{ours.CORES}]").config("spark.driver.memory", "3g")
    spark = builder.config("spark.ui.enabled", "false").config("spark.log.level", "ERROR").getOrCreate()
    units = dict.fromkeys(range(ours.CORES * 2), Unit(()))
    in_tasks(spark.sparkContext, units, lambda number, _: ours.warm(number))
    return spark


def imports(module: str) -> Prepare:
    return lambda path, format: __import__(module)


ENGINES: dict[str, tuple[Prepare, Run]] = {
    "ours (Spark)": (lambda path, format: spark_session(), ours.through_spark),
    "ours": (lambda path, format: ours.prepare_pool(), ours.without_spark),
    "polars": (imports("polars"), peers.polars),
    "duckdb": (imports("duckdb"), peers.duckdb),
    "pyarrow": (imports("pyarrow.dataset"), peers.pyarrow),
    "pandas": (imports("pandas"), peers.pandas),
    "pyspark (best)": (lambda path, format: spark_session(), peers.pyspark_best),
    "pyspark (usual)": (lambda path, format: spark_session(), peers.pyspark_usual),
    "bound: read": (lambda path, format: None, bounds.read),
    "bound: encode": (bounds.rows_in_memory, bounds.encode),
}
CSV_ONLY = ("pyarrow",)


def cpu_seconds() -> float:
    """Of this process and every living descendant, with those they have waited for."""
    ticks, total = os.sysconf("SC_CLK_TCK"), 0.0
    for pid in _family():
        fields = _read(f"/proc/{pid}/stat").rsplit(") ", 1)[-1].split()
        total += sum(int(field) for field in fields[11:15]) / ticks
    return total


def peak_rss() -> int:
    """Bytes: the sum of what each process of the family held at its peak."""
    lines = [line for pid in _family() for line in _read(f"/proc/{pid}/status").splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024


def _family() -> list[int]:
    family = [os.getpid()]
    for pid in family:
        for children in Path("/proc").glob(f"{pid}/task/*/children"):
            family += [int(child) for child in _read(children).split()]
    return family


def _read(path: str | Path) -> str:
    """Empty when the process or thread is gone meanwhile."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def main() -> None:
    engine, format, path, out = sys.argv[1:]
    prepare, run = ENGINES[engine]
    ready = prepare(Path(path), format)
    cpu, started = cpu_seconds(), time.perf_counter()
    good, bad = run(ready, Path(path), Path(out), format) or (None, None)
    seconds = time.perf_counter() - started
    figures = {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu_seconds() - cpu, 2),
        "peak_rss": peak_rss(),
    }
    print(json.dumps({"good": good, "bad": bad, **figures}))
    if engine == "ours":
        ready.terminate()


if __name__ == "__main__":
    main()
