"""Every option that the committed settings leave off: audit, and what the partner may have besides."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from aws_cdk.assertions import Match, Template

from causeway.settings import SETTINGS_FILE
from tests.stacks.conftest import ROOT

OPTIONS = {
    "audit": "true",
    "datasets": '["flights"]',
    "models": "[]",
    "may_land": '["flights"]',
    "revoked": "true",
    "source_identity": "true",
    "vpc_endpoints": '["vpce-0123456789abcdef0"]',
    "console_mfa": "false",
    "anomaly_dollars": "25",
}

INFERENCE = {
    "model_data": "s3://weights/llama/",
    "image": f"763104351884.dkr.ecr.us-east-1.amazonaws.com/vllm@sha256:{'a' * 64}",
}


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app with all of them on, as the CDK command line makes it, checks on."""
    folder, text = tmp_path_factory.mktemp("options"), SETTINGS_FILE.read_text()
    for key, value in OPTIONS.items():
        text, replaced = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}", text)
        assert replaced == 1, key
    assert "[store]\nenabled = false" in text
    text = text.replace("[store]\nenabled = false", "[store]\nenabled = true")
    text = text.replace("[inference]\nenabled = false", "[inference]\nenabled = true")
    for key, value in INFERENCE.items():
        assert text.count(f'{key} = ""') == 1, key
        text = text.replace(f'{key} = ""', f'{key} = "{value}"')
    (folder / "settings.toml").write_text(text)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CDK_"))}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    environment["CAUSEWAY_SETTINGS"] = str(folder / "settings.toml")
    cdk, output = str(ROOT / "node_modules/.bin/cdk"), str(folder / "cdk.out")
    done = subprocess.run(
        [cdk, "synth", "--quiet", "--no-notices", "--output", output],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "cdk.out"


def test_with_every_option_on_there_is_no_finding(assembly: Path) -> None:
    report = json.loads((assembly / "validation-report.json").read_text())
    assert [v for plugin in report["pluginReports"] for v in plugin.get("violations", [])] == []


def test_with_every_option_on_cfn_lint_finds_nothing(assembly: Path) -> None:
    linter = Path(sys.executable).with_name("cfn-lint")
    stacks = ("lake", "partner", "audit", "costs", "inference")
    changed = [str(assembly / f"causeway-{stack}.template.json") for stack in stacks]
    done = subprocess.run([str(linter), *changed], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_trail_has_every_call_and_the_objects_of_every_data_bucket_in_files_that_can_be_checked(
    assembly: Path,
) -> None:
    audit = Template.from_json(json.loads((assembly / "causeway-audit.template.json").read_text()))
    audit.has_resource_properties(
        "AWS::CloudTrail::Trail",
        {
            "IsLogging": True,
            "IsMultiRegionTrail": True,
            "IncludeGlobalServiceEvents": True,
            "EnableLogFileValidation": True,
            "EventSelectors": [
                {
                    # Neither narrowed to reads or writes, nor without the management events.
                    "ReadWriteType": Match.absent(),
                    "IncludeManagementEvents": Match.absent(),
                    "DataResources": [{"Type": "AWS::S3::Object", "Values": Match.any_value()}],
                }
            ],
        },
    )
    (trail,) = audit.find_resources("AWS::CloudTrail::Trail").values()
    buckets = json.dumps(trail["Properties"]["EventSelectors"][0]["DataResources"][0]["Values"])
    assert [name for name in ("Landing", "Curated", "Quarantine") if f"GetAtt{name}" not in buckets] == []
