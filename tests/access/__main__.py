"""Prints the proofs: `python -m tests.access`; with --update, writes docs/access/ anew."""

import argparse
import os
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

os.environ["CDK_VALIDATION"] = "false"

from tests.access import proof, sweep
from tests.access.intents import intents
from tests.access.policies import DEFAULT, OPTIONS, REVOKED, STORE, synthesized


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.access", description=__doc__)
    parser.add_argument("--update", action="store_true", help="write the lists of docs/access/ anew")
    options = parser.parse_args()
    start = time.monotonic()
    print("Synthesizing …", flush=True)
    for settings in (DEFAULT, OPTIONS, REVOKED, STORE):
        synthesized(settings)
    with ThreadPoolExecutor(2) as pool:
        scoring, listing = pool.submit(proof.score), pool.submit(proof.lists)
        failures = _intents()
        lists = listing.result()
        if options.update:
            sweep.update(lists.pages)
        failures += _report_lists(lists, updated=options.update)
        failures += _report_score(scoring.result())
    took = time.monotonic() - start
    print(f"Done. INTENTS={len(intents())} FAILURES={failures} TOOK={took:.0f}s")
    return 1 if failures else 0


def _intents() -> int:
    wrong = proof.intents_broken()
    print("\nIntents: what is allowed, and beside it what is not")
    for intent in intents():
        kept = not any(line.startswith((f"{intent.name}:", f"{intent.name};")) for line in wrong)
        print(f"  {'ok' if kept else 'NO'}  {intent.name}")
        print(
            textwrap.fill(
                "; ".join(intent.but), 110, initial_indent="      not: ", subsequent_indent="        "
            )
        )
    return _print(wrong)


def _report_lists(lists: proof.Lists, *, updated: bool) -> int:
    print(f"\nSweep: {lists.actions:,} actions for each of {len(lists.pages) - 1} roles")
    if updated:
        print(f"  written: {sweep.LISTS}")
        return 0
    print(f"  {'equal to docs/access/' if not lists.differences else 'differs from docs/access/:'}")
    return _print(lists.differences)


def _report_score(score: proof.Score) -> int:
    left = len(score.survivors)
    print(f"\nMutation: {score.mutants - left} of {score.mutants} single edits noticed; {left} survive")
    for mutant in score.survivors:
        print(f"  {mutant.name}: {mutant.why_equivalent() or 'UNEXPLAINED'}")
    return len(score.unexplained())


def _print(lines: list[str]) -> int:
    for line in lines:
        print(f"  {line}")
    return len(lines)


if __name__ == "__main__":
    sys.exit(main())
