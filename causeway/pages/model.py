"""The page of a trained model: the gate first, then what it rests on, and what it must not be used for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from causeway.pages.page import render

WIDTH, HEIGHT = 220, 140  # of a plot
FEATURES = 12


def model_page(report: Mapping[str, Any], verdict: Mapping[str, Any], pin: Mapping[str, Any]) -> str:
    """One HTML file, of a run's report, verdict and pin, and what each round's diagnosis said."""
    certified, holdout = report["certified"], report["holdout"]
    return render(
        "model.html.jinja",
        title=f"Model {report['model']}: {verdict['verdict']}",
        subtitle=f"{report['best']}, of snapshot {pin['snapshot']} of {pin['dataset']}, run {report['run']}",
        card=report["card"],
        verdict=verdict,
        facts=_facts(report, pin),
        certified=certified,
        bound=holdout and _interval(holdout["precision"], holdout["lower"], certified),
        expected=holdout and f"{report['expected_share']:.0%}: {holdout['at_share']:.1%}",
        windows=[(name, *_window(its)) for name, its in pin["windows"].items()],
        rounds=report["rounds"],
        candidates=sorted(report["candidates"], key=lambda one: (one["round"], -one["later"])),
        slices=[_slice(one, report["limits"]) for one in report["slices"]],
        calibration=_line([(one["predicted"], one["true"]) for one in report["calibration"]]),
        learning=[(f"{one['rows']:,}", f"{one['later']:.3f}") for one in report["learning_curve"]],
        importances=[(one["feature"], f"{one['lost']:.4f}") for one in report["importances"][:FEATURES]],
        words=report["words"],
        champion=_champion(report),
        ablations=report.get("ablations", []),
        drift=sorted(((index, name) for name, index in pin["drift"].items()), reverse=True)[:FEATURES],
    )


def _facts(report: Mapping[str, Any], pin: Mapping[str, Any]) -> list[tuple[str, str]]:
    facts = [("average precision, later", f"{report['average_precision']:.3f}")]
    if holdout := report["holdout"]:
        facts = [
            ("precision, later", f"{holdout['precision']:.1%}"),
            ("its lower bound, 95 %", f"{holdout['lower']:.1%}"),
            ("recall", f"{holdout['recall']:.1%}"),
            ("flagged, rightly", f"{holdout['right']} of {holdout['flagged']}"),
            *facts,
            ("threshold", f"{report['threshold']:.3f}"),
        ]
    return [*facts, ("rows read", f"{pin['rows']:,}"), ("left out", f"{pin['repeated_or_unlabelled']:,}")]


def _window(its: Mapping[str, Any]) -> tuple[str, ...]:
    first, last = (str(its[end])[:10] if its[end] else "" for end in ("first", "last"))
    return (f"{its['rows']:,}", f"{its['positives']:,}", f"{first} to {last}" if first else "")


def _interval(value: float, lower: float, wanted: float) -> dict[str, float]:
    """Places on a line from 80 % to 100 %, or from 0 where that is too high."""
    start = 0.8 if min(lower, wanted) > 0.8 else 0.0  # noqa: PLR2004
    places = {"value": value, "lower": lower, "wanted": wanted}
    return {
        "start": start,
        **{name: round((one - start) / (1 - start) * 400, 1) for name, one in places.items()},
    }


def _slice(one: Mapping[str, Any], limits: Mapping[str, float]) -> dict[str, Any]:
    limit = limits[one["column"]]
    return {
        **one,
        "rate": f"{one['wrong'] / one['negatives']:.1%}" if one["negatives"] else "",
        "recall": f"{one['right'] / one['positives']:.1%}" if one["positives"] else "",
        "limit": f"{limit:.0%}" if limit < 1 else "none",
    }


def _line(points: Sequence[tuple[float, float]]) -> str:
    """The points of a polyline in a square plot."""
    return " ".join(f"{x * WIDTH:.1f},{HEIGHT - y * HEIGHT:.1f}" for x, y in points)


def _champion(report: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """This model and the one in use, on the new rows and on those before."""
    champion = report.get("champion")
    if not champion:
        return []
    both = next(one for one in report["ablations"] if one["trained_on"] == "both")
    this = ("this model", f"{both['before']:.3f}", f"{both['now']:.3f}")
    other = (champion["average_precision_before"], champion["average_precision"])
    return [this, (f"in use ({champion['run']})", *(f"{one:.3f}" for one in other))]
