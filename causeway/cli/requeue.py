"""`causeway reconcile`, `backfill`, `replay`: sources are queued again, and the pipeline does the rest."""

import re
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from causeway.cli.output import Exit, Json, Progress, answer, printable
from causeway.cli.unclaimed import lines as unclaimed_lines
from causeway.flow.datasets import LANDING_PREFIX
from causeway.flow.landing import GRACE, Checkpoint, Landing, Wanted, wanted_again
from causeway.flow.manifest import Manifest

BATCH = re.compile(r"[0-9a-f]{32}")
After = Annotated[str, typer.Option(metavar="KEY", help="Go on after this key.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count.")]
PREFIXES = f"{LANDING_PREFIX}<dataset>/…"


def reconcile(
    datasets: Annotated[list[str] | None, typer.Argument(metavar="DATASET", help="By default all.")] = None,
    prefix: Annotated[str | None, typer.Option(help=f"Only what lies below {PREFIXES}")] = None,
    grace_minutes: Annotated[
        float, typer.Option(metavar="N", help="Leave younger objects to their own events.")
    ] = GRACE.total_seconds() / 60,
    after: After = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Queue what landed and is not in the tables."""
    from causeway.operate.unclaimed import unclaimed

    deployment = _deployment()
    names = deployment.datasets(datasets or [])
    below = deployment.prefixes(prefix or LANDING_PREFIX)
    prefixes = {name: below[name] for name in names if name in below}
    grace = timedelta(minutes=grace_minutes)
    checkpoints = deployment.landing.walk(prefixes, after=after, older_than=grace, dry_run=dry_run)
    rest = {} if datasets or prefix else unclaimed(deployment)
    return _run(deployment, checkpoints, after=after, dry_run=dry_run, as_json=as_json, rest=rest)


def backfill(
    prefix: Annotated[str, typer.Argument(help=f"{PREFIXES}, or {LANDING_PREFIX} for all.")],
    after: After = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Queue what was in landing before the pipeline was."""
    deployment = _deployment()
    checkpoints = deployment.landing.walk(deployment.prefixes(prefix), after=after, dry_run=dry_run)
    return _run(deployment, checkpoints, after=after, dry_run=dry_run, as_json=as_json)


def replay(
    batch_or_prefix: Annotated[
        str | None, typer.Argument(metavar="BATCH|PREFIX", help="A batch's id, or a prefix.")
    ] = None,
    quarantined: Annotated[
        bool, typer.Option("--quarantined", help="Also what has quarantined rows.")
    ] = False,
    dead_letters: Annotated[
        bool, typer.Option("--dead-letters", help="Move dead letters back to the queue.")
    ] = False,
    after: After = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Queue a batch or a prefix again: what its contract changed for, or what is missing."""
    if not batch_or_prefix and not dead_letters:
        raise typer.BadParameter("name a batch or a prefix, or say --dead-letters")
    deployment = _deployment()
    landing, contracts = deployment.landing, deployment.contracts

    def wanted(dataset: str) -> Wanted:
        return wanted_again(contracts[dataset].version, quarantined=quarantined)

    checkpoints: Iterable[Checkpoint] = ()
    if batch_or_prefix and BATCH.fullmatch(batch_or_prefix):
        manifest = _manifest(landing, batch_or_prefix, contracts)
        newest = landing.newest(s.source for s in manifest.sources if s.source > after)
        dataset, pages = manifest.dataset, [newest] if newest else []
        checkpoints = landing.requeue(dataset, pages, wanted(dataset), dry_run=dry_run)
    elif batch_or_prefix:
        checkpoints = landing.walk(deployment.prefixes(batch_or_prefix), wanted, after=after, dry_run=dry_run)
    moved = _move_dead_letters(deployment) if dead_letters else None
    return _run(deployment, checkpoints, after=after, dry_run=dry_run, as_json=as_json, moved=moved)


def _deployment() -> Any:
    from causeway.operate.deployment import Deployment

    return Deployment.find()


def _move_dead_letters(deployment: Any) -> int:
    from causeway.operate.queues import move

    landing = deployment.landing
    with Progress("dead letters moved") as progress:
        return move(landing.sqs, deployment.lake["DeadLettersUrl"], landing.queue_url, progress.add)


def _run(
    deployment: Any,
    checkpoints: Iterable[Checkpoint],
    *,
    after: str,
    dry_run: bool,
    as_json: bool,
    moved: int | None = None,
    rest: Mapping[str, Any] | None = None,
) -> int:
    """Go through all of it, and say how much it was, or after which key to go on."""
    from causeway.operate.forecast import forecast
    from causeway.operate.queues import Pace

    seen: Counter[str] = Counter()
    queued: Counter[str] = Counter()
    size: Counter[str] = Counter()
    stopped: BaseException | None = None
    pace: Callable[[int], None] = Pace.of(deployment)
    with Progress("looked at") as progress:
        try:
            for checkpoint in checkpoints:
                seen[checkpoint.dataset] += checkpoint.seen
                queued[checkpoint.dataset] += checkpoint.queued
                size[checkpoint.dataset] += checkpoint.size
                after = checkpoint.after
                progress.add(checkpoint.seen, f", {queued.total():,} due")
                pace(0 if dry_run else checkpoint.queued)
        except (KeyboardInterrupt, OSError, BotoCoreError, ClientError) as error:
            stopped = error
    forecasts = {name: forecast(deployment.settings, name, due, size[name]) for name, due in queued.items()}
    document = {
        "dry_run": dry_run,
        "datasets": {name: {"seen": seen[name], "queued": queued[name]} for name in seen},
        "forecasts": {name: asdict(takes) for name, takes in forecasts.items()},
        "after": after if stopped else None,
        "dead_letters_moved": moved or 0,
        **(rest or {}),
    }
    answer(document, lambda: _text(document, forecasts, moved), as_json)
    if stopped is None:
        return Exit.FINE
    go_on = f"go on with --after {_shell_word(after)}" if after else "run it again"
    print(f"causeway: {printable(str(stopped)) or 'interrupted'}; {go_on}", file=sys.stderr)
    return Exit.INTERRUPTED if isinstance(stopped, KeyboardInterrupt) else Exit.FAILED


def _shell_word(key: str) -> str:
    """The key as a shell reads it back: `a b` as `'a b'`, a lone escape character as `$'\\x1b'`."""
    if key.isprintable():
        return shlex.quote(key)
    return "$'" + "".join(f"\\x{byte:02x}" for byte in key.encode()) + "'"


def _text(document: Mapping[str, Any], forecasts: Mapping[str, Any], moved: int | None) -> Iterator[str]:
    if moved is not None:
        yield f"dead letters: {moved:,} moved back to the queue"
    done = "due" if document["dry_run"] else "queued"
    for name, count in document["datasets"].items():
        takes = f": {forecasts[name]}" if count["queued"] else ""
        yield f"{name}: {count['seen']:,} looked at, {count['queued']:,} {done}{takes}"
    if moved is None and not document["datasets"]:
        yield "nothing there to look at"
    yield from unclaimed_lines(document)


def _manifest(landing: Landing, batch: str, datasets: Iterable[str]) -> Manifest:
    for dataset in datasets:
        if manifest := landing.manifest(dataset, batch):
            return manifest
    raise FileNotFoundError(f"no dataset has a batch {batch}; `causeway status` shows where batches are")
