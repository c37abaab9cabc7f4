"""A source's story: each of its versions from its event to its commit, and what that cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

from causeway.contract.model import ContractError
from causeway.flow.datasets import LANDING_PREFIX, dataset_of, prefix_of
from causeway.flow.landing import Landing, Listed
from causeway.flow.ledger import Ledger
from causeway.flow.manifest import BATCHES_PREFIX
from causeway.flow.nearest import did_you_mean
from causeway.flow.report import Report
from causeway.flow.runs import runs_since
from causeway.operate.accounting import classify, pipeline_state
from causeway.operate.deployment import Deployment
from causeway.operate.executions import executions_of

DELETED = "deleted"  # beside the classes of accounting: the version is a delete marker
VERSIONS = 5  # of a source, the newest
# Manifests written after a version landed that are looked through for it: its first batch is among the first.
LOOKED_THROUGH = 300
READERS = 16
Rows = dict[str | None, dict[str, Any] | None]  # what a report says of each version of a source


def key_of(deployment: Deployment, name: str) -> str:
    """The key in landing that a name means: a key, its s3:// URI, `<dataset>/<file>`, or a dataset's file.

    Raises ContractError if it is of another bucket or of no dataset, or of several.
    """
    landing, name_there = deployment.landing, name
    if name.startswith("s3://"):
        bucket, _, name_there = name.removeprefix("s3://").partition("/")
        if bucket != landing.bucket:
            raise ContractError(f"{name}: the landing bucket is {landing.bucket}")
    elif not name.startswith(LANDING_PREFIX):
        within = [f"{prefix_of(dataset)}{name}" for dataset in deployment.contracts]
        known = sorted({listed.source for listed in landing.newest([f"{LANDING_PREFIX}{name}", *within])})
        if len(known) > 1:
            raise ContractError(f"{name}: several datasets have it; say which: {', '.join(known)}")
        name_there = known[0] if known else f"{LANDING_PREFIX}{name}"
    if dataset := dataset_of(name_there):
        deployment.datasets([dataset])
    else:
        deployment.prefixes(name_there)
    return name_there


def trace(deployment: Deployment, key: str, now: datetime) -> dict[str, Any]:
    """The JSON object of a key's newest versions, newest first; sizes in bytes, money in US dollars.

    Raises FileNotFoundError, with the nearest name, if S3 and the ledger know of none.
    """
    landing, dataset = deployment.landing, dataset_of(key)
    versions, held = _versions(landing, key)[:VERSIONS], landing.known(dataset, [key])[0].get(key)
    if not versions and not held:
        raise FileNotFoundError(f"nothing landed as {key}{did_you_mean(key, _beside(landing, key))}")
    state, pending = pipeline_state(deployment, [dataset], now, count_only=False)
    batches = list(_batches(deployment, key, versions))
    told = [
        {
            "version": listed.version,
            "landed": _text(listed.at),
            "size": listed.size,
            "state": DELETED if listed.deleted else classify(listed, held, pending),
            "batches": [
                {**batch, "rows": rows[listed.version]} for batch, rows in batches if listed.version in rows
            ],
        }
        for listed in versions
    ]
    waiting = {"queue": state["queue"], "dead_letters": state["dead_letters"]}
    return {"key": key, "dataset": dataset, "held": held and asdict(held), **waiting, "versions": told}


def _versions(landing: Landing, key: str) -> list[Listed]:
    """Newest first; markers of deletions are among them."""
    # Keys that begin like this one follow it.
    pages = takewhile(lambda page: page[0].source == key, landing.pages(key))
    versions = [listed for page in pages for listed in page if listed.source == key]
    return sorted(versions, key=lambda listed: (listed.at, listed.latest), reverse=True)


def _beside(landing: Landing, key: str) -> list[str]:
    """Keys in the same folder, or else of the same dataset: of either the first thousand versions."""
    folders = (f"{key.rpartition('/')[0]}/", prefix_of(dataset_of(key)))
    pages = (next(landing.pages(folder), []) for folder in folders)
    return [listed.source for listed in next(filter(None, pages), [])]


def _batches(
    deployment: Deployment, key: str, versions: Iterable[Listed]
) -> Iterator[tuple[dict[str, Any], Rows]]:
    """Batches that were told of one of the versions, oldest first; by version, what became of its rows."""
    landing, dataset, machine = deployment.landing, dataset_of(key), deployment.pipeline["StateMachine"]
    written, states = _written(landing, dataset), deployment.client("stepfunctions")
    wanted = {
        batch
        for listed in versions
        for batch in [batch for batch, at in written.items() if at >= listed.at][:LOOKED_THROUGH]
    }
    with ThreadPoolExecutor(READERS) as pool:
        read = pool.map(lambda batch: landing.manifest(dataset, batch), sorted(wanted))
        sources = {m.batch: m.sources for m in read if m and key in {source.source for source in m.sources}}
    since = min((written[batch] for batch in sources), default=datetime.now(UTC))
    runs = [run for run in runs_since(landing.ledger, since) if run.dataset == dataset]
    # A part of a batch that was split has no execution: what it did is told of the batch.
    whole = {run.part: run.batch for run in runs if run.batch}
    for batch in sorted(sources, key=written.__getitem__):
        if whole.get(batch, batch) != batch:
            continue
        own = [run for run in runs if run.batch == batch]
        parts = [part for part in sources if whole.get(part, part) == batch]
        committed, rows = _commit(landing, dataset, parts, key)
        (mine,) = (source for source in sources[batch] if source.source == key)
        size, dollars = sum(source.size for source in sources[batch]), sum(float(run.dollars) for run in own)
        told = {
            "batch": batch,
            "written": _text(written[batch]),
            "sources": len(sources[batch]),
            "executions": list(executions_of(states, machine, dataset, batch)),
            "runs": [{"id": r.id, "state": r.state, "at": r.at, "dollars": float(r.dollars)} for r in own],
            **{name: committed.get(name) for name in ("at", "snapshot")},
            "dollars": dollars,
            "share": round(dollars * (mine.size / size if size else 1 / len(sources[batch])), 6),  # by bytes
        }
        # Whatever version its event spoke of, the job curates what S3 holds then.
        yield told, {mine.version: None, **rows}


def _written(landing: Landing, dataset: str) -> dict[str, datetime]:
    """When each of the dataset's manifests was written, by batch, oldest first."""
    prefix, suffix = f"{BATCHES_PREFIX}{dataset}/", "/manifest.json"
    pages = landing.s3.get_paginator("list_objects_v2").paginate(Bucket=landing.bucket, Prefix=prefix)
    listed = [one for page in pages for one in page.get("Contents", []) if one["Key"].endswith(suffix)]
    listed.sort(key=lambda one: one["LastModified"])
    return {one["Key"][len(prefix) : -len(suffix)]: one["LastModified"] for one in listed}


def _commit(landing: Landing, dataset: str, parts: Iterable[str], key: str) -> tuple[Mapping[str, Any], Rows]:
    """The ledger's item of a batch, of the part that had the source if one did, and the source's rows."""
    committed: Mapping[str, Any] = {}
    rows: Rows = {}
    for item in (item for part in parts for item in Ledger(landing.ledger, dataset).items(f"batch#{part}")):
        stored = landing.s3.get_object(Bucket=landing.bucket, Key=item["report"])
        reported = Report.from_json(stored["Body"].read()).sources
        own: Rows = {source.version: asdict(source) for source in reported if source.source == key}
        committed, rows = (item, rows | own) if own or not committed else (committed, rows)
    return committed, rows


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
