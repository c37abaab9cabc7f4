"""The synthesized policies, enforced: the kit's script and the revocation on the embedded AWS."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from botocore.exceptions import ClientError
from pyiceberg.catalog.glue import GlueCatalog

from causeway.__main__ import main
from causeway.cli import partner_kit, revoke
from causeway.settings import EMBEDDED_EXTERNAL_ID
from local.aws.embedded import EmbeddedAws
from tests.access.intent import CONSOLE, PARTNER, PROGRAMMATIC
from tests.access.policies import DEFAULT, synthesized
from tests.access.resolver import COMPANY, REGION

pytestmark = pytest.mark.embedded
BUCKET, DATABASE, ROWS = "causeway-lake-curated", "causeway_lake", 5
SCRIPT = Path(partner_kit.KIT) / "read_table.py"
Credentials = dict[str, str]


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    """The partner's roles as synthesized, and a table of five rows; no other stack is needed."""
    with EmbeddedAws(account=COMPANY, region=REGION) as embedded:
        _make_roles(embedded)
        _make_table(embedded)
        yield embedded


@pytest.fixture(scope="module")
def reader(aws: EmbeddedAws) -> Credentials:
    """The partner's own role, with the policy that the kit tells its admin to attach."""
    iam, sts = aws.client("iam", PARTNER), aws.client("sts", PARTNER)
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": f"arn:aws:iam::{PARTNER}:root"},
    }
    iam.create_role(RoleName="causeway-reader", AssumeRolePolicyDocument=_document(trust))
    allow = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": [PROGRAMMATIC, CONSOLE]}
    iam.put_role_policy(RoleName="causeway-reader", PolicyName="kit", PolicyDocument=_document(allow))
    taken = sts.assume_role(RoleArn=f"arn:aws:iam::{PARTNER}:role/causeway-reader", RoleSessionName="test")
    return dict(taken["Credentials"])


def _document(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _make_roles(aws: EmbeddedAws) -> None:
    access, iam = synthesized(DEFAULT), aws.client("iam", COMPANY)
    for arn in (PROGRAMMATIC, CONSOLE):
        role, name = access.roles[arn], arn.rpartition("/")[2]
        trust = json.dumps(access.documents[access.of_resource[arn]])
        iam.create_role(RoleName=name, Path="/causeway/partner/", AssumeRolePolicyDocument=trust)
        for document in role.identity:
            policy = json.dumps(access.documents[document])
            iam.put_role_policy(RoleName=name, PolicyName="permissions", PolicyDocument=policy)


def _make_table(aws: EmbeddedAws) -> None:
    aws.client("s3", COMPANY).create_bucket(Bucket=BUCKET)
    aws.client("glue", COMPANY).create_database(DatabaseInput={"Name": DATABASE})
    frame = pl.DataFrame({"carrier": ["AA", "UA", "UA", "DL", "B6"], "delay": [1, 2, 3, 4, 5]}).to_arrow()
    keys = {
        "access-key-id": COMPANY,
        "secret-access-key": "embedded",
        "region": REGION,
        "endpoint": aws.endpoint,
    }
    properties = {f"{service}.{key}": value for service in ("glue", "s3") for key, value in keys.items()}
    catalog = GlueCatalog("company", **properties)
    table = catalog.create_table((DATABASE, "flights"), frame.schema, f"s3://{BUCKET}/flights")
    table.append(frame)


def _environment(aws: EmbeddedAws, credentials: Credentials) -> dict[str, str]:
    return {
        **os.environ,
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
    }


def _read(
    aws: EmbeddedAws, credentials: Credentials, *more: str, external_id: str = EMBEDDED_EXTERNAL_ID
) -> Any:
    return subprocess.run(
        [sys.executable, str(SCRIPT), "--role-arn", PROGRAMMATIC, "--external-id", external_id,
         "--database", DATABASE, "--table", "flights", *more],
        env=_environment(aws, credentials), capture_output=True, text=True, check=False,
    )  # fmt: skip


def _session(aws: EmbeddedAws, reader: Credentials) -> Any:
    """An S3 client with a session of the programmatic role."""
    sts = aws.client("sts", PARTNER, **reader)
    taken = sts.assume_role(RoleArn=PROGRAMMATIC, RoleSessionName="test", ExternalId=EMBEDDED_EXTERNAL_ID)
    return aws.client("s3", PARTNER, **taken["Credentials"])


def test_the_kits_script_reads_the_table(aws: EmbeddedAws, reader: Credentials) -> None:
    answer = _read(
        aws,
        reader,
        "--json",
        "--sql",
        "SELECT carrier, count(*) AS n FROM flights GROUP BY ALL ORDER BY 2 DESC LIMIT 1",
    )
    assert answer.returncode == 0, answer.stderr[-500:]
    read = json.loads(answer.stdout)
    assert (read["rows"], read["result"]) == (ROWS, [{"carrier": "UA", "n": 2}])


def test_the_kits_script_reads_a_pinned_snapshot(aws: EmbeddedAws, reader: Credentials) -> None:
    snapshot = json.loads(_read(aws, reader, "--json").stdout)["snapshot"]
    answer = _read(
        aws, reader, "--json", "--snapshot", str(snapshot), "--where", "carrier = 'UA'", "--columns", "delay"
    )
    assert json.loads(answer.stdout)["result"] == [{"delay": 2}, {"delay": 3}]


def test_the_kits_script_gets_nothing_with_a_wrong_external_id(aws: EmbeddedAws, reader: Credentials) -> None:
    answer = _read(aws, reader, external_id="another-customers-id")
    assert answer.returncode != 0
    assert "AccessDenied" in answer.stderr


def test_revocation_refuses_live_sessions_and_new_ones_until_it_is_undone(
    aws: EmbeddedAws, reader: Credentials
) -> None:
    iam = aws.client("iam", COMPANY)
    live = _session(aws, reader)
    assert live.list_objects_v2(Bucket=BUCKET, Prefix="flights/")["KeyCount"] > 0
    revoke.close(iam, "causeway-programmatic")
    revoke.close(iam, "causeway-programmatic")
    with pytest.raises(ClientError, match="AccessDenied"):
        live.list_objects_v2(Bucket=BUCKET, Prefix="flights/")
    with pytest.raises(ClientError, match="AccessDenied"):
        _session(aws, reader)
    revoke.restore(iam, "causeway-programmatic", datetime.now(UTC) - timedelta(hours=1))
    assert _session(aws, reader).list_objects_v2(Bucket=BUCKET, Prefix="flights/")["KeyCount"] > 0


def test_the_command_revokes_both_roles_of_the_right_account_alone(
    aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in aws.environment(PARTNER).items():
        monkeypatch.setenv(name, value)
    assert main(["revoke"]) != 0
    assert "credentials are for account 222222222222" in capsys.readouterr().err
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", COMPANY)
    assert main(["revoke"]) == 0
    assert capsys.readouterr().out.count("closed; live sessions are refused") == 2
    assert main(["revoke", "--undo"]) == 0
    trust = aws.client("iam", COMPANY).get_role(RoleName="causeway-console")["Role"][
        "AssumeRolePolicyDocument"
    ]
    assert [statement["Effect"] for statement in trust["Statement"]] == ["Allow"]
