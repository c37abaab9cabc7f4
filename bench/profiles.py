# ruff: noqa: PLC0415 - each candidate imports only what it needs
"""`python -m bench.profiles`: a profile of a year of flights, beside what others make of the same rows.

Each candidate runs in a process of its own; imports and the start of Spark are not measured.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl

from bench.__main__ import BUILD, ROOT, machine
from bench.run_one import peak_rss, spark_session
from local.demo.story import flights_with_flags

RESULTS = Path(__file__).parent / "profiles.json"
PROFILERS = ROOT / ".venv" / "profilers" / "bin" / "python"
MEASURES = {"String": "category", "Boolean": "flag"}


def flights() -> Path:
    """336,776 rows of 19 columns and two flags, a row group for each month or so."""
    path = BUILD / "flights.parquet"
    if not path.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        flights_with_flags().write_parquet(path, row_group_size=30_000)
    return path


def timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def ours(path: Path, add_up: Any = None) -> Callable[[], Any]:
    import pyarrow.parquet as pq

    from causeway.engine.profile.parts import in_turn
    from causeway.engine.profile.table import Rows, profile

    measures = {name: MEASURES.get(str(t), "quantity") for name, t in pl.read_parquet_schema(path).items()}
    groups = list(range(pq.ParquetFile(path).num_row_groups))

    def read(group: int) -> list[pl.DataFrame]:
        return [pl.DataFrame(pq.ParquetFile(path).read_row_group(group))]

    return lambda: profile(Rows(groups, read, int, add_up or in_turn), measures)


def in_process(path: Path) -> float:
    return timed(ours(path))


def in_spark(path: Path) -> float:
    from functools import partial

    from glue_jobs.tasks import add_up

    made = ours(path, partial(add_up, spark_session().sparkContext))
    made()  # a worker imports what it needs in its first task
    return timed(made)


def with_pandas(path: Path) -> float:
    """What it has itself: describe, both matrices of correlations, tables of counts."""
    import pandas as pd  # type: ignore[import-untyped]

    frame = pd.read_parquet(path)
    words = frame.select_dtypes(["str", "bool"]).columns

    def work() -> None:
        frame.describe(include="all")
        for method in ("pearson", "spearman"):
            frame.corr(method, numeric_only=True)
        for one, other in combinations(words, 2):
            pd.crosstab(frame[one], frame[other])

    return timed(work)


def with_spark_ml(path: Path) -> float:
    """Both matrices of correlations of the numbers, over the rows where none is missing."""
    from pyspark.ml.feature import VectorAssembler
    from pyspark.ml.stat import Correlation

    frame = spark_session().read.parquet(str(path))
    numbers = [name for name, kind in frame.dtypes if kind in ("bigint", "double")]
    assembled = VectorAssembler(inputCols=numbers, outputCol="v", handleInvalid="skip").transform(frame)

    def work() -> None:
        for method in ("pearson", "spearman"):
            Correlation.corr(assembled, "v", method).collect()

    return timed(work)


def with_library(path: Path) -> float:
    report = Path(__file__).parent / "profilers" / "report.py"
    done = subprocess.run([PROFILERS, report, path], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def curated(path: Path) -> float:
    """The engine's own work on the same rows as CSV, in one process: what a profile may cost 60 % of."""
    import tempfile

    from causeway.contract.load import load_contract
    from causeway.engine.local import run

    text = path.with_suffix(".csv")
    names = [name for name in pl.read_parquet_schema(path) if name not in ("late", "weekend")]
    pl.read_parquet(path).select(names).write_csv(text, null_value="NA")
    contract = load_contract(ROOT / "contracts" / "flights.odcs.yaml")
    with tempfile.TemporaryDirectory() as folder:
        run(contract, [text], Path(folder, "warm"))
        return timed(lambda: run(contract, [text], Path(folder, "out")))


CANDIDATES: dict[str, Callable[[Path], float]] = {
    "ours, one process": in_process,
    "ours, in Spark tasks": in_spark,
    "pandas": with_pandas,
    "pyspark.ml.stat": with_spark_ml,
    "fg-data-profiling": with_library,
    "(curating the same rows)": curated,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.profiles", description=__doc__)
    parser.add_argument("--one", choices=list(CANDIDATES))
    parser.add_argument("--candidates", nargs="+", default=list(CANDIDATES), choices=list(CANDIDATES))
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    path = flights()
    if options.one:
        seconds = CANDIDATES[options.one](path)
        print(json.dumps({"seconds": round(seconds, 2), "peak_rss": peak_rss()}))
        return 0
    results: dict[str, Any] = {}
    for name in options.candidates:
        command = [sys.executable, "-m", "bench.profiles", "--one", name]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{name}: {done.stderr[-2000:]}")
        results[name] = json.loads(done.stdout.splitlines()[-1])
        base = results[options.candidates[0]]["seconds"]
        seconds, peak = results[name]["seconds"], results[name]["peak_rss"] / 1e6
        print(f"  {name:26} {seconds:8.2f} s {seconds / base:8.1f} × {peak:7,.0f} MB", flush=True)
    options.out.write_text(json.dumps({"machine": machine(), "results": results}, indent=1) + "\n")
    print(f"Done. RESULTS={options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
