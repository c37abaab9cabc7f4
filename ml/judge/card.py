"""A model's card in the registry: what it is for, what it was trained on, what it was judged by.

The schema: "View the Details of a Model Version" in SageMaker AI's documentation.
"""

import json
from collections.abc import Mapping
from typing import Any

LONGEST = 1000  # characters of a text; the schema's shortest limit is 1024
SLICES = 20  # of each column, those with the most rows
FEATURES = 12


def card(report: Mapping[str, Any], pin: Mapping[str, Any], verdict: Mapping[str, Any]) -> str:
    """The card's content, as JSON in one line."""
    its, words = report["card"], report["words"]
    leans = [f"{one['feature']} ({one['lost']:.3f})" for one in report["importances"][:FEATURES]]
    details = {
        "leans on (average precision lost without)": ", ".join(leans),
        "words for": ", ".join(words.get("for", [])),
        "words against": ", ".join(words.get("against", [])),
        "sha256": report["sha256"],
        "code": pin["code"],
        "keys of the rows, sha256": pin["sha256"],
    }
    content = {
        "intended_uses": {"purpose_of_model": _text(its["purpose"]), "risk_rating": "Unknown"},
        "training_details": {"training_observations": _text(_training(report, pin))},
        "evaluation_details": [
            {
                "name": "later rows that nothing was chosen by",
                "evaluation_observation": _text("; ".join([verdict["verdict"], *verdict["reasons"]])),
                "metric_groups": [
                    {"name": name, "metric_data": numbers}
                    for name, numbers in _groups(report).items()
                    if numbers
                ],
            }
        ],
        "additional_information": {
            "caveats_and_recommendations": _text(" ".join(its["limits"])),
            "custom_details": {name: _text(value) for name, value in details.items() if value},
        },
    }
    return json.dumps(content)


def _text(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _training(report: Mapping[str, Any], pin: Mapping[str, Any]) -> str:
    windows = ", ".join(f"{its['rows']} rows {name}" for name, its in pin["windows"].items())
    diagnosis = " ".join(f"Round {one['round']}: {one['said']}" for one in report["rounds"])
    contracts = ", ".join(pin["contracts"])
    rows = (
        f"{report['best']} on {pin['dataset']}, snapshot {pin['snapshot']}, contract {contracts}: {windows}."
    )
    return f"{rows} {diagnosis}".strip()


def _groups(report: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Numbers at the threshold; and of each slice the share of its negatives that is flagged wrongly."""
    numbers = {"average precision": report["average_precision"]}
    if holdout := report["holdout"]:
        share = f"where {report['expected_share']:.0%} are positive"
        numbers |= {
            "threshold": report["threshold"],
            "precision": holdout["precision"],
            "precision, lower bound": holdout["lower"],
            f"precision {share}": holdout["at_share"],
            "recall": holdout["recall"],
            "flagged": holdout["flagged"],
        }
    groups = {"at the threshold": [_number(name, value) for name, value in numbers.items()]}
    for column in dict.fromkeys(one["column"] for one in report["slices"]):
        its = [one for one in report["slices"] if one["column"] == column and one["negatives"]]
        most = sorted(its, key=lambda one: -one["rows"])[:SLICES]
        groups[f"flagged wrongly, by {column}"[:63]] = [
            _number(f"{one['value']}"[:255], one["wrong"] / one["negatives"])
            | {"notes": f"{one['wrong']} of {one['negatives']} negatives"}
            for one in most
        ]
    return groups


def _number(name: str, value: float) -> dict[str, Any]:
    return {"name": name, "type": "number", "value": round(value, 4)}
