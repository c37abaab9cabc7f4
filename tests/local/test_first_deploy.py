"""The first deployment's checklist: its commands are there, and CI can take the role that it describes."""

import json
import re
import runpy
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from shutil import copy

import botocore.session
import pytest
from botocore import xform_name
from moto import mock_aws

from local.aws.embedded import ROOT

PAGE = (ROOT / "docs/first-deploy.md").read_text()
(SHELL,) = re.findall(r"```sh\n(.*?)```", PAGE, re.S)
(TEMPLATE,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
# Each program and what it is given, without the comments beside; causeway's are test_documents.py's.
CALLS = re.findall(r"\b(causeway|make|aws) ([^|;)\n]+)", re.sub(r"(?m)\s#\s.*$", "", SHELL))


def calls(of: str) -> list[str]:
    return sorted({call.strip() for program, call in CALLS if program == of})


@pytest.mark.parametrize("line", calls("make"))
def test_each_target_is_one_of_the_makefile(line: str) -> None:
    assert line in re.findall(r"(?m)^([a-z-]+):.* ## ", (ROOT / "Makefile").read_text())


@pytest.mark.parametrize("line", calls("aws"))
def test_each_call_is_one_of_awss(line: str) -> None:
    (service, operation), options = line.split()[:2], re.findall(r"(?<= )--[a-z-]+", line)
    if service == "s3":
        assert operation == "rm"
        return
    model = botocore.session.get_session().get_service_model(service.removesuffix("api"))
    calls = {xform_name(name, "-"): name for name in model.operation_names}
    members = model.operation_model(calls[operation]).input_shape.members
    known = {f"--{xform_name(name, '-')}" for name in members} | {"--query", "--output"}
    assert set(options) <= known


# Stands for every program: notes how it was called, answers as it should, fails if told to.
PROGRAM = """#!/bin/bash
call="$(basename "$0") $*"
echo "$call" >> "$CALLED"
case "$call" in
  *describe-stacks*) echo a-bucket;;
  *head-object*) echo aws:kms;;
  *describe-alarms*) echo 0;;
  "causeway costs") echo weather;;
esac
[[ "$call" != "$FAILS"* ]]
"""


def run_checklist(folder: Path, fails: str) -> tuple[int, list[str]]:
    """What CI's script ends with, and the calls that it made."""
    for name in (".ci/first-deploy", "docs/first-deploy.md"):
        (folder / name).parent.mkdir()
        copy(ROOT / name, folder / name)
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/activate").write_text("")
    for name in ("aws", "causeway", "make", "python"):
        (folder / name).write_text(PROGRAM)
        (folder / name).chmod(0o755)
    called = folder / "called"
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "CALLED": str(called), "FAILS": fails}
    done = subprocess.run(
        [str(folder / ".ci/first-deploy")], env=environment, capture_output=True, check=False
    )
    return done.returncode, called.read_text().splitlines()


def test_ci_runs_it_as_it_stands_from_a_deployment_to_nothing(tmp_path: Path) -> None:
    status, called = run_checklist(tmp_path, "no call")
    assert status == 0
    assert (called[0], called[-1]) == ("make deploy", "make destroy")
    assert {call.split()[1] for call in called if call.startswith("causeway")} == {
        call.split()[0] for call in calls("causeway")
    }


@pytest.mark.parametrize("fails", ["causeway land", "causeway revoke", "make deploy", "aws s3 rm"])
def test_it_stops_at_the_first_that_fails(tmp_path: Path, fails: str) -> None:
    status, called = run_checklist(tmp_path, fails)
    assert status
    assert called[-1].startswith(fails)


def test_the_minutes_it_names_are_under_thirty() -> None:
    assert 0 < sum(map(int, re.findall(r"# (\d+) min", SHELL))) < 30


def test_the_roles_template_is_one_that_cloudformation_takes(tmp_path: Path) -> None:
    path = tmp_path / "role.template.yaml"
    path.write_text(TEMPLATE)
    linter = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([str(linter), str(path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert "environment:sandbox" in TEMPLATE
    assert "environment: sandbox" in (ROOT / ".github/workflows/sandbox.yml").read_text()


class Identity(BaseHTTPRequestHandler):
    """GitHub, which gives a job its identity."""

    def do_GET(self) -> None:
        assert self.headers["Authorization"] == "bearer ours"
        assert self.path == "/token?job=1&audience=sts.amazonaws.com"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"value": "a.token.of-the-job"}).encode())


@mock_aws
def test_a_job_takes_the_role_by_its_identity_alone_and_prints_no_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    github, environment = HTTPServer(("127.0.0.1", 0), Identity), tmp_path / "environment"
    threading.Thread(target=github.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{github.server_port}/token?job=1"
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", url)
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ours")
    monkeypatch.setenv("SANDBOX_ROLE", "arn:aws:iam::111111111111:role/sandbox")
    monkeypatch.setenv("GITHUB_ENV", str(environment))
    try:
        runpy.run_path(str(ROOT / ".ci/credentials"))
    finally:
        github.shutdown()
    lines = [line.split("=", 1) for line in environment.read_text().splitlines()]
    assert [name for name, _ in lines] == [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ]
    assert capsys.readouterr().out.splitlines() == [f"::add-mask::{value}" for _, value in lines]
