"""`python -m bench.latency`: from landed to visible, of 1, 10 and 100 small files, by function and by job."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.__main__ import machine
from causeway.flow.runs import CURATE, runs_since
from causeway.settings import load_settings
from local.aws.embedded import EmbeddedAws
from local.demo.deploy import deploy
from local.demo.progress import Progress
from local.demo.story import File, weather_lines
from local.demo.watch import Watch

RESULTS = Path(__file__).parent / "latency.json"
RUNS = 7
FILES, LINES = (1, 10, 100), 5  # of a batch; of a file, which has about a kilobyte then
# By whom, and what the settings say instead.
WAYS: dict[str, tuple[tuple[str, str], ...]] = {
    "function": (),
    "job": (("max_objects = 100\n", "max_objects = 0\n"),),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.latency", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    ways = {way: measure(changes, options.runs) for way, changes in WAYS.items()}
    for way, batches in ways.items():
        for files, phases in batches.items():
            print(f"{way:8} {files:>3} files", json.dumps(phases["medians"]))
    options.out.write_text(json.dumps({"machine": machine(), "ways": ways}, indent=1) + "\n")
    print(f"Done. RESULTS={options.out}")
    return 0


def measure(changes: tuple[tuple[str, str], ...], runs: int) -> dict[str, dict[str, Any]]:
    """By files of a batch: each run's phases, and their medians."""
    settings = load_settings()
    with (
        tempfile.TemporaryDirectory(prefix="causeway-bench-") as folder,
        EmbeddedAws(account=settings.company.account, region=settings.company.region) as aws,
    ):
        outputs = deploy(aws, Path(folder), Progress(), *changes)
        pipeline = outputs[f"{settings.project}-pipeline"]
        bench = Bench(aws, Watch(aws, outputs[f"{settings.project}-lake"], pipeline), pipeline["LedgerTable"])
        cold = bench.land(1)  # makes the table, whose profile would run beside the next ones
        bench.watch.await_profiles(["weather"], lambda _: None)
        batches: dict[str, dict[str, Any]] = {"1, the first": {"medians": cold, "runs": [cold]}}
        for files in FILES:
            each = [bench.land(files) for _ in range(runs)]
            medians = {phase: round(statistics.median(run[phase] for run in each), 6) for phase in cold}
            batches[str(files)] = {"medians": medians, "runs": each}
    return batches


class Bench:
    def __init__(self, aws: EmbeddedAws, watch: Watch, ledger: str) -> None:
        self.watch, self._database = watch, load_settings().database("lake")
        self._catalog = aws.catalog()
        self._ledger = aws.resource("dynamodb", aws.account).Table(ledger)
        self._began, self._priced = datetime.now(UTC), set[str]()
        self._lines = iter(range(0, 1 << 30, LINES))

    def land(self, files: int) -> dict[str, float]:
        """Seconds of each phase, and of all; US dollars of what ran."""
        known = {execution["name"] for execution in self.watch.executions()}
        rows = weather_lines()
        some = [
            (at, "".join(rows[at : at + LINES]).encode()) for at in (next(self._lines) for _ in range(files))
        ]
        landed = time.time()
        self.watch.land([File(f"landing/weather/{at}.jsonl", data) for at, data in some], lambda _: None)
        new = [e["startDate"].timestamp() for e in self.watch.executions() if e["name"] not in known]
        snapshot = self._catalog.load_table((self._database, "weather")).current_snapshot()
        assert snapshot
        visible = snapshot.timestamp_ms / 1000
        return {
            "landing, events, window (2 s), batching": round(max(new) - landed, 2),
            "state machine, run, commit": round(visible - max(new), 2),
            "from landed to visible": round(visible - landed, 2),
            "dollars": float(self._dollars(len(new))),
        }

    def _dollars(self, runs: int) -> Decimal:
        """Of so many runs that were not asked of before; the job's are priced a little after they end."""
        while True:
            since = runs_since(self._ledger, self._began)
            new = [run for run in since if run.job == CURATE and run.id not in self._priced]
            if len(new) == runs:
                self._priced |= {run.id for run in new}
                return sum((run.dollars for run in new), Decimal())
            time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
