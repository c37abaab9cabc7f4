"""Where a deployment's data and tables are. Travels to every executor, so it imports nothing."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Lake:
    """The landing bucket, and where the tables are: their databases, and URIs below which their files lie."""

    landing_bucket: str
    curated_location: str
    quarantine_location: str
    curated_database: str
    quarantine_database: str

    @classmethod
    def in_buckets(cls, landing: str, curated: str, quarantine: str, *databases: str) -> "Lake":
        return cls(landing, f"s3://{curated}", f"s3://{quarantine}/rejected", *databases)
