"""`python -m tests.faults`: the fault matrix, and what becomes of it when a defence is taken away."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import tests.conftest  # noqa: F401 - no real AWS
from tests.faults.ablations import ABLATIONS, inject_without
from tests.faults.row import Row
from tests.faults.rows import ROWS, inject

PAGE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
MATRIX = ("fault", "N", "must hold", "failures", "95 % bound", "measured")
TAKEN_AWAY = ("taken away", "row", "N", "failures")
PROSE = """\
# Faults

The promise is that the curated table ends as if each source's newest version had been curated exactly
once: whatever order and however often events come, and wherever a process dies. These rows break things
on purpose, with seeded randomness, in the real batching function, the real engine, real Iceberg commits
and the synthesized state machine, run by the embedded AWS's interpreter (`tests/faults/world.py` says what
is not real: the queue, the clock and Spark). What needs real processes and real Spark is in
`tests/local/test_end_to_end.py` and `tests/glue_jobs/test_cluster.py`.

`make faults` runs it at the size of the tests, `make faults ARGS=--full` at the sizes below. Failures are
sources or cases for which it did not hold; with none in N, their share is below 3/N with 95 % confidence.

## The matrix

{matrix}

## Without a defence

The same rows, with one defence taken away: each must fail.

{ablations}

Seed {seed}; {took:.0f} minutes on {cores} cores.

## What it found

Each of these ended as a defence and a test; the rows above ran with them.

- botocore's "standard" retries have a quota: under lasting throttling, a client that lives long gives up.
- Two first batches that both made the table: one of them failed.
- A rebuild of the ledger beside a commit. Who followed the history did not notice that a new epoch had
  begun, took the absence of entries for knowledge, and left an earlier version's rejected rows in quarantine
  (one interleaving in a thousand; now a row of its own). And a ledger that was only begun could be taken for
  a whole one.
- Deletes by a lifecycle rule looked like people's; undeleted objects met an execution that had succeeded.
"""


def line(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def header(*names: str) -> list[str]:
    return [line(*names), "|" + "---|" * len(names)]


def matrix(rows: list[Future[Row]]) -> tuple[list[str], int]:
    """The matrix's lines, printed as they come, and the failures."""
    lines, failures = header(*MATRIX), 0
    print("\n".join(lines), flush=True)
    for row in (future.result() for future in rows):
        failures += row.failures
        measured = "; ".join(row.measured)
        lines.append(line(row.fault, f"{row.n:,}", row.must_hold, row.failures, row.bound, measured))
        print(lines[-1], flush=True)
    return lines, failures


def ablations(rows: dict[str, Future[Row]]) -> tuple[list[str], int]:
    """A line for each defence, and how many of them nothing missed."""
    lines, not_missed = header(*TAKEN_AWAY), 0
    print("\n".join(lines), flush=True)
    for name, row in ((name, future.result()) for name, future in rows.items()):
        not_missed += row.failures == 0
        lines.append(line(name, row.fault, f"{row.n:,}", row.failures or "none: not missed"))
        print(lines[-1], flush=True)
    return lines, not_missed


def main() -> int:
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("--full", action="store_true", help="thousands of cases; takes an hour or two")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", nargs="*", choices=list(ROWS), default=list(ROWS), metavar="ROW")
    parser.add_argument("--update", action="store_true", help="write the tables into docs/faults.md")
    options = parser.parse_args()
    started = time.monotonic()
    with ProcessPoolExecutor(
        mp_context=get_context("spawn"), initializer=logging.disable, initargs=(logging.CRITICAL,)
    ) as pool:
        sizes = {name: large if options.full else small for name, (_, small, large) in ROWS.items()}
        rows = [pool.submit(inject, name, sizes[name], options.seed) for name in options.rows]
        taken_away = {name: pool.submit(inject_without, name, options.seed) for name in ABLATIONS}
        lines, failures = matrix(rows)
        print()
        without, not_missed = ablations(taken_away)
    took = time.monotonic() - started
    if options.update:
        tables = {"matrix": "\n".join(lines), "ablations": "\n".join(without)}
        PAGE.write_text(PROSE.format(**tables, seed=options.seed, took=took / 60, cores=os.cpu_count()))
    print(f"\n{'FAILED.' if failures or not_missed else 'Done.'} FAILURES={failures} NOT_MISSED={not_missed}")
    print(f"TOOK={took:.0f}s")
    return 1 if failures or not_missed else 0


if __name__ == "__main__":
    sys.exit(main())
