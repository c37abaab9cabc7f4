"""Each defence, taken away: the row of the matrix that must fail then, at a size that shows it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest.mock import patch

from botocore.config import Config

from causeway.flow import events
from causeway.flow.ledger import Ledger
from causeway.flow.manifest import SourceVersion
from causeway.lake import commit, tables
from causeway.lake.history import History
from causeway.store import links, load
from glue_jobs import batch
from glue_jobs.batch import Batch
from lambdas.batch_events.handler import Batching
from lambdas.split_batch.search import GivenUp, Search
from tests.faults import world as world_module
from tests.faults.row import Row
from tests.faults.rows import inject
from tests.faults.world import World, definition
from tests.glue_jobs import conftest
from tests.lambdas.test_batch_events import FakeStates


def _swap(target: Any, name: str, value: Any) -> Callable[[], Any]:
    return lambda: patch.object(target, name, value)


def _the_events_version(self: Batch) -> dict[str, SourceVersion | None]:
    return {s.source: SourceVersion(s.source, s.version, s.size) for s in self.manifest.sources}


def _without_removing(table: Any, design: Any, **change: Any) -> int:
    return commit.change_table(table, design, **{**change, "replace": []})


def _in_two_snapshots(table: Any, design: Any, *, add: Any, replace: Any, properties: dict[str, str]) -> int:
    if replace:
        commit.change_table(table, design, add=[], replace=replace, properties={})
    return commit.change_table(table, design, add=add, replace=[], properties=properties)


def _only_after_commits(self: History, load: Callable[[], Any]) -> Any:
    return (
        CATCH_UP(self, load)
        if getattr(load, "__name__", "") == "refresh"
        else (load(), self.ledger.watermark())
    )


CATCH_UP = History.catch_up


def _over_anything(self: Ledger, item: dict[str, Any], at: Any) -> None:
    order = {"epoch": at.epoch, "sequence": at.sequence}
    if item["item"].startswith("source#"):
        self._table.put_item(Item={"dataset": self._dataset, **item, **order})
    else:
        PUT(self, item, at)


PUT = Ledger._put_over_earlier


def _without_looking(self: History, _: Any, report: Any, replaced: list[str]) -> None:
    if replaced or report.rejected_files:
        table = self.open_quarantine()
        commit.change_table(table, add=report.rejected_files, replace=replaced, properties={})


def _whatever_epoch(self: History, news: Any, watermark: Any) -> None:
    with patch.object(self.ledger, "watermark", lambda: watermark):
        FOLLOW(self, news, watermark)


FOLLOW = History._follow


def _gives_up(_: int) -> Search:
    raise GivenUp("no search")


@contextmanager
def _no_patience() -> Iterator[None]:
    with patch.object(conftest, "PATIENT", ONCE), patch.object(world_module, "PATIENT", ONCE):
        yield


ONCE = Config(retries={"total_max_attempts": 1})


@contextmanager
def _no_retry() -> Iterator[None]:
    machine = copy.deepcopy(definition())
    machine["States"]["Curate batch"].pop("Retry")
    with patch.object(world_module, "definition", lambda: machine):
        yield


@contextmanager
def _no_way_back() -> Iterator[None]:
    machine = copy.deepcopy(definition())
    machine["States"]["Curate small batch"].pop("Catch")
    with patch.object(world_module, "definition", lambda: machine):
        yield


# What is taken away: how, the row that fails, and the size at which it does.
ABLATIONS: dict[str, tuple[Callable[[], Any], str, int]] = {
    "a name that exists is looked at": (
        _swap(FakeStates, "describe_execution", lambda *_, **__: {"status": "SUCCEEDED"}),
        "failed executions",
        20,
    ),
    "the current version is curated, not the event's": (
        _swap(Batch, "_current", _the_events_version),
        "overwrites",
        100,
    ),
    "earlier versions' rows are removed": (
        _swap(batch, "change_table", _without_removing),
        "overwrites",
        100,
    ),
    "one snapshot removes and adds": (_swap(batch, "change_table", _in_two_snapshots), "kills", 20),
    "strict compare-and-swap": (
        _swap(tables, "PROPERTIES", {**tables.PROPERTIES, "commit.retry.num-retries": "10"}),
        "interleavings",
        10,
    ),
    "the ledger is caught up before deciding": (
        _swap(History, "catch_up", _only_after_commits),
        "kills",
        20,
    ),
    "entries are written over earlier ones only": (
        _swap(Ledger, "_put_over_earlier", _over_anything),
        "stalls",
        40,
    ),
    "a ledger of another epoch is no knowledge": (
        _swap(History, "_follow", _whatever_epoch),
        "rebuilds",
        12,
    ),
    "the quarantine follows each commit once": (
        _swap(History, "_quarantine_rows", _without_looking),
        "kills",
        20,
    ),
    "what no object causes is told apart": (
        _swap(batch, "not_the_objects", lambda *_: nullcontext()),
        "common failures",
        20,
    ),
    "reconciliation": (_swap(World, "reconcile", lambda _: 0), "lost events", 300),
    "only failed messages are acknowledged late": (
        _swap(Batching, "batch_events", lambda self, m: (BATCH(self, m), {"batchItemFailures": []})[1]),
        "throttling",
        400,
    ),
    "throttling is waited out": (_no_patience, "throttling", 60),
    "a full Glue is waited for": (_no_retry, "throttling", 300),
    "the job is the function's way back": (_no_way_back, "small batches: unsteady function", 200),
    "batches are split": (_swap(Search, "begin", _gives_up), "killers", 3),
    "keys are decoded as forms": (
        _swap(events, "unquote_plus", lambda key, **_: key),
        "keys",
        100,
    ),
    "rows that wait come back": (_swap(links, "_move_back", lambda *_: 0), "store: repeats", 4),
    "one load of the store at a time": (_swap(load, "_lock", lambda _: None), "store: at once", 3),
    "what the table holds starts nothing": (
        _swap(Batching, "_undone", lambda _self, changes, _dataset: list(changes)),
        "duplicates",
        300,
    ),
}
BATCH: Any = Batching.batch_events


def inject_without(name: str, seed: int) -> Row:
    """The row that must fail, without the defence of this name."""
    take_away, row, n = ABLATIONS[name]
    with take_away():
        return inject(row, n, seed)
