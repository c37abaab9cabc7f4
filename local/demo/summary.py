"""What the demo prints at its end."""

from collections.abc import Sequence
from typing import Any

from causeway.cli.output import show, table
from local.demo.accounts import COUNTS


def print_summary(document: dict[str, Any], answer: list[dict[str, Any]], problems: Sequence[str]) -> None:
    """demo.json's document as text, the partner's answer, and what does not hold."""
    datasets, refusals = document["datasets"], document["refusals"]
    snapshot, seconds = document["snapshots"]["flights"], document["seconds"]
    header = ("dataset", *(name.replace("_", " ") for name in COUNTS))
    counts = [[dataset, *(rows[name] for name in COUNTS)] for dataset, rows in datasets.items()]
    show("\nWhat became of every row", table(header, counts))

    codes = {**{name: rows["reasons"] for name, rows in datasets.items()}, "—": document["unrouted"]}
    reasons = [[name, code, n] for name, counted in codes.items() for code, n in sorted(counted.items())]
    show(
        "\nWhy rows, objects and messages were quarantined (a row counts once for each of its faults)",
        table(("dataset", "reason", "records"), reasons),
    )

    show("\nThe partner asked: which airlines kept New York waiting longest?")
    show(table(list(answer[0]), [list(row.values()) for row in answer]))
    refused = list(refusals.values()).count("refused")
    show(f"\nThe partner was refused {refused} of {len(refusals)} things it must not do:")
    show(*(f"  {'✓' if end == 'refused' else '✗'} {attempt}: {end}" for attempt, end in refusals.items()))

    show(f"\nSnapshot of flights: {snapshot} (a training set is a snapshot)")
    show("Seconds: " + " · ".join(f"{phase} {length}" for phase, length in seconds.items()))
    show("Next: KEEP=1 make demo (leaves this AWS up) · make test · make deploy (to a sandbox) · make help\n")
    show(*(f"✗ {problem}" for problem in problems))
    total = {name: sum(rows[name] for rows in datasets.values()) for name in COUNTS}
    show(
        f"{'FAILED.' if problems else 'Done.'} LANDED={total['landed']} CURATED={total['curated']} "
        f"QUARANTINED={total['quarantined']} READ={total['read_by_partner']} REFUSED={len(refusals)} "
        f"SNAPSHOT={snapshot} TOOK={seconds['total']:.0f}s"
    )
