"""The Data API over a real PostgreSQL, one for each cluster, where the emulator answers from a stub.

Objects that `aws_s3.table_import_from_s3` is to read are fetched as the role that the cluster is associated
with, and lie in a file for the statement.
"""

import asyncio
import json
import re
import threading
import uuid
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from ministack import app
from ministack.core import responses
from ministack.services import rds, rds_data
from ministack.services.cloudformation import provisioners
from psycopg import sql
from psycopg.types.string import TextLoader

from local.aws.bridges import roles
from local.aws.postgres.server import SUPERUSER, Server

PRIVATE = {
    **roles.PRIVATE,
    app: ("_enforce_data_plane",),
    provisioners: ("_rds_db_cluster_fields",),
    rds: ("_clusters",),
    rds_data: ("_connect", "_has_real_endpoint", "_substitute_named_params", "handle_request"),
}
LONGEST_STATEMENT = "45s"  # of the Data API
OBJECT = re.compile(r"create_s3_uri\(\s*'([^']+)',\s*'([^']+)'")
Handler = Callable[..., Coroutine[Any, Any, Any]]
servers: dict[str, Server] = {}
starting = threading.Lock()


def install() -> None:
    rds_data._has_real_endpoint = lambda _instance: True
    rds_data._connect = _connect
    rds_data._substitute_named_params = partial(_substitute, rds_data._substitute_named_params)
    rds_data.handle_request = partial(_handle, rds_data.handle_request)
    fields = provisioners._rds_db_cluster_fields
    provisioners._rds_db_cluster_fields = lambda properties: {
        **fields(properties),
        "AssociatedRoles": properties.get("AssociatedRoles", []),
    }


async def _handle(handle: Handler, method: str, path: str, headers: dict[str, str], *request: Any) -> Any:
    """Answer a call, if whoever makes it may also read the secret that it names."""
    body, query = request
    secret = str(json.loads(body or "{}").get("secretArn", ""))
    allowed = ("secretsmanager", "secretsmanager:GetSecretValue", headers, query, str(uuid.uuid4()), secret)
    if denied := app._enforce_data_plane(*allowed):
        return denied
    # Statements take time, and those that import objects call the emulator meanwhile.
    return await asyncio.to_thread(asyncio.run, handle(method, path, headers, *request))


def _substitute(substitute: Callable[..., str], statement: str, names: Any) -> str:
    """The driver takes a percent sign for a parameter where there are some; the API does not."""
    return substitute(statement.replace("%", "%%") if names else statement, names)


class Connection(psycopg.Connection[Any]):
    cluster: dict[str, Any]
    objects: Path


class Cursor(psycopg.ClientCursor[Any]):
    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        text = self.mogrify(query, params)
        connection = self.connection
        assert isinstance(connection, Connection)
        for bucket, key in OBJECT.findall(text):
            _fetch(connection, bucket, key)
        return super().execute(text, **options)


def _connect(
    instance: dict[str, Any],
    _engine: str,
    database: str | None = None,
    password: str | None = None,
    username: str | None = None,
) -> Connection:
    arn = f"{responses.get_account_id()}/{responses.get_region()}"
    name = instance.get("DBClusterIdentifier") or instance["DBInstanceIdentifier"]
    cluster = next(one for one in rds._clusters.values() if one["DBClusterIdentifier"] == name)
    with starting:
        if (server := servers.get(f"{arn}/{name}")) is None:
            server = servers[f"{arn}/{name}"] = Server().__enter__()
            _make(server, cluster)
    connection = Connection.connect(
        host=str(server.folder),
        user=username or cluster["MasterUsername"],
        password=password,
        dbname=database or cluster.get("DatabaseName") or "postgres",
        autocommit=True,
        cursor_factory=Cursor,
        options=f"-c statement_timeout={LONGEST_STATEMENT}",
    )
    connection.cluster, connection.objects = cluster, server.folder / "objects"
    for kind in ("json", "jsonb"):  # the API gives their text
        connection.adapters.register_loader(kind, TextLoader)
    return connection


def _make(server: Server, cluster: dict[str, Any]) -> None:
    """The master user and the database, as a new cluster has them."""
    master, database = sql.Identifier(cluster["MasterUsername"]), cluster.get("DatabaseName")
    make_user = sql.SQL("CREATE ROLE {} LOGIN CREATEROLE CREATEDB PASSWORD {}")
    with psycopg.connect(
        host=str(server.folder), user=SUPERUSER, password=server.password, dbname="postgres", autocommit=True
    ) as connection:
        connection.execute(make_user.format(master, sql.Literal(cluster["_MasterUserPassword"])))
        if database:
            make = sql.SQL("CREATE DATABASE {} OWNER {}")
            connection.execute(make.format(sql.Identifier(database), master))


def _fetch(connection: Connection, bucket: str, key: str) -> None:
    role = next(
        (
            one["RoleArn"]
            for one in connection.cluster.get("AssociatedRoles", [])
            if one.get("FeatureName") == "s3Import"
        ),
        None,
    )
    if role is None:
        raise RuntimeError("the cluster has no role for s3Import: add one to its AssociatedRoles")
    client = roles.s3_client(roles.role_credentials(role, "s3Import"))
    path = connection.objects / bucket / key
    path.parent.mkdir(parents=True, exist_ok=True)
    client.download_file(bucket, key, str(path))
