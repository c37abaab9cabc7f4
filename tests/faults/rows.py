"""The rows of the fault matrix: each injects one kind of fault n times, and counts what does not hold."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import math
import random
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

import polars as pl
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyiceberg.exceptions import ForbiddenError, NoSuchNamespaceError, ValidationError

from causeway.flow.manifest import SourceVersion
from tests.faults import store
from tests.faults.model import run_model
from tests.faults.row import Row
from tests.faults.turns import Turns
from tests.faults.world import Expected, Killed, World, open_world, throttle, watch_steps

NAUGHTY = Path(__file__).resolve().parents[2] / "node_modules/big-list-of-naughty-strings/blns.json"
LONGEST = 1024 - len("landing/trips/")  # bytes of a name, so that its key is as long as S3 takes
WINDOW = 250  # messages that one invocation gets
CASES = 10  # that share a table; each commit makes the next ones slower


def _judge(row: Row, world: World) -> Row:
    verdict = world.judge()
    row.note("lost", len(verdict.lost))
    row.note("doubled", len(verdict.doubled))
    row.note("stale", len(verdict.stale))
    row.note("misplaced rejects", len(verdict.misplaced))
    row.note("dead-lettered", len(world.dead))
    return row


def _in_windows(world: World, bodies: Sequence[str]) -> None:
    """Deliver in windows; executions run while later windows gather."""
    for start in range(0, len(bodies), WINDOW):
        world.send(*bodies[start : start + WINDOW])
        world.deliver(WINDOW)
        world.execute()
    world.drain(WINDOW)


def duplicates(n: int, seed: int) -> Row:
    """Delivered again after a while, in any order."""
    row = Row("each event delivered 1–5 times", n, "0 duplicate rows; extra job runs ≤ 1 %")
    with open_world(seed) as world:
        deliveries: list[tuple[float, str]] = []
        for i in range(n):
            body = world.put(f"{i}.csv", bad=i % 10 == 0)
            again = [i + world.random.expovariate(1 / WINDOW) for _ in range(world.random.randint(0, 4))]
            deliveries += [(at, body) for at in (float(i), *again)]
        _in_windows(world, [body for _, body in sorted(deliveries)])
        extra = world.runs["nothing to do"] / world.runs["all"]
        row = _judge(row, world)
        row.measured.append(
            f"{len(deliveries):,} deliveries, {world.runs['all']} runs, {extra:.1%} of them extra"
        )
        row.failures += extra > 0.01
        return row


def overwrites(n: int, seed: int) -> Row:
    row = Row("shuffled delivery with overwrites", n, "0 stale sources")
    with open_world(seed) as world:
        bodies: list[str] = []
        landed = 0
        while landed < n:
            some = [
                world.put(f"{world.random.randrange(n // 4)}.csv", bad=world.random.random() < 0.1)
                for _ in range(min(n - landed, max(10, n // 20)))
            ]
            landed += len(some)
            bodies += some
            world.random.shuffle(bodies)
            now, bodies = bodies[: len(bodies) // 2], bodies[len(bodies) // 2 :]
            _in_windows(world, now)
        _in_windows(world, bodies)
        return _judge(row, world)


def lost_events(n: int, seed: int) -> Row:
    row = Row("1 % of events never delivered", n, "0 lost after one reconciliation")
    with open_world(seed) as world:
        bodies = [world.put(f"{i}.csv", bad=i % 10 == 0) for i in range(n)]
        _in_windows(world, [body for body in bodies if world.random.random() >= 0.01])
        missing = len(world.judge().lost)
        queued = world.reconcile()
        world.drain(WINDOW)
        row.measured.append(f"{missing} missing before, {queued} queued again")
        row.note("queued by a second pass", world.reconcile())
        return _judge(row, world)


def kills(n: int, seed: int, *, function: bool = False) -> Row:
    """The process dies before or after any call to AWS or commit, and again in the retry."""
    whose = "function, then job, killed" if function else "process killed"
    row = Row(f"{whose} at every step boundary, each retry included", n, "0 lost, doubled or half-visible")
    steps = _steps(seed, function)
    every = range(len(steps))
    once = [(first, None) for first in every]
    twice = list(itertools.product(every, every))
    for some in (once, twice):
        random.Random(seed).shuffle(some)
    # Around the commits first; some that are killed again among the first few.
    once.sort(key=lambda pair: "commit" not in steps[pair[0]])
    cases = [case for both in zip(once, twice, strict=False) for case in both] + twice[len(once) :]
    half_visible = _in_worlds(
        row, seed, cases[:n], lambda world, case, pair: _killed_at(world, case, *pair), function=function
    )
    row.measured.append(f"{len(steps)} boundaries")
    row.note("half-visible", half_visible)
    return row


def _in_worlds(
    row: Row, seed: int, cases: Sequence[Any], do: Callable[[World, int, Any], int], *, function: bool = False
) -> int:
    """Each case with few others, so that the tables stay small; returns the sum of what each counted."""
    row.n, counted, wrong = len(cases), 0, 0
    for start in range(0, len(cases), CASES):
        with open_world(seed + start, function=function) as world:
            watch_steps(world)
            for number, case in enumerate(cases[start : start + CASES], start):
                counted += do(world, number, case)
            wrong += world.judge().faults + len(world.dead)
    row.note("sources lost, doubled, stale, or with misplaced rejects", wrong)
    return counted


def _steps(seed: int, function: bool) -> list[str]:
    """The boundaries that one case meets when nothing is killed."""
    with open_world(seed, function=function) as world:
        watch_steps(world)
        steps: list[str] = []
        _killed_at(world, 0, None, None, steps)
        return steps


def _killed_at(
    world: World, case: int, first: int | None, second: int | None, steps: list[str] | None = None
) -> int:
    """An overwrite and a new file in one batch, killed once or twice; 1 if a reader saw half of it.

    The first kill finds all of the batch or nothing. After it the batch may have been split, to find what
    killed it: then it is each source that a reader sees as a whole.
    """
    old, new = f"{case}-old.csv", f"{case}-new.csv"
    world.send(world.put(old, rows=2, bad=1))
    world.drain()
    before = {old: _rows_of(world, old), new: []}
    world.send(world.put(old, rows=2, bad=1), world.put(new, rows=2, bad=1))
    after = {name: sorted(world.expected[f"landing/trips/{name}"].rows) for name in (old, new)}
    second_at = None if first is None or second is None else first + 1 + second
    kills = iter([at for at in (first, second_at) if at is not None])
    dies, count, killed, half = next(kills, None), itertools.count(), 0, 0

    def step(name: str) -> None:
        nonlocal dies, killed, half
        if steps is not None:
            steps.append(name)
        if next(count) == dies:
            dies, killed = next(kills, None), killed + 1
            world.on_step = lambda _: None
            seen = {name: _rows_of(world, name) for name in (old, new)}
            together = seen in (before, after)
            half += not (together or (killed > 1 and all(seen[n] in (before[n], after[n]) for n in seen)))
            world.on_step = step
            raise Killed

    world.on_step = step
    world.drain()
    world.on_step = lambda _: None
    # A kill during a commit's aftermath is healed by whoever comes next.
    world.send(world.put(f"{case}-next.csv"))
    world.drain()
    return half


def _rows_of(world: World, name: str) -> list[int]:
    return sorted(row["id"] for row in world.held().get(f"landing/trips/{name}", []))


def stalls(n: int, seed: int) -> Row:
    """A batch stands still before or after any of its writes, while two others commit the same source."""
    row = Row("a writer that stalls at any write while others commit", n, "0 lost, doubled or stale")
    stalled = _in_worlds(
        row, seed, range(n), lambda world, case, _: _stall(world, case, case // 2 % MOST_WRITES)
    )
    row.measured.append(f"stalled {stalled} times")
    return row


MOST_WRITES = 14  # boundaries around the writes of one batch, to AWS and to its tables


def _stall(world: World, case: int, at: int) -> int:
    lake, name, count, stalls = world.lake, f"{case}.csv", itertools.count(), 0
    lake.curate(_landed(world, name, rows=case // 7 % 2))

    def step(what: str) -> None:
        nonlocal stalls
        if ("PutItem" in what or "commit" in what) and next(count) == at:
            world.on_step = lambda _: None
            stalls += 1
            if case % 5 == 0:
                lake.history.rebuild(lake.table())
            for rows in (2, case % 3):
                lake.curate(_landed(world, name, rows=rows))

    stalled = lake.batch(_landed(world, name, rows=case % 2))
    world.on_step = step
    stalled.curate()
    world.on_step = lambda _: None
    lake.curate(_landed(world, name, rows=1))
    return stalls


def rebuilds(n: int, seed: int) -> Row:
    """The ledger is built anew at any step of a commit; or that is begun, and dies."""
    row = Row("the ledger built anew at every step boundary of a commit", n, "0 lost, doubled or stale")
    with open_world(seed) as world:
        watch_steps(world)
        steps: list[str] = []
        _rebuilt_at(world, 0, steps=steps)
    cases = list(itertools.product(range(len(steps)), ("before", "now", "never done")))
    random.Random(seed).shuffle(cases)
    cases.sort(key=lambda case: "BatchGetItem" not in steps[case[0]] or case[1] != "before")
    _in_worlds(row, seed, cases[:n], lambda world, number, case: _rebuilt_at(world, number, *case))
    row.measured.append(f"{len(steps)} boundaries")
    return row


def _rebuilt_at(world: World, case: int, at: int = -1, what: str = "", steps: list[str] | None = None) -> int:
    """From the table as it was before the commit, or is now; at which of the commit's steps."""
    lake, name, count = world.lake, f"{case}.csv", itertools.count()
    lake.curate(_landed(world, name, rows=1, bad=1))
    before = lake.table()
    batch = lake.batch(_landed(world, name, rows=1, bad=1))

    def step(now: str) -> None:
        if steps is not None:
            steps.append(now)
        if next(count) == at:
            world.on_step = lambda _: None
            if what == "never done":
                lake.ledger.begin()
            else:
                lake.history.rebuild(before if what == "before" else lake.table())

    world.on_step = step
    batch.curate()
    world.on_step = lambda _: None
    lake.curate(_landed(world, f"{case}-next.csv"))
    return 0


