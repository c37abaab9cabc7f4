"""Which failures are of every object, and which go by themselves."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from pyiceberg.exceptions import CommitFailedException, ForbiddenError, NoSuchTableError

from causeway.flow.failures import NotTheObjectsError, not_the_objects
from causeway.lake.tables import TableChangeError


def refused(code: str, status: int) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "GetTable")


@pytest.mark.parametrize(
    "error",
    [
        TableChangeError("long -> date"),
        ForbiddenError("no"),
        NoSuchTableError("none"),
        KeyError("contracts/x"),
        refused("AccessDeniedException", 400),
        refused("EntityNotFoundException", 400),
        FileNotFoundError("metadata.json"),
        PermissionError("bucket"),
    ],
)
def test_what_would_fail_for_every_object_is_said_to_be_no_objects_fault(error: Exception) -> None:
    with (
        pytest.raises(NotTheObjectsError, match=type(error).__name__),
        not_the_objects(CommitFailedException),
    ):
        raise error


@pytest.mark.parametrize(
    "error",
    [
        refused("ThrottlingException", 400),
        refused("InternalServiceException", 500),
        refused("SlowDown", 503),
        ConnectTimeoutError(endpoint_url="x"),
        OSError("connection reset"),
        CommitFailedException("moved"),
    ],
)
def test_what_goes_by_itself_stays_what_it_is(error: Exception) -> None:
    with pytest.raises(type(error)), not_the_objects(CommitFailedException):
        raise error
