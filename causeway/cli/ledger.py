"""`causeway ledger rebuild`: the index of what the tables hold, built anew from them."""

from typing import Annotated, Any

import typer

from causeway.cli.output import Json, answer, show

ledger = typer.Typer(help="Build the index of what the tables hold anew.", no_args_is_help=True)


@ledger.callback()
def _commands() -> None:
    """`ledger` is a group of commands, though it has one so far."""


@ledger.command()
def rebuild(
    datasets: Annotated[list[str] | None, typer.Argument(metavar="DATASET", help="By default all.")] = None,
    as_json: Json = False,
) -> None:
    """Build the ledger from the tables' rows. Costs what reading their lineage columns costs.

    Batches may go on meanwhile.
    """
    from causeway.flow.ledger import Ledger
    from causeway.lake.location import Lake
    from causeway.lake.tables import glue_catalog
    from causeway.operate.deployment import Deployment

    deployment = Deployment.find()
    settings, outputs = deployment.settings, deployment.lake
    buckets = (outputs[f"{name}Bucket"] for name in ("Landing", "Curated", "Quarantine"))
    lake = Lake.in_buckets(*buckets, settings.database("lake"), settings.database("quarantine"))
    catalog, s3 = glue_catalog(settings.company.region), deployment.client("s3")
    counts = {}
    for dataset in deployment.datasets(datasets or []):
        index = Ledger(deployment.landing.ledger, dataset)
        counts[dataset] = _rebuild(lake, deployment.contracts[dataset], catalog=catalog, ledger=index, s3=s3)
        if not as_json:
            show(f"{dataset}: {_text(counts[dataset])}")
    if as_json:
        answer({"datasets": counts}, list, as_json)


def _rebuild(lake: Any, contract: Any, *, catalog: Any, ledger: Any, s3: Any) -> dict[str, int] | None:
    """What is in the ledger once it is built; None if there is no table yet."""
    from causeway.lake.history import History
    from causeway.lake.tables import find_table

    if not (table := find_table(catalog, (lake.curated_database, contract.table))):
        return None
    watermark = History(lake, contract.dataset, catalog, ledger, s3).rebuild(table)
    items = [item for item in ledger.items("source#") if watermark and item["epoch"] == watermark.epoch]
    return {
        "sources": len(items),
        "rows": sum(int(item["rows"]) for item in items),
        "quarantined": sum(int(item["quarantined"]) for item in items),
    }


def _text(counts: dict[str, Any] | None) -> str:
    if counts is None:
        return "no table yet, nothing to build from"
    return f"{counts['sources']:,} sources, {counts['rows']:,} rows, {counts['quarantined']:,} quarantined"
