"""Where a dataset is served besides its table, and to which other datasets its columns refer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from open_data_contract_standard.model import (
    OpenDataContractStandard,
    Relationship,
    SchemaObject,
)

from causeway.contract.model import Contract, ContractError, Reference
from causeway.contract.place import Place, nearest, not_one_of

STORE = "store"  # the name of the contract's server that is ours
RELATIONAL = "postgresql"  # its type
FOREIGN_KEY = "foreignKey"  # the standard's only relationship that a store can keep
LONGEST_NAME = 63  # bytes of a name in PostgreSQL


def is_served(standard: OpenDataContractStandard, contract: Contract, place: Place) -> bool:
    """Whether the dataset is loaded into the relational store. Raises ContractError if it cannot be."""
    mine = [(i, server) for i, server in enumerate(standard.servers or []) if server.server == STORE]
    if not mine:
        if contract.embedded:
            entry = f"servers: [{{server: {STORE}, type: {RELATIONAL}}}]"
            name = contract.embedded[0]
            raise place.wrong(f"{name} is embedded, but not served; write {entry}, or take embed out")
        return False
    index, server = mine[-1]
    at = place / f"servers[{index}]"
    if len(mine) > 1:
        raise at.wrong(f"server {STORE} is there twice; remove one")
    if server.type != RELATIONAL:
        raise (at / "type").wrong(not_one_of(server.type, [RELATIONAL]))
    if not contract.key:
        raise at.wrong("a served dataset needs a primary key; write primaryKey: true at its columns")
    for column in contract.columns:
        if column.key and column.withheld:
            raise at.wrong(
                f"{column.name} is of the key and withheld, so it is in no table; hash it or pass it"
            )
        if len(column.name.encode()) > LONGEST_NAME:
            raise at.wrong(
                f"column {column.name} has {len(column.name.encode())} bytes; PostgreSQL takes {LONGEST_NAME}"
            )
    return True


def compile_references(schema: SchemaObject, contract: Contract, place: Place) -> tuple[Reference, ...]:
    """Foreign keys, of single columns or of several together."""
    references = []
    for i, p in enumerate(schema.properties or []):
        for j, one in enumerate(p.relationships or []):
            at = place / f"properties[{i}] ({p.name}).relationships[{j}]"
            references.append(_reference(one, [str(p.name)], contract, at))
    for j, one in enumerate(schema.relationships or []):
        at = place / f"relationships[{j}]"
        columns = [end.rpartition(".")[2] for end in _ends(one.from_)]
        if not columns:
            raise (at / "from").wrong("expected the columns that refer, as in from: [film_id]")
        references.append(_reference(one, columns, contract, at))
    return tuple(dict.fromkeys(references))  # of a column, and again of the schema


def _ends(ends: str | list[str] | None) -> list[str]:
    return [ends] if isinstance(ends, str) else list(ends or [])


def _reference(one: Relationship, columns: list[str], contract: Contract, place: Place) -> Reference:
    if (one.type or FOREIGN_KEY) != FOREIGN_KEY:
        raise (place / "type").wrong(not_one_of(one.type, [FOREIGN_KEY]))
    known = {column.name: column for column in contract.columns}
    for name in columns:
        if name not in known:
            raise (place / "from").wrong(f"no column {name!r}{nearest(name, known)}")
        if known[name].withheld:
            raise place.wrong(f"{name} is withheld: it is in no table, so nothing can be joined by it")
    targets = [end.partition(".")[::2] for end in _ends(one.to)]
    if len(targets) != len(columns) or not all(dataset and column for dataset, column in targets):
        raise (place / "to").wrong(f"expected <dataset>.<column> for each of {', '.join(columns)}")
    if len({dataset for dataset, _ in targets}) != 1:
        raise (place / "to").wrong("its columns are of several datasets; a key is of one")
    return Reference(tuple(columns), targets[0][0], tuple(column for _, column in targets))


def check_references(contracts: Mapping[str, Contract], directory: str | Path) -> Iterator[str]:
    """A line for each served dataset whose references could not be kept by a store."""
    served = {name: contract for name, contract in contracts.items() if contract.served}
    for name, contract in served.items():
        for reference in contract.references:
            if problem := _problem(contract, reference, contracts):
                yield f"{directory}: {name}: {', '.join(reference.columns)}: {problem}"
    try:
        parents_first(served)
    except ContractError as error:
        yield f"{directory}: {error}"


def _problem(contract: Contract, reference: Reference, contracts: Mapping[str, Contract]) -> str:
    parent = contracts.get(reference.dataset)
    if parent is None:
        return f"no contract for {reference.dataset!r}{nearest(reference.dataset, contracts)}"
    if not parent.served:
        entry = f"servers: [{{server: {STORE}, type: {RELATIONAL}}}]"
        return f"{reference.dataset} is not served; write {entry} into its contract"
    if sorted(reference.to) != sorted(parent.key):
        return f"{reference.dataset}'s key is {', '.join(parent.key)}, found {', '.join(reference.to)}"
    mine, theirs = (
        {column.name: (column.arrow_type(), column.hashed) for column in one.columns}
        for one in (contract, parent)
    )
    for column, to in zip(reference.columns, reference.to, strict=True):
        if mine[column] != theirs[to]:
            found, expected = (
                f"{type_}{' hashed' if hashed else ''}" for type_, hashed in (mine[column], theirs[to])
            )
            return f"{column} is {found}, {reference.dataset}.{to} is {expected}; make them the same"
    return ""


def parents_first(contracts: Mapping[str, Contract]) -> list[str]:
    """The datasets, each after those to which it refers. Raises ContractError if they refer in a circle."""
    parents = {
        name: {r.dataset for r in contract.references if r.dataset in contracts} - {name}
        for name, contract in contracts.items()
    }
    try:
        return list(TopologicalSorter(parents).static_order())
    except CycleError as error:
        circle = " → ".join(error.args[1])
        raise ContractError(f"{circle}: they refer to each other in a circle; drop one reference") from error
