"""Contracts from their files. Spark executors do not have what reads them: only this imports it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from causeway.contract.model import Contract, ContractError
from causeway.contract.odcs import compile_file
from causeway.contract.serving import check_references
from causeway.flow.datasets import DATASET, SUFFIX


def load_contract(path: str | Path, text: str | None = None) -> Contract:
    """Compile a contract file, or this text as if it stood there. Raises ContractError."""
    return compile_file(Path(path), text)


def load_contracts(
    directory: str | Path, load: Callable[[Path], Contract] = load_contract
) -> dict[str, Contract]:
    """Every contract of a directory, or one ContractError with a line for each thing that is wrong."""
    contracts, errors = {}, []
    for path in sorted(Path(directory).glob("*.y*ml")):
        dataset = path.name.removesuffix(SUFFIX)
        try:
            if not DATASET.fullmatch(dataset):  # nor does a name with another suffix
                raise ContractError(
                    f"{path}: file: name it <dataset>{SUFFIX}, the dataset matching {DATASET.pattern}"
                )
            contracts[dataset] = load(path)
        except ContractError as error:
            errors.append(str(error))
    for dataset, contract in contracts.items():
        errors += [
            f"{directory}: {dataset} {contract.version} has the table {name}: another dataset's; rename one"
            for name in contract.tables[1:]
            if name in contracts
        ]
    errors += check_references(contracts, directory)
    if errors:
        raise ContractError("\n".join(errors))
    return contracts
