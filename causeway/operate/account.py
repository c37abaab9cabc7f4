"""The company's account, as the environment's credentials give it."""

from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from causeway.operate.explain import explain
from causeway.settings import Settings


class AccountError(OSError):
    """The environment's credentials are not for the account of the settings; nothing was done."""


def session_of_company(settings: Settings) -> boto3.Session:
    """A session of the company's account. Raises AccountError, and says why."""
    try:
        session = boto3.Session(region_name=settings.company.region)
        account = session.client("sts").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise AccountError(explain(error)) from error
    if account != settings.company.account:
        raise AccountError(
            f"the credentials are for account {account}, the settings say company.account = "
            f'"{settings.company.account}": change one of them'
        )
    return session


def stack_outputs(cloudformation: Any, settings: Settings, stack: str) -> dict[str, str]:
    """What a stack of the project says about itself. Raises AccountError, and says why."""
    name = f"{settings.project}-{stack}"
    try:
        described = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise AccountError(f"{name}: {explain(error)}") from error
        raise AccountError(f"{name} is not deployed in this account: `make deploy` first") from error
    except BotoCoreError as error:
        raise AccountError(explain(error)) from error
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
