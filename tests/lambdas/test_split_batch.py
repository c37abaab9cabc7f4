"""The search for objects that kill their job."""

import json
import math
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from causeway.flow.manifest import POISON, Manifest, SourceVersion
from lambdas.split_batch import search as search_module
from lambdas.split_batch.handler import split_batch
from lambdas.split_batch.search import GivenUp, Search


def look_for(killers: set[int], n: int, *, broken: bool = False) -> tuple[set[int], set[int], int]:
    """What was committed and quarantined, and how many runs it took after the first."""
    committed: set[int] = set()
    quarantined: set[int] = set()
    search = Search.begin(n)
    while not search.done:
        failed = broken or bool(killers & set(search.running))
        if not failed:
            committed |= set(search.running)
            quarantined |= set(search.quarantines)
        search = Search.from_json(json.loads(json.dumps(search.after(failed=failed).to_json())))
    return committed, quarantined, search.runs - 2  # the first run, and the step from the last to done


@given(st.integers(1, 2000))
def test_a_crash_that_passes_costs_one_run_more(n: int) -> None:
    search = Search.begin(n).after(failed=True)
    assert search.running == tuple(range(n))
    assert search.after(failed=False).done


def test_a_run_that_timed_out_is_not_run_whole_again() -> None:
    assert len(Search.begin(8).after(failed=True, passing=False).running) == 4


def test_a_search_that_an_earlier_deployment_began_loses_no_killer() -> None:
    began = {"suspects": [], "running": [0], "aside": [], "poison": [1, 2], "runs": 7, "again": False}
    search = Search.from_json({**began, "innocent": True, "done": False})
    assert search.quarantines == {1: "unknown", 2: "unknown"}


def test_what_a_killer_s_job_died_of_is_kept_for_each_killer() -> None:
    search, alone = Search.begin(3), {0: "", 2: ""}
    while not search.done:
        failed = bool(alone.keys() & set(search.running))
        cause = f"death in run {search.runs}" if failed else ""
        if failed and len(search.running) == 1:
            (n,) = search.running
            alone[n] += f"; then {cause}" if alone[n] else cause
        search = search.after(failed=failed, cause=cause)
    assert dict(zip(search.poison, search.deaths, strict=True)) == alone


@given(st.data())
def test_one_killer_is_isolated_in_logarithmically_many_runs(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 2000))
    killer = data.draw(st.integers(0, n - 1))
    committed, quarantined, extra = look_for({killer}, n)
    assert (committed, quarantined) == (set(range(n)) - {killer}, {killer})
    assert extra <= 2 * math.log2(n) + 3


@given(st.data())
def test_every_killer_is_isolated_and_everything_else_commits(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 200))
    killers = set(data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=5)))
    committed, quarantined, _ = look_for(killers, n)
    assert (committed, quarantined) == (set(range(n)) - killers, killers)


def test_parts_that_only_fail_together_all_commit() -> None:
    search = Search.begin(8)
    committed: set[int] = set()
    while not search.done:
        failed = len(search.running) > 4
        committed |= set() if failed else set(search.running)
        search = search.after(failed=failed)
    assert committed == set(range(8))
    assert search.poison == ()


@pytest.mark.parametrize("n", [1, 2, 7])
def test_an_object_that_fails_alone_once_gets_a_second_chance(n: int) -> None:
    search, failed_alone = Search.begin(n), 0
    while not search.done:
        failed = 0 in search.running and not failed_alone
        failed_alone += failed and search.running == (0,)
        search = search.after(failed=failed)
    assert search.poison == ()


@pytest.mark.parametrize("n", [1, 2, 20, 1000])
def test_a_job_that_always_fails_is_given_up_and_blames_no_object(n: int) -> None:
    with pytest.raises(GivenUp, match="not the objects"):
        look_for(set(), n, broken=True)


def test_a_batch_full_of_killers_is_given_up_at_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "MAX_RUNS", 30)
    with pytest.raises(GivenUp, match="split 30 times"):
        look_for(set(range(0, 100, 2)), 100)


FAILED = {"Error": "States.TaskFailed", "Cause": json.dumps({"ErrorMessage": "exit code 137"})}


def step(event: dict[str, Any]) -> dict[str, Any]:
    return split_batch(event, landing_bucket="landing", s3=boto3.client("s3"))


def first_event(n: int = 3) -> dict[str, Any]:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="landing")
    manifest = Manifest("flights", tuple(SourceVersion(f"landing/flights/{i}", "v", 1) for i in range(n)))
    s3.put_object(Bucket="landing", Key=manifest.key, Body=manifest.to_json())
    where = f"s3://landing/{manifest.key}"
    return {"dataset": "flights", "batch": manifest.batch, "manifest": where, "failure": FAILED}


def read_manifest(state: dict[str, Any]) -> Manifest:
    key = state["manifest"].removeprefix("s3://landing/")
    return Manifest.from_json(boto3.client("s3").get_object(Bucket="landing", Key=key)["Body"].read())


@mock_aws
def test_the_state_machine_is_led_from_part_to_part_until_the_killer_is_quarantined() -> None:
    state = first_event()
    killer, ran = "landing/flights/2", []
    while not state.get("search", {}).get("done"):
        state = step(state)
        manifest = read_manifest(state)
        assert manifest.batch == state["batch"]
        ran.append(sorted((s.source[-1], s.hint) for s in manifest.sources))
        if any(s.source == killer and not s.hint for s in manifest.sources):
            state["failure"] = FAILED
    whole = [("0", ""), ("1", ""), ("2", "")]
    poison = [("2", POISON + "exit code 137; then exit code 137")]
    assert ran == [whole, whole[:2], whole[2:], whole[2:], poison, poison]
    assert state["isolated"] == [killer]


@pytest.mark.parametrize(
    "cause",
    [
        {"ErrorMessage": "ClientError: An error occurred (AccessDenied) when calling GetObject"},
        {"ErrorMessage": "causeway.contract.ContractError: flights: no such column"},
        {"ErrorMessage": "ModuleNotFoundError: No module named 'polars'"},
        {"ErrorMessage": "", "JobRunState": "STOPPED"},
    ],
)
@mock_aws
def test_a_failure_that_no_object_can_cause_blames_none(cause: dict[str, str]) -> None:
    failure = {"Error": "States.TaskFailed", "Cause": json.dumps(cause)}
    with pytest.raises(GivenUp, match=r"States\.TaskFailed: .+"):
        step({**first_event(), "failure": failure})


@mock_aws
def test_a_run_that_could_not_be_started_blames_no_object() -> None:
    failure = {"Error": "Glue.ConcurrentRunsExceededException", "Cause": "Concurrent runs exceeded"}
    with pytest.raises(GivenUp):
        step({**first_event(), "failure": failure})


@mock_aws
def test_a_cause_that_is_not_json_is_read_as_text() -> None:
    failure = {"Error": "States.TaskFailed", "Cause": "AccessDenied"}
    with pytest.raises(GivenUp):
        step({**first_event(), "failure": failure})
