# ruff: noqa: PLC0415 - each engine imports only what it needs
"""What else one could use, each in its best-known form: the same rows kept, the same rows set aside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.generate import COLUMNS, COUNTRIES, STATUSES

EMAIL = r"^[^@\s]+@[^@\s]+$"


def polars(_: Any, path: Path, out: Path, format: str) -> tuple[int, int]:
    import polars as pl

    flagged = polars_flagged(path, format)
    how: dict[str, Any] = {"compression": "zstd", "compression_level": 1, "lazy": True}
    good = flagged.filter("ok").drop("ok").sink_parquet(out / "good.parquet", **how)
    bad = flagged.filter(~pl.col("ok")).sink_parquet(out / "bad.parquet", **how)
    pl.collect_all([good, bad], engine="streaming")
    return _rows(out / "good.parquet"), _rows(out / "bad.parquet")


def polars_flagged(path: Path, format: str) -> Any:
    """A lazy frame of the typed rows; `ok` says which keep every rule."""
    import polars as pl

    strings = dict.fromkeys(COLUMNS, pl.String())
    raw = pl.scan_csv(path, schema=strings) if format == "csv" else pl.scan_ndjson(path, schema=strings)
    col = pl.col
    typed = raw.with_columns(
        col("order_id", "quantity", "score").cast(pl.Int64, strict=False),
        col("unit_price").cast(pl.Decimal(12, 2), strict=False),
        col("discount", "weight").cast(pl.Float64, strict=False),
        priority=pl.when(col("priority") == "true").then(True).when(col("priority") == "false").then(False),
        order_date=col("order_date").str.to_date("%Y-%m-%d", strict=False),
        created_at=col("created_at").str.to_datetime(
            "%Y-%m-%dT%H:%M:%SZ", strict=False, time_unit="us", time_zone="UTC"
        ),
    )
    needed = [name for name in COLUMNS if name not in ("discount", "note", "score")]
    ok = pl.all_horizontal(
        *(col(name).is_not_null() for name in needed),
        col("customer").str.contains("^[0-9]{8}$"),
        col("email").str.contains(EMAIL),
        col("country").is_in(COUNTRIES),
        col("status").is_in(STATUSES),
        col("quantity").is_between(1, 1000),
        col("discount").is_between(0, 1).fill_null(True),
        col("weight") >= 0,
        col("city").str.len_chars() <= 60,
    ).fill_null(False)
    return typed.with_columns(ok=ok)


def _rows(*paths: Path) -> int:
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(path).num_rows for path in paths)


CASTS = {
    "order_id": "BIGINT", "quantity": "BIGINT", "score": "BIGINT", "unit_price": "DECIMAL(12,2)",
    "discount": "DOUBLE", "weight": "DOUBLE", "priority": "BOOLEAN", "order_date": "DATE",
    "created_at": "TIMESTAMP",
}  # fmt: skip
OK = f"""
    order_id IS NOT NULL AND order_date IS NOT NULL AND created_at IS NOT NULL AND priority IS NOT NULL
    AND unit_price IS NOT NULL AND {{matches}}(customer, '^[0-9]{{{{8}}}}$') AND {{matches}}(email, '{EMAIL}')
    AND country IN ({", ".join(f"'{c}'" for c in COUNTRIES)})
    AND status IN ({", ".join(f"'{s}'" for s in STATUSES)})
    AND quantity BETWEEN 1 AND 1000 AND (discount IS NULL OR discount BETWEEN 0 AND 1) AND weight >= 0
    AND length(city) <= 60
