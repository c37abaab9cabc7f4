"""What `causeway estimate --model` prints: the reasoning, the price, and what would be cheaper."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType

from causeway.cli.output import answer, table

GB = 1e9


def estimate_model(model: str, *, context: int, concurrency: int, dtype: str, as_json: bool) -> None:
    """Raises SizingError, also where nothing fits: its one line has the way out."""
    from causeway.operate import sizing
    from causeway.operate.shapes import shape_of

    workload = sizing.workload_of(shape_of(model), context=context, concurrency=concurrency, dtype=dtype)
    document = sizing.document(workload)
    answer(document, lambda: _text(document), as_json)


def _text(document: Mapping[str, Any]) -> Iterator[RenderableType]:
    shape, best = document["model"], document["chosen"]
    context, concurrency = document["context"], document["concurrency"]
    yield (
        f"{shape['name']}: {shape['parameters'] / GB:,.2f} billion parameters in {document['dtype']}, "
        f"{context:,} tokens, {concurrency:,} at once\n"
    )
    yield f"weights              {document['weights'] / GB:8,.2f} GB"
    yield (
        f"key-value cache      {document['cache'] / GB:8,.2f} GB   2 × {shape['layers']} layers × "
        f"{shape['kv_heads']} heads × {shape['head_dim']} = {document['cache_of_a_token']:,} bytes a token"
    )
    yield (
        f"beside them          {document['overhead'] / GB:8,.2f} GB   on each accelerator, of which "
        f"{document['usable_share']:.0%} are used: assumed\n"
    )
    yield table(HEADER, [_row("chosen", best), *(_row("next", one) for one in document["next"])])
    unused = best["accelerators"] - best["parallel"]
    if unused:
        yield f"{unused} of its accelerators idle: {shape['heads']} attention heads do not divide among all"
    yield f"Prices: {document['prices_of']}, without storage, requests, taxes and discounts\n"
    yield from _costs(best)
    yield from _cheaper(document["cheaper"])


HEADER = ("", "instance", "accelerators", "GB each", "weights", "cache", "free", "price")


def _row(label: str, one: Mapping[str, Any]) -> tuple[str, ...]:
    sizes = (f"{one[key] / GB:,.1f}" for key in ("memory", "weights", "cache", "free"))
    return (label, one["instance"], f"{one['parallel']} × {one['accelerator']}", *sizes, one["price"])


def _costs(best: Mapping[str, Any]) -> Iterator[str]:
    months = (f"{n} h a day ${dollars:,.0f}" for n, dollars in best["month_by_hours_a_day"].items())
    waking = (
        f"${best['dollars_a_waking']:,.2f} beside its work ({best['minutes_of_a_waking']} minutes, assumed)"
    )
    yield f"Asleep $0. A waking {waking}."
    yield f"A month: in one stretch, {', '.join(months)}; always on ${best['month_always_on']:,.0f}."
    yield (
        f"Always on is cheaper only beyond {best['break_even_wakings_a_day']} wakings or "
        f"{best['break_even_hours_a_day']:g} hours of work a day.\n"
    )


def _cheaper(savings: list[Mapping[str, Any]]) -> Iterator[str]:
    if not savings:
        yield "Nothing that is given up makes it cheaper."
    for saving in savings:
        yield f"Cheaper: {saving['change']}: {saving['instance']}, ${saving['dollars_an_hour']:,.2f} an hour"
