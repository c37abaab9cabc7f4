"""At most one profile in so many hours, and every commit is in one."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from causeway.flow.parameters import ScheduleProfileParameters
from causeway.flow.profiles import last_began, set_began
from lambdas.schedule_profile.handler import schedule_profile
from tests.glue_jobs.conftest import ledger_table

MACHINE = "arn:aws:states:us-east-1:111111111111:stateMachine:profiles"
HOURS = {"*": 24, "flights": 6, "planes": 0}
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class States:
    """Executions that wait until they are due, by name. Time passes as the test says."""

    class exceptions:  # noqa: N801
        class ExecutionAlreadyExists(Exception):  # noqa: N818
            pass

    def __init__(self) -> None:
        self.executions: dict[str, dict[str, Any]] = {}

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: N803
        assert stateMachineArn == MACHINE
        if name in self.executions:
            raise self.exceptions.ExecutionAlreadyExists
        self.executions[name] = {"status": "RUNNING", **json.loads(input)}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        return self.executions[executionArn.removeprefix(MACHINE.replace("stateMachine", "execution") + ":")]

    def run_due(self, ledger: Any, now: datetime) -> list[str]:
        """Begin and end what is due; the datasets that were profiled."""
        due = [
            e for e in self.executions.values() if e["status"] == "RUNNING" and e["due"] <= now.isoformat()
        ]
        for execution in due:
            execution["status"] = "SUCCEEDED"
            set_began(ledger, execution["dataset"], now, before=last_began(ledger, execution["dataset"]))
        return [execution["dataset"] for execution in due]


@pytest.fixture
def ledger() -> Iterator[Any]:
    with mock_aws():
        yield ledger_table()


def commit(dataset: str, ledger: Any, states: States, now: datetime) -> str:
    parameters = ScheduleProfileParameters(HOURS, MACHINE, "ledger")
    return schedule_profile(dataset, parameters, ledger=ledger, states=states, now=now)


def test_the_first_commit_is_profiled_at_once(ledger: Any) -> None:
    states = States()
    commit("weather", ledger, states, NOON)
    assert states.run_due(ledger, NOON) == ["weather"]


def test_commits_share_the_run_that_waits(ledger: Any) -> None:
    states = States()
    commit("weather", ledger, states, NOON)
    states.run_due(ledger, NOON)
    names = {commit("weather", ledger, states, NOON + timedelta(hours=n)) for n in range(1, 20)}
    assert len(names) == 1
    assert states.run_due(ledger, NOON + timedelta(hours=23, minutes=59)) == []
    assert states.run_due(ledger, NOON + timedelta(hours=24)) == ["weather"]


def test_a_dataset_without_profiles_starts_nothing(ledger: Any) -> None:
    states = States()
    assert commit("planes", ledger, states, NOON) == ""
    assert not states.executions


def test_datasets_wait_for_themselves_alone(ledger: Any) -> None:
    states = States()
    for dataset in ("weather", "flights"):
        commit(dataset, ledger, states, NOON)
    assert sorted(states.run_due(ledger, NOON)) == ["flights", "weather"]
    for dataset in ("weather", "flights"):
        commit(dataset, ledger, states, NOON + timedelta(minutes=1))
    assert states.run_due(ledger, NOON + timedelta(hours=6)) == ["flights"]


@pytest.mark.parametrize("status", ["ABORTED", "FAILED"])
def test_a_run_that_ended_before_it_began_does_not_keep_others_from_beginning(
    ledger: Any, status: str
) -> None:
    states = States()
    stopped = commit("weather", ledger, states, NOON)
    states.executions[stopped]["status"] = status
    other = commit("weather", ledger, states, NOON + timedelta(minutes=5))
    assert other != stopped
    assert states.run_due(ledger, NOON + timedelta(hours=24, minutes=5)) == ["weather"]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 600), max_size=40))
def test_runs_are_apart_and_none_follows_the_last_commit_too_late(minutes: list[int]) -> None:
    with mock_aws():
        ledger, states, now = ledger_table(), States(), NOON
        ran: list[datetime] = []
        for passed in minutes:
            for _ in range(passed):
                now += timedelta(minutes=1)
                ran += [now for _ in states.run_due(ledger, now)]
            commit("flights", ledger, states, now)
        committed = now
        for _ in range(6 * 60 + 1):
            ran += [now for _ in states.run_due(ledger, now)]
            now += timedelta(minutes=1)
    assert all(later - earlier >= timedelta(hours=6) for earlier, later in pairwise(ran))
    assert not minutes or ran[-1] >= committed
