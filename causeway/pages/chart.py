"""Bars of a number a day, of a part for each dataset, as templates draw them (`chart.html.jinja`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

WIDTH, HEIGHT, WIDEST = 720, 200, 60  # of the chart; a day at most
COLOURS = 8  # of the template; further datasets share the last


def every_day(days: Iterable[str]) -> list[str]:
    """From the first to the last, those without a number too."""
    known = sorted(days)
    if not known:
        return []
    first, last = (date.fromisoformat(known[end]) for end in (0, -1))
    return [f"{first + timedelta(n)}" for n in range((last - first).days + 1)]


def bars(
    shown: Sequence[str],
    days: Mapping[str, Mapping[str, float]],
    names: Sequence[str],
    text: Callable[[float], str],
    limit: float = math.inf,
) -> dict[str, Any]:
    """`days`: numbers by day and dataset. `limit`: a line, where it is not far above all bars."""
    most = max((sum(of.values()) for of in days.values()), default=0.0) or 1.0
    top = limit if most < limit < 2 * most else most
    step = min(WIDEST, WIDTH / max(1, len(shown)))
    drawn: list[dict[str, Any]] = []
    for n, day in enumerate(shown):
        y = float(HEIGHT)
        for colour, name in enumerate(names):
            if number := days.get(day, {}).get(name, 0.0):
                tall = number / top * HEIGHT
                y -= tall
                place = {"x": round(n * step, 1), "y": round(y, 1), "width": round(step * 0.8, 1)}
                label = {"colour": min(colour, COLOURS - 1), "label": f"{day}, {name}: {text(number)}"}
                drawn.append({**place, "height": round(tall, 1), **label})
    line = round(HEIGHT - limit / top * HEIGHT, 1) if limit <= top else None
    return {"bars": drawn, "top": text(top), "line": line, "ends": [*shown[:1], *shown[-1:]]}


def legend(names: Sequence[str]) -> list[tuple[int, str]]:
    return [(min(n, COLOURS - 1), name or "?") for n, name in enumerate(names)]
