"""Random interleavings of everything that can happen, against a model of what must come of it."""

from __future__ import annotations

from contextlib import ExitStack

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.causeway.lake.test_history import lose_ledger
from tests.faults.world import Expected, Killed, World, open_world, watch_steps

NAMES = st.sampled_from(["a.csv", "b c.csv", "d+é.csv", "e%2F.csv"])


class Pipeline(RuleBasedStateMachine):
    """The model is `World.expected`: what S3 holds. Events get lost, repeated, late; processes die."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self.world: World = self._stack.enter_context(open_world(0, batch=3))
        watch_steps(self.world)
        self.late: list[str] = []
        self.versions: dict[str, list[Expected]] = {}

    def teardown(self) -> None:
        try:
            self.world.on_step = lambda _: None
            self.world.send(*self.late)
            self.world.drain()
            self.world.reconcile()
            self.world.drain()
            assert self.world.judge().faults == 0, self.world.judge()
            assert self.world.reconcile() == 0
            assert self.world.dead == []
        finally:
            self._stack.close()

    def _happened(self, event: str, fate: str) -> None:
        if fate in ("delivered", "twice"):
            self.world.send(event)
        if fate in ("late", "twice"):
            self.late.append(event)

    FATES = st.sampled_from(["delivered", "delivered", "twice", "late", "lost"])

    @rule(name=NAMES, rows=st.integers(0, 3), bad=st.integers(0, 1), fate=FATES)
    def put(self, name: str, rows: int, bad: int, fate: str) -> None:
        self._happened(self.world.put(name, rows=rows, bad=bad), fate)
        source = f"landing/trips/{name}"
        self.versions.setdefault(source, []).append(self.world.expected[source])

    @rule(name=NAMES, fate=FATES)
    def delete(self, name: str, fate: str) -> None:
        listed = self.world.lake.s3.list_object_versions(Bucket="landing", Prefix=f"landing/trips/{name}")
        if "Versions" in listed:
            self._happened(self.world.delete(name), fate)

    @rule(name=NAMES, fate=FATES)
    def undo(self, name: str, fate: str) -> None:
        """Remove the newest version, be it content or a delete marker: what was before is current again."""
        source, s3 = f"landing/trips/{name}", self.world.lake.s3
        found = s3.list_object_versions(Bucket="landing", Prefix=source)
        all_of_it = [v for kind in ("Versions", "DeleteMarkers") for v in found.get(kind, [])]
        newest = [v for v in all_of_it if v["Key"] == source and v["IsLatest"]]
        if not newest:
            return
        s3.delete_object(Bucket="landing", Key=source, VersionId=newest[0]["VersionId"])
        self._happened(self.world.removed(source, newest[0]["VersionId"]), fate)
        left = s3.list_object_versions(Bucket="landing", Prefix=source).get("Versions", [])
        current = [v["VersionId"] for v in left if v["Key"] == source and v["IsLatest"]]
        self.world.expected.pop(source, None)
        for expected in self.versions.get(source, []):
            if expected.version in current:
                self.world.expected[source] = expected

    @rule()
    def deliver_the_late(self) -> None:
        late, self.late = self.late, []
        self.world.send(*late)

    @rule(most=st.integers(1, 5))
    def batch(self, most: int) -> None:
        self.world.deliver(most)

    @rule(most=st.integers(1, 3))
    def execute(self, most: int) -> None:
        self.world.execute(most)

    @rule()
    def reconcile(self) -> None:
        self.world.reconcile()

    @rule(after=st.integers(0, 60))
    def kill(self, after: int) -> None:
        """The next process to get so far dies there."""
        left = after

        def step(_: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                self.world.on_step = lambda _: None
                raise Killed

        self.world.on_step = step
        self.world.deliver(3)
        self.world.execute(2)
        self.world.on_step = lambda _: None

    @rule()
    def lose_the_ledger(self) -> None:
        lose_ledger(self.world.lake)

    @invariant()
    def nothing_is_there_twice(self) -> None:
        ids = [row["id"] for rows in self.world.held().values() for row in rows]
        assert len(ids) == len(set(ids))


def run_model(examples: int, seed: int) -> None:
    """Raises AssertionError, with the steps that lead to it, where the tables end other than the model."""
    machine = hypothesis.seed(seed)(Pipeline)
    settings = hypothesis.settings(
        max_examples=examples,
        stateful_step_count=20,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    run_state_machine_as_test(machine, settings=settings)
