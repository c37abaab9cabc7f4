"""`causeway retire`: a table whose contract is gone is dropped, with its files."""

from typing import Annotated

import typer

from causeway.cli.output import Exit, Json, answer, show
from causeway.contract.model import ContractError
from causeway.flow.nearest import did_you_mean


def retire(
    table: Annotated[str, typer.Argument(help="One of those that `causeway status` says have no contract.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> int:
    """Drop a table that has no contract any more, and what is quarantined of it.

    What landed stays in landing: with a contract again, `causeway backfill` fills a new table from it.
    """
    from causeway.operate.deployment import Deployment
    from causeway.operate.unclaimed import drop, unclaimed_tables

    deployment = Deployment.find()
    known = unclaimed_tables(deployment)
    if table not in known:
        if table in deployment.contracts:
            raise ContractError(f"{table} has a contract: remove that and deploy first, then retire it")
        there = ", ".join(known) or "none"
        meant = did_you_mean(table, known)
        raise ContractError(f"no table {table} without a contract; there are: {there}{meant}")
    if not yes:
        show(f"Table {table}, its files and its quarantine will be deleted; S3 keeps the files for 30 days.")
        typer.confirm("Drop it?", abort=True)
    dropped = drop(deployment, table)
    answer(dropped, lambda: [f"{table}: dropped, with {dropped['files']:,} files"], as_json)
    return Exit.FINE
