"""The partner's side of the demo: take the role, read the table, and try what must be refused."""

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl
from botocore.exceptions import ClientError
from pyiceberg.catalog import load_catalog
from pyiceberg.table import Table

from causeway.settings import Settings
from local.embedded import EmbeddedAws

STRANGER = "333333333333"
REFUSALS = ("AccessDenied", "AccessDeniedException", "403")


@dataclass(frozen=True)
class Outcome:
    """What became of something that must be refused: "refused", "granted", or an error that is neither."""

    tried: str
    outcome: str


class PartnerSide:
    """Acts from the partner's account. Makes there the role that the partner's settings name."""

    def __init__(self, aws: EmbeddedAws, settings: Settings, role_arn: str) -> None:
        self._aws, self._settings, self._role = aws, settings, role_arn
        self._partner = settings.partner.account
        self._reader = self._become(self._partner, settings.partner.programmatic_roles[0])

    def _become(self, account: str, role: str) -> dict[str, str]:
        """Credentials of a role of the account's own, made if need be."""
        iam = self._aws.client("iam", account)
        trust = _policy("sts:AssumeRole", Principal={"AWS": f"arn:aws:iam::{account}:root"})
        with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
        # The partner's admin must allow it too: access across accounts needs both sides.
        policy = _policy("sts:AssumeRole", Resource="arn:aws:iam::*:role/causeway/partner/*")
        iam.put_role_policy(RoleName=role, PolicyName="causeway", PolicyDocument=policy)
        return self._assume(f"arn:aws:iam::{account}:role/{role}", self._aws.client("sts", account))

    def _assume(self, role: str, sts: Any, **how: str) -> dict[str, str]:
        answer = sts.assume_role(RoleArn=role, RoleSessionName="demo", DurationSeconds=3600, **how)
        return {key: str(value) for key, value in answer["Credentials"].items()}

    def session(self) -> dict[str, str]:
        """Credentials of our programmatic role, as the partner gets them."""
        sts = self._aws.client("sts", self._partner, **self._reader)
        return self._assume(self._role, sts, ExternalId=self._settings.partner.external_id)

    def table(self, database: str, dataset: str) -> Table:
        """A curated table, through the catalog, with the partner's credentials."""
        credentials, region = self.session(), self._aws.region
        return load_catalog(
            "company",
            **{
                "type": "glue",
                "glue.endpoint": self._aws.endpoint,
                "glue.region": region,
                "glue.access-key-id": credentials["AccessKeyId"],
                "glue.secret-access-key": credentials["SecretAccessKey"],
                "glue.session-token": credentials["SessionToken"],
                "s3.endpoint": self._aws.endpoint,
                "s3.region": region,
                "s3.access-key-id": credentials["AccessKeyId"],
                "s3.secret-access-key": credentials["SecretAccessKey"],
                "s3.session-token": credentials["SessionToken"],
            },
        ).load_table((database, dataset))

    def refusals(self, outputs: dict[str, str], quarantine_database: str) -> list[Outcome]:
        """Try everything that must be refused. `outputs` are the lake's: bucket names by role."""
        aws, role = self._aws, self._role
        landing, curated = outputs["LandingBucket"], outputs["CuratedBucket"]
        quarantine = outputs["QuarantineBucket"]
        sts = aws.client("sts", self._partner, **self._reader)
        another = self._become(self._partner, "someone-else")
        stranger = self._become(STRANGER, self._settings.partner.programmatic_roles[0])
        external_id = {"ExternalId": self._settings.partner.external_id}
        session = self.session()
        s3 = aws.client("s3", self._partner, **session)
        glue = aws.client("glue", self._partner, **session)
        dynamodb = aws.client("dynamodb", self._partner, **session)
        console = role.replace("-programmatic", "-console")
        tries: dict[str, Callable[[], Any]] = {
            "take the role without the external id": lambda: self._assume(role, sts),
            "take the role with a wrong external id": lambda: self._assume(role, sts, ExternalId="wrong" * 4),
            "take the role from another account": lambda: self._assume(
                role, aws.client("sts", STRANGER, **stranger), **external_id
            ),
            "take the role as an unnamed role of the partner": lambda: self._assume(
                role, aws.client("sts", self._partner, **another), **external_id
            ),
            "take the console role without MFA": lambda: self._assume(console, sts),
            "read landing": lambda: s3.get_object(Bucket=landing, Key="landing/flights/2013-01.csv.gz"),
            "list landing": lambda: s3.list_objects_v2(Bucket=landing),
            "read quarantine": lambda: s3.get_object(Bucket=quarantine, Key="unrouted/folder_marker/x.json"),
            "list quarantine": lambda: s3.list_objects_v2(Bucket=quarantine),
            "see the quarantine's tables": lambda: glue.get_table(
                DatabaseName=quarantine_database, Name="flights"
            ),
            "write curated": lambda: s3.put_object(Bucket=curated, Key="flights/x", Body=io.BytesIO(b"x")),
            "delete from curated": lambda: s3.delete_object(Bucket=curated, Key="flights/x"),
            "list all of curated": lambda: s3.list_objects_v2(Bucket=curated),
            "list the company's buckets": s3.list_buckets,
            "list the ledger": dynamodb.list_tables,
        }
        return [Outcome(tried, _outcome(attempt)) for tried, attempt in tries.items()]


def _policy(action: str, **who: Any) -> str:
    statement = {"Effect": "Allow", "Action": action, **who}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _outcome(attempt: Callable[[], Any]) -> str:
    try:
        attempt()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return "refused" if code in REFUSALS else f"error: {code}"
    return "granted"


def worst_airlines(table: Table) -> pl.DataFrame:
    """The partner's question: which airlines kept New York waiting longest in 2013?"""
    flights = pl.from_arrow(table.scan(selected_fields=("carrier", "arr_delay")).to_arrow())
    assert isinstance(flights, pl.DataFrame)
    return (
        flights.group_by("carrier")
        .agg(pl.len().alias("flights"), pl.col("arr_delay").mean().round(1).alias("mean delay, min"))
        .sort("mean delay, min", descending=True)
        .head(5)
    )
