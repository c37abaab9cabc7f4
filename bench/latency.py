"""`python -m bench.latency`: from landed to visible, phase by phase, of one small file after the other."""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from bench.__main__ import machine
from causeway.settings import load_settings
from local.aws.embedded import EmbeddedAws
from local.demo.deploy import deploy
from local.demo.progress import Progress
from local.demo.story import File, weather_lines
from local.demo.watch import Watch

RESULTS = Path(__file__).parent / "latency.json"
RUNS = 7
LINE = re.compile(r"(?m)^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) causeway\S* INFO (.*)$")


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.latency", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    settings = load_settings()
    with (
        tempfile.TemporaryDirectory(prefix="causeway-bench-") as folder,
        EmbeddedAws(account=settings.company.account, region=settings.company.region) as aws,
    ):
        outputs = deploy(aws, Path(folder), Progress())
        watch = Watch(aws, *(outputs[f"{settings.project}-{stack}"] for stack in ("lake", "pipeline")))
        # One to warm up: the first makes the table.
        runs = [measure(aws, watch, settings.database("lake"), n) for n in range(options.runs + 1)][1:]
    medians = {phase: round(statistics.median(run[phase] for run in runs), 2) for phase in runs[0]}
    for phase, seconds in medians.items():
        print(f"{phase:44} {seconds:6.2f} s")
    result = {"machine": machine(), "medians": medians, "runs": runs}
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(f"Done. RESULTS={options.out}")
    return 0


def measure(aws: EmbeddedAws, watch: Watch, database: str, number: int) -> dict[str, float]:
    """Seconds of each phase, and of all, for one file of a kilobyte."""
    known = {execution["name"] for execution in watch.executions()}
    landed = time.time()
    data = "".join(weather_lines()[number * 5 : number * 5 + 5]).encode()
    watch.land([File(f"landing/weather/{number}.jsonl", data)], lambda _: None)
    (execution,) = [one for one in watch.executions() if one["name"] not in known]
    log = max(aws.logs.glob("*Curate*.log"), key=lambda path: path.stat().st_mtime)
    lines = {text: datetime.fromisoformat(at).timestamp() for at, text in LINE.findall(log.read_text())}
    began = next(at for text, at in lines.items() if text.startswith("began"))
    spark = next(at for text, at in lines.items() if text.startswith("Spark is up"))
    snapshot = aws.catalog().load_table((database, "weather")).current_snapshot()
    committed = snapshot.timestamp_ms / 1000 if snapshot else 0.0
    moments = {
        "event, window (2 s), function": execution["startDate"].timestamp(),
        "state machine, run, Python": began,
        "Spark starts, as the batch is decided on": spark,
        "rest of the decision, task, commit": committed,
    }
    seconds, before = {}, landed
    for phase, moment in moments.items():
        seconds[phase], before = round(moment - before, 3), moment
    return {**seconds, "from landed to visible": round(committed - landed, 3)}


if __name__ == "__main__":
    sys.exit(main())
