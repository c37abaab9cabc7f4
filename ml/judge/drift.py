"""Whether the world has changed since a model was trained, and whether to train again."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from math import inf, log, nextafter
from typing import Any, Literal

BINS = 10
FEW = 200  # new rows: with fewer, ten bins differ by chance alone
FEWEST = 0.5  # rows that a bin counts as having at the least


def edges(numbers: Sequence[float]) -> list[float]:
    """Where bins of about equal numbers of rows end; a number that would fill several has one for itself."""
    ordered = sorted(numbers)
    cuts = [ordered[len(ordered) * n // BINS] for n in range(1, BINS)] if ordered else []
    return sorted({*cuts, *(nextafter(cut, inf) for cut in cuts if cuts.count(cut) > 1)})


def counts(numbers: Sequence[float], ends: Sequence[float]) -> list[int]:
    """How many numbers each bin has."""
    found = [0] * (len(ends) + 1)
    for number in numbers:
        found[bisect_right(ends, number)] += 1
    return found


def stability_index(before: Sequence[int], after: Sequence[int]) -> float:
    """The population stability index; from 0.1 on somewhat, from 0.25 on much is different."""
    shares = []
    used = [two for two in zip(before, after, strict=True) if any(two)]
    for bins in zip(*used, strict=True):
        filled = [max(count, FEWEST) for count in bins]
        shares.append([count / sum(filled) for count in filled])
    return float(sum((b - a) * log(b / a) for a, b in zip(*shares, strict=True)))


def decide(
    pin: Mapping[str, Any],
    champion: Mapping[str, Any] | None,
    judged: Mapping[str, Any] | None,
    *,
    new_rows: int,
    drift: float,
    asked: bool,
) -> dict[str, Any]:
    """Train or skip, and why. `asked`: somebody, or the calendar, wants it whatever the rows say.

    `champion` and `judged` are the pins of the model in use and of the one that last came to the gate.
    """
    action: Literal["train", "skip"] = "train"
    fresh = pin["windows"]["holdout"]["rows"]
    moved = {name: index for name, index in pin["drift"].items() if index >= drift and fresh >= FEW}
    since = pin["rows"] - judged["rows"] if judged else new_rows
    if judged and not asked and since < new_rows and judged["run"] != (champion or {}).get("run"):
        action, why = (
            "skip",
            f"{since} rows more than run {judged['run']} had, which is not in use; {new_rows} are enough",
        )
    elif champion is None:
        why = "the first model"
    elif not fresh:
        action, why = (
            "skip",
            f"no row is newer than the model in use, which saw rows until {champion['until']}",
        )
    elif fresh >= new_rows:
        why = f"{fresh} new rows, and {new_rows} are enough"
    elif moved:
        worst = max(moved, key=lambda name: moved[name])
        why = f"{worst} has moved: its stability index is {moved[worst]:.2f}, and {drift} is much"
    elif asked:
        why = "asked for"
    else:
        seen = (
            f"nothing has moved by {drift}" if fresh >= FEW else "too few to tell whether anything has moved"
        )
        action, why = "skip", f"{fresh} new rows are not yet {new_rows}, and {seen}"
    return {"action": action, "why": why, "new_rows": fresh, "moved": moved}
