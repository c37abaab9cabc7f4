"""SQL over the Data API: a store that pauses, is away, or refuses; values and texts on their way."""

from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causeway.store import database as module
from causeway.store.database import Database, StoreError, quoted, text

MESSAGE = """ERROR: relation "films" does not exist
LINE 1: SELECT * FROM films
                      ^
HINT: none"""


class Answers:
    """A client that answers so many times with an error, and then."""

    def __init__(self, code: str, times: int) -> None:
        self.code, self.times, self.calls = code, times, 0

    def execute_statement(self, **_: Any) -> dict[str, Any]:
        self.calls += 1
        if self.calls <= self.times:
            raise ClientError({"Error": {"Code": self.code, "Message": MESSAGE}}, "ExecuteStatement")
        return {"records": [[{"longValue": 1}]], "columnMetadata": [{"label": "one"}]}


def database_of(client: Any) -> Database:
    return Database(client, "arn:cluster", "arn:secret", "store")


@pytest.mark.parametrize("code", module.RESUMING)
def test_a_store_that_resumes_is_waited_for(code: str) -> None:
    client = Answers(code, 3)
    with patch.object(module, "PAUSE", 0):
        assert database_of(client).query("SELECT 1 AS one") == [{"one": 1}]
    assert client.calls == 4


def test_a_store_that_does_not_come_back_is_an_error_in_one_line() -> None:
    client = Answers("DatabaseUnavailableException", 10**6)
    with (
        patch.multiple(module, PAUSE=0, RESUME_SECONDS=0.05),
        pytest.raises(StoreError, match=r"^DatabaseUnavailableException: "),
    ):
        database_of(client).query("SELECT 1 AS one")


def test_an_error_of_the_database_is_told_without_the_statement_and_not_tried_again() -> None:
    client = Answers("BadRequestException", 1)
    with pytest.raises(StoreError) as raised:
        database_of(client).query("SELECT * FROM films")
    assert str(raised.value) == 'BadRequestException: ERROR: relation "films" does not exist; HINT: none'
    assert client.calls == 1


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_and_any_name_come_back_as_they_went(database: Database, value: str) -> None:
    assert database.query(f"SELECT {text(value)} AS a") == [{"a": value}]
    assert database.query("SELECT :b AS b, '%' AS c", b=value) == [{"b": value, "c": "%"}]
    name = value[:15] or "x"
    assert list(database.query(f"SELECT 1 AS {quoted(name)}")[0]) == [name]


def test_values_of_every_kind_travel(database: Database) -> None:
    asked: dict[str, Any] = {"a": None, "b": True, "c": 2**62, "d": 0.1, "e": ""}
    columns = ", ".join(f"CAST(:{name} AS {kind}) AS {name}" for name, kind in zip(asked, KINDS, strict=True))
    assert database.query(f"SELECT {columns}", **asked) == [asked]


KINDS = ("text", "boolean", "bigint", "double precision", "text")
