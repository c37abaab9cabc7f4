"""The synthesized policies, enforced: a revocation on the embedded AWS."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from botocore.exceptions import ClientError

from causeway.__main__ import main
from causeway.cli import revoke
from causeway.settings import EMBEDDED_EXTERNAL_ID
from local.aws.embedded import EmbeddedAws
from tests.access.deployed import BUCKET, Credentials, deployed_roles, make_table, reader_of, write_kit
from tests.access.intent import PARTNER, PROGRAMMATIC
from tests.access.resolver import COMPANY

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with deployed_roles() as embedded:
        make_table(embedded, "flights", pl.DataFrame({"delay": [1]}))
        yield embedded


@pytest.fixture(scope="module")
def reader(aws: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return reader_of(aws, write_kit(tmp_path_factory.mktemp("kit") / "kit"))


def _session(aws: EmbeddedAws, reader: Credentials) -> Any:
    """An S3 client with a session of the programmatic role."""
    sts = aws.client("sts", PARTNER, **reader)
    taken = sts.assume_role(RoleArn=PROGRAMMATIC, RoleSessionName="test", ExternalId=EMBEDDED_EXTERNAL_ID)
    return aws.client("s3", PARTNER, **taken["Credentials"])


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
