"""`make deploy` and `make destroy`: the account that the environment's credentials name."""

import argparse
import os
import sys
from pathlib import Path

from botocore.exceptions import ClientError

from causeway.operate.account import AccountError, session_of_company
from causeway.settings import Settings, SettingsError, load_settings
from local import cdk

ASSEMBLY = Path(__file__).resolve().parent.parent / "build" / "cdk.out"


class RefusedError(RuntimeError):
    """Nothing was done; the message says why, and what to do."""


def deploy(settings: Settings) -> None:
    """Synthesize, bootstrap the account (nothing happens where it is), deploy every stack."""
    environment = dict(os.environ)
    _say("Synthesizing …")
    cdk.synth(ASSEMBLY, environment)
    _say("Bootstrapping …")
    cdk.bootstrap(settings.company.account, settings.company.region, environment)
    _say("Deploying …")
    outputs = cdk.deploy(ASSEMBLY, environment, _say)
    for stack, values in sorted(outputs.items()):
        for name, value in sorted(values.items()):
            if not name.startswith("Exports"):
                _say(f"{stack}.{name} = {value}")
    _say("Done. Deployed; `make destroy` removes it all again.")


def destroy(settings: Settings) -> None:
    """Empty the sandbox's buckets and remove its stacks. The bootstrap stack stays."""
    if not settings.sandbox:
        raise RefusedError("settings.toml says sandbox = false: data and stacks are protected")
    session = session_of_company(settings)
    stacks = session.client("cloudformation")
    try:
        resources = stacks.describe_stack_resources(StackName=f"{settings.project}-lake")["StackResources"]
    except ClientError:
        resources = []
    for resource in resources:
        if resource["ResourceType"] == "AWS::S3::Bucket" and "PhysicalResourceId" in resource:
            _say(f"Emptying {resource['PhysicalResourceId']} …")
            session.resource("s3").Bucket(resource["PhysicalResourceId"]).object_versions.delete()
    _say("Destroying …")
    cdk.synth(ASSEMBLY, dict(os.environ))
    cdk.cdk("destroy", "--all", "--force", "--app", str(ASSEMBLY), environment=dict(os.environ), note=_say)
    _say("Done. Destroyed; what stays: the bootstrap stack CDKToolkit, and the key for its waiting period.")


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("deploy", "destroy"))
    command = parser.parse_args().command
    try:
        settings = load_settings()
        session_of_company(settings)
        {"deploy": deploy, "destroy": destroy}[command](settings)
    except (AccountError, RefusedError, SettingsError, cdk.CdkError) as error:
        print(f"make {command}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
