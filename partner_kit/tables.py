"""The role, and what it reads: tables as they are, and as they were."""

import json
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import boto3
import polars as pl
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.session import get_session
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.expressions import parser as expressions
from pyiceberg.expressions.visitors import bind
from pyiceberg.io.pyarrow import ArrowScan, PyArrowFile, PyArrowFileIO
from pyiceberg.table import DataScan, Table
from pyparsing import ParseBaseException

from partner_kit.errors import KitError, NoTableError, advised, nearest
from partner_kit.snapshots import snapshot_of

ACCESS = Path(__file__).parents[1] / "access.json"
FIRST_ROWS = 10


def access() -> dict[str, Any]:
    """What the company says of the access, by option; and the tables' names."""
    try:
        return dict(json.loads(ACCESS.read_text())) if ACCESS.exists() else {}
    except ValueError as error:
        raise KitError(f"{ACCESS} is no JSON: {error}", "take it from the company's kit again") from error


@advised()
def take_role(
    role_arn: str, external_id: str, region: str, source_identity: str | None = None
) -> boto3.Session:
    """A session whose credentials are the role's, renewed before they end. Raises KitError."""
    own, taken = get_session(), get_session()
    own.set_config_variable("region", region)
    request = {"ExternalId": external_id, "RoleSessionName": "read-table", "DurationSeconds": 3600}
    if source_identity:
        request["SourceIdentity"] = source_identity
    if (credentials := own.get_credentials()) is None:
        raise NoCredentialsError
    role = AssumeRoleCredentialFetcher(own.create_client, credentials, role_arn, extra_args=request)
    taken._credentials = DeferredRefreshableCredentials(advised()(role.fetch_credentials), "assume-role")
    try:
        taken.get_credentials().get_frozen_credentials()  # so that a mistake shows now, not at the first read
    except KitError as error:
        if region in (regions := boto3.Session().get_available_regions("glue")):
            raise
        raise KitError(error, f"{region} is no region known here; {nearest(region, regions)}") from error
    return boto3.Session(botocore_session=taken, region_name=region)


class RenewingFileIO(PyArrowFileIO):
    """Reads each file with the session's credentials of that moment: one that takes hours goes on."""

    def __init__(self, session: boto3.Session) -> None:
        super().__init__()
        self.session = session

    def new_input(self, location: str) -> PyArrowFile:
        credentials = self.session.get_credentials().get_frozen_credentials()
        return _file_io(credentials, self.session.region_name).new_input(location)


@lru_cache(maxsize=1)
def _file_io(credentials: Any, region: str) -> PyArrowFileIO:
    return PyArrowFileIO(_properties(credentials, region))


def _properties(credentials: Any, region: str) -> dict[str, str]:
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3", os.environ.get("AWS_ENDPOINT_URL"))
    return {
        "s3.access-key-id": credentials.access_key,
        "s3.secret-access-key": credentials.secret_key,
        "s3.session-token": credentials.token,
        "s3.region": region,
        **({"s3.endpoint": endpoint} if endpoint else {}),
    }


@advised()
def open_table(session: boto3.Session, database: str, table: str) -> Table:
    """The table as it is now; `.scan(snapshot_id=…)` reads it as it was. Raises NoTableError, a KitError."""
    credentials = session.get_credentials().get_frozen_credentials()
    catalog = GlueCatalog("company", session.client("glue"), **_properties(credentials, session.region_name))
    try:
        opened = catalog.load_table((database, table))
    except (NoSuchTableError, ClientError) as error:
        # AWS denies a table that is not for the role in the same words, whether there is one or not.
        if isinstance(error, ClientError) and not re.search("AccessDenied|EntityNotFound", str(error)):
            raise
        known = nearest(table, access().get("tables", []))
        raise NoTableError(
            f"your role sees no table {database}.{table}", known, "check both names"
        ) from error
    opened.io = RenewingFileIO(session)
    return opened


def select(
    table: Table, columns: str = "*", where: str = "True", snapshot: int | str | None = None
) -> DataScan:
    """A scan of these columns (commas between) of the rows where this holds; `snapshot` may name a hold.

    Raises KitError.
    """
    found = snapshot_of(table, snapshot)
    scan = table.scan(snapshot_id=found.snapshot_id if found and snapshot is not None else None)
    wanted = tuple(column.strip() for column in columns.split(","))
    for column in wanted:
        if column not in ("*", *(names := scan.projection().column_names)):
            raise KitError(f"there is no column {column!r}", nearest(column, names), "correct --columns")
    return scan.update(selected_fields=wanted, row_filter=_filter(table, where))


def _filter(table: Table, where: str) -> Any:
    like = "write it like: city = 'Oslo' and month = 1"
    try:
        expression = expressions.parse(where)
        bind(table.schema(), expression, case_sensitive=True)
    except ParseBaseException as error:  # its message is its grammar
        raise KitError(f"--where: cannot read {where!r} from character {error.column} on", like) from error
    except (ValueError, TypeError) as error:
        for column in re.findall("field with name (.+), case_sensitive", str(error)):
            known = nearest(column, table.schema().column_names)
            raise KitError(f"--where: there is no column {column!r}", known, like) from error
        raise KitError(f"--where: {error}", like) from error
    return expression


def first_rows(scan: DataScan) -> pl.DataFrame:
    """Opens one file after the other until there are enough; pyiceberg's own limit opens all at once."""
    reader = ArrowScan(scan.table_metadata, scan.io, scan.projection(), scan.row_filter, limit=FIRST_ROWS)
    rows = pl.DataFrame(reader.to_table([]))
    for task in sorted(scan.plan_files(), key=lambda task: task.file.file_size_in_bytes):
        if rows.height >= FIRST_ROWS:
            break
        rows = pl.concat([rows, pl.DataFrame(reader.to_table([task]))])
    return rows.head(FIRST_ROWS)
