# ruff: noqa: PLC0415 - each run imports one reader, and has no other
"""One reader reads a table, in an environment of its own: `read_table.py READER METADATA [FILE …]`.

Prints {"columns": …, "rows": …}. Standard library and the reader alone: none of the project's code is here.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def pyiceberg(metadata: str, _: list[str]) -> Any:
    from pyiceberg.table import StaticTable

    return StaticTable.from_metadata(metadata).scan().to_arrow()


def polars(metadata: str, _: list[str]) -> Any:
    import polars as pl

    return pl.scan_iceberg(metadata).collect().to_arrow()


def daft(metadata: str, _: list[str]) -> Any:
    from daft import read_iceberg
    from pyiceberg.table import StaticTable

    return read_iceberg(StaticTable.from_metadata(metadata)).to_arrow()


def duckdb(metadata: str, _: list[str]) -> Any:
    import duckdb as library

    connection: Any = library.connect(config={"allow_unsigned_extensions": "true"})
    for name in ("avro", "iceberg"):
        (extension,) = Path(library.__file__).parent.parent.glob(
            f"duckdb_extension_{name}/**/{name}.duckdb_extension"
        )
        connection.load_extension(str(extension))
    return connection.execute(
        "SELECT * FROM iceberg_scan(?)", [metadata.removeprefix("file://")]
    ).fetch_arrow_table()


def awswrangler(_: str, files: list[str]) -> Any:
    import awswrangler as wr
    import boto3
    import pyarrow as pa
    import pyarrow.parquet as pq
    from moto import mock_aws

    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="lake")
        for n, path in enumerate(files):
            s3.upload_file(path, "lake", f"{n}.parquet")
        # It reads files, not the table, so it must be told what the types became.
        schema = pa.unify_schemas(map(pq.read_schema, files), promote_options="permissive")
        frame = wr.s3.read_parquet("s3://lake/", dtype_backend="pyarrow", schema=schema)
    return pa.Table.from_pandas(frame, preserve_index=False)


def spark(_: str, files: list[str]) -> Any:
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
    wide = "id bigint, n bigint, x double, o struct<n: bigint, t: string>, a array<bigint>, city string"
    return session.read.schema(wide).parquet(*files).toArrow()


READERS: dict[str, Callable[[str, list[str]], Any]] = {
    reader.__name__: reader for reader in (pyiceberg, polars, daft, duckdb, awswrangler, spark)
}

if __name__ == "__main__":
    reader, metadata, *files = sys.argv[1:]
    table = READERS[reader](metadata, files)
    table = table.read_all() if hasattr(table, "read_all") else table
    print(json.dumps({"columns": table.column_names, "rows": table.to_pylist()}, default=str))
