"""The page of a profile: a row for each column, a map of how they relate, and the numbers behind it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from causeway.pages.page import render
from causeway.pages.wording import BOUNDED, by, chance, distinct, drifted, judged, middle, shown

WIDTH, HEIGHT = 160, 36  # of a histogram
LISTED = 300  # associations
MOSTLY = 0.5  # share of nulls from which a column is mostly empty
STRONG = 0.3  # from which a cell of the map says its number


def profile_page(document: Mapping[str, Any]) -> str:
    """One HTML file, of what `causeway profile --json` prints."""
    columns, pairs = document["columns"], document["associations"]
    compared = [name for name in columns if any(name in (pair["x"], pair["y"]) for pair in pairs)]
    effects = {frozenset((pair["x"], pair["y"])): pair for pair in pairs}
    strongest = list(dict.fromkeys(name for pair in pairs for name in (pair["x"], pair["y"])))
    snapshot = f", snapshot {document['snapshot']}" if "snapshot" in document else ""
    more = f"{len(pairs):,} pairs were compared; p is adjusted for their number (Holm)."
    return render(
        "profile.html.jinja",
        title=f"Profile of {document['dataset']}",
        subtitle=f"contract {document['contract']}{snapshot}",
        facts=_facts(document),
        columns=[_column(name, column) for name, column in columns.items()],
        bounded=BOUNDED,
        quality=judged(document.get("quality", ())),
        compared=compared,
        strongest=strongest,
        heat=[{"name": x, "cells": [_cell(x, y, effects) for y in compared]} for x in compared],
        against=document.get("against"),
        drift=[drifted(name, column) for name, column in document.get("drift", {}).items()],
        pairs=[_pair(pair) for pair in pairs[:LISTED]],
        pairs_note=more if len(pairs) <= LISTED else f"{more} The first {LISTED} are listed.",
    )


def _facts(document: Mapping[str, Any]) -> list[dict[str, str]]:
    columns = document["columns"].values()
    same = sum(any("say" in caveat for caveat in pair["caveats"]) for pair in document["associations"])
    counted = {
        "rows": document["rows"],
        "columns": len(columns),
        "columns with nulls": sum(bool(column["nulls"]) for column in columns),
        "columns without values": sum("it has no values" in column["notes"] for column in columns),
        "bounds broken": sum(bound["holds"] is False for bound in document.get("quality", ())),
        "pairs that say the same": same,
        "rows rejected by the contract": document.get("rows_rejected", 0),
    }
    return [{"what": what, "number": f"{number:,}"} for what, number in counted.items() if number]


def _column(name: str, column: Mapping[str, Any]) -> dict[str, Any]:
    share = column["null_share"] or 0.0
    bars, shape = _bars(column)
    return {
        "name": name,
        "measure": column["measure"],
        "bars": bars,
        "shape": shape,
        "nulls": f"{share:.1%}" if column["nulls"] else "",
        "mostly_null": share > MOSTLY,
        "distinct": distinct(column),
        "lowest": shown(column.get("minimum")),
        "middle": shown(middle(column)),
        "highest": shown(column.get("maximum")),
        "notes": "; ".join(column["notes"]),
    }


def _bars(column: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """A histogram's bars, or those of the most frequent values; and what they show, in words."""
    if "histogram" in column:
        counts, edges = column["histogram"]["counts"], column["histogram"]["edges"]
        names = [f"{shown(low)} to {shown(high)}" for low, high in pairwise(edges)]
        shape = f"histogram from {shown(edges[0])} to {shown(edges[-1])}"
    else:
        values = column.get("frequent", {}).get("values", [])
        counts, names = [value["count"] for value in values], [value["value"] for value in values]
        shape = f"most frequent: {', '.join(names[:3])}"
    width, highest = WIDTH / max(len(counts), 1), max(counts, default=0) or 1
    bars = []
    for i, (count, name) in enumerate(zip(counts, names, strict=True)):
        height = round(count / highest * HEIGHT, 1)
        place = {"x": round(i * width, 1), "y": round(HEIGHT - height, 1), "width": round(width - 1, 1)}
        bars.append({**place, "height": height, "title": f"{name}: {count:,}"})
    return bars, shape


def _cell(x: str, y: str, effects: Mapping[frozenset[str], Mapping[str, Any]]) -> dict[str, Any]:
    pair = effects.get(frozenset((x, y))) if x != y else None
    if pair is None:
        return {"name": y, "effect": None, "text": ""}
    effect = pair["effect"]
    text = f"{effect:.2f}".lstrip("0") if effect >= STRONG else ""
    title = f"{x} and {y}: {effect:.3f} ({pair['kind']}, {by(pair)})"
    return {"name": y, "effect": effect, "shade": round(effect * 0.6, 3), "text": text, "title": title}


def _pair(pair: Mapping[str, Any]) -> dict[str, str]:
    return {
        "x": pair["x"],
        "y": pair["y"],
        "effect": f"{pair['effect']:.3f}",
        "by": by(pair),
        "n": f"{pair['n']:,}",
        "p": chance(pair),
        "caveats": "; ".join(pair["caveats"]),
    }
