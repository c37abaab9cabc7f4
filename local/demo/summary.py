"""What the demo prints at its end."""

from collections.abc import Sequence
from typing import Any

from causeway.cli.output import table
from local.demo.accounts import COUNTS


def print_summary(document: dict[str, Any], answer: list[dict[str, Any]], problems: Sequence[str]) -> None:
    """demo.json's document as text, the partner's answer, and what does not hold."""
    datasets, refusals = document["datasets"], document["refusals"]
    snapshot, seconds = document["snapshots"]["flights"], document["seconds"]
    print("\nWhat became of every row")
    header = ("dataset", *(name.replace("_", " ") for name in COUNTS))
    print(table(header, [[dataset, *(rows[name] for name in COUNTS)] for dataset, rows in datasets.items()]))
    print("\nWhy rows, objects and messages were quarantined")
    reasons = {**{name: rows["reasons"] for name, rows in datasets.items()}, "—": document["unrouted"]}
    counted = [[name, code, n] for name, codes in reasons.items() for code, n in sorted(codes.items())]
    print(table(("dataset", "reason", "records"), counted))
    print("\nThe partner asked: which airlines kept New York waiting longest?")
    print(table(list(answer[0]), [list(row.values()) for row in answer]))
    refused = list(refusals.values()).count("refused")
    print(f"\nThe partner was refused {refused} of {len(refusals)} things it must not do:")
    for name, outcome in refusals.items():
        print(f"  {'✓' if outcome == 'refused' else '✗'} {name}: {outcome}")
    print(f"\nSnapshot of flights: {snapshot} (a training set is a snapshot)")
    print("Seconds: " + " · ".join(f"{phase} {length}" for phase, length in seconds.items()))
    print(
        "Next: KEEP=1 make demo (leaves this AWS up) · make test · make deploy (to a sandbox) · make help\n"
    )
    for problem in problems:
        print(f"✗ {problem}")
    total = {name: sum(rows[name] for rows in datasets.values()) for name in COUNTS}
    print(
        f"{'FAILED.' if problems else 'Done.'} LANDED={total['landed']} CURATED={total['curated']} "
        f"QUARANTINED={total['quarantined']} READ={total['read_by_partner']} REFUSED={len(refusals)} "
        f"SNAPSHOT={snapshot} TOOK={seconds['total']:.0f}s",
        flush=True,
    )
