"""The partner's side of the demo: take the role, read the table, and try what must be refused."""

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from causeway.settings import Settings
from local.aws.embedded import EmbeddedAws

KIT = Path(__file__).resolve().parents[2] / "partner_kit" / "read_table.py"
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

    def read(self, database: str, dataset: str, sql: str) -> dict[str, Any]:
        """Run the kit's script as the partner would; returns its snapshot, rows and the query's result."""
        reader = self._reader
        environment = {
            **self._aws.environment(self._partner),
            "AWS_ACCESS_KEY_ID": reader["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": reader["SecretAccessKey"],
            "AWS_SESSION_TOKEN": reader["SessionToken"],
        }
        done = subprocess.run(
            [
                sys.executable, str(KIT), "--role-arn", self._role, "--external-id",
                self._settings.partner.external_id, "--database", database, "--table", dataset,
                "--region", self._aws.region, "--json", "--sql", sql,
            ],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"the partner cannot read {dataset}: {done.stderr.strip()[-500:]}")
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

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
