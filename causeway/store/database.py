"""SQL over the Data API of RDS: no connection, no network of our own, and IAM says who may."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

# A store that paused takes about 15 s to resume, at most half a minute more.
RESUMING = ("DatabaseResumingException", "DatabaseUnavailableException")
RESUME_SECONDS = 180
PAUSE = 2  # seconds between two tries

Value = str | int | float | bool | None


class StoreError(OSError):
    """The store could not do it; what a transaction had begun is undone."""


@dataclass(frozen=True)
class Database:
    """A database of a cluster, as the user that the secret names."""

    client: Any  # rds-data
    cluster: str  # ARN
    secret: str  # ARN
    name: str

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """All of its statements, or none. One that nobody goes on with is undone within three minutes."""
        begun = self.call(self.client.begin_transaction, database=self.name)["transactionId"]
        try:
            yield Transaction(self, begun)
            self.call(self.client.commit_transaction, transactionId=begun)
        except BaseException:
            with suppress(StoreError):  # it is undone already, or the store is away and will undo it
                self.call(self.client.rollback_transaction, transactionId=begun)
            raise

    def query(self, sql: str, **values: Value) -> list[dict[str, Any]]:
        """The rows of one statement, which is a transaction of its own."""
        return rows_of(self._execute(sql, values, database=self.name))

    def _execute(self, sql: str, values: dict[str, Value], **where: str) -> Any:
        parameters = [{"name": name, "value": _field(value)} for name, value in values.items()]
        return self.call(
            self.client.execute_statement, sql=sql, parameters=parameters, includeResultMetadata=True, **where
        )

    def call(self, operation: Callable[..., Any], **request: Any) -> Any:
        """The answer, waiting for a store that resumes. Raises StoreError."""
        deadline = time.monotonic() + RESUME_SECONDS
        while True:
            try:
                return operation(resourceArn=self.cluster, secretArn=self.secret, **request)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code not in RESUMING or time.monotonic() > deadline:
                    raise StoreError(f"{code}: {_told(error.response['Error']['Message'])}") from error
            time.sleep(PAUSE)


@dataclass(frozen=True)
class Transaction:
    database: Database
    id: str

    def execute(self, sql: str, **values: Value) -> int:
        """How many rows a statement changed."""
        answer = self.database._execute(sql, values, transactionId=self.id)
        return int(answer.get("numberOfRecordsUpdated", 0))

    def query(self, sql: str, **values: Value) -> list[dict[str, Any]]:
        return rows_of(self.database._execute(sql, values, transactionId=self.id))


def has(source: Database | Transaction, table: str) -> bool:
    """Whether there is a table of this name, written as SQL has it."""
    return source.query("SELECT to_regclass(:table)::text AS name", table=table)[0]["name"] is not None


def _told(message: str) -> str:
    """PostgreSQL's error in one line, without the statement that it shows and points into."""
    lines = [line.strip() for line in message.splitlines()]
    shown = [i for i, line in enumerate(lines) if line.startswith("LINE ")]
    of_the_statement = {place for i in shown for place in (i, i + 1)}
    return "; ".join(line for i, line in enumerate(lines) if line and i not in of_the_statement)


def rows_of(answer: Any) -> list[dict[str, Any]]:
    names = [column["label"] for column in answer.get("columnMetadata", [])]
    return [dict(zip(names, map(_value, record), strict=True)) for record in answer.get("records", [])]


def _field(value: Value) -> dict[str, Any]:
    if value is None:
        return {"isNull": True}
    kinds = {bool: "booleanValue", int: "longValue", float: "doubleValue", str: "stringValue"}
    return {kinds[type(value)]: value}


def _value(field: dict[str, Any]) -> Any:
    return None if field.get("isNull") else next(iter(field.values()))


def quoted(*names: str) -> str:
    """Identifiers as SQL takes them: quoted("curated", "films") is "curated"."films"."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def listed(names: Sequence[str], prefix: str = "") -> str:
    """Column names, with commas; each of the table that the prefix names."""
    return ", ".join(f"{prefix}{quoted(name)}" for name in names)


def text(value: str) -> str:
    """A text as SQL takes it, where it takes no parameters."""
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f" E'{escaped}'" if "\\" in value else f"'{escaped}'"
