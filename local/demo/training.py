"""The partner's models in the demo: what was trained, what the gate says, and a person who approves."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from operator import and_
from pathlib import Path
from typing import Any

from causeway.cli.output import show, table
from causeway.flow.models import Run, Store, champion_key
from causeway.operate.executions import RED, cause
from causeway.pages.model import model_page
from local.aws.embedded import EmbeddedAws
from local.demo.mail import Row, later_mails
from local.demo.progress import Progress
from local.demo.watch import LATEST

LATER_MAILS = 200


class Training:
    """The partner's view of its training stack, by the outputs of that."""

    def __init__(self, aws: EmbeddedAws, account: str, outputs: dict[str, str]) -> None:
        self._machine, self._function = outputs["TrainingMachine"], outputs["PredictFunction"]
        self.store = Store(aws.client("s3", account), outputs["Bucket"])
        self._registry, self._states = aws.client("sagemaker", account), aws.client("stepfunctions", account)
        self._functions = aws.client("lambda", account)

    def await_model(self, note: Callable[[str], None], ended: int = 0) -> dict[str, Any]:
        """What the newest training gave that came to the gate, when none runs and more than `ended` have.

        Raises RuntimeError when one has failed, with its cause, or when it takes too long.
        """
        deadline = time.monotonic() + LATEST
        while True:
            executions = self._states.list_executions(stateMachineArn=self._machine)["executions"]
            if failed := [one for one in executions if one["status"] in RED]:
                reason = cause(self._states, failed[0]["executionArn"])
                raise RuntimeError(f"training {failed[0]['name']} failed: {reason}")
            judged = [output for one in executions if "gate" in (output := self._output(one))]
            if len(judged) > ended and all(one["status"] == "SUCCEEDED" for one in executions):
                return judged[0]
            if time.monotonic() > deadline:
                raise RuntimeError(f"after {LATEST} s no model has come to the gate")
            note(f"{self._candidates()} candidates trained")
            time.sleep(0.5)

    def _output(self, execution: dict[str, Any]) -> dict[str, Any]:
        described = self._states.describe_execution(executionArn=execution["executionArn"])
        return dict(json.loads(described.get("output") or "{}"))

    def _candidates(self) -> int:
        listed = self.store.s3.list_objects_v2(Bucket=self.store.bucket, Prefix="candidates/")
        return int(listed["KeyCount"])

    def begin(self, asked: dict[str, Any]) -> str:
        """Start a training, as somebody does; its execution's ARN."""
        started = self._states.start_execution(stateMachineArn=self._machine, input=json.dumps(asked))
        return str(started["executionArn"])

    def run(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Start a training and wait for its end, as `end` does."""
        return self.end(self.begin(asked))

    def end(self, arn: str) -> dict[str, Any]:
        """What a training gives. Raises RuntimeError, with its cause, when it fails."""
        while (described := self._states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            time.sleep(0.2)
        if described["status"] != "SUCCEEDED":
            raise RuntimeError(f"training {arn} failed: {cause(self._states, arn)}")
        return dict(json.loads(described["output"]))

    def approve(self, package: str) -> None:
        """As a person of the partner's does."""
        self._registry.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")

    def await_in_use(self, model: str, package: str) -> dict[str, Any]:
        """The model in use, once it is that package. Raises RuntimeError when it takes too long."""
        deadline = time.monotonic() + LATEST
        while True:
            in_use = self.store.get(champion_key(model))
            if in_use and in_use["package"] == package:
                return in_use
            if time.monotonic() > deadline:
                raise RuntimeError(f"after {LATEST} s {package} is approved, but not in use")
            time.sleep(0.2)

    def ask(self, model: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What the model in use says of these rows, as an application hears it. Raises RuntimeError."""
        payload = json.dumps({"model": model, "rows": rows})
        called = self._functions.invoke(FunctionName=self._function, Payload=payload)
        answer: dict[str, Any] = json.loads(called["Payload"].read())
        if "predictions" not in answer:
            raise RuntimeError(f"{model} was asked of {len(rows)} rows: {answer}")
        return answer


def train_and_ask(training: Training, progress: Progress, build: Path) -> dict[str, Any]:
    """What there is to tell of the model; and, if it is in use, what it says of mails that came later."""
    waiting = "The partner has trained since mail was committed: waiting for its model"
    with progress.phase("training", waiting):
        model = train(training, progress.note, build)
    if "in_use" in model:
        with progress.phase("inference", f"Asking the model in use of {LATER_MAILS} mails that came later"):
            model["asked"] = ask_of_later_mails(training, model["model"], later_mails(LATER_MAILS))
    return model


def ask_of_later_mails(training: Training, model: str, mails: Sequence[Row]) -> dict[str, Any]:
    """What the model in use says of mails that came after all that it has seen, and what is so."""
    rows = [{name: mail[name] for name in ("subject", "body", "structure")} for mail in mails]
    answer = training.ask(model, rows)
    said = [one["positive"] for one in answer["predictions"]]
    so = [mail["label"] == "spam" for mail in mails]
    return {
        "package": answer["package"],
        "rows": len(rows),
        "positives": sum(so),
        "flagged": sum(said),
        "right": sum(map(and_, said, so)),
    }


def train(training: Training, note: Callable[[str], None], build: Path, ended: int = 0) -> dict[str, Any]:
    """Wait for the model of what was landed, write its page, and approve it if it passed.

    What there is to tell of it. `ended` trainings have come to the gate before.
    """
    run = training.await_model(note, ended)
    of = Run(run["model"], run["run"])
    report, verdict, pin = (training.store.get(key) or {} for key in (of.report, of.verdict, of.pin))
    page = build / f"model-{run['model']}.html"
    page.write_text(model_page(report, verdict, pin))
    told = {
        "model": run["model"],
        "run": run["run"],
        "snapshot": run["gate"]["properties"]["snapshot"],
        "candidates": report["candidates"],
        "rounds": [one["said"] for one in report["rounds"]],
        "best": report["best"],
        "threshold": report["threshold"],
        "holdout": report["holdout"],
        "page": str(page),
        **{name: run["gate"][name] for name in ("verdict", "reasons")},
    }
    if told["verdict"] == "passed":
        package = run["registered"]["ModelPackageArn"]
        training.approve(package)
        told["in_use"] = training.await_in_use(run["model"], package)["package"]
    return told


def show_training(told: dict[str, Any]) -> None:
    """Every candidate, what each round lacked, and the gate in numbers."""
    header = ("round", "candidate", "training", "same period", "later")
    numbers = ("train", "same_period", "later")
    rows = [
        [one["round"], one["name"], *(f"{one[name]:.3f}" for name in numbers)]
        for one in sorted(told["candidates"], key=lambda one: (one["round"], -one["later"]))
    ]
    show(
        f"\nThe partner's model {told['model']}, trained on snapshot {told['snapshot']} (average precision)",
        table(header, rows),
    )
    show(*(f"  after round {number}: {said}" for number, said in enumerate(told["rounds"], 1)))
    show(f"The gate, on later rows that nothing was chosen by: {told['best']} has {told['verdict']}")
    if holdout := told["holdout"]:
        show(
            f"  precision {holdout['right']}/{holdout['flagged']} = {holdout['precision']:.1%}, at least "
            f"{holdout['lower']:.1%} with 95 % confidence; recall {holdout['recall']:.1%}"
        )
    show(*(f"  {reason}" for reason in told["reasons"]))
    if "in_use" in told:
        show(f"  approved, and in use: {told['in_use']}")
        asked = told["asked"]
        show(
            f"  asked of {asked['rows']} mails that came later, {asked['positives']} of them spam: "
            f"it flags {asked['flagged']}, {asked['right']} rightly"
        )
    show(f"  all of it: {told['page']}")


def problems_of_training(told: dict[str, Any]) -> list[str]:
    if told["verdict"] == "passed":
        return []
    return [f"{told['model']}: the gate says {told['verdict']}: {'; '.join(told['reasons'])}"]
