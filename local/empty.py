"""Empties the sandbox's buckets, so that `make destroy` can remove them with their stacks."""

import sys

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
    stacks, lake = session.client("cloudformation"), f"{settings.project}-lake"
    try:
        resources = stacks.describe_stack_resources(StackName=lake)["StackResources"]
    except ClientError:
        resources = []  # there is no such stack (any more)
    for resource in resources:
        if resource["ResourceType"] == "AWS::S3::Bucket" and (bucket := resource.get("PhysicalResourceId")):
            print(f"Emptying {bucket} …", flush=True)
            session.resource("s3").Bucket(bucket).object_versions.delete()
    print("What will stay: the bootstrap stack CDKToolkit, and the key for its waiting period.", flush=True)


if __name__ == "__main__":
    main()
