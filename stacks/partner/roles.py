"""What the workflow's jobs may do, and a state machine that runs them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from causeway.settings import Settings
from stacks.partner.images import repository_arn
from stacks.parts import assets
from stacks.parts.permissions import acknowledge_wildcards, allow

SERVICE = "sagemaker.amazonaws.com"
KINDS = ("Processing", "Training")
# A model, and what it was trained on.
IN_USE = ("runs/*/model.skops", "runs/*/pin.json")
OWN_BUCKET = "What causeway/flow/models.py names, of every model and run"


@dataclass(frozen=True)
class Grants:
    """Of one role: the kinds of its jobs, and what they read and write below the partner's bucket."""

    kinds: tuple[str, ...]
    reads: tuple[str, ...]
    writes: tuple[str, ...]


# Training sets, and what the model in use says of rows.
PREPARES = Grants(
    ("Processing",),
    reads=("control/*/champion.json", *IN_USE),
    writes=("prepared/*", "runs/*/pin.json", "scores/*"),
)
TRAINS = Grants(
    KINDS,
    reads=("control/*/champion.json", "runs/*", "prepared/*", "candidates/*"),
    writes=("candidates/*", "runs/*/metrics/*", "runs/*/model.skops", "runs/*/report.json"),
)


def make_role(
    scope: Construct, construct_id: str, name: str | None, description: str, grants: Grants
) -> iam.Role:
    """A role for jobs; a name may begin with a path."""
    path, _, last = (name or "").rpartition("/")
    role = iam.Role(
        scope,
        construct_id,
        role_name=last or None,
        path=f"/{path}/" if path else None,
        assumed_by=_service(scope, SERVICE),
        description=f"SageMaker AI: {description}",
    )
    _allow_running_at_all(role, grants.kinds)
    return role


def starting_role(scope: Construct, construct_id: str) -> iam.Role:
    """CDK's own would be taken on behalf of any account."""
    return iam.Role(
        scope,
        construct_id,
        assumed_by=_service(scope, "events.amazonaws.com"),
        description="EventBridge: starts trainings",
    )


def _service(scope: Construct, name: str) -> iam.ServicePrincipal:
    """On behalf of this account alone."""
    return iam.ServicePrincipal(
        name, conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}}
    )


def _allow_running_at_all(role: iam.Role, kinds: Collection[str]) -> None:
    """What SageMaker AI does under a job's role by itself: fetch the image, write logs and measurements."""
    stack = Stack.of(role)
    layers = "ecr:BatchCheckLayerAvailability ecr:GetDownloadUrlForLayer ecr:BatchGetImage"
    allow(role, layers, repository_arn(stack.region))
    groups = [
        stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"/aws/sagemaker/{kind}Jobs*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        for kind in kinds
    ]
    writing = "logs:CreateLogGroup logs:CreateLogStream logs:DescribeLogStreams logs:PutLogEvents"
    allow(role, writing, *groups, why_wildcards="A log group for each kind of job, and its streams")
    allow(role, "ecr:GetAuthorizationToken", "*", why_wildcards="Tokens and measurements have no resources")
    namespaces = [f"/aws/sagemaker/{kind}Jobs" for kind in kinds]
    role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": namespaces}},
        )
    )


def allow_objects(
    role: iam.Role, bucket: s3.Bucket, grants: Grants, code: s3_assets.Asset, settings: Settings
) -> None:
    """SageMaker AI reads a job's inputs and writes its outputs under the job's role, too."""
    for action, keys in (("s3:GetObject", grants.reads), ("s3:PutObject", grants.writes)):
        allow(role, action, *(bucket.arn_for_objects(key) for key in keys), why_wildcards=OWN_BUCKET)
    packaged = code.bucket.arn_for_objects(f"{assets.package_prefix(settings)}*")
    allow(role, "s3:GetObject", packaged, why_wildcards=assets.EARLIER_PACKAGES)
    # Whatever the prefix: without it, S3 would not say of an object that it is missing.
    allow(role, "s3:ListBucket", bucket.bucket_arn, code.bucket.bucket_arn)


def allow_starting_again(machine: sfn.StateMachine) -> None:
    """Itself, when it ends."""
    starting = iam.PolicyStatement(actions=["states:StartExecution"], resources=[machine.state_machine_arn])
    # Not of the role's own policy: the machine waits for that.
    iam.Policy(machine, "StartAgain", statements=[starting], roles=[machine.role])


def allow_running(
    machine: sfn.StateMachine,
    roles: Collection[iam.Role],
    models: Collection[str],
    kinds: Collection[str] = KINDS,
) -> None:
    """What a state machine may do that runs the models' jobs to their end."""
    stack = Stack.of(machine)
    for kind in kinds:
        jobs = [
            stack.format_arn(service="sagemaker", resource=f"{kind.lower()}-job", resource_name=f"{model}-*")
            for model in models
        ]
        actions = [f"sagemaker:{verb}{kind}Job" for verb in ("Create", "Describe", "Stop")]
        may(machine, [*actions, "sagemaker:AddTags", "sagemaker:ListTags"], jobs)
        acknowledge_wildcards(machine.role, jobs, "A run names its jobs, by the model first")
    passed = {"StringEquals": {"iam:PassedToService": SERVICE}}
    may(machine, ["iam:PassRole"], [role.role_arn for role in roles], conditions=passed)
    # By these two rules of its own, Step Functions hears of a job's end.
    rules = [
        stack.format_arn(
            service="events",
            resource="rule",
            resource_name=f"StepFunctionsGetEventsForSageMaker{kind}JobsRule",
        )
        for kind in kinds
    ]
    may(machine, ["events:PutTargets", "events:PutRule", "events:DescribeRule"], rules)


def allow_registering(machine: sfn.StateMachine, groups: Collection[str]) -> None:
    """In these groups of model packages: models that wait for a person."""
    stack = Stack.of(machine)
    registered = [
        stack.format_arn(service="sagemaker", resource=kind, resource_name=name)
        for group in groups
        for kind, name in (("model-package-group", group), ("model-package", f"{group}/*"))
    ]
    waiting = {"StringEquals": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}}
    may(machine, ["sagemaker:CreateModelPackage"], registered, conditions=waiting)
    acknowledge_wildcards(machine.role, registered, "Every version of the model")


def may(machine: sfn.StateMachine, actions: list[str], resources: list[str], **more: Any) -> None:
    """Without resources there is nothing to allow."""
    if resources:
        machine.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=resources, **more))
