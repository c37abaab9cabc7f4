"""Empties the sandbox's buckets, so that `make destroy` can remove them with their stacks."""

import sys
from collections.abc import Iterator

import boto3
from botocore.exceptions import ClientError

from causeway.operate.account import AccountError, session_of_company
from causeway.settings import SettingsError, load_settings


def main() -> None:
    try:
        settings = load_settings()
        session = session_of_company(settings)
    except (AccountError, SettingsError) as error:
        sys.exit(f"make destroy: {error}")
    if not settings.sandbox:
        sys.exit("make destroy: settings.toml says sandbox = false: data and stacks are protected")
    for bucket in _buckets(session, f"{settings.project}-lake"):
        print(f"Emptying {bucket} …", flush=True)
        session.resource("s3").Bucket(bucket).object_versions.delete()
    print("What will stay: the bootstrap stack CDKToolkit, and the key for its waiting period.", flush=True)


def _buckets(session: boto3.Session, stack: str) -> Iterator[str]:
    """The stack's buckets; none if there is no such stack (any more)."""
    try:
        resources = session.client("cloudformation").describe_stack_resources(StackName=stack)
    except ClientError:
        return
    for resource in resources["StackResources"]:
        if resource["ResourceType"] == "AWS::S3::Bucket" and "PhysicalResourceId" in resource:
            yield resource["PhysicalResourceId"]


if __name__ == "__main__":
    main()
