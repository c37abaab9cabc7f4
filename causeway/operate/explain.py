"""What is wrong when AWS does not do what it was asked: a line for each kind, which says what to do."""

from botocore.exceptions import (
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)

# By how their codes begin: what services say when they refuse.
REFUSALS = {
    "AWS does not accept the environment's credentials ({}); sign in again": (
        "ExpiredToken", "InvalidClientTokenId", "UnrecognizedClient", "SignatureDoesNotMatch",
        "InvalidAccessKeyId", "AuthFailure", "RequestExpired",
    ),
    "the credentials may not call {1}: {0}; use a role that may": (
        "AccessDenied", "UnauthorizedOperation", "Forbidden",
    ),
    "AWS is busy with other requests of this account ({}); run it again in a minute": (
        "Throttl", "TooManyRequests", "RequestLimitExceeded", "SlowDown",
    ),
}  # fmt: skip


def explain(error: Exception) -> str:
    """The error in one line, and what to do; of one that it does not know, its own text."""
    if isinstance(error, NoCredentialsError | PartialCredentialsError | ProfileNotFound):
        return f"no usable AWS credentials in the environment ({error}); set AWS_PROFILE, or sign in"
    if isinstance(error, ConnectionError | HTTPClientError):
        return f"AWS does not answer ({error}); look at the network, the region and AWS_ENDPOINT_URL"
    if isinstance(error, ClientError):
        told = error.response["Error"]
        for text, codes in REFUSALS.items():
            if told.get("Code", "").startswith(codes):
                return text.format(told.get("Message") or told["Code"], error.operation_name)
    return str(error)
