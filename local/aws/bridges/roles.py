"""What jobs on this machine share: their role's credentials, its S3 client, and their last words."""

from pathlib import Path
from typing import Any

import boto3
from ministack.core import lambda_runtime, responses

PRIVATE = {
    lambda_runtime: ("execution_credentials",),
    responses: ("get_account_id", "get_region"),
}


def role_credentials(role: str, session: str) -> dict[str, str]:
    """Temporary credentials of the job's role, made as the emulator makes a Lambda's."""
    arn = f"arn:aws:lambda:{responses.get_region()}:{responses.get_account_id()}:function:{session}"
    function = {"FunctionArn": arn, "FunctionName": session, "Role": role}
    return dict(lambda_runtime.execution_credentials(function))


def s3_client(credentials: dict[str, str]) -> Any:
    return boto3.Session(
        aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=credentials["AWS_SESSION_TOKEN"],
    ).client("s3")


def last_words(log: Path) -> str:
    """The last line of a job's log, and where the rest of it is."""
    lines = log.read_text(errors="replace").strip().splitlines() or ["no output"]
    return f"{lines[-1]} (log: {log})"
