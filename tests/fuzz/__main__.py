"""`python -m tests.fuzz --minutes N`: look for values that come out wrong; the smallest are printed first."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from hypothesis import HealthCheck, given, seed, settings

from tests.fuzz.properties import PROPERTIES

EXAMPLES = 200  # of a property between two looks at the clock


def search(name: str, *, examples: int, seed: int) -> str | None:
    """The smallest difference that so many examples show, None if they show none."""
    check, strategy = PROPERTIES[name]
    options: dict[str, Any] = {"max_examples": examples, "database": None, "deadline": None}

    @_seeded(seed)
    @settings(**options, suppress_health_check=list(HealthCheck), print_blob=False)
    @given(drawn=strategy)
    def look(drawn: Any) -> None:
        check(drawn)

    try:
        look()
    except Exception as error:
        shown = [
            f"{type(e).__name__}: {str(e).splitlines()[0]}" for e in getattr(error, "exceptions", [error])
        ]
        return min(shown, key=len)
    return None


_seeded = seed


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args(arguments)
    until, rounds, differences = time.monotonic() + 60 * options.minutes, 0, {}
    while time.monotonic() < until:
        for name in PROPERTIES:
            if name not in differences and time.monotonic() < until:
                difference = search(name, examples=EXAMPLES, seed=options.seed + rounds)
                differences.update({name: difference} if difference else {})
        rounds += 1
    for name, difference in sorted(differences.items(), key=lambda item: len(item[1])):
        print(f"{name}\n  {difference[:1000]}")
    kinds = f"PROPERTIES={len(PROPERTIES)} EXAMPLES={rounds * EXAMPLES:,} SEED={options.seed}"
    print(f"Done. {kinds} DIFFERENCES={len(differences)}")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
