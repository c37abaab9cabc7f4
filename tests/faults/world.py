"""A whole pipeline in one process: the real batching function, state machine, engine and commits.

S3 and DynamoDB are moto's, the Iceberg tables lie in a folder, and the state machine's definition is the
synthesized one, run by the embedded AWS's interpreter. What is not real is the queue, the clock and Spark.
"""

from __future__ import annotations

import functools
import json
import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import quote_plus, urlsplit

import boto3
import botocore.endpoint
from botocore.awsrequest import AWSResponse
from ministack.services import stepfunctions

from causeway.engine.check.keys import Banned
from causeway.engine.write import FieldIds
from causeway.flow.clients import PATIENT
from causeway.flow.datasets import prefix_of
from causeway.flow.landing import Landing
from causeway.flow.manifest import Manifest, SourceVersion
from causeway.flow.parameters import BatchLimits
from lambdas.batch_events.handler import Batching
from lambdas.split_batch.handler import decide
from tests.glue_jobs.conftest import CONTRACT, SmallLake, open_lake
from tests.lambdas.test_batch_events import MACHINE, FakeStates

ROOT = Path(__file__).resolve().parents[2]
SNAPSHOTS = ROOT / "tests/stacks/company/__snapshots__"
TEMPLATE = SNAPSHOTS / "test_pipeline" / "test_the_template_is_the_reviewed_one.json"
MAX_RECEIVES = 5  # the queue's, after which a message is dead


class Killed(BaseException):
    """The process ends here: nothing that follows happens."""


@functools.cache
def definition() -> dict[str, Any]:
    """The state machine of the reviewed template, which begins with whether a batch is small."""
    resources = json.loads(TEMPLATE.read_text())["Resources"]
    machine = next(r for name, r in resources.items() if name.startswith("BatchesMachine"))
    parts = machine["Properties"]["DefinitionString"]["Fn::Join"][1]
    found: dict[str, Any] = json.loads("".join(p if isinstance(p, str) else _name(p) for p in parts))
    return found


def _name(reference: dict[str, Any]) -> str:
    return "aws" if reference == {"Ref": "AWS::Partition"} else "reference"


@dataclass
class Message:
    body: str
    receives: int = 0


@dataclass
class Expected:
    """What the table must hold of a source: the rows of the version that S3 holds, and how many rejected."""

    version: str
    rows: list[int]
    rejected: int


@dataclass
class Verdict:
    """What is wrong with the tables, as sources."""

    lost: set[str]
    doubled: set[str]
    stale: set[str]
    misplaced: set[str]  # rejected rows of it are not once in quarantine

    @property
    def faults(self) -> int:
        return len(self.lost | self.doubled | self.stale | self.misplaced)

    def __str__(self) -> str:
        return ", ".join(f"{len(found)} {name}" for name, found in vars(self).items() if found) or "none"


