"""A lake in memory: moto's S3 and DynamoDB, Iceberg tables in a folder, and no Spark."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
import sqlalchemy.event
from moto import mock_aws
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table

from causeway.contract.load import load_contract
from causeway.contract.model import Contract
from causeway.engine.check.keys import Banned
from causeway.engine.plan import Unit
from causeway.engine.unit import UnitResult
from causeway.engine.write import FieldIds, parquet, write_parquet
from causeway.flow.clients import PATIENT
from causeway.flow.ledger import Entry, Ledger
from causeway.flow.manifest import REMOVED, Manifest, SourceVersion
from causeway.flow.report import Report
from causeway.lake.history import History
from causeway.lake.location import Lake
from glue_jobs.batch import Batch
from tests.causeway.engine.helpers import curate_unit

CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: trips
name: trips
version: 1.0.0
status: active
schema:
  - name: trips
    customProperties: [{property: format, value: csv}, {property: onDelete, value: remove}]
    properties:
      - {name: id, logicalType: integer, required: true}
      - {name: city, logicalType: string, required: true}
"""


@dataclass
class SmallLake:
    """One dataset, `trips`: put objects, run batches, look at the tables."""

    s3: Any
    catalog: Catalog
    ledger: Ledger
    contract: Contract
    lake: Lake
    folder: Path
    runs: int = 0

    def put(self, name: str, *rows: str) -> SourceVersion:
        return self.land(name, "\n".join(["id,city", *rows]).encode())

    def land(self, name: str, body: bytes) -> SourceVersion:
        source = f"landing/trips/{name}"
        version = self.s3.put_object(Bucket="landing", Key=source, Body=body)["VersionId"]
        return SourceVersion(source, version, len(body))

    def delete(self, name: str) -> SourceVersion:
        source = f"landing/trips/{name}"
        marker = self.s3.delete_object(Bucket="landing", Key=source)["VersionId"]
        return SourceVersion(source, marker, 0, REMOVED + "DeleteMarkerCreated")

    def entry(self, name: str) -> Entry:
        source = f"landing/trips/{name}"
        return self.ledger.entries([source], self.ledger.watermark())[source]

    def batch(self, *sources: SourceVersion, contract: Contract | None = None) -> Batch:
        self.runs += 1
        return Batch(
            Manifest("trips", tuple(sources)),
            contract or self.contract,
            run=f"run{self.runs}",
            lake=self.lake,
            catalog=self.catalog,
            ledger=self.ledger,
            s3=self.s3,
            distribute=lambda units, banned, ids: {
                n: self._curate(contract or self.contract, unit, banned, ids) for n, unit in units.items()
            },
        )

    def curate(self, *sources: SourceVersion, contract: Contract | None = None) -> Report:
        return self.batch(*sources, contract=contract).curate()

    def _curate(self, contract: Contract, unit: Unit, banned: Banned, ids: FieldIds) -> UnitResult:
        now = datetime.now(UTC)
        curated = curate_unit(contract, unit, self._fetch, banned, now)
        files = [self._write(data) for _, data in write_parquet(curated.frame, contract, ids.curated)]
        rejected = [self._write(parquet(curated.rejected, ids.rejected))] if curated.rejected.num_rows else []
        return UnitResult(curated.counts, files, rejected, curated.keys, set(curated.new_columns))

    def _fetch(self, source: str, version: str, start: int, stop: int) -> bytes:
        body: bytes = self.s3.get_object(Bucket="landing", Key=source, VersionId=version)["Body"].read()
        return body[start:stop]

    def _write(self, data: bytes) -> str:
        path = self.folder / f"{uuid.uuid4()}.parquet"
        path.write_bytes(data)
        return path.as_uri()

    @property
    def history(self) -> History:
        return History(self.lake, "trips", self.catalog, self.ledger, self.s3)

    def table(self, database: str = "lake") -> Table:
        return self.catalog.load_table((database, "trips"))

    def rows(self, database: str = "lake") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.table(database).scan().to_arrow().to_pylist()
        return found

    def ids(self) -> list[int]:
        return sorted(row["id"] for row in self.rows())

    def snapshots(self, database: str = "lake") -> int:
        return len(self.table(database).snapshots())


@contextmanager
def open_lake(folder: Path, text: str = CONTRACT) -> Iterator[SmallLake]:
    contract_file = folder / "trips.odcs.yaml"
    contract_file.write_text(text)
    with mock_aws():
        s3 = boto3.client("s3", config=PATIENT)
        s3.create_bucket(Bucket="landing")
        s3.put_bucket_versioning(Bucket="landing", VersioningConfiguration={"Status": "Enabled"})
        catalog = SqlCatalog("test", uri=f"sqlite:///{folder}/catalog.db", warehouse=folder.as_uri())
        # These tests kill processes, not disks.
        sqlalchemy.event.listen(catalog.engine, "connect", lambda c, _: c.execute("PRAGMA synchronous=OFF"))
        catalog.engine.dispose()
        for database in ("lake", "quarantine"):
            catalog.create_namespace(database)
        yield SmallLake(
            s3=s3,
            catalog=catalog,
            ledger=Ledger(ledger_table(), "trips"),
            contract=load_contract(contract_file),
            lake=Lake(
                "landing",
                (folder / "lake").as_uri(),
                (folder / "quarantine").as_uri(),
                "lake",
                "quarantine",
            ),
            folder=folder,
        )
        catalog.close()


@pytest.fixture
def small_lake(tmp_path: Path) -> Iterator[SmallLake]:
    with open_lake(tmp_path) as lake:
        yield lake


def ledger_table(name: str = "ledger") -> Any:
    return boto3.resource("dynamodb", config=PATIENT).create_table(
        TableName=name,
        KeySchema=_keys(("dataset", "HASH"), ("item", "RANGE")),
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("dataset", "item")],
        BillingMode="PAY_PER_REQUEST",
    )


def _keys(*keys: tuple[str, str]) -> Sequence[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in keys]
