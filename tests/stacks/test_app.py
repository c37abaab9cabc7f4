"""The whole app: one switch for removal, stacks that point one way, and the checkers' findings."""

import json
import os
import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks

from causeway.settings import SETTINGS_FILE, Settings
from tests.stacks.conftest import ROOT, build_app, resources


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app as `make synth` makes it: by the CDK command line, without credentials, checks on."""
    output = tmp_path_factory.mktemp("synth") / "cdk.out"
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CDK_"))}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    environment["HOME"] = str(output.parent)
    done = subprocess.run(
        [str(ROOT / "node_modules/.bin/cdk"), "synth", "--quiet", "--no-notices", "--output", str(output)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return output


def test_the_app_synthesizes_without_credentials_and_without_a_finding(assembly: Path) -> None:
    report = json.loads((assembly / "validation-report.json").read_text())
    found = [v for plugin in report["pluginReports"] for v in plugin.get("violations", [])]
    assert found == []


def test_a_wrong_setting_ends_the_synthesis_with_its_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(SETTINGS_FILE.read_text().replace("sandbox = true", "sandbox = True"))
    environment = {**os.environ, "CAUSEWAY_SETTINGS": str(path)}
    done = subprocess.run(
        ["make", "synth"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    (line,) = [x for x in (done.stdout + done.stderr).splitlines() if not x.startswith("make")]
    assert line.startswith(f"{path}: line 10: 'sandbox = True' is not TOML")


def test_the_cdk_alone_finds_what_make_installed(tmp_path: Path) -> None:
    node, cdk = Path(sys.executable).with_name("node"), ROOT / "node_modules/.bin/cdk"
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        [str(node), str(cdk), "list", "--no-notices", "--output", str(tmp_path / "cdk.out")],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "causeway-lake" in done.stdout.split(), done.stderr


def test_cfn_lint_finds_nothing(assembly: Path) -> None:
    templates = [str(path) for path in assembly.glob("*.template.json")]
    assert len(templates) >= 4
    linter = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([str(linter), *templates], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_every_acknowledgment_has_a_reason(assembly: Path) -> None:
    reasons = [
        reason
        for path in assembly.glob("*.metadata.json")
        for entries in json.loads(path.read_text()).values()
        for entry in entries
        if entry["type"] == cdk.Validations.ACKNOWLEDGED_RULES_METADATA_KEY
        for reason in entry["data"].values()
    ]
    assert reasons
    assert [reason for reason in reasons if len(reason) < 20] == []


def test_the_checks_would_find_a_careless_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDK_VALIDATION", "true")
    app = cdk.App(outdir=str(tmp_path))
    s3.Bucket(cdk.Stack(app, "Careless"), "Bucket")
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    with pytest.raises(RuntimeError, match="AwsSolutions-S10"):
        app.synth()


def test_stacks_point_one_way(stacks: dict[str, cdk.Stack], templates: dict[str, Template]) -> None:
    assert set(templates) == set(stacks)
    lake = stacks["lake"]
    assert lake.dependencies == []
    for name in ("pipeline", "partner"):
        assert [stack.stack_name for stack in stacks[name].dependencies] == [lake.stack_name]
    assert stacks["costs"].dependencies == stacks["training"].dependencies == []


@pytest.mark.parametrize(("sandbox", "policy"), [(True, "Delete"), (False, "Retain")])
def test_one_switch_decides_what_outlives_its_stack(
    settings: Settings, tmp_path: Path, sandbox: bool, policy: str
) -> None:
    app = build_app(settings.model_copy(update={"sandbox": sandbox}), tmp_path)
    for name in ("lake", "pipeline"):
        stack = app.node.find_child(f"{settings.project}-{name}")
        assert isinstance(stack, cdk.Stack)
        assert stack.termination_protection is not sandbox
        template = Template.from_stack(stack)
        for kind in (
            "AWS::S3::Bucket",
            "AWS::KMS::Key",
            "AWS::DynamoDB::Table",
            "AWS::Logs::LogGroup",
            "AWS::SQS::Queue",
        ):
            for resource in resources(template, kind).values():
                assert resource["DeletionPolicy"] == policy


@pytest.mark.parametrize(
    "asked", ["make synth ENVIRONMENT=stage", "env CAUSEWAY_ENVIRONMENT=stage make synth"]
)
def test_an_environment_that_there_is_not_ends_the_synthesis_with_those_there_are(asked: str) -> None:
    done = subprocess.run(asked.split(), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    (line,) = [x for x in (done.stdout + done.stderr).splitlines() if not x.startswith("make")]
    assert "settings.stage.toml: no such settings file; environments: there are staging; did you mean" in line
