"""`python -m tests.faults`: the fault matrix, at a size that fits the tests or, with --full, in full."""

from __future__ import annotations

import argparse
import sys
import time

import tests.conftest  # noqa: F401 - no real AWS
from tests.faults.rows import ROWS, Row

HEADER = "| fault | N | must hold | failures | 95 % bound | measured |\n|---|---|---|---|---|---|"


def line(row: Row) -> str:
    cells = (row.fault, f"{row.n:,}", row.must_hold, row.failures, row.bound, "; ".join(row.measured))
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("--full", action="store_true", help="thousands of cases; takes about half an hour")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=list(ROWS), metavar="ROW")
    parser.add_argument("--update", action="store_true", help="write the table into docs/faults.md")
    options = parser.parse_args()
    print(HEADER, flush=True)
    lines, failures, started = [], 0, time.monotonic()
    for name in options.rows:
        do, small, full = ROWS[name]
        row = do(full if options.full else small, options.seed)
        failures += row.failures
        lines.append(line(row))
        print(lines[-1], flush=True)
    print(f"{'FAILED.' if failures else 'Done.'} FAILURES={failures} TOOK={time.monotonic() - started:.0f}s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
