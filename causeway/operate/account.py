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
    return _session_of("company", settings)


def session_of_partner(settings: Settings) -> boto3.Session:
    """A session of the partner's account. Raises AccountError, and says why."""
    return _session_of("partner", settings)


def _session_of(whose: str, settings: Settings) -> boto3.Session:
    session, account = _session(settings)
    wanted = getattr(settings, whose).account
    if account != wanted:
        raise AccountError(
            f'the credentials are for account {account}, the settings say {whose}.account = "{wanted}": '
            "change one of them"
        )
    return session


def session_of_either(settings: Settings) -> tuple[boto3.Session, str]:
    """A session of the company's or the partner's account, and which. Raises AccountError, and says why."""
    session, account = _session(settings)
    company, partner = settings.company.account, settings.partner.account
    if account not in (company, partner):
        raise AccountError(
            f"the credentials are for account {account}, the settings say company.account = "
            f'"{company}" and partner.account = "{partner}": change one of them'
        )
    return session, account


def _session(settings: Settings) -> tuple[boto3.Session, str]:
    try:
        session = boto3.Session(region_name=settings.company.region)
        return session, session.client("sts").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise AccountError(explain(error)) from error


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
