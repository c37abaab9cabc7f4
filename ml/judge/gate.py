"""Whether a model may be offered for approval: passed, failed, or not enough evidence."""

from collections.abc import Mapping
from typing import Any

from ml.judge.metrics import exact_lower, needed_without_error, wilson

NO_WORSE = 0.005  # of average precision, that a new model may have less than the one in use


def judge(report: Mapping[str, Any], *, certified: float, limits: Mapping[str, float]) -> dict[str, Any]:
    """The verdict, and each reason for it, over a report's holdout, slices and champion."""
    failed, missing = [], []
    holdout = report["holdout"]
    if report["threshold"] is None:
        missing.append(
            f"no threshold has precision with a lower bound of {report['chosen']:g} on the validation rows"
        )
    elif holdout["lower"] < certified:
        told = f"precision {holdout['right']}/{holdout['flagged']}, lower bound {holdout['lower']:.3f}"
        needed = needed_without_error(certified)
        hopeless = wilson(holdout["right"], holdout["flagged"])[1] < certified
        if holdout["flagged"] < needed and not hopeless:
            missing.append(f"{told}: {certified:g} needs {needed} flagged rows without an error")
        else:
            failed.append(f"{told}, and {certified:g} is wanted")
    failed += [reason for one in report["slices"] if (reason := _slice(one, limits))]
    champion = report.get("champion")
    if champion and report["average_precision"] < champion["average_precision"] - NO_WORSE:
        ours, theirs = report["average_precision"], champion["average_precision"]
        failed.append(
            f"average precision {ours:.3f} on the same later rows, where the model in use has {theirs:.3f}"
        )
    verdict = "failed" if failed else "not enough evidence" if missing else "passed"
    return {"verdict": verdict, "reasons": [*failed, *missing]}


def _slice(one: Mapping[str, Any], limits: Mapping[str, float]) -> str:
    """Why this slice forbids the model: even the lower bound of its false positives is beyond the limit."""
    limit, lower = limits[one["column"]], exact_lower(one["wrong"], one["negatives"])
    if lower <= limit:
        return ""
    rate = f"{one['wrong']} of {one['negatives']} negatives are flagged, at least {lower:.1%}"
    return f"{one['column']} {one['value']}: {rate}, and {limit:.1%} are allowed"
