"""A profile's numbers as people read them, on a page and in a terminal."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

BOUNDED = ("bound", "column", "number", "is", "allowed", "state", "severity", "notes")  # as `judged` lists it
STATES = {False: "broken", None: "open", True: "holds"}
NUMBERS = {
    "rowCount": "rows",
    "nullValues": "nulls",
    "duplicateValues": "duplicates",
    "distinct": "different values",
    "latency": "age of the newest",
}
TO_THE_MINUTE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:00(\+00:00)?")


def by(pair: Mapping[str, Any]) -> str:
    """Which numbers an effect comes from."""
    names = {"pearson": "r", "spearman": "ρ", "phi": "φ", "v_corrected": "V", "eta2": "η²"}
    return ", ".join(f"{sign} {pair[name]:.3f}" for name, sign in names.items() if pair.get(name) is not None)


def chance(pair: Mapping[str, Any]) -> str:
    p = pair.get("p_adjusted")
    return "" if p is None else "< 1e-12" if p < 1e-12 else f"{p:.2g}"  # noqa: PLR2004


def middle(column: Mapping[str, Any]) -> Any:
    """The median, or the most frequent value."""
    if "quantiles" in column:
        return next(q["value"] for q in column["quantiles"]["values"] if q["share"] == 0.5)  # noqa: PLR2004
    often = column.get("frequent", {}).get("values")
    return often[0]["value"] if often else None


def shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    if TO_THE_MINUTE.fullmatch(text):
        text = text[:16].replace("T", " ")
    return text.removesuffix(" 00:00")


def lasting(seconds: float | None) -> str:
    """So long, in the largest unit of which it is two or more; nothing for None."""
    if seconds is None:
        return ""
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:,.0f} seconds"


def distinct(column: Mapping[str, Any]) -> str:
    """How many values there are; ≈ if that is an estimate."""
    if not (counted := column.get("distinct")):
        return ""
    return f"{'' if counted['method'] == 'exact' else '≈ '}{counted['count']:,}"


def drifted(name: str, column: Mapping[str, Any]) -> tuple[str, ...]:
    """Name, share of nulls before and after, index, new and vanished values, notes."""
    shares = [share for share in column["null_share"].values() if share is not None]
    nulls = " → ".join(f"{share:.1%}" for share in shares) if any(shares) else ""
    psi = f"{column['psi']:.3f}" if "psi" in column else ""
    changes = [_changes(column[which]) if which in column else "" for which in ("new", "vanished")]
    return (name, nulls, psi, *changes, "; ".join(column["notes"]))


def _changes(change: Mapping[str, Any]) -> str:
    some = ", ".join(change["values"][:3])
    return f"{change['count']:,}: {some}{', …' if change['count'] > 3 else ''}" if change["count"] else ""  # noqa: PLR2004


def judged(quality: Iterable[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """The contract's bounds in words, the broken ones first, errors before warnings."""
    order = list(STATES)
    ordered = sorted(quality, key=lambda one: (order.index(one["holds"]), one["severity"] != "error"))
    return [
        (
            one["name"],
            one["column"] or "",
            NUMBERS.get(one["metric"], one["metric"]),
            f"{one['value']:,}" if isinstance(one["value"], int) else shown(one["value"]),
            one["allowed"],
            STATES[one["holds"]],
            one["severity"],
            one.get("note", ""),
        )
        for one in ordered
    ]
