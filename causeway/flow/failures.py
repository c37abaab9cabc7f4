"""Failures that no object causes. Leaving objects out of the batch would not help, so none is blamed."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from botocore.exceptions import BotoCoreError, ClientError


class NotTheObjectsError(Exception):
    """The batch fails whatever its objects are: for its table, contract, permissions or catalog."""


@contextmanager
def not_the_objects(*passing: type[Exception]) -> Iterator[None]:
    """What fails in here fails for every object, and becomes NotTheObjectsError.

    But not what goes by itself, nor what is `passing`: a smaller or later batch may be luckier.
    """
    try:
        yield
    except NotTheObjectsError:
        raise
    except Exception as error:
        if isinstance(error, passing) or _passes(error):
            raise
        raise NotTheObjectsError(f"{type(error).__name__}: {error}") from error


def _passes(error: Exception) -> bool:
    if not isinstance(error, ClientError):
        lasting = isinstance(error, FileNotFoundError | PermissionError)
        return isinstance(error, BotoCoreError | OSError) and not lasting
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", HTTPStatus.BAD_REQUEST)
    throttled = "Throttl" in error.response["Error"]["Code"] or status == HTTPStatus.TOO_MANY_REQUESTS
    return bool(throttled or status >= HTTPStatus.INTERNAL_SERVER_ERROR)
