"""`causeway reconcile`, `backfill`, `replay`: sources are queued again, and the pipeline does the rest."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from causeway.cli.output import Meter
from causeway.flow.datasets import LANDING_PREFIX, prefix_of
from causeway.flow.landing import GRACE, Landing, Looked, Wanted, wanted_again
from causeway.flow.manifest import Manifest
from causeway.operate.deployment import Deployment
from causeway.operate.queues import Pace, move

FORMAT_VERSION = 1
INTERRUPTED, FAILED = 130, 2
BATCH = re.compile(r"[0-9a-f]{32}")


def add_parser(subparsers: Any) -> None:
    reconcile = subparsers.add_parser("reconcile", help="queue what landed and is not in the tables")
    reconcile.add_argument("datasets", nargs="*", metavar="DATASET", help="by default all")
    reconcile.add_argument("--prefix", help=f"only what lies below {LANDING_PREFIX}<dataset>/…")
    minutes = f"{GRACE.total_seconds() / 60:g}"
    younger = "leave younger objects to their own events (default %(default)s)"
    reconcile.add_argument("--grace-minutes", type=float, default=minutes, metavar="N", help=younger)
    reconcile.set_defaults(run=reconcile_landing)
    backfill = subparsers.add_parser("backfill", help="queue what was in landing before")
    backfill.add_argument("prefix", help=f"{LANDING_PREFIX}<dataset>/…, or {LANDING_PREFIX} for all")
    backfill.set_defaults(run=backfill_landing)
    replay = subparsers.add_parser("replay", help="queue a batch or a prefix again")
    replay.add_argument("what", nargs="?", metavar="BATCH|PREFIX", help="a batch's id, or a prefix")
    replay.add_argument("--quarantined", action="store_true", help="also what has quarantined rows")
    replay.add_argument("--dead-letters", action="store_true", help="move dead letters back to the queue")
    replay.set_defaults(run=replay_sources)
    for parser in (reconcile, backfill, replay):
        parser.add_argument("--after", default="", metavar="KEY", help="go on after this key")
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def reconcile_landing(options: argparse.Namespace) -> int:
    deployment = Deployment.find()
    prefixes = {name: prefix_of(name) for name in deployment.datasets(options.datasets)}
    if options.prefix:
        prefixes = {n: p for n, p in deployment.prefixes(options.prefix).items() if n in prefixes}
    grace = timedelta(minutes=options.grace_minutes)
    looks = deployment.landing.walk(prefixes, after=options.after, older_than=grace, dry_run=options.dry_run)
    return _run(looks, options, Pace.of(deployment))


def backfill_landing(options: argparse.Namespace) -> int:
    deployment = Deployment.find()
    prefixes = deployment.prefixes(options.prefix)
    looks = deployment.landing.walk(prefixes, after=options.after, dry_run=options.dry_run)
    return _run(looks, options, Pace.of(deployment))


def replay_sources(options: argparse.Namespace) -> int:
    if not options.what and not options.dead_letters:
        print("causeway: name a batch or a prefix, or say --dead-letters", file=sys.stderr)
        return FAILED
    deployment = Deployment.find()
    landing, contracts = deployment.landing, deployment.contracts

    def wanted(dataset: str) -> Wanted:
        return wanted_again(contracts[dataset].version, quarantined=options.quarantined)

    looks: Iterable[Looked] = ()
    if options.what and BATCH.fullmatch(options.what):
        manifest = _manifest(landing, options.what, contracts)
        found = landing.newest(s.source for s in manifest.sources if s.source > options.after)
        dataset, pages = manifest.dataset, [found] if found else []
        looks = landing.requeue(dataset, pages, wanted(dataset), dry_run=options.dry_run)
    elif options.what:
        prefixes = deployment.prefixes(options.what)
        looks = landing.walk(prefixes, wanted, after=options.after, dry_run=options.dry_run)
    moved = None
    if options.dead_letters:
        with Meter("dead letters moved") as meter:
            moved = move(landing.sqs, deployment.lake["DeadLettersUrl"], landing.queue_url, meter.add)
    return _run(looks, options, Pace.of(deployment), moved)


def _run(
    looks: Iterable[Looked],
    options: argparse.Namespace,
    pace: Callable[[int], None],
    moved: int | None = None,
) -> int:
    """Go through all of it, and say how much it was, or after which key to go on."""
    seen: Counter[str] = Counter()
    queued: Counter[str] = Counter()
    after, stopped = options.after, None
    with Meter("looked at") as meter:
        try:
            for looked in looks:
                seen[looked.dataset] += looked.seen
                queued[looked.dataset] += looked.queued
                after = looked.after
                meter.add(looked.seen, f", {queued.total():,} due")
                pace(0 if options.dry_run else looked.queued)
        except (KeyboardInterrupt, OSError, BotoCoreError, ClientError) as error:
            stopped = error
    answer = {
        "format_version": FORMAT_VERSION,
        "dry_run": options.dry_run,
        "datasets": {name: {"seen": seen[name], "queued": queued[name]} for name in seen},
        "after": after if stopped else None,
        "dead_letters_moved": moved or 0,
    }
    print(json.dumps(answer) if options.json else _as_text(answer, moved))
    if stopped is None:
        return 0
    go_on = f"go on with --after {shlex.quote(after)}" if after else "run it again"
    print(f"causeway: {str(stopped) or 'interrupted'}; {go_on}", file=sys.stderr)
    return INTERRUPTED if isinstance(stopped, KeyboardInterrupt) else FAILED


def _as_text(answer: Mapping[str, Any], moved: int | None) -> str:
    lines = [] if moved is None else [f"dead letters: {moved:,} moved back to the queue"]
    done = "due" if answer["dry_run"] else "queued"
    for name, of in answer["datasets"].items():
        lines.append(f"{name}: {of['seen']:,} looked at, {of['queued']:,} {done}")
    return "\n".join(lines) or "nothing there to look at"


def _manifest(landing: Landing, batch: str, datasets: Iterable[str]) -> Manifest:
    for dataset in datasets:
        if manifest := landing.manifest(dataset, batch):
            return manifest
    raise FileNotFoundError(f"no dataset has a batch {batch}; `causeway status` shows where batches are")
