"""What the registry's card says, in the schema that SageMaker AI has for it."""

import json
from typing import Any

import pytest
from aws_cdk.aws_sagemaker import CfnModelCard

from ml.judge.card import card
from tests.causeway.pages.test_model import PASSED, PIN, REPORT

MADE = {"contracts": ["mail 1.0.0"], "code": "c0de", "sha256": "4e1f"}
KINDS = {
    "intended_uses": CfnModelCard.IntendedUsesProperty,
    "training_details": CfnModelCard.TrainingDetailsProperty,
    "evaluation_details": CfnModelCard.EvaluationDetailProperty,
    "additional_information": CfnModelCard.AdditionalInformationProperty,
    "metric_groups": CfnModelCard.MetricGroupProperty,
    "metric_data": CfnModelCard.MetricDataItemsProperty,
}


def made(**changed: Any) -> Any:
    return json.loads(card({**REPORT, "sha256": "5a", **changed}, {**PIN, **MADE}, PASSED))


def check(content: Any, kind: Any) -> None:
    """Every name is one that CloudFormation has for a card's content."""
    assert set(content) <= set(kind.__init__.__annotations__)
    for name, value in content.items():
        if name in KINDS:
            for one in value if isinstance(value, list) else [value]:
                check(one, KINDS[name])


@pytest.mark.parametrize("changed", [{}, {"threshold": None, "holdout": None, "slices": []}])
def test_a_card_has_the_names_of_the_schema(changed: dict[str, Any]) -> None:
    check(made(**changed), CfnModelCard.ContentProperty)


def test_a_card_says_what_the_model_is_for_what_it_rests_on_and_what_the_gate_saw() -> None:
    content = made()
    assert content["intended_uses"]["purpose_of_model"] == "For <b>tests</b>."
    observed = content["training_details"]["training_observations"]
    assert observed.startswith("tree-0 on mail, snapshot 7, contract mail 1.0.0: 42 rows train, ")
    assert observed.endswith("Round 1: tree-0 overfits")
    (evaluation,) = content["evaluation_details"]
    gate, slices = evaluation["metric_groups"]
    assert {"name": "precision, lower bound", "type": "number", "value": 0.596} in gate["metric_data"]
    (html,) = slices["metric_data"]
    assert (html["name"], html["value"], html["notes"]) == ("html", 0.1429, "1 of 7 negatives")
    assert content["additional_information"]["custom_details"]["sha256"] == "5a"


def test_a_card_is_one_line_within_the_schemas_lengths_however_much_there_is_to_tell() -> None:
    many = [{**REPORT["slices"][0], "value": f"{n}" * 200, "rows": n} for n in range(500)]
    limits = {"purpose": "p" * 5000, "limits": ["q" * 5000]}
    text = card({**REPORT, "sha256": "5a", "card": limits, "slices": many}, {**PIN, **MADE}, PASSED)
    assert len(text) < 100_000
    assert "\n" not in text
    content = json.loads(text)
    assert len(content["intended_uses"]["purpose_of_model"]) == 1000
    names = [one["name"] for one in content["evaluation_details"][0]["metric_groups"][1]["metric_data"]]
    assert names[0].startswith("499")
    assert max(map(len, names)) <= 255
