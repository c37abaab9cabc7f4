"""`python -m bench`: medians of several runs of each engine on the same input, checked to agree."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.generate import generate
from bench.run_one import CSV_ONLY, ENGINES

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "bench"
RESULTS = Path(__file__).parent / "results.json"
SLOW = ("pandas", "pyspark (usual)")  # one run of these says enough
BASELINE = {"csv": "polars", "jsonl": "duckdb"}  # whom the ratios are taken against


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--mb", type=int, default=1140, help="size of the input")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--formats", nargs="+", default=["csv", "jsonl"], choices=["csv", "jsonl"])
    parser.add_argument(
        "--engines", nargs="+", default=list(ENGINES), choices=list(ENGINES), metavar="ENGINE"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    results = []
    for format in options.formats:
        path = BUILD / f"orders-{options.mb}.{format}"
        facts = generate(path, format, options.mb)
        print(
            f"{format}: {facts['rows']:,} rows, {facts['bytes'] / 1e6:,.0f} MB, {facts['bad']:,} bad",
            flush=True,
        )
        engines = [name for name in options.engines if format == "csv" or name not in CSV_ONLY]
        figures: dict[str, list[dict[str, Any]]] = {name: [] for name in engines}
        # In turn, for a machine's speed changes over minutes.
        for number in range(options.runs):
            for engine in engines if number == 0 else [name for name in engines if name not in SLOW]:
                figures[engine].append(run_once(engine, format, path))
        of_format = [medians(engine, format, facts, figures[engine]) for engine in engines]
        print("\n".join(map(line, of_format)), flush=True)
        print(ratios(of_format, BASELINE[format]), flush=True)
        results += of_format
    options.out.write_text(json.dumps({"machine": machine(), "results": results}, indent=1) + "\n")
    print(f"Done. RESULTS={options.out}")
    return 0 if all(result["agrees"] for result in results) else 1


def run_once(engine: str, format: str, path: Path) -> dict[str, Any]:
    out = BUILD / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    command = [sys.executable, "-m", "bench.run_one", engine, format, str(path), str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{engine}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"  {engine:16} {found['seconds']:8.2f} s", file=sys.stderr, flush=True)
    return found


def medians(engine: str, format: str, facts: dict[str, int], figures: list[dict[str, Any]]) -> dict[str, Any]:
    middle = {
        name: statistics.median(f[name] for f in figures) for name in ("seconds", "cpu_seconds", "peak_rss")
    }
    expected = (facts["rows"] - facts["bad"], facts["bad"])
    agrees = all(f["good"] is None or (f["good"], f["bad"]) == expected for f in figures)
    return {"engine": engine, "format": format, **facts, **middle, "runs": len(figures), "agrees": agrees}


def line(result: dict[str, Any]) -> str:
    speed = result["bytes"] / 1e6 / result["seconds"]
    note = "" if result["agrees"] else "  DIFFERENT ROWS"
    return (
        f"  {result['engine']:16} {result['seconds']:8.2f} s {speed:6.0f} MB/s "
        f"{result['cpu_seconds']:8.2f} cpu s {result['peak_rss'] / 1e6:7,.0f} MB{note}"
    )


def ratios(results: list[dict[str, Any]], baseline: str) -> str:
    base = next((r for r in results if r["engine"] == baseline), None)
    if base is None:
        return f"  (no ratios without {baseline})"
    wall, cpu = max(base["seconds"], 0.01), max(base["cpu_seconds"], 0.01)
    rows = [
        f"  {r['engine']:16} {r['seconds'] / wall:8.2f} × wall {r['cpu_seconds'] / cpu:8.2f} × CPU"
        for r in results
        if r is not base
    ]
    return "\n".join([f"  against {baseline}:", *rows])


def machine() -> dict[str, Any]:
    return {
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


if __name__ == "__main__":
    sys.exit(main())
