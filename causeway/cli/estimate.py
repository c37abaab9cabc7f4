"""`causeway estimate`: what a month would cost, before anything is deployed."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from causeway.cli.estimate_model import estimate_model
from causeway.cli.output import Json, answer, table


class Pattern(StrEnum):
    steady = "steady"
    bursty = "bursty"
    diurnal = "diurnal"


def estimate(
    objects: Annotated[int | None, typer.Option(min=1, max=5_000_000, help="That land in a day.")] = None,
    size: Annotated[int | None, typer.Option("--bytes", min=0, help="Of each object.")] = None,
    pattern: Annotated[
        Pattern, typer.Option(help="bursty: in the first 5 minutes of an hour. diurnal: the most at noon.")
    ] = Pattern.steady,
    model: Annotated[
        str | None,
        typer.Option(help="Size an endpoint of this language model: a name, or a config.json's path."),
    ] = None,
    context: Annotated[int, typer.Option(help="Tokens of a request and its answer.")] = 8192,
    concurrency: Annotated[int, typer.Option(help="Requests at once.")] = 4,
    dtype: Annotated[str, typer.Option(help="Of the weights; the model's own if it is not given.")] = "",
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page here, in one file.")] = None,
    as_json: Json = False,
) -> None:
    """Say what a month of one dataset would cost, by the settings, and what another window would.

    The pipeline's own code makes the batches of a simulated day. Needs no AWS; a million objects
    take a minute. With --model: which accelerated instance it needs, why, and what that costs.
    """
    if model is not None:
        estimate_model(model, context=context, concurrency=concurrency, dtype=dtype, as_json=as_json)
        return
    if objects is None or size is None:
        raise typer.BadParameter("give --objects and --bytes, or --model")
    from causeway.contract.load import load_contracts
    from causeway.flow.datasets import CONTRACTS
    from causeway.operate.estimate import Arrivals
    from causeway.operate.estimate import estimate as estimate_of
    from causeway.settings import load_settings

    arrivals = Arrivals(pattern.value, objects, size)
    settings = load_settings()
    document = estimate_of(settings, load_contracts(CONTRACTS), arrivals)
    if html:
        from causeway.pages.estimate import estimate_page

        html.write_text(estimate_page(document), "utf-8")
    answer(document, lambda: _text(document, settings.limits.max_concurrent_runs), as_json)


def _text(document: Mapping[str, Any], most_runs: int) -> Iterator[RenderableType]:
    arrivals, plan, single = document["arrivals"], document["plan"], document["run_per_object"]
    yield (
        f"A month of 30 days: {arrivals['objects']:,} objects a day of {arrivals['size']:,} bytes, "
        f"{arrivals['pattern']}; {plan['batches_a_day']:,} batches a day, "
        f"{plan['by_function']:,} of them small\n"
    )
    items = [*plan["items"], *({**item, "name": f"at rest: {item['name']}"} for item in document["idle"])]
    header = ("item", "units", "dollars", "of", "price")
    rows = [(i["name"], f"{i['units']:,.1f}", f"{i['dollars']:,.2f}", i["of"], i["price"]) for i in items]
    yield table(header, [*rows, ("total", "", f"{plan['dollars']:,.2f}", "", "")])
    yield f"Prices: {document['prices_of']}"
    if region := document["foreign_prices"]:
        yield f"Those of {region} are not known here"
    yield f"Not in it: {document['not_in_it']}\n"
    crawl = document["crawler_per_batch"]
    yield f"A run of Glue for each object would cost ${single:,.2f}"
    yield f"A crawler for each batch would cost ${crawl:,.2f} more"
    yield "Other windows, in seconds:\n"
    ways = [plan, *document["other_windows"]]
    yield table(WAYS, [_way(way, single) for way in ways])
    yield from _advice(ways, most_runs)


WORTH_IT = 0.98  # of the dollars, or less
WAYS = (
    "window", "dataset's own", "objects at most", "batches a day", "dollars", "seconds to visible", "longest",
    "of a run per object",
)  # fmt: skip


def _way(way: Mapping[str, Any], single: float) -> tuple[Any, ...]:
    numbers = (way["window"], way["own"], way["objects"], way["batches_a_day"])
    times = f"1/{single / way['runs']:,.0f}"
    return (*numbers, f"{way['dollars']:,.2f}", way["seconds_to_visible"], way["longest_to_visible"], times)


def _advice(ways: list[Mapping[str, Any]], most_runs: int) -> Iterator[str]:
    now, best = ways[0], min(ways, key=lambda way: way["dollars"])
    if best["dollars"] > now["dollars"] * WORTH_IT:
        yield "No longer window is worth the wait: the settings' own, the first, costs about as little."
    else:
        later = best["seconds_to_visible"] - now["seconds_to_visible"]
        where = "[datasets.<name>]" if best["own"] else "[limits]"
        less = now["dollars"] - best["dollars"]
        yield (
            f"${less:,.2f} less, rows visible {later:,} seconds later: under {where} "
            f"batch_window_seconds = {best['own'] or best['window']}, batch_max_objects = {best['objects']}"
        )
    if now["runs_at_once"] > most_runs:
        yield f"It does not keep up: {now['runs_at_once']} runs at once; max_concurrent_runs = {most_runs}"