"""


def duckdb(_: Any, path: Path, out: Path, format: str) -> tuple[int, int]:
    import duckdb

    texts = ", ".join(f"'{name}': 'VARCHAR'" for name in COLUMNS)
    source = {
        "csv": f"read_csv('{path}', header=true, all_varchar=true)",
        "jsonl": f"read_json('{path}', format='newline_delimited', ignore_errors=true, columns={{{texts}}})",
    }[format]
    typed = ", ".join(f"TRY_CAST({n} AS {CASTS[n]}) AS {n}" if n in CASTS else n for n in COLUMNS)
    ok = OK.format(matches="regexp_matches").replace("{{", "{").replace("}}", "}")
    duckdb.sql("SET preserve_insertion_order = false")
    duckdb.sql(
        "SET disabled_optimizers = 'type_pushdown'"
    )  # 2.0.0 casts inside the reader, where TRY is lost
    duckdb.sql(
        f"COPY (SELECT *, coalesce({ok}, false) AS ok FROM (SELECT {typed} FROM {source})) TO '{out}'"
        " (FORMAT parquet, PARTITION_BY ok, COMPRESSION zstd, COMPRESSION_LEVEL 1, OVERWRITE)"
    )
    return _rows(*(out / "ok=true").iterdir()), _rows(*(out / "ok=false").iterdir())


FLOAT = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"


def pyarrow(_: Any, path: Path, out: Path, format: str) -> tuple[int, int]:
    """CSV only: its JSON reader cannot set a malformed line aside."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.dataset as ds
    from pyarrow import csv

    col = pc.field

    def matches(name: str, pattern: str) -> Any:
        return pc.match_substring_regex(col(name), pattern=pattern)

    def cast(name: str, pattern: str, type: Any) -> Any:  # a cast that fails raises; it has no other
        return pc.if_else(matches(name, pattern), col(name), pa.scalar(None, pa.string())).cast(type)

    texts = csv.ConvertOptions(column_types=dict.fromkeys(COLUMNS, pa.string()), strings_can_be_null=True)
    raw = ds.dataset(path, format=ds.CsvFileFormat(convert_options=texts))
    typed = {name: col(name) for name in COLUMNS}
    typed |= {n: cast(n, r"^[+-]?[0-9]{1,18}$", pa.int64()) for n in ("order_id", "quantity", "score")}
    typed |= {n: cast(n, FLOAT, pa.float64()) for n in ("discount", "weight")}
    typed["unit_price"] = cast("unit_price", r"^[+-]?[0-9]{1,10}(\.[0-9]{1,2})?$", pa.decimal128(12, 2))
    typed["priority"] = cast("priority", "^(true|false)$", pa.bool_())
    for name, form in (("order_date", "%Y-%m-%d"), ("created_at", "%Y-%m-%dT%H:%M:%SZ")):
        typed[name] = pc.strptime(col(name), format=form, unit="us", error_is_null=True)
    typed["order_date"] = typed["order_date"].cast(pa.date32())
    rules = [
        matches("customer", "^[0-9]{8}$"),
        matches("email", EMAIL),
        col("country").isin(COUNTRIES),
        col("status").isin(STATUSES),
        (col("quantity") >= 1) & (col("quantity") <= 1000),
        pc.coalesce((col("discount") >= 0) & (col("discount") <= 1), True),
        col("weight") >= 0,
        pc.utf8_length(col("city")) <= 60,
        *(col(name).is_valid() for name in COLUMNS if name not in ("discount", "note", "score")),
    ]
    ok = rules[0]
    for rule in rules[1:]:
        ok = ok & rule
    flagged = {name: col(name) for name in COLUMNS} | {"ok": pc.coalesce(ok, False)}
    scan = ds.Scanner.from_batches(raw.scanner(columns=typed).to_reader(), columns=flagged)
    ds.write_dataset(
        scan,
        out,
        format="parquet",
        partitioning=ds.partitioning(pa.schema([("ok", pa.bool_())]), flavor="hive"),
        file_options=ds.ParquetFileFormat().make_write_options(compression="zstd", compression_level=1),
        existing_data_behavior="overwrite_or_ignore",
    )
    return _rows(*(out / "ok=true").iterdir()), _rows(*(out / "ok=false").iterdir())


