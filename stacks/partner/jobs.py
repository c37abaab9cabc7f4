"""The workflow's jobs on SageMaker AI: their roles, their code, and the states that run them to their end.

CDK's own constructs know neither a container's command nor processing jobs: the requests are written out.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from causeway.flow.models import Run
from causeway.flow.parameters import to_environment
from causeway.settings import Settings
from ml.parameters import JobParameters, PrepareParameters
from stacks.partner.images import image_uri
from stacks.partner.roles import PREPARES, TRAINS, Grants, allow_objects, make_role
from stacks.parts import assets
from stacks.parts.permissions import allow
from stacks.parts.roles import PARTNER_PATH

FOLDER = "/opt/ml"
PROCESSING, TRAINING = f"{FOLDER}/processing", f"{FOLDER}/input/data"
# State of an execution: which model, which of its runs.
MODEL, RUN = "$.model", "$.run"
BUSY = "SageMaker.AmazonSageMakerException"  # throttled, or a quota of jobs is reached
MOST_SECONDS = 3600
WAITS = 3  # times as long it may take, with waiting for spare capacity
GIGABYTES = 10
ANY = Run("{}", "{}")  # its names are formats


def format_of(text: str, *paths: str) -> str:
    """An expression of Step Functions: the text, with what is at the paths for its {}."""
    return f"States.Format('{text}', {', '.join(paths)})"


class Jobs(Construct):
    """`prepare` may take the company's role; the others see the partner's bucket alone."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, bucket: s3.Bucket) -> None:
        super().__init__(scope, construct_id)
        self._settings, self._bucket = settings, bucket
        self.code = s3_assets.Asset(self, "Code", **assets.only(*assets.MACHINE_LEARNING))
        self._image = image_uri(settings.company.region)
        name = f"role{PARTNER_PATH}{settings.project}-programmatic"
        self._company_role = f"arn:aws:iam::{settings.company.account}:{name}"
        self.prepare_role = self._role(
            "PrepareRole", settings.partner.ml.role, "prepares training sets", PREPARES
        )
        naming = " sts:SetSourceIdentity" if settings.partner.source_identity else ""
        allow(self.prepare_role, f"sts:AssumeRole{naming}", self._company_role)
        self.train_role = self._role("TrainRole", None, "trains and evaluates models", TRAINS)
        self.roles = (self.prepare_role, self.train_role)

    def _role(self, construct_id: str, name: str | None, description: str, grants: Grants) -> iam.Role:
        role = make_role(self, construct_id, name, description, grants)
        allow_objects(role, self._bucket, grants, self.code, self._settings)
        return role

    def prepare(self) -> sfn.CustomState:
        return self._reading("Prepare", ANY.prepared)

    def score(self) -> sfn.CustomState:
        return self._reading("Score", ANY.scores)

    def _reading(self, name: str, written: str) -> sfn.CustomState:
        """A job that reads a snapshot of the company's."""
        parameters = PrepareParameters(
            snapshot="$.snapshot",
            company_role=self._company_role,
            external_id=self._settings.partner.external_id,
            database=self._settings.database("lake"),
            source_identity=RUN if self._settings.partner.source_identity else "",
        )
        output = {
            "S3Uri.$": self._uri(written),
            "LocalPath": f"{PROCESSING}/output",
            "S3UploadMode": "EndOfJob",
        }
        outputs = {"Outputs": [{"OutputName": "output", "S3Output": output}]}
        environment = to_environment(parameters)
        return self._processing(name, self.prepare_role, environment, {}, ProcessingOutputConfig=outputs)

    def evaluate(self) -> sfn.CustomState:
        """It writes what it makes by itself, by name."""
        inputs = {"prepared": self._uri(ANY.prepared), "candidates": self._uri(ANY.candidates)}
        return self._processing("Evaluate", self.train_role, {}, inputs)

    def _uri(self, key: str) -> str:
        return format_of(f"s3://{self._bucket.bucket_name}/{key}", MODEL, RUN)

    def _environment(self, code: str, more: Mapping[str, str]) -> dict[str, str]:
        """What the job is told. What begins with "$." is looked up by Step Functions."""
        own = JobParameters(MODEL, RUN, self._bucket.bucket_name, FOLDER, self.code.asset_hash)
        package = PurePosixPath(self.code.s3_object_key).name  # of a key, SageMaker keeps the last part
        told = {**to_environment(own), **more, "PYTHONPATH": f"{code}/{package}"}
        return {f"{name}.$" if value.startswith("$.") else name: value for name, value in told.items()}

    def _processing(
        self,
        name: str,
        role: iam.Role,
        parameters: Mapping[str, str],
        inputs: Mapping[str, str],
        **outputs: Any,
    ) -> sfn.CustomState:
        step = name.lower()
        code = {"InputName": "code", "S3Input": _input("code", "S3Uri", self.code.s3_object_url)}
        request = {
            "ProcessingJobName.$": format_of(ANY.job(step), MODEL, RUN),
            "RoleArn": role.role_arn,
            "AppSpecification": {
                "ImageUri": self._image,
                "ContainerEntrypoint": ["python3", "-m", "ml", step],
            },
            "Environment": self._environment(f"{PROCESSING}/code", parameters),
            "ProcessingResources": {"ClusterConfig": self._machine()},
            "ProcessingInputs": [
                code,
                *({"InputName": one, "S3Input": _input(one, "S3Uri.$", uri)} for one, uri in inputs.items()),
            ],
            **outputs,
            "StoppingCondition": {"MaxRuntimeInSeconds": MOST_SECONDS},
            "Tags": self._tags(),
        }
        return self._state(name, "Processing", request)

    def candidate(self, number: int) -> sfn.CustomState:
        """Of round `number`: the item of a map, with `candidate`, `model`, `run` and `round` in it."""
        chosen = {f"{name}.$": f"$.candidate.{name}" for name in ("name", "family")}
        chosen |= {f"{name}.$": format_of("{}", f"$.candidate.{name}") for name in ("tier", "strength")}
        request: dict[str, Any] = {
            "TrainingJobName.$": format_of(ANY.job("{}"), MODEL, RUN, "$.candidate.name"),
            "RoleArn": self.train_role.role_arn,
            "AlgorithmSpecification": {
                "TrainingImage": self._image,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["python3", "-m", "ml", "candidate"],
            },
            "HyperParameters": {**chosen, "round": str(number)},
            "Environment": self._environment(f"{TRAINING}/code", {}),
            "InputDataConfig": [
                _channel("code", "S3Uri", self.code.s3_object_url),
                _channel("prepared", "S3Uri.$", self._uri(ANY.prepared)),
            ],
            "OutputDataConfig": {"S3OutputPath.$": self._uri(ANY.candidates)},
            "ResourceConfig": self._machine(),
            "StoppingCondition": {"MaxRuntimeInSeconds": MOST_SECONDS},
            "Tags": self._tags(),
        }
        if self._settings.partner.ml.spot:
            request["EnableManagedSpotTraining"] = True
            request["StoppingCondition"]["MaxWaitTimeInSeconds"] = MOST_SECONDS * WAITS
        return self._state(f"Train candidate {number}", "Training", request)

    def _machine(self) -> dict[str, Any]:
        return {
            "InstanceCount": 1,
            "InstanceType": self._settings.partner.ml.instance,
            "VolumeSizeInGB": GIGABYTES,
        }

    def _tags(self) -> list[dict[str, str]]:
        """In the request itself: tags of the state machine do not reach what it starts."""
        return [{"Key": key, "Value": value} for key, value in self._settings.every_tag().items()]

    def _state(self, name: str, kind: str, request: Mapping[str, Any]) -> sfn.CustomState:
        resource = f"arn:{Stack.of(self).partition}:states:::sagemaker:create{kind}Job.sync"
        # Not null, which CDK would leave out: the task's result would replace the state.
        definition = {
            "Type": "Task",
            "Resource": resource,
            "Parameters": request,
            "ResultSelector": {"arn.$": f"$.{kind}JobArn"},
            "ResultPath": "$.job",
        }
        state = sfn.CustomState(self, name, state_json=definition)
        state.add_retry(errors=[BUSY], max_attempts=8, backoff_rate=2, jitter_strategy=sfn.JitterType.FULL)
        return state


def _input(name: str, key: str, uri: str) -> dict[str, str]:
    return {key: uri, "LocalPath": f"{PROCESSING}/{name}", "S3DataType": "S3Prefix", "S3InputMode": "File"}


def _channel(name: str, key: str, uri: str) -> dict[str, Any]:
    source = {key: uri, "S3DataType": "S3Prefix", "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}
