"""Read a curated table through the company's cross-account role.

    python -m partner_kit --table TABLE --where "city = 'Oslo' and day > '2026-01-31'"

`access.json`, beside the package, says which role, database and tables; options replace what it says.
AWS credentials come from your environment, as for any AWS tool. A mistake ends in one line and status 2.
"""

import argparse
import json
import os
import sys
from typing import Any, NoReturn

try:
    import boto3
    import duckdb
    import polars as pl
    from pyiceberg.table import DataScan, Table

    from partner_kit.dictionary import described, dictionary_of, tables_of
    from partner_kit.errors import KitError, NoTableError, advised
    from partner_kit.profiles import HOUR, Profile, profile_of
    from partner_kit.snapshots import retention, snapshots_of
    from partner_kit.tables import FIRST_ROWS, access, first_rows, open_table, select, take_role
except ImportError as missing:
    print(f"partner_kit: {missing}; run: python -m pip install -r requirements.txt", file=sys.stderr)
    sys.exit(2)


WHOLE = ("profile", "tables", "dictionary", "snapshots")  # options that heed neither rows nor columns


def query(scan: DataScan, name: str, sql: str) -> tuple[int, pl.DataFrame]:
    """The rows that the query is over, and DuckDB's answer."""
    database = duckdb.connect()
    try:
        database.register(name, scan.projection().as_arrow().empty_table())
        database.execute(f"EXPLAIN {sql}")  # a mistake shows before the table is read
        rows = scan.to_arrow()
        answer = database.register(name, rows).sql(sql)
    except duckdb.Error as error:
        columns = ", ".join(scan.projection().as_arrow().names)
        message = str(error).partition("LINE ")[0]
        raise KitError(f"--sql: {message}", f"the table is {name} ({columns})", "correct --sql") from error
    return rows.num_rows, pl.DataFrame() if answer is None else answer.pl()


def data_files(scan: DataScan) -> tuple[int, list[str]]:
    """How many rows, and the files that hold them. Raises KitError if some rows of these are deleted."""
    tasks = list(scan.plan_files())
    if any(task.delete_files for task in tasks):
        raise KitError("--files: some rows of these files are deleted", "read the table, as without --files")
    return sum(task.file.record_count for task in tasks), [task.file.file_path for task in tasks]


def show_profile(name: str, profile: Profile, as_json: bool) -> None:
    if as_json:
        older = {"commits": profile.commits_older, "hours": round(profile.older / HOUR, 3)}
        facts = {"table": name, "snapshot": profile.asked, "older": older}
        print(json.dumps({**facts, "profile": profile.document}))
        return
    nulls, pairs = profile.nulls(), profile.associations()
    with pl.Config(tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, fmt_str_lengths=100):
        print(f"{nulls.height} of {len(profile.document['columns'])} columns have nulls, most often:")
        print(nulls.head(FIRST_ROWS))
        print(f"The strongest of {pairs.height:,} associations:")
        print(pairs.drop("kind").head(FIRST_ROWS))
    behind = f", which is {profile.age} than snapshot {profile.asked}" if profile.age else ""
    print(f"{name}: {profile.document['rows']:,} rows; profile of snapshot {profile.snapshot}{behind}")


def show_list(name: str, listed: pl.DataFrame, note: str, as_json: bool) -> None:
    """Every row of it, and a line about them."""
    if as_json:
        print(json.dumps({"name": name, "note": note, "result": listed.to_dicts()}, default=str))
        return
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=200, fmt_str_lengths=1000) as wide:
        wide.set_tbl_hide_dataframe_shape(True).set_tbl_hide_column_data_types(True)
        wide.set_tbl_hide_dtype_separator(True)
        print(listed)
    print(f"{name}: {note}")


def _open(session: boto3.Session, database: str, table: str) -> Table | NoTableError:
    try:
        return open_table(session, database, table)
    except NoTableError as error:
        return error


