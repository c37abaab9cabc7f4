"""`make deploy`: to the account that the environment's credentials name, the stacks that belong there."""

import json
import sys
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from causeway.operate.account import AccountError, session_of_either
from causeway.operate.explain import explain
from causeway.operate.quotas import quota_for
from causeway.settings import Settings, load_settings
from causeway.settings_errors import SettingsError
from local.aws.embedded import ROOT
from local.command_line import confirm, run_cdk

APP = ROOT / "build/cdk.out"
STACK = "aws:cloudformation:stack"


def main() -> None:
    try:
        settings = load_settings()
        session, account = session_of_either(settings)
    except (AccountError, SettingsError, BotoCoreError, ClientError) as error:
        sys.exit(f"make deploy: {explain(error)}")
    stacks = stacks_of(APP, account)
    if not stacks:
        sys.exit(f"make deploy: nothing is deployed to account {account}: settings.toml leaves it out")
    if f"{settings.project}-inference" in stacks:
        check_quota(settings, session)
    try:
        deploy(stacks, f"aws://{account}/{settings.company.region}")
    except (EOFError, KeyboardInterrupt):
        sys.exit("make deploy: interrupted; run it again to finish")


def check_quota(settings: Settings, session: boto3.Session) -> None:
    """End here if the endpoint's instance is not allowed: after minutes, its stack would be undone."""
    quota = quota_for(settings, session)
    text = quota.text(settings.company.region)
    if not quota.enough and not quota.trouble:
        sys.exit(f"make deploy: {text}")
    print(text, flush=True)


def stacks_of(assembly: Path, account: str) -> list[str]:
    """The names of the synthesized stacks of this account."""
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    return [
        name
        for name, artifact in artifacts.items()
        if artifact["type"] == STACK and artifact["environment"].startswith(f"aws://{account}/")
    ]


def deploy(stacks: list[str], environment: str) -> None:
    """Say what would change, ask, bootstrap the account and region for the CDK if need be, and deploy."""
    app = ("--app", str(APP))
    print(f"What would change in {environment}:", flush=True)
    # A change set would be more exact, and asks for a bootstrapped account.
    _cdk("diff", *stacks, *app, "--method", "template")
    print(f"This deploys to {environment}: {', '.join(stacks)}", flush=True)
    confirm("deploy", "was deployed")
    _cdk("bootstrap", environment, *app)
    _cdk("deploy", *stacks, *app, "--require-approval", "never", "--concurrency", "3")


def _cdk(*arguments: str) -> None:
    if not run_cdk(*arguments):
        sys.exit("make deploy: the CDK failed, as said above; mend that and run this again")


if __name__ == "__main__":
    main()
