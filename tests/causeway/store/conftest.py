"""A store without the embedded AWS: the emulator's Data API in this process, over a PostgreSQL of its own."""

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from botocore.exceptions import ClientError
from ministack.services import rds_data
from moto.s3vectors.models import s3vectors_backends
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table

from causeway.contract.load import load_contract
from causeway.contract.model import Contract
from causeway.lake.tables import Design, open_table
from causeway.store.database import Database
from causeway.store.embeddings import DIMENSION, Embedder, Hashing
from causeway.store.load import Loaded, Loader
from causeway.store.s3_vectors import VectorBucket, index_name
from causeway.store.schemas import PARTNER, READER
from causeway.store.staging import Staging
from causeway.store.tables import Users
from local.aws.bridges import rds_data as rds_data_bridge
from local.aws.bridges import s3vectors
from local.aws.bridges.rds_data import Connection, Cursor
from local.aws.postgres.server import SUPERUSER, Server

OWNER, PASSWORD = "owner", "it's \\ odd: %s"
HEAD = """apiVersion: v3.1.0
kind: DataContract
id: {name}
name: {name}
version: 1.0.0
status: active
servers: [{{server: store, type: postgresql}}]
schema:
  - name: {name}
    properties:
"""
FILMS = """
      - {name: id, logicalType: integer, primaryKey: true}
      - {name: title, logicalType: string}
"""
PEOPLE = """
      - {name: id, logicalType: integer, primaryKey: true}
      - {name: name, logicalType: string}
      - {name: mentor, logicalType: integer, relationships: [{to: people.id}]}
"""
CASTINGS = """
      - {name: film, logicalType: integer, primaryKey: true, relationships: [{to: films.id}]}
      - {name: person, logicalType: integer, primaryKey: true, relationships: [{to: people.id}]}
      - {name: role, logicalType: string}
"""


class DataApi:
    """The calls of boto3's client that the store makes, answered by the emulator's handlers."""

    exceptions = SimpleNamespace()

    def __getattr__(self, operation: str) -> Any:
        handle = self.handler(operation)

        def call(**request: Any) -> Any:
            status, _headers, body = handle(request)
            answer = json.loads(body or "{}")
            if status >= 400:
                code = str(answer.get("__type", answer.get("code", ""))).rpartition("#")[2]
                error = {"Code": code, "Message": answer.get("message", str(answer))}
                raise ClientError({"Error": error}, operation)
            return answer

        return call

    def handler(self, operation: str) -> Any:
        return getattr(rds_data, f"_{operation}")


class Vectors(DataApi):
    """Those of S3 Vectors' client."""

    def handler(self, operation: str) -> Any:
        return partial(s3vectors.call, operation_of(operation))


def operation_of(operation: str) -> str:
    """put_vectors is PutVectors."""
    return "".join(word.title() for word in operation.split("_"))


class Files:
    """S3's calls of a staging place: its objects lie where the server looks for what it imports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "objects"

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        path = self.folder / Bucket / Key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(Body)

    def delete_object(self, *, Bucket: str, Key: str) -> None:  # noqa: N803
        (self.folder / Bucket / Key).unlink()


class _Cursor(Cursor):
    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        return psycopg.ClientCursor.execute(self, query, params, **options)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    with open_database(server) as database:
        yield database


@contextlib.contextmanager
def open_database(server: Server) -> Iterator[Database]:
    """A new one, as its owner; the Data API's calls reach it until the end."""

    def connect(*_: Any, username: str | None = None, **__: Any) -> Connection:
        return Connection.connect(
            host=str(server.folder), user=username, password=PASSWORD, dbname="store",
            autocommit=True, cursor_factory=_Cursor,
        )  # fmt: skip

    with psycopg.connect(
        host=str(server.folder), user=SUPERUSER, password=server.password, dbname="postgres", autocommit=True
    ) as connection:
        connection.execute("DROP DATABASE IF EXISTS store WITH (FORCE)")
        for role in (PARTNER, READER, OWNER):
            connection.execute(f"DROP ROLE IF EXISTS {role}")
    cluster = {"DBClusterIdentifier": "store", "HttpEndpointEnabled": True, "DatabaseName": "store"}
    rds_data_bridge._make(server, {**cluster, "MasterUsername": OWNER, "_MasterUserPassword": PASSWORD})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rds_data, "_connect", connect)
        substitute = partial(rds_data_bridge._substitute, rds_data._substitute_named_params)
        patch.setattr(rds_data, "_substitute_named_params", substitute)
        patch.setattr(rds_data, "_has_real_endpoint", lambda _: True)
        patch.setattr(rds_data, "_resolve_target", lambda _: (cluster, "aurora-postgresql", cluster))
        patch.setattr(rds_data, "_require_secret_credentials", lambda _: (OWNER, PASSWORD, None))
        yield Database(DataApi(), "arn:cluster", "arn:secret", "store")
        for transaction in rds_data._transactions.values():
            transaction["conn"].close()
        rds_data._transactions.clear()