def throttling(n: int, seed: int) -> Row:
    row = Row('throttling and "concurrent runs exceeded" on 30 % of calls', n, "0 lost, 0 dead-lettered")
    with open_world(seed, batch=50) as world:
        bodies = [world.put(f"{i}.csv", bad=i % 10 == 0) for i in range(n)]
        throttle(world, 0.3)
        # Its own numbers: those of the world are shared with threads, and so come in any order.
        refusals = random.Random(seed)
        world.refuse_start = lambda: refusals.random() < 0.3
        start = world.states.start_execution

        def sometimes(**asked: Any) -> None:
            # What is left after the client's own patience would be far less.
            if world.random.random() < 0.2:
                raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "StartExecution")
            start(**asked)

        world.states.start_execution = sometimes  # type: ignore[method-assign]
        _in_windows(world, bodies)
        failed = list(world.states.status.values()).count("FAILED")
        world.lake.s3.meta.events.unregister("before-send.*.*")
        row.note("executions failed", failed)
        return _judge(row, world)


def unsteady_function(n: int, seed: int) -> Row:
    """Small batches and large ones; of the calls for small ones, some die before they curate, or after."""
    row = Row(
        "a third of the function's calls fail, before or after the commit", n,
        "0 lost, doubled or stale; 0 red executions; each failed call is priced",
    )  # fmt: skip
    with open_world(seed, function=True) as world:
        failed = 0

        def sometimes() -> None:
            nonlocal failed
            if world.random.random() < 1 / 6:  # of two places
                failed += 1
                raise Killed

        world.fail_call = sometimes
        bodies = [
            world.put(f"{world.random.randrange(n)}.csv", bad=world.random.random() < 0.1) for _ in range(n)
        ]
        world.random.shuffle(bodies)
        world.send(*bodies)
        while world.queue:
            world.deliver(world.random.choice([1, 3, 10, 30, 150]))
            world.execute()
        row.measured.append(f"{world.runs['calls']} calls, {failed} failed; {world.runs['all']} job runs")
        row.failures += not failed or not world.runs["calls"]
        row.note("failed calls without a price", failed - world.runs["failed calls"])
        row.note("executions failed", list(world.states.status.values()).count("FAILED"))
        return _judge(row, world)


