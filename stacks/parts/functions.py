"""The Lambda functions: small Python handlers, each with a role and a log group of its own."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Duration, RemovalPolicy, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from causeway.flow.parameters import to_environment
from causeway.settings import Settings
from stacks.parts import assets
from stacks.parts.permissions import acknowledge, answer_checkov

RETENTION = {
    7: logs.RetentionDays.ONE_WEEK,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    3653: logs.RetentionDays.TEN_YEARS,
}


NO_DATA_IN_LOGS = "CloudWatch encrypts logs with its own key; ours hold keys and counts, no rows"
# What checkov asks of every function, by check.
ANSWERS = {
    "115": "Reserving takes from the account's limit, in a new one all of it; who calls it bounds its calls",
    "116": "Queues and state machines keep what fails; events are tried three times, schedules come again",
    "117": "It calls AWS alone, over TLS, within its role: a network would add endpoints and close nothing",
    "173": "Names of resources and limits, nothing secret; Lambda encrypts them with its own key",
}


def removal_policy(settings: Settings) -> RemovalPolicy:
    """A sandbox goes with its stacks; what holds data or logs outlives any other."""
    return RemovalPolicy.DESTROY if settings.sandbox else RemovalPolicy.RETAIN


def make_log_group(
    scope: Construct, construct_id: str, settings: Settings, name: str | None = None
) -> logs.LogGroup:
    group = logs.LogGroup(
        scope,
        construct_id,
        log_group_name=name,
        retention=RETENTION[settings.limits.log_retention_days],
        removal_policy=removal_policy(settings),
    )
    answer_checkov(group, {"158": NO_DATA_IN_LOGS})
    return group


class PythonFunction(Construct):
    """`function` runs lambdas/<name>/handler.py with `shared` and boto3; `role` may write its log."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        parameters: Any,
        settings: Settings,
        timeout: Duration,
        memory_mb: int = 512,
        storage_mb: int | None = None,
        shared: Sequence[str] = assets.FUNCTIONS,
    ) -> None:
        # Beside the function and before it: where deployed stacks have it.
        log_group = self.log_group = make_log_group(scope, f"{construct_id}Logs", settings)
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"The function: {description}",
        )
        log_group.grant_write(self.role)
        code: dict[str, Any] = assets.only("lambdas/__init__.py", f"lambdas/{name}/*.py", *shared)
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            role=self.role,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(**code),
            handler=f"lambdas.{name}.handler.handler",
            timeout=timeout,
            memory_size=memory_mb,
            ephemeral_storage_size=Size.mebibytes(storage_mb) if storage_mb else None,
            log_group=log_group,
            environment=to_environment(parameters),
        )
        one_interpreter = "Python 3.13 is what Glue 6.0 runs too: one interpreter for the code both share"
        acknowledge(self.function, "AwsSolutions::AwsSolutions-L1", one_interpreter)
        answer_checkov(self.function, ANSWERS)
