"""What a curated table says of itself, beside its columns, to whoever opens it without the contract."""

import json
from dataclasses import asdict
from datetime import timedelta

from causeway.contract.model import Contract

DESCRIPTION = "Description"  # which the Glue Catalog shows as the table's own
MAX_DESCRIPTION = 2048  # characters, in the catalog
REFERENCES, HASHED = "causeway.references", "causeway.hashed"  # JSON
KEPT_FOR = "history.expire.max-snapshot-age-ms"  # Iceberg's own: every engine that expires snapshots heeds it


def table_properties(contract: Contract, snapshot_days: int) -> dict[str, str]:
    """The contract's description, references and hashed columns, and how long snapshots are kept."""
    hidden = {column.name for column in contract.columns if column.withheld}
    references = [asdict(one) for one in contract.references if not hidden.intersection(one.columns)]
    return {
        DESCRIPTION: contract.description[:MAX_DESCRIPTION],
        REFERENCES: json.dumps(references),
        HASHED: json.dumps(contract.hashed),
        KEPT_FOR: str(timedelta(days=snapshot_days) // timedelta(milliseconds=1)),
    }
