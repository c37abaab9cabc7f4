"""What a search needs to know of a dataset: its names in SQL, and the columns that it may be filtered by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from causeway.contract.model import Contract
from causeway.store.database import quoted
from causeway.store.links import links
from causeway.store.nearest import LIST, TOLD
from causeway.store.s3_vectors import MOST_COLUMNS
from causeway.store.schemas import CURATED, VECTORS, columns_of
from causeway.store.tables import type_of


def described(contract: Contract, served: Mapping[str, Contract]) -> dict[str, Any]:
    """As JSON in the store; `d` is a row of the dataset."""
    related = {
        name: {"as": alias, "columns": _types(served[name]), "exists": f"SELECT FROM {tables} WHERE {joined}"}
        for name, (alias, tables, joined) in _related(contract, served).items()
    }
    return {
        "rows": quoted(CURATED, contract.table),
        "passages": quoted(VECTORS, contract.table),
        "key": list(contract.key),
        "texts": list(contract.embedded),
        "columns": _types(contract),
        "related": related,
    }


def filterable(contract: Contract) -> list[str]:
    """Columns that an index in S3 Vectors is told; filters by others are the store's to answer."""
    types = _types(contract)
    told = [name for name, kind in types.items() if kind in TOLD and name not in contract.embedded]
    return [name for name in told if name.isidentifier()][:MOST_COLUMNS]


def _types(contract: Contract) -> dict[str, str]:
    """By column, the type as which a filter's value is compared; nested ones but lists of texts have none."""
    return {
        column.name: LIST if column.type == "array" else type_of(column)
        for column in columns_of(contract)
        if column.type != "object" and (column.items is None or column.items.type == "string")
    }


def _related(contract: Contract, served: Mapping[str, Contract]) -> dict[str, tuple[str, str, str]]:
    """Of each dataset that references lead to, by the fewest: its alias, tables, and how they are joined.

    Between two datasets any of their references will do: who directed a film or played in it is of it.
    """
    every, ways = links(served), {contract.dataset: ("d", "", "")}
    reached = [contract.dataset]
    for mine in reached:
        alias, tables, joined = ways[mine]
        for other in (name for name in served if name not in ways):
            theirs = f"r{len(ways)}"
            conditions = [
                link.joined(alias, theirs) if link.child.dataset == mine else link.joined(theirs, alias)
                for link in every
                if {mine, other} == {link.child.dataset, link.parent.dataset}
            ]
            if conditions:
                table = f"{quoted(CURATED, served[other].table)} {theirs}"
                on = f"({' OR '.join(conditions)})"
                ways[other] = (
                    theirs,
                    f"{tables}, {table}" if tables else table,
                    f"{joined} AND {on}" if joined else on,
                )
                reached.append(other)
    del ways[contract.dataset]
    return ways
