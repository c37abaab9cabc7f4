"""Iceberg tables in the Glue Catalog: made from a contract, changed one snapshot at a time."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import boto3
import pyarrow as pa
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NoSuchTableError,
    ResolveError,
    TableAlreadyExistsError,
    ValidationError,
)
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.schema import Schema
from pyiceberg.table import Table, TableProperties
from pyiceberg.table.update.schema import UpdateSchema
from pyiceberg.transforms import parse_transform

from causeway.flow.clients import RETRIES

TRIES = 20  # to add columns to a table that others change at the same time
PROPERTIES = {
    "format-version": "2",
    # Strict compare-and-swap: a commit that meets another fails, and is decided again.
    "commit.retry.num-retries": "0",
    "write.parquet.compression-codec": "zstd",
    # Keys share long prefixes: bounds cut at 16 characters would tell no source from another.
    "write.metadata.metrics.column._source": "full",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "100",
    "commit.manifest-merge.enabled": "true",
}


def glue_catalog(region: str | None = None) -> Catalog:
    """The Glue Catalog of the environment's credentials, in the environment's region or this one."""
    # Said outright, or Arrow asks each bucket for its region.
    properties: dict[str, Any] = {
        "type": "glue",
        "client.region": region or boto3.Session().region_name,
        "glue.retry-mode": RETRIES["mode"],
        "glue.max-retries": RETRIES["total_max_attempts"] - 1,  # the first is none; boto3 takes no text
    }
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        properties["s3.endpoint"] = endpoint
    return load_catalog("causeway", **properties)


def find_table(catalog: Catalog, name: tuple[str, str]) -> Table | None:
    """The table of that database and name, if it was ever made."""
    try:
        return catalog.load_table(name)
    except NoSuchTableError:
        return None


class TableChangeError(ValueError):
    """A table cannot become what its contract says."""


@dataclass(frozen=True)
class Design:
    """What a table is made as, and kept up to. Columns that its schema does not name stay as they are."""

    name: tuple[str, str]
    schema: pa.Schema
    location: str
    partitioning: Sequence[tuple[str, str]] = ()
    key: Sequence[str] = ()
    properties: Mapping[str, str] = field(default_factory=dict)


def open_table(catalog: Catalog, design: Design) -> Table:
    """The table, made if it is not there, with the design's columns; their types wait for the next commit.

    Raises TableChangeError when one can never have the design's type, CommitFailedException when others
    kept changing the table meanwhile.
    """
    for _ in range(TRIES):
        table = find_table(catalog, design.name) or _create(catalog, design)
        fit(table.transaction().update_schema(), table.schema(), design)  # only tried
        there = set(table.schema().column_names)
        missing = [column for column in design.schema if not there.issuperset(_paths(column))]
        if not missing:
            return table
        with suppress(CommitFailedException), table.update_schema() as update:
            update.union_by_name(pa.schema([column.with_nullable(True) for column in missing]))
    names = ", ".join(column.name for column in missing)
    raise CommitFailedException(f"{'.'.join(design.name)} kept changing while {names} were to be added")


def fit(update: UpdateSchema, there: Schema, design: Design) -> None:
    """Widen columns to the design's types, describe them, and require no more of them than it does.

    Raises TableChangeError for a type that Iceberg cannot widen.
    """
    required = {column.name for column in design.schema if not column.nullable}
    relaxed = [field.name for field in there.fields if field.required and field.name not in required]
    if there.identifier_field_names() & set(relaxed):
        update.set_identifier_fields()
    for name in relaxed:
        update.make_column_optional(name)
    known = {field.name for field in there.fields}
    try:
        # What is new was not required of the rows that are there.
        columns = [c if c.name in known else c.with_nullable(True) for c in design.schema]
        update.union_by_name(pa.schema(columns))
        for c in columns:
            if c.name in known and there.find_field(c.name).doc and b"doc" not in (c.metadata or {}):
                update.update_column(c.name, doc="")
    except (ValidationError, ResolveError, ValueError) as error:
        raise TableChangeError(
            f"table {'.'.join(design.name)}: {error}; give the column another name, or the contract the next"
            " major version, which has a table of its own"
        ) from error


def with_field_ids(table: Table) -> pa.Schema:
    """The table's columns with the ids that its data files carry, by which every reader knows them."""
    return schema_to_pyarrow(table.schema())


def _paths(column: pa.Field, prefix: str = "") -> list[str]:
    """The names of a column and of what is in it, as Iceberg has them: a, a.element, a.element.b."""
    path = prefix + column.name
    if pa.types.is_struct(column.type):
        return [path, *(inner for part in column.type for inner in _paths(part, f"{path}."))]
    if pa.types.is_list(column.type):
        return [path, *_paths(column.type.value_field.with_name("element"), f"{path}.")]
    return [path]


def _create(catalog: Catalog, design: Design) -> Table:
    place: dict[str, Any] = {"location": design.location, "properties": {**PROPERTIES, **design.properties}}
    try:
        with catalog.create_table_transaction(design.name, design.schema, **place) as new:
            with new.update_spec() as spec:
                for column, transform in design.partitioning:
                    spec.add_field(column, parse_transform(transform), f"{column}_{transform}")
            if design.key:
                with new.update_schema() as update:
                    update.set_identifier_fields(*design.key)
            # For files that were written before ours carried field ids.
            mapping = new.table_metadata.schema().name_mapping.model_dump_json()
            new.set_properties({TableProperties.DEFAULT_NAME_MAPPING: mapping})
    except (TableAlreadyExistsError, CommitFailedException):
        pass  # another batch made it
    return catalog.load_table(design.name)
