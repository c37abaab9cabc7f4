"""`python -m tests.faults`: the fault matrix, and what becomes of it when a defence is taken away."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from pathlib import Path

import tests.conftest  # noqa: F401 - no real AWS
from tests.faults.ablations import ABLATIONS
from tests.faults.rows import ROWS, Row

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

`make faults` runs it at the size of the tests, `make faults ARGS=--full` at sizes that take
hours. Failures are sources or cases for which it did not hold; with none in N, their share is below 3/N with
95 % confidence.

## The matrix

{matrix}

## Without a defence

The same rows, with one defence taken away: each must fail.

{ablations}

The last full run: seed {seed}, {took:.0f} s.
"""


def line(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def header(*names: str) -> list[str]:
    return [line(*names), "|" + "---|" * len(names)]


def matrix(rows: list[str], *, full: bool, seed: int) -> tuple[list[str], int]:
    """The matrix's lines, printed as they come, and the failures."""
    lines, failures = header(*MATRIX), 0
    print("\n".join(lines), flush=True)
    for name in rows:
        do, small, large = ROWS[name]
        row: Row = do(large if full else small, seed)
        failures += row.failures
        measured = "; ".join(row.measured)
        lines.append(line(row.fault, f"{row.n:,}", row.must_hold, row.failures, row.bound, measured))
        print(lines[-1], flush=True)
    return lines, failures


def ablations(seed: int) -> tuple[list[str], int]:
    """A line for each defence, and how many of them nothing missed."""
    lines, not_missed = header(*TAKEN_AWAY), 0
    print("\n".join(lines), flush=True)
    for name, (take_away, row, n) in ABLATIONS.items():
        with take_away():
            found = ROWS[row][0](n, seed)
        not_missed += found.failures == 0
        lines.append(line(name, found.fault, f"{n:,}", found.failures or "none: not missed"))
        print(lines[-1], flush=True)
    return lines, not_missed


def main() -> int:
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("--full", action="store_true", help="thousands of cases; takes hours")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", nargs="*", choices=list(ROWS), default=list(ROWS), metavar="ROW")
    parser.add_argument("--update", action="store_true", help="write the tables into docs/faults.md")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    started = time.monotonic()
    lines, failures = matrix(options.rows, full=options.full, seed=options.seed)
    print()
    without, not_missed = ablations(options.seed)
    took = time.monotonic() - started
    if options.update:
        tables = {"matrix": "\n".join(lines), "ablations": "\n".join(without)}
        PAGE.write_text(PROSE.format(**tables, seed=options.seed, took=took))
    print(f"\n{'FAILED.' if failures or not_missed else 'Done.'} FAILURES={failures} NOT_MISSED={not_missed}")
    print(f"TOOK={took:.0f}s")
    return 1 if failures or not_missed else 0


if __name__ == "__main__":
    sys.exit(main())
