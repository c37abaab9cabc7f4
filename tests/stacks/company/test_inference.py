"""The language model's endpoint: off unless settings say so, on what the sizing chose, asleep for nothing."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from causeway.operate.idle import INFERENCE_ALARMS
from causeway.settings import SETTINGS_FILE, Settings, load_settings
from causeway.settings_errors import SettingsError
from tests.stacks.conftest import ROOT, build_app, named, resources, statements
from tests.stacks.test_tags import TAGS, untagged

REGISTRY = "763104351884.dkr.ecr.us-east-1.amazonaws.com"
ON: dict[str, Any] = {
    "enabled": True,
    "model_data": "s3://weights/llama/",
    "image": f"{REGISTRY}/vllm@sha256:{'a' * 64}",
}


def stack_of(settings: Settings, folder: Path, *, sandbox: bool = True, **changes: Any) -> cdk.Stack:
    inference = settings.inference.model_copy(update={**ON, **changes})
    app = build_app(settings.model_copy(update={"inference": inference, "sandbox": sandbox}), folder)
    (stack,) = (child for child in app.node.children if child.node.id == "causeway-inference")
    assert isinstance(stack, cdk.Stack)
    return stack


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("inference")


@pytest.fixture(scope="module")
def stack(settings: Settings, folder: Path) -> cdk.Stack:
    return stack_of(settings, folder)


@pytest.fixture(scope="module")
def inference(stack: cdk.Stack) -> Template:
    return Template.from_stack(stack)


def variant(template: Template) -> dict[str, Any]:
    (found,) = named(template, "AWS::SageMaker::EndpointConfig", "Model")["ProductionVariants"]
    return dict(found)


def test_there_is_no_endpoint_unless_the_settings_say_so(stacks: dict[str, cdk.Stack]) -> None:
    assert "inference" not in stacks


def test_with_the_endpoint_there_is_no_finding_and_cfn_lint_finds_nothing(
    stack: cdk.Stack, folder: Path
) -> None:
    app = stack.node.root
    assert isinstance(app, cdk.App)
    app.synth()
    report = json.loads((folder / "validation-report.json").read_text())
    assert [v for plugin in report["pluginReports"] for v in plugin.get("violations", [])] == []
    template, linter = folder / "causeway-inference.template.json", Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([linter, template], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_everything_in_it_carries_every_tag(inference: Template) -> None:
    assert untagged({"inference": inference}, TAGS) == []


def test_the_instance_is_the_cheapest_that_the_sizing_finds(
    inference: Template, settings: Settings, tmp_path: Path
) -> None:
    assert variant(inference)["InstanceType"] == "ml.g6e.xlarge"
    smaller = Template.from_stack(stack_of(settings, tmp_path, dtype="int4"))
    assert variant(smaller)["InstanceType"] == "ml.g6.xlarge"
    # Another instance is another endpoint, which autoscaling would not let be changed.
    names = [named(one, "AWS::SageMaker::Endpoint", "Model")["EndpointName"] for one in (inference, smaller)]
    assert names == ["causeway-ml-g6e-xlarge", "causeway-ml-g6-xlarge"]


def test_the_container_is_told_what_was_sized(settings: Settings, tmp_path: Path) -> None:
    template = Template.from_stack(stack_of(settings, tmp_path, model="llama-3.1-70b", concurrency=7))
    container = named(template, "AWS::SageMaker::Model", "Model")["PrimaryContainer"]
    assert container["Environment"] == {
        "SM_VLLM_MODEL": "/opt/ml/model",
        "SM_VLLM_TENSOR_PARALLEL_SIZE": "2",
        "SM_VLLM_MAX_MODEL_LEN": "8192",
        "SM_VLLM_MAX_NUM_SEQS": "7",
        "SM_VLLM_GPU_MEMORY_UTILIZATION": "0.9",
        "SM_VLLM_DTYPE": "bfloat16",
    }
    assert container["Image"] == ON["image"]
    # Of weights in fewer bits their own files say how they are kept.
    smaller = Template.from_stack(stack_of(settings, tmp_path / "int4", dtype="int4"))
    container = named(smaller, "AWS::SageMaker::Model", "Model")["PrimaryContainer"]
    assert container["Environment"]["SM_VLLM_DTYPE"] == "auto"
    assert variant(template)["InstanceType"] == "ml.g7e.12xlarge"


def test_the_container_reaches_no_network(inference: Template) -> None:
    assert named(inference, "AWS::SageMaker::Model", "Model")["EnableNetworkIsolation"] is True


def test_it_scales_to_nothing_and_wakes_at_the_first_request(inference: Template) -> None:
    target = named(inference, "AWS::ApplicationAutoScaling::ScalableTarget", "Model")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (0, 1)
    assert target["ResourceId"] == "endpoint/causeway-ml-g6e-xlarge/variant/model"
    policies = [
        r["Properties"] for r in resources(inference, "AWS::ApplicationAutoScaling::ScalingPolicy").values()
    ]
    by_kind = {policy["PolicyType"]: policy for policy in policies}
    tracked = by_kind["TargetTrackingScaling"]["TargetTrackingScalingPolicyConfiguration"]
    metric = tracked["CustomizedMetricSpecification"]
    assert (metric["MetricName"], tracked["TargetValue"]) == ("ApproximateBacklogSizePerInstance", 4)
    assert metric["Dimensions"] == [{"Name": "EndpointName", "Value": "causeway-ml-g6e-xlarge"}]
    (step,) = by_kind["StepScaling"]["StepScalingPolicyConfiguration"]["StepAdjustments"]
    assert step["ScalingAdjustment"] == 1
    (alarm,) = (
        r["Properties"]
        for r in resources(inference, "AWS::CloudWatch::Alarm").values()
        if r["Properties"]["MetricName"] == "HasBacklogWithoutCapacity"
    )
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")


def test_a_request_that_fails_or_waits_an_hour_is_an_alarm_that_people_hear_of(inference: Template) -> None:
    alarms = [r["Properties"] for r in resources(inference, "AWS::CloudWatch::Alarm").values()]
    heard = {a["MetricName"]: a["Threshold"] for a in alarms if "Failures" in json.dumps(a["AlarmActions"])}
    assert heard == {"InvocationFailures": 1, "ApproximateAgeOfOldestRequest": 3600}
    # Scaling by a target makes two more itself.
    assert len(alarms) + 2 == INFERENCE_ALARMS


def test_requests_and_answers_are_encrypted_with_the_companys_key_and_go_after_a_week(
    inference: Template,
) -> None:
    bucket = named(inference, "AWS::S3::Bucket", "Exchange")
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == 7
    output = named(inference, "AWS::SageMaker::EndpointConfig", "Model")["AsyncInferenceConfig"][
        "OutputConfig"
    ]
    assert (
        output["KmsKeyId"]
        == bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0][
            "ServerSideEncryptionByDefault"
        ]["KMSMasterKeyID"]
    )


def allowed(template: Template, role: str) -> dict[str, list[Any]]:
    """The resources of each action that the role's own policy allows."""
    policy = {i: r for i, r in resources(template, "AWS::IAM::Policy").items() if i.startswith(role)}
    given: dict[str, list[Any]] = {}
    for statement in statements(Template.from_json({"Resources": policy})):
        for action in statement["Action"]:
            given.setdefault(action, []).extend(statement["Resource"])
    return given


