"""The Lambda functions: small Python handlers, each with a role of its own."""

from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.parts import assets
from stacks.parts.permissions import acknowledge


class PythonFunction(Construct):
    """`function` runs lambdas/<name>/handler.py with boto3 and these files; `role` may write its log."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        files: tuple[str, ...],
        log_group: logs.LogGroup,
        timeout: Duration,
        environment: dict[str, str],
        memory_mb: int = 512,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"The function: {description}",
        )
        log_group.grant_write(self.role)
        how: dict[str, Any] = assets.only("lambdas/__init__.py", f"lambdas/{name}/*.py", *files)
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            role=self.role,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(**how),
            handler=f"lambdas.{name}.handler.handler",
            timeout=timeout,
            memory_size=memory_mb,
            log_group=log_group,
            environment=environment,
        )
        acknowledge(
            self.function,
            "AwsSolutions::AwsSolutions-L1",
            "Python 3.13 is what Glue 6.0 runs too: one interpreter for the code both share",
        )
