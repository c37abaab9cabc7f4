"""The store's tables, made from contracts and kept up to them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from causeway.contract.model import Column, Contract
from causeway.contract.serving import parents_first
from causeway.store.database import StoreError, Transaction, listed, quoted, text
from causeway.store.links import drop_links
from causeway.store.schemas import CURATED, LOADS, OWN, PARTNER, QUARANTINE, READER, REASON, WAITS, columns_of

BEGIN = (
    "CREATE EXTENSION IF NOT EXISTS aws_s3 CASCADE",
    *(f"CREATE SCHEMA IF NOT EXISTS {schema}" for schema in (CURATED, QUARANTINE, OWN)),
    f"""CREATE TABLE IF NOT EXISTS {LOADS} (
        "table" text PRIMARY KEY, dataset text NOT NULL, contract text NOT NULL, snapshot bigint NOT NULL,
        loaded_at timestamptz NOT NULL)""",
)
TYPES = {
    "string": "text",
    "boolean": "boolean",
    "date": "date",
    "time": "time without time zone",
    "array": "jsonb",
    "object": "jsonb",
}
# What PostgreSQL changes without losing a value.
WIDENED = {("integer", "bigint"), ("real", "double precision")}
NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)")


class MigrationError(StoreError):
    """A table in the store cannot become what the contract says without losing values."""


def type_of(column: Column) -> str:
    """As PostgreSQL writes it."""
    if column.hashed:
        return "text"
    if column.type == "integer":
        return "integer" if column.bits == 32 else "bigint"  # noqa: PLR2004
    if column.type == "number" and column.precision is not None:
        return f"numeric({column.precision},{column.scale})"
    if column.type == "number":
        return "real" if column.bits == 32 else "double precision"  # noqa: PLR2004
    if column.type == "timestamp":
        return f"timestamp with{'' if column.timezone else 'out'} time zone"
    return TYPES[column.type]


@dataclass(frozen=True)
class Users:
    """Who may read, by their passwords; the partner, if it may, of these datasets."""

    reader: str
    partner: str = ""
    partner_datasets: Collection[str] = ()


def prepare(transaction: Transaction, served: Mapping[str, Contract], users: Users) -> list[str]:
    """Make and change tables until they are what the contracts say; what was changed, a line each.

    Foreign keys come last, by `keep_links`: rows may have to go first. Raises MigrationError.
    """
    for statement in BEGIN:
        transaction.execute(statement)
    there = _columns(transaction)
    changes = []
    for dataset in parents_first(served):
        contract = served[dataset]
        if contract.table in there:
            changes += list(_migrate(transaction, contract, there[contract.table]))
        else:
            _create(transaction, contract)
            changes.append(f"made {CURATED}.{contract.table}")
    changes += drop_links(transaction, served)
    _let_read(transaction, users.reader)
    _let_partner_read(transaction, served, users)
    return changes


def _columns(transaction: Transaction) -> dict[str, dict[str, str]]:
    """Of each table: the types of its columns."""
    there: dict[str, dict[str, str]] = {}
    for row in transaction.query(
        f"""SELECT c.relname AS "table", a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE c.relnamespace = '{CURATED}'::regnamespace AND c.relkind = 'r'
            AND a.attnum > 0 AND NOT a.attisdropped"""
    ):
        there.setdefault(row["table"], {})[row["name"]] = row["type"]
    return there


def _create(transaction: Transaction, contract: Contract) -> None:
    columns = columns_of(contract)
    typed = [f"{quoted(c.name)} {type_of(c)}" for c in columns]
    required = [
        f"{definition} NOT NULL" if c.required else definition
        for definition, c in zip(typed, columns, strict=True)
    ]
    key = f"PRIMARY KEY ({listed(contract.key)})"
    transaction.execute(f"CREATE TABLE {quoted(CURATED, contract.table)} ({', '.join([*required, key])})")
    held = ", ".join([*typed, f"{REASON} text NOT NULL", f"{WAITS} text", key])
    transaction.execute(f"CREATE TABLE {quoted(QUARANTINE, contract.table)} ({held})")


def _migrate(transaction: Transaction, contract: Contract, there: Mapping[str, str]) -> Iterator[str]:
    for column in columns_of(contract):
        name, wanted, found = column.name, type_of(column), there.get(column.name)
        if found == wanted:
            continue
        if found is not None and not _is_wider(found, wanted):
            raise MigrationError(
                f"{CURATED}.{contract.table}: {name} is {found} and would become {wanted}, which may lose"
                f" values; undo it in the contract, or raise its version to {contract.next_major}.0.0, which"
                " has a table of its own"
            )
        change = f"ADD COLUMN {quoted(name)}" if found is None else f"ALTER COLUMN {quoted(name)} TYPE"
        for schema in (CURATED, QUARANTINE):
            transaction.execute(f"ALTER TABLE {quoted(schema, contract.table)} {change} {wanted}")
        yield f"{CURATED}.{contract.table}: {name} is {'new' if found is None else f'{wanted}, was {found}'}"


def _is_wider(found: str, wanted: str) -> bool:
    old, new = NUMERIC.fullmatch(found), NUMERIC.fullmatch(wanted)
    if old and new:
        return int(new[1]) >= int(old[1]) and new[2] == old[2]
    return (found, wanted) in WIDENED


def _let_read(transaction: Transaction, password: str) -> None:
    """The applications' user reads every table, and does nothing else."""
    _let_login(transaction, READER, password)
    schemas = f"{CURATED}, {QUARANTINE}, {OWN}"
    transaction.execute(f"GRANT USAGE ON SCHEMA {schemas} TO {READER}")
    transaction.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schemas} TO {READER}")


def _let_partner_read(transaction: Transaction, served: Mapping[str, Contract], users: Users) -> None:
    """The partner's user reads its datasets' tables; what it might read before goes."""
    if not users.partner and not _is_there(transaction, PARTNER):
        return
    _let_login(transaction, PARTNER, users.partner)
    every = f"ALL TABLES IN SCHEMA {CURATED}"
    transaction.execute(f"REVOKE ALL ON {every} FROM {PARTNER}")
    tables = [quoted(CURATED, one.table) for name, one in served.items() if name in users.partner_datasets]
    if users.partner and tables:
        transaction.execute(f"GRANT USAGE ON SCHEMA {CURATED} TO {PARTNER}")
        transaction.execute(f"GRANT SELECT ON {', '.join(sorted(tables))} TO {PARTNER}")


def _is_there(transaction: Transaction, user: str) -> bool:
    return bool(transaction.query("SELECT 1 AS there FROM pg_roles WHERE rolname = :name", name=user))


def _let_login(transaction: Transaction, user: str, password: str) -> None:
    """By this password; without one, not at all."""
    what = f"LOGIN PASSWORD {text(password)}" if password else "NOLOGIN PASSWORD NULL"
    transaction.execute(f"{'ALTER' if _is_there(transaction, user) else 'CREATE'} ROLE {user} {what}")
