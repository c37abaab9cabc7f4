"""The demo's deployment is taken away again: after all that looks at it, so by the name of this file."""

import os
import signal
import subprocess

import pytest

from local.aws.embedded import ROOT, EmbeddedAws
from tests.local.deployment import COMPANY, PARTNER, Deployment, job_processes, signal_jobs

pytestmark = pytest.mark.embedded


def test_destroying_the_sandbox_wakes_nothing_and_leaves_no_stack_and_no_bucket(
    deployment: Deployment,
) -> None:
    with deployment.broken("CurateSmall", CONTRACTS="s3://nowhere/contracts.zip"):
        deployment.land("last.jsonl")
        deployment.becomes("its job runs", lambda: job_processes(deployment.aws))
        signal_jobs(deployment.aws, signal.SIGSTOP)
    started = executions_started(deployment.aws)
    settings = {"CAUSEWAY_SETTINGS": str(deployment.app.parent / "settings.toml")}  # they have a store
    environment = {**deployment.aws.environment(COMPANY), "PATH": os.environ["PATH"], "YES": "1", **settings}
    with subprocess.Popen(
        ["make", "--no-print-directory", "destroy"], cwd=ROOT, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as destroying:  # fmt: skip
        lines = []
        for line in destroying.stdout or ():
            lines.append(line)
            if line.startswith("Still running: 1."):
                signal_jobs(deployment.aws, signal.SIGCONT)
    assert destroying.returncode == 0, "".join(lines)
    assert [line for line in lines if line.startswith("Still running: 1.")]
    assert executions_started(deployment.aws) == started
    stacks = deployment.client("cloudformation").list_stacks()["StackSummaries"]
    assert {s["StackName"] for s in stacks if s["StackStatus"] != "DELETE_COMPLETE"} == {"CDKToolkit"}
    buckets = [b["Name"] for b in deployment.client("s3").list_buckets()["Buckets"]]
    assert [b for b in buckets if b.startswith("causeway")] == []


def test_destroying_with_the_partners_credentials_leaves_nothing_there(deployment: Deployment) -> None:
    def stacks() -> set[str]:
        found = deployment.aws.client("cloudformation", PARTNER).list_stacks()["StackSummaries"]
        return {stack["StackName"] for stack in found if stack["StackStatus"] != "DELETE_COMPLETE"}

    assert stacks() == {"CDKToolkit", "causeway-training"}
    environment = {**deployment.aws.environment(PARTNER), "PATH": os.environ["PATH"], "YES": "1"}
    command = ["make", "--no-print-directory", "destroy"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert stacks() == {"CDKToolkit"}


def executions_started(aws: EmbeddedAws) -> int:
    """Since it is up: a deleted state machine's executions are in its log alone."""
    started = (aws.logs / "emulator.log").read_text().count("Step Functions execution started")
    assert started
    return started
