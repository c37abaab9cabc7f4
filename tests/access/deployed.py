"""The partner's roles as synthesized, on an embedded AWS, and tables for them to read."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from pyiceberg.table import Table

from causeway.cli import partner_kit
from causeway.settings import SETTINGS_FILE, load_settings
from local.aws.embedded import EmbeddedAws
from tests.access.intent import CONSOLE, PARTNER, PROGRAMMATIC
from tests.access.policies import DEFAULT, synthesized
from tests.access.resolver import COMPANY, REGION

BUCKET, DATABASE = "causeway-lake-curated", "causeway_lake"
TABLES = ("flights", "weather")
Credentials = dict[str, str]


@contextmanager
def deployed_roles() -> Iterator[EmbeddedAws]:
    """Without tables; no other stack is needed."""
    with EmbeddedAws(account=COMPANY, region=REGION) as aws:
        _make_roles(aws)
        aws.client("s3", COMPANY).create_bucket(Bucket=BUCKET)
        aws.client("glue", COMPANY).create_database(DatabaseInput={"Name": DATABASE})
        yield aws


def write_kit(folder: Path) -> Path:
    """The partner's folder, as the company writes it."""
    outputs = {
        "ProgrammaticRoleArn": PROGRAMMATIC,
        "ConsoleRoleArn": CONSOLE,
        "SwitchRoleUrl": "https://signin.aws.amazon.com/switchrole?account=111111111111&roleName=x",
        "CuratedDataUrl": "https://example.com/?prefix=",
        "CuratedDatabaseName": DATABASE,
    }
    partner_kit.write(folder, load_settings(SETTINGS_FILE), outputs, {name: name for name in TABLES})
    return folder


def reader_of(aws: EmbeddedAws, kit: Path) -> Credentials:
    """The partner's own role, with the policy that the kit tells its admin to attach."""
    iam, sts = aws.client("iam", PARTNER), aws.client("sts", PARTNER)
    principal = {"AWS": f"arn:aws:iam::{PARTNER}:root"}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName="causeway-reader", AssumeRolePolicyDocument=document)
    allow = (kit / "allow-causeway.json").read_text()
    iam.put_role_policy(RoleName="causeway-reader", PolicyName="kit", PolicyDocument=allow)
    taken = sts.assume_role(RoleArn=f"arn:aws:iam::{PARTNER}:role/causeway-reader", RoleSessionName="test")
    return dict(taken["Credentials"])


def make_table(aws: EmbeddedAws, name: str, *appended: pl.DataFrame) -> Table:
    """A curated table of these rows, in a snapshot and a file for each frame."""
    catalog = aws.catalog()
    schema = appended[0].to_arrow().schema
    table = catalog.create_table((DATABASE, name), schema, f"s3://{BUCKET}/{name}")
    for frame in appended:
        table.append(frame.to_arrow())
    return table


def _make_roles(aws: EmbeddedAws) -> None:
    access, iam = synthesized(DEFAULT), aws.client("iam", COMPANY)
    for arn in (PROGRAMMATIC, CONSOLE):
        role, name = access.roles[arn], arn.rpartition("/")[2]
        trust = json.dumps(access.documents[access.of_resource[arn]])
        iam.create_role(RoleName=name, Path="/causeway/partner/", AssumeRolePolicyDocument=trust)
        for document in role.identity:
            policy = json.dumps(access.documents[document])
            iam.put_role_policy(RoleName=name, PolicyName="permissions", PolicyDocument=policy)
