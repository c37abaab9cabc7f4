"""Each failure of AWS is a line of its own, which says what to do."""

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from causeway.operate.account import AccountError, session_of_company, stack_outputs
from causeway.operate.explain import explain
from causeway.settings import load_settings


def refused(code: str, message: str = "m") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("AccessDeniedException", "the credentials may not call DescribeStacks: m; use a role that may"),
        ("AccessDenied", "the credentials may not call DescribeStacks: m; use a role that may"),
        ("ThrottlingException", "AWS is busy with other requests of this account (m); run it again"),
        ("Throttling", "AWS is busy with other requests of this account (m); run it again"),
        ("ExpiredToken", "AWS does not accept the environment's credentials (m); sign in again"),
        ("InvalidClientTokenId", "AWS does not accept the environment's credentials (m); sign in again"),
        ("InternalError", "An error occurred (InternalError) when calling the DescribeStacks operation: m"),
    ],
)
def test_each_refusal_has_a_line_of_its_own(code: str, told: str) -> None:
    assert explain(refused(code)).startswith(told)


class Stacks:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def describe_stacks(self, **_: str) -> None:
        raise self._error


def test_only_a_stack_that_is_not_there_is_not_deployed() -> None:
    settings = load_settings()
    for code in ("AccessDenied", "Throttling", "InternalFailure"):
        with pytest.raises(AccountError) as told:
            stack_outputs(Stacks(refused(code)), settings, "lake")
        assert "not deployed" not in str(told.value)
    with pytest.raises(AccountError, match="causeway-lake is not deployed"):
        stack_outputs(Stacks(refused("ValidationError", "does not exist")), settings, "lake")


def test_without_credentials_it_is_said_that_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with pytest.raises(AccountError, match="no usable AWS credentials"):
        session_of_company(load_settings())


def test_an_endpoint_that_does_not_answer_is_no_matter_of_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Session(boto3.Session):  # type: ignore[misc]
        def client(self, name: str, **options: object) -> object:
            once = Config(retries={"total_max_attempts": 1}, connect_timeout=1)
            return super().client(name, config=once, endpoint_url="http://127.0.0.1:9", **options)

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr("causeway.operate.account.boto3.Session", Session)
    with pytest.raises(AccountError, match="AWS does not answer"):
        session_of_company(load_settings())