@dataclass
class World:
    lake: SmallLake
    random: random.Random
    batching: Batching
    states: FakeStates
    queue: list[Message] = field(default_factory=list)
    dead: list[Message] = field(default_factory=list)
    expected: dict[str, Expected] = field(default_factory=dict)
    killers: set[str] = field(default_factory=set)
    runs: Counter[str] = field(default_factory=Counter)  # of the job: "all", and those that found nothing due
    notices: list[Any] = field(default_factory=list)
    refuse_start: Callable[[], bool] = lambda: False
    fail_job: Callable[[], None] = lambda: None
    fail_call: Callable[[], None] = lambda: None  # before it curates, and once it has
    function: bool = False  # whether small batches are for the function first
    on_step: Callable[[str], None] = lambda _: None
    ids: Iterator[int] = field(default_factory=lambda: iter(range(1, 1 << 40)))

    # What people do

    def put(self, name: str, *, rows: int = 1, bad: int = 0) -> str:
        """Land a file with so many good and bad rows; returns its event."""
        ids = [next(self.ids) for _ in range(rows)]
        lines = [*(f"{n},Oslo" for n in ids), *(f"x{n},Oslo" for n in range(bad))]
        self.random.shuffle(lines)
        landed = self.lake.put(name, *lines)
        self.expected[landed.source] = Expected(landed.version, ids, bad)
        return self.event(landed)

    def delete(self, name: str) -> str:
        removed = self.lake.delete(name)
        self.expected.pop(removed.source, None)
        return self.event(removed, "ObjectRemoved:DeleteMarkerCreated")

    def removed(self, source: str, version: str) -> str:
        """The event of a version, or a delete marker, that was deleted for good."""
        return self.event(SourceVersion(source, version, 0), "ObjectRemoved:Delete")

    def event(self, landed: SourceVersion, name: str = "ObjectCreated:Put") -> str:
        described = {
            "key": quote_plus(landed.source),
            "versionId": landed.version,
            "size": landed.size,
            "sequencer": f"{next(self.ids):016X}",
        }
        return json.dumps({"Records": [{"eventName": name, "s3": {"object": described}}]})

    # What AWS does

    def send(self, *bodies: str) -> None:
        self.queue += [Message(body) for body in bodies]

    def deliver(self, most: int = 1000) -> None:
        """Invoke the function with some messages; those it reports as failed come back, or die."""
        messages, self.queue = self.queue[:most], self.queue[most:]
        delivered = [{"messageId": str(i), "body": m.body} for i, m in enumerate(messages)]
        try:
            answer = self.batching.batch_events(delivered)
            failed = {int(item["itemIdentifier"]) for item in answer["batchItemFailures"]}
        except Killed:
            failed = set(range(len(messages)))
        for i in failed:
            messages[i].receives += 1
            (self.dead if messages[i].receives >= MAX_RECEIVES else self.queue).append(messages[i])

    def execute(self, most: int = 1 << 30) -> None:
        """Run executions that were started, in some order."""
        running = [name for name, status in self.states.status.items() if status == "RUNNING"]
        self.random.shuffle(running)
        for name in running[:most]:
            self.states.status[name] = "SUCCEEDED" if self._run(name) else "FAILED"

    def drain(self, most: int = 1000) -> None:
        """Until nothing waits any more."""
        while self.queue or "RUNNING" in self.states.status.values():
            self.deliver(most)
            self.execute()

    def reconcile(self) -> int:
        """One pass; returns how many sources were queued again."""
        boto_queue = SimpleNamespace(send_message_batch=self._take)
        landing = Landing(
            "landing", "queue", self.lake.s3, boto_queue, self.batching.ledger, removing=frozenset({"trips"})
        )
        return sum(looked.queued for looked in landing.walk({"trips": prefix_of("trips")}))

    def _take(self, **asked: Any) -> dict[str, Any]:
        self.send(*(entry["MessageBody"] for entry in asked["Entries"]))
        return {}

    def _run(self, name: str) -> bool:
        machine = definition()
        started = {"Id": name, "StartTime": "2026-01-01T00:00:00Z"}
        context = {"Execution": started, "StateMachine": {"Name": "batches"}, "variables": {}}
        with patch.object(stepfunctions, "_invoke_resource", self._task):
            try:
                stepfunctions._run_sub_machine(
                    machine["States"],
                    machine["StartAt"] if self.function else "Curate batch",
                    json.loads(self.states.inputs[name]),
                    {"events": [], "executionArn": name},
                    context,
                )
            except stepfunctions._ExecutionError:
                return False
        return True

    def _task(self, resource: str, asked: dict[str, Any]) -> Any:
        """A task of the state machine, by the service it calls."""
        if "glue:startJobRun" in resource:
            return self._start_job(asked["Arguments"]["--manifest"])
        if "lambda:invoke" in resource:
            return self._call(asked["Payload"])
        if "dynamodb:getItem" in resource:
            # Step Functions' own call, not one of a process that can be killed.
            steps, self.on_step = self.on_step, lambda _: None
            key = {name: next(iter(value.values())) for name, value in asked["Key"].items()}
            snapshot = self.batching.ledger.get_item(Key=key)["Item"]["snapshot"]
            self.on_step = steps
            return {"Item": {"snapshot": {"S": snapshot}}}
        if "sns:publish" in resource:
            self.notices.append(asked["Message"])
            return {}
        if "events:putEvents" in resource:
            return {}
        try:
            return decide(asked, landing_bucket="landing", s3=self.lake.s3)
        except (Killed, Exception) as error:
            raise stepfunctions._ExecutionError(type(error).__name__, str(error)) from error

    def _start_job(self, manifest: str) -> dict[str, Any]:
        if self.refuse_start():
            raise stepfunctions._ExecutionError("Glue.ConcurrentRunsExceededException", "too many")
        self.runs["all"] += 1
        try:
            self.fail_job()
            self._curate(manifest)
        except (Killed, Exception) as error:
            message = f"{type(error).__name__}: {error}"
            cause = json.dumps({"JobRunState": "FAILED", "ErrorMessage": message})
            raise stepfunctions._ExecutionError("States.TaskFailed", cause) from error
        return {"JobRunState": "SUCCEEDED"}

    def _call(self, payload: dict[str, Any]) -> dict[str, Any]:
        """One of a function: to curate a small batch, or to price such a call that failed."""
        if "failed_call" in payload:
            self.runs["failed calls"] += 1
            return {}
        self.runs["calls"] += 1
        try:
            self.fail_call()
            self._curate(payload["manifest"])
            self.fail_call()
        except (Killed, Exception) as error:
            raise stepfunctions._ExecutionError("Lambda.Unknown", str(error)) from error
        return {}

    def _curate(self, manifest: str) -> None:
        where = urlsplit(manifest)
        stored = self.lake.s3.get_object(Bucket=where.netloc, Key=where.path.lstrip("/"))
        batch = self.lake.batch(*Manifest.from_json(stored["Body"].read()).sources)
        distribute = batch.distribute

        def killing(units: Any, banned: Banned, *, ids: FieldIds) -> Any:
            if any(piece.source in self.killers for unit in units.values() for piece in unit.slices):
                raise Killed
            return distribute(units, banned, ids=ids)

        batch.distribute = killing
        report = batch.curate()
        self.runs["nothing to do"] += not report.sources

    # What must hold

    def held(self, database: str = "lake") -> dict[str, list[dict[str, Any]]]:
        """The table's rows by source; none if there is no table yet."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        if self.lake.catalog.table_exists((database, "trips")):
            columns = ("_source", "_source_version", "id" if database == "lake" else "raw")
            for row in self.lake.table(database).scan(selected_fields=columns).to_arrow().to_pylist():
                found[row["_source"]].append(row)
        return found

    def judge(self, among: Iterable[str] | None = None) -> Verdict:
        """The tables against what S3 holds."""
        held, rejected = self.held(), self.held("quarantine")
        verdict = Verdict(set(), set(), set(), set())
        sources = set(among) if among is not None else self.expected.keys() | held.keys() | rejected.keys()
        for source in sources:
            wanted = self.expected.get(source, Expected("", [], 0))
            rows = held.get(source, [])
            ids = sorted(row["id"] for row in rows)
            if any(row["_source_version"] != wanted.version for row in rows):
                verdict.stale.add(source)
            elif set(wanted.rows) - set(ids):
                verdict.lost.add(source)
            elif ids != sorted(wanted.rows):
                verdict.doubled.add(source)
            if len(rejected.get(source, [])) != wanted.rejected:
                verdict.misplaced.add(source)
        return verdict


def throttle(world: World, share: float) -> None:
    """Let so large a share of all calls be answered with "slow down"; boto3 waits and tries again."""

    def answer(request: Any, **_: Any) -> AWSResponse | None:
        if world.random.random() >= share:
            return None
        slow = b"<Error><Code>SlowDown</Code><Message>wait</Message></Error>"
        body = slow if ".s3." in request.url else b'{"__type": "ThrottlingException", "message": "wait"}'
        return AWSResponse(request.url, 503 if ".s3." in request.url else 400, {}, _Raw(body))

    for client in (world.lake.s3, world.batching.ledger.meta.client):
        client.meta.events.register_first("before-send.*.*", answer)


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._body


def watch_steps(world: World) -> None:
    """Call `world.on_step` before and after every call to AWS and every commit."""
    for client in (world.lake.s3, world.batching.ledger.meta.client):
        for when in ("before-call", "after-call"):
            client.meta.events.register(
                f"{when}.*.*", lambda model, when=when, **_: world.on_step(f"{when} {model.name}")
            )
    commit = world.lake.catalog.commit_table

    def watched(*what: Any) -> Any:
        world.on_step("before commit")
        done = commit(*what)
        world.on_step("after commit")
        return done

    world.lake.catalog.commit_table = watched  # type: ignore[method-assign,assignment]


@contextmanager
def open_world(
    seed: int, *, batch: int = 1000, contract: str = CONTRACT, function: bool = False
) -> Iterator[World]:
    clock = SimpleNamespace(**{**vars(time), "sleep": lambda _: None})
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-"))
        lake = stack.enter_context(open_lake(Path(folder), contract))
        stack.enter_context(patch.object(botocore.endpoint, "time", clock))
        stack.enter_context(patch.object(stepfunctions, "_scaled_sleep", lambda _: None))
        lake.s3.create_bucket(Bucket="aside")
        states = FakeStates()
        batching = Batching(
            limits={"trips": BatchLimits(batch, 1 << 40)},
            landing_bucket="landing",
            quarantine_bucket="aside",
            state_machine=MACHINE,
            queue_url="queue",
            s3=lake.s3,
            states=states,
            sqs=None,
            ledger=boto3.resource("dynamodb", config=PATIENT).Table("ledger"),
        )
        lake.ledger._table = batching.ledger
        world = World(lake, random.Random(seed), batching, states, function=function)
        yield world
