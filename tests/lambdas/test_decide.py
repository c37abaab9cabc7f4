"""A model is trained by one execution at a time, once a snapshot; each decision is by what the jobs wrote."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from moto import mock_aws

from causeway.flow.models import Run, Store, champion_key, running_key
from causeway.flow.parameters import to_environment
from lambdas.decide.handler import gate, handler, next_round, plan
from lambdas.decide.running import begin, finish
from ml.judge.metrics import Flagged
from ml.parameters import DecideParameters
from ml.spec import load_spec
from tests.causeway.pages.test_model import REPORT

BUCKET = "partner-ml"
POLICY = load_spec("spam").policy()
RUN = Run("spam", "20020916-120000-0123abcd")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PIN = {
    "run": RUN.run,
    "rows": 4000,
    "windows": {"holdout": {"rows": 600}},
    "drift": {},
    "snapshot": "7",
    "code": "c0de",
    "until": "2002",
}

PINNED = {"dataset": "mail", "contracts": ["mail 1.0.0"], "sha256": "4e1f"}


class States:
    """Executions, and how each has ended."""

    class exceptions:  # noqa: N801
        class ExecutionDoesNotExist(Exception):  # noqa: N818
            pass

    def __init__(self) -> None:
        self.statuses: dict[str, str] = {}

    def describe_execution(self, *, executionArn: str) -> dict[str, str]:  # noqa: N803
        if executionArn not in self.statuses:
            raise self.exceptions.ExecutionDoesNotExist
        return {"status": self.statuses[executionArn]}


@pytest.fixture
def store() -> Iterator[Store]:
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        yield Store(s3, BUCKET)


@pytest.fixture
def states() -> States:
    return States()


def began(
    store: Store, states: States, execution: str, *, snapshot: str = "7", asked: bool = False
) -> dict[str, Any]:
    states.statuses.setdefault(execution, "RUNNING")
    return begin("spam", snapshot, asked, execution, store=store, states=states, now=NOON)


def test_the_first_to_begin_trains_and_others_skip_while_it_runs(store: Store, states: States) -> None:
    first = began(store, states, "a")
    assert first["action"] == "train"
    second = began(store, states, "b", snapshot="8", asked=True)
    why = f"run {first['run']} trains it just now, and starts another when it ends"
    assert (second["action"], second["why"]) == ("skip", why)
    assert (store.get(running_key("spam")) or {})["execution"] == "a"


def test_an_event_that_comes_twice_trains_once(store: Store, states: States) -> None:
    first = began(store, states, "a")
    assert began(store, states, "b")["why"] == f"run {first['run']} is of snapshot 7"
    assert not finish("spam", "a", False, store=store)["again"]
    assert began(store, states, "b")["why"] == f"run {first['run']} is of snapshot 7"
    assert began(store, states, "c", snapshot="8")["action"] == "train"


ONCE_MORE, AS_ASKED = {"snapshot": "", "asked": False}, {"snapshot": "8", "asked": True}


@pytest.mark.parametrize(
    ("came", "again"),
    [
        ([("8", False)], ONCE_MORE),
        ([("8", False), ("9", False)], ONCE_MORE),
        ([("", False)], ONCE_MORE),
        ([("8", True)], AS_ASKED),
        ([("8", True), ("9", False)], {"snapshot": "", "asked": True}),
        ([("9", False), ("8", True)], {"snapshot": "", "asked": True}),
    ],
)
@pytest.mark.parametrize("failed", [False, True])
def test_who_comes_while_a_model_is_trained_is_trained_on_afterwards(
    store: Store, states: States, came: list[tuple[str, bool]], again: dict[str, Any], failed: bool
) -> None:
    began(store, states, "a")
    for number, (snapshot, asked_for) in enumerate(came):
        assert began(store, states, f"b{number}", snapshot=snapshot, asked=asked_for)["action"] == "skip"
    assert finish("spam", "a", failed, store=store) == {"again": True, **again}
    assert finish("spam", "a", failed, store=store) == {"again": True, **again}  # it is tried again
    assert began(store, states, "c", **again)["action"] == "train"  # while "a" still runs to its end
    assert finish("spam", "c", False, store=store)["again"] is False


def test_who_comes_while_the_turn_is_given_back_has_it(store: Store, states: States) -> None:
    began(store, states, "a")
    replace = store.replace

    def ends_first(key: str, document: Any, seen: Any) -> bool:
        with patch.object(store, "replace", replace):
            assert not finish("spam", "a", False, store=store)["again"]
        return replace(key, document, seen)

    with patch.object(store, "replace", ends_first):
        assert began(store, states, "b", snapshot="8")["action"] == "train"


def test_who_comes_before_the_turn_is_given_back_is_seen(store: Store, states: States) -> None:
    began(store, states, "a")
    replace, found = store.replace, list[dict[str, Any]]()

    def another_comes(key: str, document: Any, seen: Any) -> bool:
        with patch.object(store, "replace", replace):
            found.append(began(store, states, "b", snapshot="8"))
        return replace(key, document, seen)

    with patch.object(store, "replace", another_comes):
        again = finish("spam", "a", False, store=store)
    assert (found[0]["action"], again) == ("skip", {"again": True, **ONCE_MORE})


def test_an_execution_that_has_lost_its_turn_gives_nothing_back(store: Store, states: States) -> None:
    assert not finish("spam", "a", True, store=store)["again"]
    began(store, states, "a")
    states.statuses["a"] = "ABORTED"
    began(store, states, "b")
    began(store, states, "c", snapshot="8")
    assert not finish("spam", "a", True, store=store)["again"]
    assert finish("spam", "b", True, store=store)["again"]


@pytest.mark.parametrize(("snapshot", "asked"), [("", False), ("7", True)])
def test_who_asks_for_the_newest_or_again_is_not_told_that_it_was_trained(
    store: Store, states: States, snapshot: str, asked: bool
) -> None:
    began(store, states, "a", snapshot=snapshot)
    states.statuses["a"] = "SUCCEEDED"
    assert began(store, states, "b", snapshot=snapshot, asked=asked)["action"] == "train"


def test_a_function_that_is_tried_again_goes_on_with_its_run(store: Store, states: States) -> None:
    first = began(store, states, "a")
    again = begin("spam", "7", False, "a", store=store, states=states, now=datetime.now(UTC))
    assert again == first


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED", None])
def test_the_snapshot_of_a_run_that_did_not_succeed_can_be_trained_again(
    store: Store, states: States, status: str | None
) -> None:
    first = began(store, states, "a")
    if status:
        states.statuses["a"] = status
    else:  # forgotten, after 90 days
        del states.statuses["a"]
    second = began(store, states, "b")
    assert second["action"] == "train"
    assert second["run"] != first["run"]


@pytest.mark.parametrize("before", [False, True])
def test_of_two_that_begin_at_the_same_moment_one_trains(store: Store, states: States, before: bool) -> None:
    if before:
        began(store, states, "old")
        states.statuses["old"] = "FAILED"
    replace, found = store.replace, dict[str, str]()

    def other_comes_first(key: str, document: Any, seen: Any) -> bool:
        with patch.object(store, "replace", replace):
            found["b"] = began(store, states, "b")["action"]
        return replace(key, document, seen)

    with patch.object(store, "replace", other_comes_first):
        found["a"] = began(store, states, "a")["action"]
    assert found == {"a": "skip", "b": "train"}
    assert (store.get(running_key("spam")) or {})["execution"] == "b"


@pytest.mark.parametrize("exists", [False, True])
def test_a_document_is_not_replaced_if_another_was_written_since_it_was_compared(
    store: Store, exists: bool
) -> None:
    before = {"by": "old"} if exists else None
    if exists:
        store.put("key", before)
    put = store.s3.put_object

    def other_comes_first(**request: Any) -> Any:
        put(Bucket=BUCKET, Key="key", Body=b'{"by": "other"}')
        return put(**request)

    with patch.object(store.s3, "put_object", other_comes_first):
        assert not store.replace("key", {"by": "this"}, before)
    assert store.get("key") == {"by": "other"}


def test_a_first_model_is_planned_and_the_same_rows_are_not_trained_again(store: Store) -> None:
    store.put(RUN.pin, PIN)
    first = plan(RUN, False, POLICY, store)
    assert (first["action"], first["why"]) == ("train", "the first model")
    assert [one["name"] for one in first["candidates"]] == ["linear-l2-0", "tree-0"]
    store.put(champion_key("spam"), {"pin": RUN.pin})
    later = Run("spam", "later")
    store.put(later.pin, {**PIN, "windows": {"holdout": {"rows": 0}}})
    assert plan(later, True, POLICY, store)["action"] == "skip"


def test_what_a_run_that_is_not_in_use_was_judged_on_is_not_judged_again(store: Store) -> None:
    reported(store, 290, 1)
    assert plan(RUN, False, POLICY, store)["action"] == "skip"
    assert plan(RUN, True, POLICY, store)["action"] == "train"


def test_the_next_round_is_by_the_metrics_that_the_jobs_wrote_and_what_was_said_is_kept(store: Store) -> None:
    one = {"name": "linear-l2-0", "family": "linear-l2", "tier": 0, "strength": 1.0, "round": 1}
    store.put(RUN.metrics("linear-l2-0"), {**one, "train": 0.575, "same_period": 0.573, "later": 0.23})
    found = next_round(RUN, 1, POLICY, store)
    assert not found["done"]
    assert {one["tier"] for one in found["candidates"]} == {1}
    assert store.get(f"{RUN.folder}/rounds/1.json") == {"round": 1, "said": found["said"]}


def reported(store: Store, right: int, wrong: int, **changed: Any) -> dict[str, Any]:
    report = REPORT | {
        "best": "stacking-2", "tier": 2, "threshold": 0.8, "chosen": 0.95, "average_precision": 0.9,
        "holdout": Flagged(right, wrong, 300, 500).document(0.1), "slices": [], "sha256": "5a",
    }  # fmt: skip
    store.put(RUN.pin, PIN | PINNED)
    store.put(RUN.report, report | changed)
    return gate(RUN, POLICY, store)


def test_the_gate_tells_the_registry_what_was_judged(store: Store) -> None:
    found = reported(store, 290, 1)
    assert (found["verdict"], found["reasons"]) == ("passed", [])
    assert found["report"] == f"s3://{BUCKET}/{RUN.report}"
    expected = {"model": "spam", "run": RUN.run, "candidate": "stacking-2", "tier": "2", "threshold": "0.8"}
    expected |= {"snapshot": "7", "code": "c0de", "sha256": "5a", "verdict": "passed", "precision": "0.9966"}
    assert expected.items() <= found["properties"].items()
    assert all(isinstance(value, str) for value in found["properties"].values())
    assert json.loads(found["card"])["additional_information"]["custom_details"]["sha256"] == "5a"
    assert store.get(f"{RUN.folder}/verdict.json") == {"verdict": "passed", "reasons": []}


def test_a_model_without_a_threshold_has_a_verdict_too(store: Store) -> None:
    found = reported(store, 0, 0, threshold=None, holdout=None)
    assert found["verdict"] == "not enough evidence"
    assert found["properties"]["lower"] == "0.0"


def test_what_a_job_should_have_written_is_named(store: Store) -> None:
    with pytest.raises(FileNotFoundError, match=f"s3://{BUCKET}/{RUN.pin}: the job before"):
        plan(RUN, False, POLICY, store)


def asked(event: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name, value in to_environment(DecideParameters(BUCKET, {"spam": POLICY})).items():
        monkeypatch.setenv(name, value)
    return handler(event, None)


def test_the_function_takes_what_the_workflow_knows(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    event = {"step": "begin", "model": "spam", "snapshot": "7", "asked": False, "execution": "a"}
    run = asked(event, monkeypatch)["run"]
    store.put(Run("spam", run).pin, PIN)
    found = asked({"step": "plan", "model": "spam", "run": run, "asked": False}, monkeypatch)
    assert found["action"] == "train"
    end = {"step": "finish", "model": "spam", "failed": False, "execution": "a"}
    assert asked(end, monkeypatch) == {"again": False, "snapshot": "", "asked": False}
    assert json.loads(json.dumps(found)) == found


@pytest.mark.usefixtures("store")
def test_a_model_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="no model 'spma'; there are spam"):
        asked({"step": "begin", "model": "spma", "execution": "a"}, monkeypatch)