@dataclasses.dataclass
class World:
    """Contracts, their curated tables, and the store."""

    database: Database
    server: Server
    catalog: SqlCatalog
    folder: Path
    contracts: dict[str, Contract]
    vectors: VectorBucket | None = None
    users: Users = dataclasses.field(default_factory=lambda: Users("reads-only"))

    def contract(self, name: str, properties: str) -> None:
        path = self.folder / f"{name}.odcs.yaml"
        path.write_text(HEAD.format(name=name) + properties)
        self.contracts[name] = load_contract(path)

    def table(self, name: str) -> Table:
        contract = self.contracts[name]
        lineage = [pa.field("_batch", pa.string()), pa.field("_committed_at", pa.timestamp("us", tz="UTC"))]
        schema = pa.schema([*contract.arrow_schema(), *lineage])
        design = Design(("lake", contract.table), schema, f"{self.folder.as_uri()}/{contract.table}")
        return open_table(self.catalog, design)

    def commit(self, name: str, rows: Sequence[Mapping[str, Any]], batch: int, *, remove: str = "") -> int:
        """Rows come, and those that the filter names go, in one snapshot; its id."""
        table = self.table(name)
        stamped = [{**row, "_batch": f"{batch:04}", "_committed_at": batch * 1_000_000} for row in rows]
        schema = pa.schema([field.remove_metadata() for field in table.schema().as_arrow()])
        new = pa.Table.from_pylist(stamped, schema)
        with table.transaction() as transaction:
            if remove:
                transaction.delete(remove)
            transaction.append(new)
        snapshot = self.catalog.load_table(("lake", name)).current_snapshot()
        assert snapshot
        return snapshot.snapshot_id

    def load(self, name: str, by: Embedder | None = None, **options: Any) -> Loaded:
        staging = Staging(Files(self.server.folder), "staging", "us-east-1")
        loader = Loader(self.database, self.contracts, self.users, by or Hashing(), self.vectors)
        try:
            return loader.load(name, self.table(name), staging, **options)
        finally:
            staging.remove()

    def rows(self, name: str, schema: str = "curated") -> list[dict[str, Any]]:
        table = self.contracts[name].table
        return self.database.query(f'SELECT * FROM {schema}."{table}" ORDER BY 1, 2')


def in_s3(world: World, *dimensions: int) -> World:
    """Vectors of films' passages are in S3 Vectors, of which moto has nothing before."""
    s3vectors_backends.reset()
    client = Vectors()
    client.create_vector_bucket(vectorBucketName="vectors")
    bucket = client.get_vector_bucket(vectorBucketName="vectors")["vectorBucket"]["vectorBucketArn"]
    for dimension in dimensions or (DIMENSION,):
        kind = {"dataType": "float32", "dimension": dimension, "distanceMetric": "cosine"}
        client.create_index(vectorBucketArn=bucket, indexName=index_name("films", dimension), **kind)
    world.vectors = VectorBucket(client, bucket)
    return world


def open_world(database: Database, server: Server, folder: Path) -> World:
    """Three datasets, many-to-many, one that refers to itself; nothing is committed yet."""
    world = empty_world(database, server, folder)
    for name, properties in (("films", FILMS), ("people", PEOPLE), ("castings", CASTINGS)):
        world.contract(name, properties)
    return world


def empty_world(database: Database, server: Server, folder: Path) -> World:
    catalog = SqlCatalog("test", uri=f"sqlite:///{folder}/catalog.db", warehouse=folder.as_uri())
    catalog.create_namespace("lake")
    return World(database, server, catalog, folder, {})


@pytest.fixture
def world(database: Database, server: Server, tmp_path: Path) -> World:
    return empty_world(database, server, tmp_path)


@pytest.fixture
def films(database: Database, server: Server, tmp_path: Path) -> World:
    return open_world(database, server, tmp_path)
