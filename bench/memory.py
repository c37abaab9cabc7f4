"""`python -m bench.memory`: the peak memory of one process that curates one object of each kind."""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from bench import ours
from bench.__main__ import BUILD, ROOT
from bench.generate import generate

LONG = 300_000_000  # bytes of the longest line


def objects(megabytes: int) -> list[tuple[Path, str]]:
    BUILD.mkdir(parents=True, exist_ok=True)
    csv, lines = BUILD / f"orders-{megabytes}.csv", BUILD / f"orders-{megabytes}.jsonl"
    generate(csv, "csv", megabytes)
    generate(lines, "jsonl", megabytes)
    packed, parquet = csv.with_name(csv.name + ".gz"), csv.with_suffix(".parquet")
    if not packed.exists():
        with csv.open("rb") as plain, gzip.open(packed, "wb", compresslevel=1) as sink:
            shutil.copyfileobj(plain, sink, 1 << 20)
    if not parquet.exists():
        pl.scan_csv(csv, infer_schema=False).sink_parquet(parquet, row_group_size=1 << 20)
    long_csv, long_json = BUILD / "one-line.csv", BUILD / "one-line.jsonl"
    with csv.open("rb") as source:
        long_csv.write_bytes(source.readline() + b"1," + b"y" * LONG + b"\n")
    long_json.write_bytes(b'{"order_id":1,"note":"' + b"y" * LONG + b'"}\n')
    kinds = (csv, packed, lines, parquet, long_csv, long_json)
    return [(path, path.suffixes[0][1:]) for path in kinds]


def curate(path: Path, format: str, split: bool) -> str:
    """One after another, every unit of the object."""
    from causeway.engine.plan import plan_units  # noqa: PLC0415 - the bench does not import the engine
    from causeway.flow.manifest import SourceVersion  # noqa: PLC0415 - the bench does not import the engine

    ours.warm(0)
    source = SourceVersion(str(path), "v", path.stat().st_size)
    units = plan_units([source], ours.contract(format), split=split)
    out = BUILD / "out"
    out.mkdir(exist_ok=True)
    started = datetime.now(UTC)
    results = [ours.curate_one((i, unit, format, str(out))) for i, unit in enumerate(units)]
    seconds = (datetime.now(UTC) - started).total_seconds()
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    how = f"{len(units)} units" if split else "as one unit"
    rows = f"{sum(good for good, _ in results):,} rows, {sum(bad for _, bad in results):,} rejected"
    size = f"{source.size / 1e6:5,.0f} MB"
    return f"{path.name:20} {size} {how:11} {peak / 1e9:5.2f} GB {seconds:6.1f} s  {rows}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.memory", description=__doc__)
    parser.add_argument("--mb", type=int, default=1000, help="size of the objects, uncompressed")
    parser.add_argument("--one", nargs=3, metavar=("PATH", "FORMAT", "SPLIT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        path, format, split = options.one
        print(curate(Path(path), format, split == "split"))
        return
    os.environ["POLARS_MAX_THREADS"] = "1"
    for path, format in objects(options.mb):
        for how in ("split", "whole"):
            command = [sys.executable, "-m", "bench.memory", "--one", str(path), format, how]
            subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