def show_tables(session: boto3.Session, database: str, names: list[str], as_json: bool) -> None:
    listed = tables_of((name, _open(session, database, name)) for name in names)
    note = f"{len(names)} tables for your role; --table TABLE --dictionary says what is in one"
    show_list(database, listed, note, as_json)


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise KitError(message, "--help lists the options")


def _options() -> argparse.Namespace:
    facts = access()
    parser = Parser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--table", help=", ".join(names := facts.pop("tables", [])))
    for name in ("role_arn", "external_id", "database"):
        parser.add_argument(f"--{name.replace('_', '-')}", required=name not in facts)
    parser.add_argument("--region", default=os.environ.get("AWS_REGION", "us-east-1"))
    parser.add_argument("--source-identity", help="who is behind this, if the company asks for it")
    parser.add_argument("--snapshot", help="read the table as of this snapshot (or hold), not as it is now")
    parser.add_argument("--where", default="True", help="only rows where this holds: city = 'Oslo'")
    parser.add_argument("--columns", default="*", help="only these columns, with commas between")
    answer = parser.add_mutually_exclusive_group()
    answer.add_argument("--sql", help="a query over the table by its name, run here by DuckDB")
    answer.add_argument("--files", action="store_true", help="the snapshot's data files, for other readers")
    answer.add_argument("--profile", action="store_true", help="what is in each column, of all rows")
    answer.add_argument("--tables", action="store_true", help="which tables there are, instead of --table")
    answer.add_argument("--dictionary", action="store_true", help="what each column is: type, key, meaning")
    answer.add_argument("--snapshots", action="store_true", help="the table's snapshots, and until when")
    parser.add_argument("--json", action="store_true", help="print JSON, not a table")
    parser.set_defaults(**facts, names=names)
    options = parser.parse_args()
    if not options.table and not options.tables:
        known = f"there are {', '.join(names)}" if names else ""
        raise KitError("--table: missing", known, "name one, or ask for --tables")
    whole = next((one for one in WHOLE if getattr(options, one)), None)
    if whole and (options.where, options.columns) != ("True", "*"):
        raise KitError(f"--{whole}: is of all rows and columns", "leave out --where and --columns")
    if whole not in (None, "profile") and options.snapshot:
        raise KitError(f"--{whole}: is of the table as it is now", "leave out --snapshot")
    return options


@advised()
def main() -> None:
    options = _options()
    session = take_role(options.role_arn, options.external_id, options.region, options.source_identity)
    if options.tables:
        show_tables(session, options.database, options.names, options.json)
        return
    table, name = open_table(session, options.database, options.table), f"{options.database}.{options.table}"
    if options.profile:
        show_profile(name, profile_of(table, options.snapshot), options.json)
        return
    if options.dictionary:
        show_list(name, dictionary_of(table), described(table) or "no description", options.json)
        return
    if options.snapshots:
        show_list(name, snapshots_of(table), retention(table), options.json)
        return
    scan = select(table, options.columns, options.where, options.snapshot)
    result: Any
    if options.files:
        rows, result = data_files(scan)
    elif options.sql:
        rows, result = query(scan, options.table, options.sql)
    else:
        # From the table's metadata, but for files of which only some rows are wanted: of these, one column.
        rows = scan.update(selected_fields=scan.projection().column_names[:1]).count()
        result = first_rows(scan)
    snapshot = scan.snapshot()
    facts = {"table": name, "snapshot": snapshot and snapshot.snapshot_id, "rows": rows}
    if options.json:
        listed = result if options.files else result.to_dicts()
        print(json.dumps({**facts, "result": listed}, default=str))
        return
    print("\n".join(result) if options.files else result)
    print(f"{name}: {rows:,} rows; snapshot {facts['snapshot']}", file=sys.stderr if options.files else None)


if __name__ == "__main__":
    try:
        main()
    except KitError as mistake:
        print(f"partner_kit: {mistake}", file=sys.stderr)
        sys.exit(2)
