"""`causeway trace`: what became of one file, from its event to its commit, and what that cost."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from causeway.cli.output import Exit, Json, answer, printable

NEXT = {
    "failed": "once the cause is mended: causeway replay {batch}",
    "dead_lettered": "once the cause is mended: causeway replay --dead-letters",
    "unaccounted": "nothing speaks of it any more: causeway reconcile {dataset}",
    "quarantined": "rejected whole: causeway quarantine says why; land it again, or delete it",
    "waiting": "its batch runs, its event is among {queued:,} messages, or it landed within 15 minutes",
}
NEED_A_PERSON = ("failed", "dead_lettered", "unaccounted", "quarantined")


def trace(
    key: Annotated[
        str,
        typer.Argument(metavar="KEY", help="landing/<dataset>/…, its s3:// URI, or what follows landing/."),
    ],
    as_json: Json = False,
) -> int:
    """Tell a file's story: event, batch, execution, run, rows, quarantine, snapshot, profile, cost.

    Exits 1 if its newest version needs a person.
    """
    from causeway.operate import trace as story
    from causeway.operate.deployment import Deployment

    deployment = Deployment.find()
    document = story.trace(deployment, story.key_of(deployment, key), datetime.now(UTC))
    held = document["held"]
    document["profile"] = _profile(deployment, document["dataset"], held["snapshot"]) if held else None
    answer(document, lambda: _text(document), as_json)
    newest = document["versions"][0]["state"] if document["versions"] else ""
    return Exit.ATTENTION if newest in NEED_A_PERSON else Exit.FINE


def _profile(deployment: Any, dataset: str, snapshot: str) -> str | None:
    """The URI of the first profile that has the snapshot's rows; None if there is none yet."""
    from causeway.lake.profiles import Profiles
    from causeway.lake.tables import find_table, glue_catalog

    settings = deployment.settings
    name = (settings.database("lake"), deployment.contracts[dataset].table)
    if not (table := find_table(glue_catalog(settings.company.region), name)):
        return None
    profiles = Profiles(table.location())
    first = profiles.first_with(deployment.client("s3"), table, int(snapshot))
    return profiles.uri(first) if first else None


def _text(document: Mapping[str, Any]) -> Iterator[str]:
    yield printable(document["key"])
    if not document["versions"]:
        yield "  S3 keeps no version of it any more"
    for version in document["versions"]:
        state, batches = version["state"], version["batches"]
        of = f"{version['size']:,} bytes, landed {version['landed']}"
        yield f"version {version['version']}, {of}: {state.replace('_', '-')}"
        yield from (f"  {line}" for batch in batches for line in _batch(batch))
        if not batches and state != "deleted":
            yield "  no batch was told of it, as far as manifests are kept and were looked through"
        if version is document["versions"][0] and state in NEXT:
            batch, queued = batches[-1]["batch"] if batches else "", sum(document["queue"].values())
            yield f"  {NEXT[state].format(batch=batch, dataset=document['dataset'], queued=queued)}"
    if held := document["held"]:
        of = f"of version {held['version']}" if held["version"] else "and no version: it was removed"
        yield f"the table holds {held['rows']:,} rows {of}, since snapshot {held['snapshot']}"
        yield f"profile: {document['profile'] or 'none with these rows yet'}"


def _batch(batch: Mapping[str, Any]) -> Iterator[str]:
    yield f"event seen: batch {batch['batch']} of {batch['sources']:,} sources, written {batch['written']}"
    for one in batch["executions"]:
        ended = f" to {one['stopped']}" if one["stopped"] else ""
        why = f": {printable(one['cause'])}" if one["cause"] else ""
        yield f"execution {one['name']} {one['status']}, {one['started']}{ended}{why}"
    for run in batch["runs"]:
        yield f"run {run['id']} {run['state']}, ended {run['at']}, ${run['dollars']:,.6f}"
    if rows := batch["rows"]:
        reasons = ", ".join(f"{code} {count:,}" for code, count in rows["reasons"].items())
        landed, curated, quarantined = (f"{rows[name]:,}" for name in ("landed", "curated", "quarantined"))
        why = f" ({reasons})" if reasons else ""
        yield f"rows: landed {landed} = curated {curated} + quarantined {quarantined}{why}"
    if batch["at"]:
        yield f"snapshot {batch['snapshot']}, committed {batch['at']}"
    if batch["runs"]:
        yield f"cost: ${batch['dollars']:,.6f} the batch, ${batch['share']:,.6f} this file by its bytes"
