"""Where a deployment's data and tables are."""

from dataclasses import dataclass
from typing import Any

from pyiceberg.catalog import Catalog

from causeway.flow.ledger import Ledger
from causeway.lake.history import History


@dataclass(frozen=True)
class Lake:
    """Where everything is. The locations are URIs; a dataset's files lie below them under its name."""

    landing_bucket: str
    curated_location: str
    quarantine_location: str
    curated_database: str
    quarantine_database: str

    @classmethod
    def in_buckets(cls, landing: str, curated: str, quarantine: str, *databases: str) -> "Lake":
        return cls(landing, f"s3://{curated}", f"s3://{quarantine}/rejected", *databases)

    def history(self, dataset: str, *, catalog: Catalog, ledger: Ledger, s3: Any) -> History:
        return History(
            dataset,
            ledger=ledger,
            catalog=catalog,
            quarantine=(self.quarantine_database, dataset),
            quarantine_location=f"{self.quarantine_location}/{dataset}",
            landing_bucket=self.landing_bucket,
            s3=s3,
        )