def test_the_endpoint_may_read_weights_and_requests_and_write_answers_and_its_log_and_nothing_else(
    inference: Template,
) -> None:
    given = allowed(inference, "ModelRole")
    assert sorted(given) == [
        "cloudwatch:PutMetricData", "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage",
        "ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer", "kms:Decrypt", "kms:GenerateDataKey",
        "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents", "s3:GetObject",
        "s3:ListBucket", "s3:PutObject",
    ]  # fmt: skip
    read = re.sub(r'[\s"]', "", json.dumps(given["s3:GetObject"]))
    assert "/requests/*" in read
    assert ":s3:::weights/llama/*" in read
    assert len(given["s3:GetObject"]) == 2
    written = json.dumps(given["s3:PutObject"])
    assert ["/answers/*" in written, "/failures/*" in written, "/requests" in written] == [True, True, False]
    assert "repository/vllm" in json.dumps(given["ecr:BatchGetImage"])


def test_its_users_may_send_requests_and_read_answers_and_nothing_else(inference: Template) -> None:
    given = allowed(inference, "Users")
    assert sorted(given) == [
        "kms:Decrypt", "kms:GenerateDataKey", "s3:GetObject", "s3:PutObject", "sagemaker:InvokeEndpointAsync",
    ]  # fmt: skip
    assert "requests" not in json.dumps(given["s3:GetObject"])
    assert "answers" not in json.dumps(given["s3:PutObject"])
    trust = json.dumps(named(inference, "AWS::IAM::Role", "Users")["AssumeRolePolicyDocument"])
    assert "role/causeway-application" in trust


@pytest.mark.parametrize(("sandbox", "policy"), [(True, "Delete"), (False, "Retain")])
def test_in_a_sandbox_nothing_of_it_stays(
    settings: Settings, tmp_path: Path, sandbox: bool, policy: str
) -> None:
    template = Template.from_stack(stack_of(settings, tmp_path, sandbox=sandbox)).to_json()["Resources"]
    kept = {r["Type"]: r["DeletionPolicy"] for r in template.values() if "DeletionPolicy" in r}
    assert kept == {"AWS::S3::Bucket": policy, "AWS::Logs::LogGroup": policy}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"model": "llama-3.1-9b"}, "did you mean llama-3.1-8b?"),
        ({"model": "llama-3.1-405b"}, "weights in fp8: ml.p4de.24xlarge"),
        ({"image": ON["image"].replace("us-east-1", "eu-west-1")}, "a registry of eu-west-1"),
    ],
)
def test_what_cannot_be_served_is_refused_at_synth(
    settings: Settings, tmp_path: Path, changes: dict[str, Any], expected: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        stack_of(settings, tmp_path, **changes)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("replacements", "expected"),
    [
        (
            {"enabled = false\n# A name": "enabled = true\n# A name"},
            "inference.image: found ''; with enabled = true",
        ),
        (
            {'image = ""': 'image = "vllm:latest"'},
            'inference.image: found \'vllm:latest\'; "" or "<account>.',
        ),
        (
            {'model_data = ""': 'model_data = "s3://b/x"'},
            'inference.model_data: found \'s3://b/x\'; "" or "s3://',
        ),
        ({"max_instances = 1": "max_instances = 0"}, "inference.max_instances: found 0"),
        (
            {"concurrency = 4": "concurency = 4"},
            "inference.concurency: unknown key; did you mean concurrency?",
        ),
    ],
)
def test_a_wrong_setting_is_a_line_that_names_it(
    tmp_path: Path, replacements: dict[str, str], expected: str
) -> None:
    text = SETTINGS_FILE.read_text()
    for old, new in replacements.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    (path := tmp_path / "settings.toml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    assert expected in str(caught.value)
