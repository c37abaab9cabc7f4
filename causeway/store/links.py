"""Foreign keys that hold: rows without their parent wait in the quarantine, and come back when it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from causeway.contract.model import Contract, Reference
from causeway.contract.serving import LONGEST_NAME
from causeway.store.database import Transaction, listed, quoted, text
from causeway.store.schemas import CURATED, QUARANTINE, REASON, WAITS, columns_of


@dataclass(frozen=True)
class Link:
    """A foreign key between two of the store's tables."""

    child: Contract
    parent: Contract
    reference: Reference

    @property
    def name(self) -> str:
        """Of the constraint: another parent's table, or other columns, make another one."""
        name = f"{self.parent.table}_of_{'_'.join(self.reference.columns)}"
        if len(name.encode()) <= LONGEST_NAME:
            return name
        return f"{self.parent.table}_of_{sha256(name.encode()).hexdigest()[:16]}"

    @property
    def index(self) -> str:
        """The name of the child's index: unlike a constraint's, it is the schema's."""
        columns = "_".join((self.child.table, *self.reference.columns))
        return f"by_{sha256(columns.encode()).hexdigest()[:16]}"

    def joined(self, child: str, parent: str) -> str:
        """The condition under which a row of the one refers to a row of the other."""
        pairs = zip(self.reference.columns, self.reference.to, strict=True)
        return " AND ".join(f"{child}.{quoted(c)} = {parent}.{quoted(to)}" for c, to in pairs)

    def refers(self, child: str) -> str:
        """The condition under which a row refers to anything."""
        return " AND ".join(f"{child}.{quoted(c)} IS NOT NULL" for c in self.reference.columns)


def links(served: Mapping[str, Contract]) -> list[Link]:
    return [
        Link(contract, served[reference.dataset], reference)
        for contract in served.values()
        for reference in contract.references
    ]


def _constraints(transaction: Transaction) -> set[tuple[str, str]]:
    """Table and name of each foreign key."""
    rows = transaction.query(
        f"""SELECT c.relname AS "table", k.conname AS name
            FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
            WHERE k.contype = 'f' AND c.relnamespace = '{CURATED}'::regnamespace"""
    )
    return {(row["table"], row["name"]) for row in rows}


def drop_links(transaction: Transaction, served: Mapping[str, Contract]) -> list[str]:
    """Of the contracts' tables: an earlier version's table keeps what it had."""
    tables = {contract.table for contract in served.values()}
    dropped = _constraints(transaction) - {(link.child.table, link.name) for link in links(served)}
    dropped = {(table, name) for table, name in dropped if table in tables}
    for table, name in sorted(dropped):
        transaction.execute(f"ALTER TABLE {quoted(CURATED, table)} DROP CONSTRAINT {quoted(name)}")
    return [f"{CURATED}.{table}: {name} is no longer kept" for table, name in sorted(dropped)]


def keep_links(transaction: Transaction, served: Mapping[str, Contract]) -> list[str]:
    """Add the foreign keys that are not there yet, once every row keeps them."""
    there = _constraints(transaction)
    added: list[str] = []
    for link in links(served):
        if (link.child.table, link.name) not in there:
            if not added:  # rows that changed are checked now: a table with checks to come cannot be altered
                transaction.execute("SET CONSTRAINTS ALL IMMEDIATE")
            child, columns = quoted(CURATED, link.child.table), listed(link.reference.columns)
            # When a parent goes, its children are looked for.
            transaction.execute(f"CREATE INDEX IF NOT EXISTS {link.index} ON {child} ({columns})")
            transaction.execute(
                f"ALTER TABLE {child} ADD CONSTRAINT {quoted(link.name)} FOREIGN KEY ({columns}) REFERENCES"
                f" {quoted(CURATED, link.parent.table)} ({listed(link.reference.to)})"
                " DEFERRABLE INITIALLY DEFERRED"
            )
            added.append(f"{CURATED}.{link.child.table}: {link.name} is kept")
    return added


def settle(transaction: Transaction, served: Mapping[str, Contract], changed: Contract) -> None:
    """After a table has changed: rows that lost a parent go, in all tables, and rows that have all come."""
    every = links(served)
    open_links = [link for link in every if changed in (link.child, link.parent)]
    while open_links:
        link = open_links.pop()
        if _move_out(transaction, link):
            open_links += [one for one in every if one.parent == link.child and one not in open_links]
    children = [changed, *(link.child for link in every if link.parent == changed)]
    while children:
        child = children.pop()
        if _move_back(transaction, child, [link for link in every if link.child == child]):
            children += [link.child for link in every if link.parent == child and link.child not in children]


def _move_out(transaction: Transaction, link: Link) -> int:
    columns = listed([column.name for column in columns_of(link.child)])
    parent = f"SELECT FROM {quoted(CURATED, link.parent.table)} p WHERE {link.joined('c', 'p')}"
    told = " || ', ' || ".join(
        f"{text(f'{to} ')} || {quoted(name)}"
        for name, to in zip(link.reference.columns, link.reference.to, strict=True)
    )
    reason = f"{text(f'{link.parent.dataset} has no row with ')} || {told}"
    return transaction.execute(
        f"WITH gone AS (DELETE FROM {quoted(CURATED, link.child.table)} c"
        f" WHERE {link.refers('c')} AND NOT EXISTS ({parent}) RETURNING c.*)"
        f" INSERT INTO {quoted(QUARANTINE, link.child.table)} ({columns}, {REASON}, {WAITS})"
        f" SELECT {columns}, {reason}, {text(link.parent.dataset)} FROM gone"
    )


def _move_back(transaction: Transaction, child: Contract, parents: list[Link]) -> int:
    columns = listed([column.name for column in columns_of(child)])
    kept = " AND ".join(
        f"(NOT ({link.refers('q')}) OR EXISTS"
        f" (SELECT FROM {quoted(CURATED, link.parent.table)} p WHERE {link.joined('q', 'p')}))"
        for link in parents
    )
    return transaction.execute(
        f"WITH come AS (DELETE FROM {quoted(QUARANTINE, child.table)} q"
        f" WHERE {WAITS} IS NOT NULL AND {kept or 'true'} RETURNING q.*)"
        f" INSERT INTO {quoted(CURATED, child.table)} ({columns}) SELECT {columns} FROM come"
    )