def both_ways(n: int, seed: int) -> Row:
    """The state machine has given a call up, and it goes on beside the job: the same batch, twice at once."""
    row = Row("function and job at once with one batch", n, "exactly one result, none lost")

    def at_once(world: World, case: int, _: Any) -> int:
        lake, names = world.lake, [f"{case}-{i}.csv" for i in range(2)]
        lake.curate(_landed(world, names[0]))
        sources = [_landed(world, name) for name in names]
        if world.random.random() < 0.3:  # what the events speak of is not what is there any more
            _landed(world, names[0])
        turns = Turns(seed * 7919 + case)
        world.on_step = turns.step
        errors = turns.run(*(lake.batch(*sources).curate for _ in range(2)))
        world.on_step = lambda _: None
        lake.curate(_landed(world, f"{case}-next.csv"))
        return len(errors)

    row.note("errors", _in_worlds(row, seed, range(n), at_once))
    return row


def failed_executions(n: int, seed: int) -> Row:
    """For a reason that no object can cause: the execution is red, and nothing is split."""
    row = Row("execution failed, then its events delivered again", n, "all run again; 0 swallowed")
    with open_world(seed, batch=10) as world:
        bodies = [world.put(f"{i}.csv") for i in range(n)]

        def deny() -> None:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")

        for fail in (deny, deny, lambda: None):
            world.fail_job = fail
            world.send(*bodies)
            world.drain()
        statuses = world.states.status
        failed = sum(1 for status in statuses.values() if status == "FAILED")
        again = [name for name, status in statuses.items() if name.endswith("-r3") and status == "SUCCEEDED"]
        row.measured.append(f"{failed} executions failed, {len(again)} batches succeeded at the third try")
        return _judge(row, world)


