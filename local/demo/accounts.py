"""What became of every row, by dataset, and whether it adds up."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from causeway.flow.datasets import dataset_of
from causeway.flow.report import Report, SourceReport
from local.demo.story import File

COUNTS = ("landed", "curated", "quarantined", "read_by_partner", "superseded")


def account_for(files: Iterable[File], reports: Iterable[Report], read: Mapping[str, int]) -> dict[str, Any]:
    """Per dataset: landed (as counted in the files), curated, quarantined and read by the partner."""
    landed: Counter[str | None] = Counter()
    for file in files:
        landed[dataset_of(file.key)] += file.rows or 0
    current, superseded = newest(reports)
    return {
        dataset: {
            "landed": landed[dataset],
            "curated": sum(source.curated for source in sources.values()),
            "quarantined": sum(source.quarantined for source in sources.values()),
            "reasons": dict(sorted(sum((Counter(s.reasons) for s in sources.values()), Counter()).items())),
            "unreadable_objects": sum(source.unreadable for source in sources.values()),
            "superseded": superseded[dataset],
            "read_by_partner": read[dataset],
        }
        for dataset, sources in sorted(current.items())
    }


def newest(reports: Iterable[Report]) -> tuple[dict[str, dict[str, SourceReport]], Counter[str]]:
    """By dataset: what became of each source's newest version; and rows of versions superseded since."""
    current: dict[str, dict[str, SourceReport]] = {}
    superseded: Counter[str] = Counter()
    for report in reports:
        sources = current.setdefault(report.dataset, {})
        for source in report.sources:
            if source.source in sources:
                superseded[report.dataset] += sources[source.source].landed
            sources[source.source] = source
    return current, superseded


def problems_of(account: Mapping[str, Any], refusals: Mapping[str, str]) -> list[str]:
    """What does not hold, a line each; empty when all is well."""
    problems = []
    for dataset, rows in account.items():
        landed, curated, quarantined = rows["landed"], rows["curated"], rows["quarantined"]
        if landed != curated + quarantined:
            problems.append(f"{dataset}: landed {landed} ≠ curated {curated} + quarantined {quarantined}")
        if curated != rows["read_by_partner"]:
            problems.append(f"{dataset}: curated {curated}, but the partner read {rows['read_by_partner']}")
    not_refused = {name: outcome for name, outcome in refusals.items() if outcome != "refused"}
    return problems + [f"not refused: {name} ({outcome})" for name, outcome in not_refused.items()]
