"""What a training's execution does, by the interpreter of the embedded AWS, task by task."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from aws_cdk.assertions import Template
from ministack.services import stepfunctions

from ml.judge.diagnose import ROUNDS, diagnose, first_round
from tests.stacks.conftest import interpret, machine_of, resources, statements

LONGEST = "a" * 20
RUN = "20260101-120000-0123abcd"
BEGUN = {"model": LONGEST, "snapshot": "7", "asked": False, "run": RUN, "action": "train", "why": ""}
PROPERTIES = {"candidate": "stacking-2", "snapshot": "7", "verdict": "passed"}
KINDS = ("Processing", "Training")
Tasks = list[tuple[str, Any]]


def round_of(number: int) -> dict[str, Any]:
    candidate = {"name": f"tree-{number}", "family": "tree", "tier": number, "strength": 1.0}
    return {"round": number, "done": False, "said": "", "candidates": [candidate]}


WAITING = {"again": True, "snapshot": "8", "asked": True}


def answers(
    *,
    begin: str = "train",
    plan: str = "train",
    rounds: int = 1,
    verdict: str = "passed",
    again: bool = False,
) -> Any:
    """What the decisions are, by step."""
    found = {
        "begin": {**BEGUN, "action": begin},
        "plan": {"action": plan, **first_round()},
        "finish": WAITING if again else {"again": False, "snapshot": "", "asked": False},
        "gate": {"verdict": verdict, "reasons": ["so"], "report": "s3://b/report", "properties": PROPERTIES},
    }

    def answer(asked: dict[str, Any]) -> Any:
        if asked["step"] == "diagnose":
            ended = asked["round"] >= rounds
            return {**round_of(asked["round"]), "done": ended} | ({"candidates": []} if ended else {})
        return found[asked["step"]]

    return answer


def job_of(request: dict[str, Any]) -> str:
    """Which of the three jobs a request runs, if it runs one."""
    told = request.get("AppSpecification") or request.get("AlgorithmSpecification") or {}
    return str(told.get("ContainerEntrypoint", [""])[-1])


def run(training: Template, answer: Any, *, fails: str = "") -> tuple[Tasks, str]:
    """The tasks that ran and what each was asked, and what the execution failed of."""
    ran: Tasks = []

    def task(resource: str, asked: dict[str, Any]) -> Any:
        name = str(asked.get("step") or job_of(asked) or resource.rpartition(":")[2])
        ran.append((name, asked))
        if name == fails:
            raise stepfunctions._ExecutionError("States.TaskFailed", "killed")
        return answer(asked) if "step" in asked else {f"{kind}JobArn": "arn" for kind in KINDS}

    event = {"model": LONGEST, "snapshot": "7", "asked": False}
    failed = interpret(machine_of(training, "Workflow"), event, task)
    return ran, failed


@pytest.fixture(scope="module")
def training(templates: dict[str, Template]) -> Template:
    return templates["training"]


def names(ran: Tasks) -> list[str]:
    return [name for name, _ in ran]


START = ["begin", "prepare", "plan"]
FIRST = ["candidate", "candidate", "diagnose"]
END = ["evaluate", "gate"]
REGISTERED = ["createModelPackage", "publish", "finish"]
PASSED = [*START, *FIRST, *END, *REGISTERED]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (answers(begin="skip"), ["begin"]),
        (answers(plan="skip"), [*START, "finish"]),
        (answers(again=True), [*PASSED, "startExecution"]),
        (answers(rounds=1), PASSED),
        (answers(rounds=2), [*START, *FIRST, "candidate", "diagnose", *END, *REGISTERED]),
        (answers(rounds=3), [*START, *FIRST, *["candidate", "diagnose"] * 2, *END, *REGISTERED]),
        (answers(verdict="failed"), [*START, *FIRST, *END, "publish", "finish"]),
        (answers(verdict="not enough evidence"), [*START, *FIRST, *END, "publish", "finish"]),
    ],
)
def test_an_execution_goes_as_far_as_the_decisions_say_and_ends_well(
    training: Template, answer: Any, expected: list[str]
) -> None:
    ran, failed = run(training, answer)
    assert (names(ran), failed) == (expected, "")


def test_a_model_that_passed_waits_for_a_person_who_is_told(training: Template) -> None:
    ran, _ = run(training, answers())
    package, notice = (asked for _, asked in ran[-3:-1])
    assert package["ModelPackageGroupName"] == f"causeway-{LONGEST}"
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert package["CustomerMetadataProperties"] == PROPERTIES
    assert notice["Subject"] == "Causeway: a model waits for your approval"


def test_why_a_model_was_not_good_enough_is_told(training: Template) -> None:
    notice = run(training, answers(verdict="failed"))[0][-2][1]
    assert notice["Subject"] == "Causeway: a model was not good enough"
    assert notice["Message"]["gate"]["reasons"] == ["so"]


def test_what_was_asked_for_meanwhile_is_asked_of_the_same_state_machine(training: Template) -> None:
    again = run(training, answers(again=True))[0][-1][1]
    asked = {key: value for key, value in again["Input"].items() if not key.startswith("AWS")}
    assert again["StateMachineArn"] == "m"
    assert asked == {"model": LONGEST, "snapshot": "8", "asked": True}


@pytest.mark.parametrize("fails", list(dict.fromkeys(PASSED[:-2])))
@pytest.mark.parametrize("again", [False, True])
def test_what_fails_gives_the_turn_back_is_notified_and_fails_the_execution(
    training: Template, fails: str, again: bool
) -> None:
    ran, failed = run(training, answers(again=again), fails=fails)
    expected = [fails, "finish", *(["startExecution"] if again else []), "publish"]
    assert names(ran)[-len(expected) :] == expected
    assert [asked["failed"] for name, asked in ran if name == "finish"] == [True]
    assert ran[-1][1]["Subject"] == "Causeway: a model's training failed"
    assert ran[-1][1]["Message"]["failure"]["Cause"] == "killed"
    assert failed == "States.TaskFailed: killed"


@pytest.mark.parametrize("fails", ["finish", "startExecution"])
def test_a_turn_that_cannot_be_given_back_fails_the_execution(training: Template, fails: str) -> None:
    ran, failed = run(training, answers(again=True), fails=fails)
    assert names(ran)[-2:] == [fails, "publish"]
    assert failed == "States.TaskFailed: killed"


def test_a_failure_is_told_even_if_the_turn_cannot_be_given_back(training: Template) -> None:
    def answer(asked: dict[str, Any]) -> Any:
        if asked["step"] in ("plan", "finish"):
            raise stepfunctions._ExecutionError("States.TaskFailed", asked["step"])
        return answers()(asked)

    ran, failed = run(training, answer)
    assert list(dict.fromkeys(names(ran))) == ["begin", "prepare", "plan", "finish", "publish"]
    assert ran[-1][1]["Message"]["failure"]["Cause"] == "plan"
    assert failed == "States.TaskFailed: plan"


def test_a_run_and_its_snapshot_are_those_that_began(training: Template) -> None:
    ran, _ = run(training, answers(rounds=2))
    prepare = next(asked for name, asked in ran if name == "prepare")
    assert {"MODEL": LONGEST, "RUN": RUN, "SNAPSHOT": "7"}.items() <= prepare["Environment"].items()
    assert {asked["execution"] for _, asked in ran if "step" in asked} == {"e"}
    given = [asked["HyperParameters"] for name, asked in ran if name == "candidate"]
    assert [one["round"] for one in given] == ["1", "1", "2"]
    assert {type(value) for one in given for value in one.values()} == {str}


def candidates(tiers: list[int]) -> Iterator[dict[str, Any]]:
    """All that could be trained where everything overfits and nothing suffices."""
    plan, trained = first_round(), list[dict[str, Any]]()
    for done in range(1, ROUNDS + 1):
        trained += [{**one, "round": done, "train": 1.0, "same_period": 0.5} for one in plan["candidates"]]
        plan = diagnose(done, trained, tiers, 0.99)
    yield from trained


@pytest.mark.parametrize("tiers", [[1], [1, 22, 0], [1, 2, 3]])
def test_the_longest_names_of_jobs_are_none_too_long(training: Template, tiers: list[int]) -> None:
    every = list(candidates(tiers))
    given = answers()
    ran, failed = run(
        training,
        lambda asked: {**given(asked), "candidates": every} if asked["step"] == "plan" else given(asked),
    )
    found = [asked[f"{kind}JobName"] for _, asked in ran for kind in KINDS if f"{kind}JobName" in asked]
    assert not failed
    assert {f"{LONGEST}-{RUN}-{one['name']}" for one in every} <= set(found)
    assert max(map(len, found)) <= 63


def requests(value: Any) -> Iterator[Any]:
    """Every request of a definition for a job."""
    if isinstance(value, dict):
        if "Job.sync" in str(value.get("Resource")):
            yield value["Parameters"]
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from requests(one)


def test_only_the_role_that_prepares_may_assume_the_companys(training: Template) -> None:
    (policy,) = [
        found["Properties"]
        for found in resources(training, "AWS::IAM::Policy").values()
        if "sts:AssumeRole" in str(found)
    ]
    assert [role["Ref"][: len("JobsPrepareRole")] for role in policy["Roles"]] == ["JobsPrepareRole"]
    (allowed,) = [one for one in statements(training) if "sts:AssumeRole" in one["Action"]]
    assert allowed["Resource"] == ["arn:aws:iam::111111111111:role/causeway/partner/causeway-programmatic"]


def test_only_preparing_runs_as_the_role_that_may(training: Template) -> None:
    """By the definitions' text before its references are looked up."""
    roles = {}
    for machine in resources(training, "AWS::StepFunctions::StateMachine").values():
        parts = machine["Properties"]["DefinitionString"]["Fn::Join"][1]
        text = "".join(
            part if isinstance(part, str) else "-".join(part.get("Fn::GetAtt", [])) for part in parts
        )
        for asked in requests(json.loads(text)):
            roles[job_of(asked)] = asked["RoleArn"].partition("Role")[0]
    reading = dict.fromkeys(("prepare", "score"), "JobsPrepare")
    assert roles == {**reading, "candidate": "JobsTrain", "evaluate": "JobsTrain"}