def common_failures(n: int, seed: int) -> Row:
    """What every object would meet: it must not be searched for among them."""
    row = Row(
        "table, contract, catalog or permission fails, then is mended",
        n,
        "one run and one red execution a batch, 0 objects blamed; all committed once it is mended",
    )
    with open_world(seed, batch=10) as world:
        # The table is there before it, or not.
        bodies = [world.put(f"{i}.csv", bad=i % 10 == 0) for i in range(n)]
        world.send(bodies[0])
        world.drain()
        for i, fail in enumerate(itertools.islice(itertools.cycle(COMMON), -(-n // 10))):
            some, runs, statuses = bodies[i * 10 : i * 10 + 10], world.runs["all"], dict(world.states.status)
            with fail(world):
                world.send(*some)
                world.drain()
            new = {name: now for name, now in world.states.status.items() if statuses.get(name) != now}
            row.failures += list(new.values()) != ["FAILED"] or world.runs["all"] - runs != 1
            world.send(*some)
            world.drain()
        row.measured.append(f"{len(COMMON)} kinds")
        return _judge(row, world)


def _other_types(world: World) -> Any:
    columns = tuple(replace(column, type="date") for column in world.lake.contract.columns)
    return patch.object(world.lake, "contract", replace(world.lake.contract, columns=columns))


def _fails(name: str, error: Exception) -> Callable[[World], Any]:
    """The catalog, at this call."""
    return lambda world: patch.object(world.lake.catalog, name, Mock(side_effect=error))


def _denied(world: World) -> Any:
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetItem")
    return patch.object(world.lake.ledger, "watermark", Mock(side_effect=denied))


COMMON: tuple[Callable[[World], Any], ...] = (
    _other_types,
    _fails("load_table", NoSuchNamespaceError("no database")),
    _fails("load_table", ForbiddenError("no")),
    _fails("load_table", ValidationError("no Iceberg table")),
    _denied,
)


def poison_corpus(seed: int) -> Iterator[tuple[str, bytes]]:
    """Objects that cannot be read as CSV with the columns `id` and `city`, without end: name and content."""
    good = b"id,city\n" + b"".join(b"%d,City %d\n" % (i, i) for i in range(500))
    packed, zeros = (
        gzip.compress(good, mtime=0),
        gzip.compress(b"id,city\n" + b"\0" * 300_000_000, 9, mtime=0),
    )
    parquet = io.BytesIO()
    pl.DataFrame({"id": [1], "city": ["Oslo"]}).write_parquet(parquet)
    noise = random.Random(seed)
    yield "empty", b""
    yield "newlines", b"\n\n\n"
    yield "mark", b"\xef\xbb\xbf"
    yield "bomb", zeros
    yield "parquet", parquet.getvalue()
    yield "utf16", "id,city\n1,Oslo\n".encode("utf-16")
    yield "latin1", "id,city\n1,Malmö\n".encode("latin-1")
    yield "json", b'{"id": 1, "city": "Oslo"}\n'
    yield "png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
    yield "zip", b"PK\x03\x04" + noise.randbytes(100)
    yield "nested", gzip.compress(packed)
    yield "semicolons", b"id;city\n1;Oslo\n"
    yield "no header", b"1,Oslo\n2,Rome\n"
    for i in itertools.count():
        yield f"noise {i}", b"\xff" + noise.randbytes(noise.randrange(1, 3000))
        yield f"cut {i}", packed[: noise.randrange(2, len(packed))]
        at = noise.randrange(GZIP_HEADER, len(packed))
        yield f"flipped {i}", packed[:at] + bytes([packed[at] ^ 1 << noise.randrange(8)]) + packed[at + 1 :]


GZIP_HEADER = 10  # bytes, of which some may change without harm


def poison(n: int, seed: int) -> Row:
    row = Row(
        "poison objects of every kind among good ones",
        n,
        "100 % quarantined with a reason, 0 good ones blocked",
    )
    with open_world(seed, batch=40) as world:
        bodies = []
        for name, body in itertools.islice(poison_corpus(seed), n):
            landed = world.lake.land(f"bad/{name}", body)
            bodies += [world.event(landed), world.put(f"good/{name}.csv")]
            world.expected[landed.source] = Expected(landed.version, [], 1)
        world.random.shuffle(bodies)
        _in_windows(world, bodies)
        rejected = world.lake.rows("quarantine")
        row.note(
            "without a reason", sum(1 for r in rejected if not r["faults"] or not r["faults"][0]["message"])
        )
        row.note("executions failed", list(world.states.status.values()).count("FAILED"))
        return _judge(row, world)


def killers(n: int, seed: int) -> Row:
    """One object of each batch kills whatever process reads it."""
    row = Row("an object that kills the process", n, "isolated, the rest committed, extra runs ≤ 2·log2(n)+3")
    most = 0.0
    with open_world(seed) as world:
        for i in range(n):
            size = world.random.choice([1, 2, 3, 5, 8, 20, 64])
            names = [f"{i}/{k}.csv" for k in range(size)]
            bodies = [world.put(name) for name in names]
            killer = f"landing/trips/{world.random.choice(names)}"
            world.killers.add(killer)
            world.expected[killer].rows, world.expected[killer].rejected = [], 1
            runs = world.runs["all"]
            world.send(*bodies)
            world.drain()
            extra, bound = world.runs["all"] - runs - 1, 2 * math.log2(size) + 3
            most = max(most, extra / bound)
            row.failures += extra > bound
        there = world.lake.catalog.table_exists(("quarantine", "trips"))
        rejected = world.lake.rows("quarantine") if there else []
        codes = [f["code"] for r in rejected for f in r["faults"]]
        row.note("not quarantined as killers", n - codes.count("kills_job"))
        row.measured.append(f"at most {most:.0%} of the bound; {len(world.notices)} notices")
        return _judge(row, world)


def keys(n: int, seed: int) -> Row:
    row = Row(
        "keys: naughty strings, 1,024 bytes, `../`, newline, plus, percent", n,
        "exact round trip, 0 writes outside the prefix",
    )  # fmt: skip
    found = [name for name in json.loads(NAUGHTY.read_text("utf-8")) if name]
    found += [
        "../../etc/passwd",
        "../x",
        "a/../../b",
        "./x",
        "//x",
        "a\nb",
        "a+b",
        "a%2Bb",
        "a%b",
        "a b",
        "x" * 1010,
    ]

    @settings(
        max_examples=max(1, n - len(found)), database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck), derandomize=True,
    )  # fmt: skip
    @given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
    def collect(name: str) -> None:
        found.append(name)

    if n > len(found):
        collect()
    # A key that ends in a slash is a console's folder.
    names = [name for name in dict.fromkeys(found) if len(name.encode()) <= 1010 and not name.endswith("/")]
    names = names[:n]
    with open_world(seed) as world:
        written: list[str] = []
        world.lake.s3.meta.events.register(
            "provide-client-params.s3.PutObject", lambda params, **_: written.append(params["Key"])
        )
        bodies = [world.put(name) for name in names]
        landed, written[:] = list(written), []
        _in_windows(world, bodies)
        row.n = len(names)
        row.note("keys changed on landing", len(set(landed) ^ {f"landing/trips/{name}" for name in names}))
        row.note("writes outside", sum(not key.startswith("batches/trips/") for key in written))
        return _judge(row, world)


def interleavings(n: int, seed: int) -> Row:
    """Two batches (and sometimes a rebuild of the ledger) in threads that take turns at every step."""
    row = Row(
        "two commits at once to one table, same and different sources", n,
        "exactly one result each, none lost",
    )  # fmt: skip
    row.note("errors", _in_worlds(row, seed, range(n), lambda world, case, _: _at_once(world, case, seed)))
    return row


def _at_once(world: World, case: int, seed: int) -> int:
    lake, pick = world.lake, world.random
    names = [f"{case}-{i}.csv" for i in range(3)]
    for name in pick.sample(names, pick.randint(0, 3)):
        lake.curate(_landed(world, name))
    first = _landed(world, names[0])
    other = _landed(world, names[pick.choice([0, 1])])
    extra = _landed(world, names[2])
    batches = [lake.batch(first, extra), lake.batch(other, *([extra] if pick.random() < 0.5 else []))]
    work: list[Callable[[], object]] = [batch.curate for batch in batches]
    if pick.random() < 0.2 and lake.catalog.table_exists(("lake", "trips")):
        work.append(lambda: lake.history.rebuild(lake.table()))
    turns = Turns(seed * 7919 + case)
    world.on_step = turns.step
    errors = turns.run(*work)
    world.on_step = lambda _: None
    lake.curate(_landed(world, f"{case}-next.csv"))
    return len(errors)


def _landed(world: World, name: str, rows: int | None = None, bad: int | None = None) -> SourceVersion:
    rows = world.random.randint(0, 2) if rows is None else rows
    bad = world.random.randint(0, 1) if bad is None else bad
    record = json.loads(world.put(name, rows=rows, bad=bad))
    described = record["Records"][0]["s3"]["object"]
    return SourceVersion(f"landing/trips/{name}", described["versionId"], described["size"])


def model(n: int, seed: int) -> Row:
    row = Row("random interleavings of all of the above against a simple model", n, "table equals model")
    try:
        run_model(n, seed)
    except AssertionError:
        traceback.print_exc()
        row.note("counterexample", 1)
    return row


# Each row with its sizes: as part of the tests, and in full.
ROWS: dict[str, tuple[Callable[[int, int], Row], int, int]] = {
    "duplicates": (duplicates, 400, 10_000),
    "overwrites": (overwrites, 300, 10_000),
    "lost events": (lost_events, 300, 10_000),
    "kills": (kills, 25, 1 << 20),
    "stalls": (stalls, 30, 1000),
    "rebuilds": (rebuilds, 12, 1 << 20),
    "throttling": (throttling, 100, 1000),
    "failed executions": (failed_executions, 60, 1000),
    "common failures": (common_failures, 50, 1000),
    "poison": (poison, 30, 1000),
    "killers": (killers, 3, 20),
    "keys": (keys, 480, 2000),
    "interleavings": (interleavings, 10, 1000),
    "model": (model, 12, 300),
    "small batches: kills": (partial(kills, function=True), 15, 400),
    "small batches: unsteady function": (unsteady_function, 120, 3000),
    "small batches: both ways": (both_ways, 8, 300),
    "store: repeats": (store.repeats, 8, 100),
    "store: kills": (store.kills, 8, 100),
    "store: at once": (store.at_once, 5, 100),
}


def inject(name: str, n: int, seed: int) -> Row:
    return ROWS[name][0](n, seed)
