"""The partner's side of the demo: take the role, read a table, and try what must be refused."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from causeway.settings import Settings
from local.aws.embedded import ROOT, EmbeddedAws

STRANGER = "333333333333"
REFUSALS = ("AccessDenied", "AccessDeniedException", "403")
Attempts = dict[str, Callable[[], Any]]  # by what is tried


class PartnerSide:
    """Acts from the partner's account. Makes there the role that the partner's settings name."""

    def __init__(self, aws: EmbeddedAws, settings: Settings, role_arn: str) -> None:
        self._aws, self._settings, self._partner = aws, settings, settings.partner
        self._role = role_arn
        self._reader = self._become(self._partner.account, self._partner.programmatic_roles[0])

    def _become(self, account: str, role: str) -> dict[str, str]:
        """Credentials of a role of the account's own, made if need be."""
        iam = self._aws.client("iam", account)
        trust = policy(Principal={"AWS": f"arn:aws:iam::{account}:root"})
        with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
        # The partner's admin must allow it too: access across accounts needs both sides.
        may = policy(Resource="arn:aws:iam::*:role/causeway/partner/*")
        iam.put_role_policy(RoleName=role, PolicyName="causeway", PolicyDocument=may)
        return self._take(f"arn:aws:iam::{account}:role/{role}", {"AccessKeyId": account})

    def _take(self, role: str, taker: dict[str, str], **conditions: str) -> dict[str, str]:
        """Credentials of the role, taken by whoever has the taker's credentials."""
        sts = self._client("sts", taker)
        answer = sts.assume_role(RoleArn=role, RoleSessionName="demo", DurationSeconds=3600, **conditions)
        return dict(answer["Credentials"])

    def _client(self, service: str, credentials: dict[str, str]) -> Any:
        return self._aws.client(service, self._partner.account, **credentials)

    @property
    def environment(self) -> dict[str, str]:
        """Of a process of the partner's reader."""
        return self._aws.environment(self._partner.account, **self._reader)

    def read(self, dataset: str, sql: str) -> dict[str, Any]:
        """The snapshot, its number of rows and the query's result."""
        return self.ask(dataset, "--sql", sql)

    def profile(self, dataset: str) -> dict[str, Any]:
        """The profile of the newest snapshot that has one, and how much older that is than the table."""
        return self.ask(dataset, "--profile")

    def ask(self, dataset: str, *question: str) -> dict[str, Any]:
        """Run the kit's program as the partner would."""
        done = subprocess.run(
            [
                sys.executable, "-m", "partner_kit", "--json",
                "--role-arn", self._role, "--external-id", self._partner.external_id,
                "--region", self._aws.region, "--database", self._settings.database("lake"),
                "--table", dataset, *question,
            ],
            cwd=ROOT, env=self.environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"the partner cannot read {dataset}: {done.stderr.strip()[-500:]}")
        return dict(json.loads(done.stdout))

    def refusals(self, lake: dict[str, str]) -> dict[str, str]:
        """By what must be refused and was tried: "refused", "granted", or an error that is neither.

        `lake` are the lake stack's outputs.
        """
        attempts = {**self._attempts_at_the_role(), **self._attempts_with_the_role(lake)}
        return {name: outcome_of(attempt) for name, attempt in attempts.items()}

    def _attempts_at_the_role(self) -> Attempts:
        reader, external_id = self._reader, self._partner.external_id
        stranger = self._become(STRANGER, self._partner.programmatic_roles[0])
        unnamed = self._become(self._partner.account, "someone-else")
        take = partial(self._take, self._role)
        console = self._role.replace("-programmatic", "-console")
        return {
            "take the role without the external id": partial(take, reader),
            "take the role with a wrong external id": partial(take, reader, ExternalId="wrong" * 4),
            "take the role from another account": partial(take, stranger, ExternalId=external_id),
            "take the role as an unnamed role of the partner": partial(take, unnamed, ExternalId=external_id),
            "take the console role without MFA": partial(self._take, console, reader),
        }

    def _attempts_with_the_role(self, lake: dict[str, str]) -> Attempts:
        session = self._take(self._role, self._reader, ExternalId=self._partner.external_id)
        s3, glue, dynamodb = (self._client(service, session) for service in ("s3", "glue", "dynamodb"))
        landing, quarantine = {"Bucket": lake["LandingBucket"]}, {"Bucket": lake["QuarantineBucket"]}
        curated = {"Bucket": lake["CuratedBucket"]}
        rejected = {"DatabaseName": self._settings.database("quarantine"), "Name": "flights"}
        return {
            "read landing": partial(s3.get_object, **landing, Key="landing/flights/2013-01.csv.gz"),
            "list landing": partial(s3.list_objects_v2, **landing),
            "read quarantine": partial(s3.get_object, **quarantine, Key="unrouted/folder_marker/x.json"),
            "list quarantine": partial(s3.list_objects_v2, **quarantine),
            "see the quarantine's tables": partial(glue.get_table, **rejected),
            "write curated": partial(s3.put_object, **curated, Key="flights/x", Body=b"x"),
            "delete from curated": partial(s3.delete_object, **curated, Key="flights/x"),
            "list all of curated": partial(s3.list_objects_v2, **curated),
            "list the company's buckets": s3.list_buckets,
            "list the ledger": dynamodb.list_tables,
        }


def policy(**who: Any) -> str:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", **who}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def outcome_of(attempt: Callable[[], Any]) -> str:
    try:
        attempt()
    except PermissionError:
        return "refused"
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return "refused" if code in REFUSALS else f"error: {code}"
    return "granted"
