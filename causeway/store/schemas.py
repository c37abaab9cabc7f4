"""The names that the store's tables share."""

from causeway.contract.model import Column, Contract

CURATED, QUARANTINE, OWN = "curated", "quarantine", "causeway"  # schemas
VECTORS = "vectors"  # schema of the passages of embedded texts, in tables of the datasets' names
LOADS = f"{OWN}.loads"  # which snapshot each table has
INDEXES = f"{OWN}.indexes"  # what may be searched, by which model's vectors
REASON = "_reason"  # why a row is in the quarantine
WAITS = "_waits_for"  # the dataset that lacks a row to which it refers; null if no row would help
READER, PARTNER = "reader", "partner"  # the applications' user, and the partner's


def columns_of(contract: Contract) -> list[Column]:
    """What the curated table has of the contract."""
    return [column for column in contract.columns if not column.withheld]