def pandas(_: Any, path: Path, out: Path, format: str) -> tuple[int, int]:
    import pandas as pd  # type: ignore[import-untyped]

    frame = pd.read_csv(path, dtype=str) if format == "csv" else pd.read_json(path, lines=True, dtype=str)
    for name in ("order_id", "quantity", "score", "unit_price", "discount", "weight"):
        frame[name] = pd.to_numeric(frame[name], errors="coerce")
    frame["priority"] = frame["priority"].str.lower().map({"true": True, "false": False})
    frame["order_date"] = pd.to_datetime(frame["order_date"], errors="coerce", format="%Y-%m-%d")
    frame["created_at"] = pd.to_datetime(
        frame["created_at"], errors="coerce", format="%Y-%m-%dT%H:%M:%SZ", utc=True
    )
    ok = (
        frame[[name for name in COLUMNS if name not in ("discount", "note", "score")]].notna().all(axis=1)
        & frame["customer"].str.fullmatch("[0-9]{8}").fillna(False)
        & frame["email"].str.fullmatch(r"[^@\s]+@[^@\s]+").fillna(False)
        & frame["country"].isin(COUNTRIES)
        & frame["status"].isin(STATUSES)
        & frame["quantity"].between(1, 1000)
        & (frame["discount"].isna() | frame["discount"].between(0, 1))
        & (frame["weight"] >= 0)
        & (frame["city"].str.len() <= 60)
    )
    frame[ok].to_parquet(out / "good.parquet", compression="zstd")
    frame[~ok].to_parquet(out / "bad.parquet", compression="zstd")
    return int(ok.sum()), int((~ok).sum())


def pyspark_best(spark: Any, path: Path, out: Path, format: str) -> tuple[int, int]:
    """One pass over a known schema, bad casts to null, both outputs in one partitioned write."""
    from pyspark.sql import functions as f

    schema = ", ".join(f"{name} string" for name in COLUMNS)
    raw = spark.read.schema(schema)
    raw = raw.option("header", True).csv(str(path)) if format == "csv" else raw.json(str(path))
    typed = raw.select(
        *(f.expr(f"try_cast({n} AS {CASTS[n]})").alias(n) if n in CASTS else f.col(n) for n in COLUMNS)
    )
    ok = OK.format(matches="regexp_like").replace("{{", "{").replace("}}", "}").replace("\\", "\\\\")
    flagged = typed.withColumn("ok", f.expr(f"coalesce({ok}, false)"))
    flagged.write.mode("overwrite").option("compression", "zstd").partitionBy("ok").parquet(str(out))
    return _rows(*(out / "ok=true").glob("*.parquet")), _rows(*(out / "ok=false").glob("*.parquet"))


def pyspark_usual(spark: Any, path: Path, out: Path, format: str) -> tuple[int, int]:
    """As it is usually written: infer the schema, count, filter, write, count again."""
    from pyspark.sql import functions as f

    read = spark.read.option("header", True).option("inferSchema", True)
    frame = read.csv(str(path)) if format == "csv" else spark.read.json(str(path))
    frame.count()
    typed = frame.select(
        *(
            f.expr(f"try_cast({n} AS {CASTS[n]})").alias(n) if n in CASTS else f.col(n).cast("string")
            for n in COLUMNS
        )
    )
    typed = typed.withColumn("customer", f.lpad("customer", 8, "0"))  # inference made it a number
    ok = OK.format(matches="regexp_like").replace("{{", "{").replace("}}", "}").replace("\\", "\\\\")
    flagged = typed.withColumn("ok", f.expr(f"coalesce({ok}, false)"))
    good, bad = flagged.filter("ok").drop("ok"), flagged.filter("not ok").drop("ok")
    good.write.mode("overwrite").parquet(str(out / "good"))
    bad.write.mode("overwrite").parquet(str(out / "bad"))
    return good.count(), bad.count()
